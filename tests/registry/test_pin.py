"""`nixcfg pin` against a real registry."""

import json
from dataclasses import replace

import pytest
from oci import Project, Registry, digest_of
from oci_logins import server

from nixcfg.registry.image import Image
from nixcfg.registry.pin import refusal
from nixcfg.registry.reference import parse


def test_an_index_and_its_comments(project: Project, images: Registry, named):
    digest = images.push(named(), "v1.106.2")
    image = f"{images.host}/{named()}:v1.106.2"
    project.write(f"# ours\nimage: '{image}' # the release\nport: 4001\n")
    done = project.pin()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "update nixcfg.yaml\n"
    assert f"image: {image}@{digest}\n" in done.stderr
    assert "Note" not in done.stderr
    assert "Warning" not in done.stderr
    pinned = f"# ours\nimage: '{image}@{digest}' # the release\nport: 4001\n"
    assert project.file.read_text() == pinned
    done = project.pin()
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("Nothing to change.\n")
    assert project.file.read_text() == pinned


@pytest.mark.parametrize("docker", [False, True])
def test_a_plain_manifest(project: Project, images: Registry, named, docker: bool):
    digest = images.push(named(), "v1.106.2", plain=True, platforms=["linux/arm64"], docker=docker)
    image = f"{images.host}/{named()}:v1.106.2"
    project.write(f"image: {image}\n")
    done = project.pin()
    assert done.returncode == 0, done.stderr
    assert "is for linux/arm64 alone" in done.stderr
    assert project.file.read_text() == f"image: {image}@{digest}\n"


def test_check_before_and_after_a_tag_moves(project: Project, images: Registry, named):
    first = images.push(named(), "v1.106.2")
    image = f"{images.host}/{named()}:v1.106.2"
    project.write(f"image: {image}\n")
    done = project.pin("--check")
    assert done.returncode == 1
    assert "has no digest; `nixcfg pin`" in done.stderr
    assert project.file.read_text() == f"image: {image}\n"
    assert project.pin().returncode == 0
    done = project.pin("--check")
    assert done.returncode == 0, done.stderr
    second = images.push(named(), "v1.106.2", salt="another")
    done = project.pin("--check", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "images": [
            {
                "place": "image",
                "image": f"{image}@{first}",
                "state": "moved",
                "pinned": f"{image}@{second}",
            }
        ],
        "changes": [],
        "next": [],
    }
    done = project.pin()
    assert done.returncode == 0
    assert f"has moved: it is {second} now" in done.stderr
    assert project.file.read_text() == f"image: {image}@{second}\n"


def test_nothing_is_named_so_nothing_is_pinned(project: Project):
    """The default image, for which no registry has to be asked."""
    project.write("port: 4001\n")
    done = project.pin("--check")
    assert done.returncode == 1
    assert "image: ghcr.io/berriai/litellm:v" in done.stderr
    assert "has no digest" in done.stderr


def test_dry_run(project: Project, images: Registry, named):
    digest = images.push(named(), "v1.106.2")
    image = f"{images.host}/{named()}:v1.106.2"
    project.write(f"image: {image}\n")
    done = project.pin("--dry-run")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"image: {image}@{digest}\nNothing was written.\n"
    done = project.pin("--dry-run", "--json")
    assert json.loads(done.stdout)["changes"] == [{"path": "nixcfg.yaml", "change": "update"}]
    assert project.file.read_text() == f"image: {image}\n"


def test_every_host_with_an_image_of_its_own(project: Project, images: Registry, named):
    common = images.push(named(), "v1.106.2")
    own = images.push(named(), "v1.105.0", salt="own")
    image = f"{images.host}/{named()}"
    project.write(
        f"image: {image}:v1.106.2 # most\n"
        "hosts:\n"
        "  a: {}\n"
        f"  b: {{image: '{image}:v1.105.0'}} # the old one\n"
        "  c:\n"
        "    # as the others, but said\n"
        f"    image: {image}:v1.106.2\n"
    )
    assert project.pin("--check").returncode == 1
    done = project.pin()
    assert done.returncode == 0, done.stderr
    assert project.file.read_text() == (
        f"image: {image}:v1.106.2@{common} # most\n"
        "hosts:\n"
        "  a: {}\n"
        f"  b: {{image: '{image}:v1.105.0@{own}'}} # the old one\n"
        "  c:\n"
        "    # as the others, but said\n"
        f"    image: {image}:v1.106.2@{common}\n"
    )
    assert project.pin("--check").returncode == 0


def test_an_anchor(project: Project, images: Registry, named):
    digest = images.push(named(), "v1.106.2")
    image = f"{images.host}/{named()}:v1.106.2"
    project.write(f"image: &image {image}\nhosts:\n  a: {{}}\n  b:\n    image: *image\n")
    done = project.pin()
    assert done.returncode == 0, done.stderr
    text = f"image: &image {image}@{digest}\nhosts:\n  a: {{}}\n  b:\n    image: *image\n"
    assert project.file.read_text() == text


def test_a_digest_without_a_tag(project: Project, images: Registry, named):
    digest = images.push(named(), "v1.106.2")
    text = f"image: {images.host}/{named()}@{digest}\n"
    project.write(text)
    assert project.pin("--check").returncode == 0
    assert project.pin().returncode == 0
    assert project.file.read_text() == text
    images.delete(named(), digest)
    done = project.pin("--check")
    assert done.returncode == 1
    assert done.stderr == f"Error: {images.host}/{named()} has no {digest}\n"


@pytest.mark.parametrize("tag", ["", ":v1"])
def test_a_registry_that_names_no_digest(project: Project, tag: str):
    """It is worked out from the bytes; where it is named, none are fetched."""
    body = b'{"schemaVersion": 2}'
    named: dict[str, str] = {}
    with server(lambda _: (200, named, body)) as asked:
        project.write(f"image: {asked.host}/x{tag}@{digest_of(body)}\n")
        assert project.pin("--check").returncode == 0
        assert [each.method for each in asked.heard] == ["GET", "HEAD", "GET"]
        named["Docker-Content-Digest"] = digest_of(body)
        asked.heard.clear()
        assert project.pin("--check").returncode == 0
        assert [each.method for each in asked.heard] == ["GET", "HEAD"]


@pytest.mark.parametrize("what", ["{}:v9", "{}/absent:v9"])
def test_not_there(project: Project, images: Registry, named, what: str):
    images.push(named(), "v1.106.2")
    image = f"{images.host}/{what.format(named())}"
    project.write(f"image: {image}\n")
    done = project.pin()
    assert done.returncode == 1
    assert done.stderr == f"Error: {image.replace(':v9', ' has no v9')}\n"
    assert project.file.read_text() == f"image: {image}\n"


def test_a_platform_that_no_one_here_has(project: Project, images: Registry, named):
    images.push(named(), "v1", platforms=["windows/amd64", "linux/s390x"])
    project.write(f"image: {images.host}/{named()}:v1\n")
    done = project.pin()
    assert done.returncode == 1
    assert "v1 is for windows/amd64, linux/s390x, and not for linux/amd64" in done.stderr


def test_what_is_no_litellm(project: Project, images: Registry, named):
    name = named().replace("litellm", "web")
    images.push(name, "v1", config={"Entrypoint": ["nginx"]})
    project.write(f"image: {images.host}/{name}:v1\n")
    done = project.pin()
    assert done.returncode == 0
    assert "does not look like LiteLLM" in done.stderr


def test_a_compromised_release_by_its_label(project: Project, images: Registry, named):
    """A mirror gave it another name, and what the image says of itself is still there."""
    labels = {"org.opencontainers.image.version": "v1.107.0"}
    images.push(named().replace("litellm", "gateway"), "prod", config={"Labels": labels})
    text = f"image: {images.host}/{named().replace('litellm', 'gateway')}:prod\n"
    project.write(text)
    done = project.pin()
    assert done.returncode == 1
    assert "is compromised: 1.107.0 was published with malicious code" in done.stderr
    assert project.file.read_text() == text


BAD = "sha256:1bbcb1443bc962e45f5aad53fe3d2c30600e0379715fb6c664cdd3ac126c339e"


@pytest.mark.parametrize("begin", [BAD, "sha256:c00f9d92c427", "sha256:7b00e91cd2fe"])
def test_a_compromised_digest_in_an_index(project: Project, begin: str):
    """Under a mirror's name; no registry holds such an index without the image that it lists."""
    bad = begin.ljust(len(BAD), "0")
    config = json.dumps({"os": "linux", "architecture": "amd64"}).encode()
    sound = json.dumps({"schemaVersion": 2, "config": {"digest": digest_of(config)}}).encode()
    entries = [
        {"digest": digest, "platform": {"os": "linux", "architecture": architecture}}
        for digest, architecture in ((digest_of(sound), "amd64"), (bad, "arm64"))
    ]
    index = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    bodies = {"prod": index, digest_of(sound): sound, digest_of(config): config}
    with server(lambda heard: (200, {}, bodies.get(heard.path.split("/")[-1], b""))) as asked:
        text = f"image: {asked.host}/ours/gateway:prod\n"
        project.write(text)
        done = project.pin()
    assert done.returncode == 1
    assert "is compromised: 1.107.0 was published with malicious code" in done.stderr
    assert project.file.read_text() == text


def test_a_compromised_digest_of_an_image():
    image = Image(BAD, (), ("linux/amd64",), "", is_litellm=True)
    assert "is compromised" in refusal(parse("mirror.example/ours/gateway:prod"), image)
    assert "is compromised" not in refusal(
        parse("mirror.example/ours/gateway:prod"), replace(image, digest=digest_of(b""))
    )


def test_a_compromised_tag(project: Project, images: Registry, named):
    images.push(named(), "v1.107.0-stable")
    text = f"image: {images.host}/{named()}:v1.107.0-stable\n"
    project.write(text)
    done = project.pin()
    assert done.returncode == 1
    assert "NX510" in done.stderr
    assert "1.107.0 was published with malicious code" in done.stderr
    assert project.file.read_text() == text


def test_the_digest_is_that_of_the_bytes(images: Registry):
    """What the tests call a digest is what the registry does."""
    body = b'{"schemaVersion": 2, "manifests": []}'
    assert digest_of(body).startswith("sha256:")
    digest = images.push("some/litellm", "v1")
    assert images.push("some/litellm", "v2") == digest
