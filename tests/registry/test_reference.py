"""Image references, odd ones too, read as docker and podman read them."""

import pytest

from nixcfg.registry.reference import BadReferenceError, is_loopback, parse

DIGEST = "sha256:" + "0123456789abcdef" * 4

# The text, then registry, repository, tag, digest.
READ = {
    "litellm": ("docker.io", "library/litellm", "", ""),
    "litellm:v1": ("docker.io", "library/litellm", "v1", ""),
    "litellm/litellm:v1": ("docker.io", "litellm/litellm", "v1", ""),
    "docker.io/litellm": ("docker.io", "library/litellm", "", ""),
    "index.docker.io/litellm/litellm": ("docker.io", "litellm/litellm", "", ""),
    "ghcr.io/berriai/litellm:v1.106.2": ("ghcr.io", "berriai/litellm", "v1.106.2", ""),
    f"ghcr.io/berriai/litellm@{DIGEST}": ("ghcr.io", "berriai/litellm", "", DIGEST),
    f"ghcr.io/berriai/litellm:v1@{DIGEST}": ("ghcr.io", "berriai/litellm", "v1", DIGEST),
    "localhost/litellm:1": ("localhost", "litellm", "1", ""),
    "localhost:5000/litellm": ("localhost:5000", "litellm", "", ""),
    "registry:5000/a/b/c:1": ("registry:5000", "a/b/c", "1", ""),
    "registry/litellm": ("docker.io", "registry/litellm", "", ""),
    "127.0.0.1:5000/litellm:1": ("127.0.0.1:5000", "litellm", "1", ""),
    "[::1]:5000/litellm:1": ("[::1]:5000", "litellm", "1", ""),
    "Registry/litellm": ("Registry", "litellm", "", ""),
    "r.x/a__b/c-d/e---f/g.h:T_1.-x": ("r.x", "a__b/c-d/e---f/g.h", "T_1.-x", ""),
    "xn--n3h.com/litellm": ("xn--n3h.com", "litellm", "", ""),
    "litellm:5000": ("docker.io", "library/litellm", "5000", ""),
    f"r.x/a:{'t' * 128}": ("r.x", "a", "t" * 128, ""),
}


@pytest.mark.parametrize("text", READ)
def test_read(text: str):
    found = parse(text)
    assert (found.registry, found.repository, found.tag, found.digest) == READ[text]
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no name of an image"),
        ("ghcr.io/", "no name of an image"),
        ("/litellm", "no name of an image"),
        ("ghcr.io//litellm", "no name of an image"),
        ("ghcr.io/BerriAI/litellm:v1", "no capital letters"),
        ("LiteLLM", "no capital letters"),
        ("a/Litellm", "no capital letters"),
        ("ghcr.io/berriai/litellm:", "a tag has"),
        ("ghcr.io/berriai/litellm:-v1", "a tag has"),
        ("ghcr.io/berriai/litellm:.v1", "a tag has"),
        (f"r.x/a:{'t' * 129}", "a tag has"),
        ("ghcr.io/berriai/litellm@sha256:12", "a digest is"),
        (f"ghcr.io/berriai/litellm@{DIGEST.upper()}", "a digest is"),
        (f"ghcr.io/berriai/litellm@{DIGEST}@{DIGEST}", "a digest is"),
        ("ghcr.io/berriai/litellm@md5:0123", "a digest is"),
        ("a" * 64, "capital letters|no name|number of an image"),
        ("-r.x/litellm", "no name of a registry"),
        ("r.x:port/litellm", "no name of a registry"),
        ("r..x/litellm", "no name of a registry"),
        ("https://ghcr.io/berriai/litellm", "no name of"),
        ("ghcr.io/a_-b/litellm", "no name of an image"),
        ("ghcr.io/berriai/litellm:v1\n", "a tag has"),
        (f"r.x/{'a' * 255}", "255 characters"),
    ],
)
def test_refused(text: str, why: str):
    with pytest.raises(BadReferenceError, match=why):
        parse(text)


def test_a_pin_keeps_the_name_as_it_was_written():
    assert parse("litellm").pinned(DIGEST) == f"litellm:latest@{DIGEST}"
    assert parse(f"a/b:v1@{DIGEST}").pinned(DIGEST) == f"a/b:v1@{DIGEST}"
    assert parse(f"a/b@{DIGEST}").pinned(DIGEST) == f"a/b@{DIGEST}"


@pytest.mark.parametrize(
    ("host", "expected"),
    {
        "localhost": True,
        "localhost:5000": True,
        "127.0.0.1:5000": True,
        "127.9.9.9": True,
        "[::1]:5000": True,
        "10.0.0.1:5000": False,
        "localhost.example.org": False,
        "127.0.0.1.example.org": False,
        "ghcr.io": False,
    }.items(),
)
def test_loopback(host: str, expected: bool):
    assert is_loopback(host) is expected
