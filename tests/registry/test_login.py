"""Logins: where they are found, who gets them, and that no one else sees them."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from oci import Project, Registry
from oci_logins import (
    PASSWORD,
    USER,
    Heard,
    Reply,
    Server,
    basic,
    server,
    with_passwords,
    with_tokens,
)

from nixcfg.keys.registry import Login, LoginUnusableError, login
from nixcfg.registry.auth import may_receive

NAME = "mirror/litellm"
WRONG = "not-the-password-1"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, str]]:
    """A registry with Basic, and the digest of the image in it."""
    with with_passwords(tmp_path_factory.mktemp("basic")) as found:
        yield found, found.push(NAME, "v1.106.2")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, Server, str]]:
    """A registry with tokens, their service, and the digest of the image in it."""
    with with_tokens(tmp_path_factory.mktemp("tokens")) as (found, service):
        yield found, service, found.push(NAME, "v1.106.2")


def shows_no_login(done: subprocess.CompletedProcess[str]) -> bool:
    secrets = (PASSWORD, WRONG, basic(), basic(password=WRONG), "identity-of-someone")
    text = done.stdout + done.stderr.replace("copyright", "")
    return not any(secret in text for secret in secrets)


def pins(project: Project, host: str, digest: str, **environment: str) -> str:
    """Pin the image in the registry; gives what was said where that failed, "" where not."""
    text = f"image: {host}/{NAME}:v1.106.2\n"
    project.write(text)
    done = project.pin(**environment)
    assert shows_no_login(done), done
    if done.returncode == 0:
        assert project.file.read_text() == f"{text.strip()}@{digest}\n"
        return ""
    assert project.file.read_text() == text
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


FORMS = {
    "docker": (".docker/config.json", {"auths": {"{host}": {"auth": basic()}}}),
    "a-url": (".docker/config.json", {"auths": {"https://{host}/v1/": {"auth": basic()}}}),
    "in-words": (
        ".docker/config.json",
        {"auths": {"{host}": {"username": USER, "password": PASSWORD}}},
    ),
    "podman": (".config/containers/auth.json", {"auths": {"{host}": {"auth": basic()}}}),
    "a-folder": (
        ".config/containers/auth.json",
        {
            "auths": {
                "{host}": {"auth": basic(password=WRONG)},
                "{host}/mirror": {"auth": basic()},
                "{host}/mirror/other": {"auth": basic(password=WRONG)},
            }
        },
    ),
    "a-store-for-others": (
        ".docker/config.json",
        {"auths": {"{host}": {"auth": basic()}}, "credsStore": "pass"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_login_in_each_form(project: Project, guarded: tuple[Registry, str], form: str):
    images, digest = guarded
    file, data = FORMS[form]
    project.login(json.dumps(data).replace("{host}", images.host), file=file)
    assert pins(project, images.host, digest) == ""


def test_the_order_of_the_files(project: Project, guarded: tuple[Registry, str]):
    images, digest = guarded
    good = {"auths": {images.host: {"auth": basic()}}}
    bad = {"auths": {images.host: {"auth": basic(password=WRONG)}}}
    project.login(bad)
    assert "refuses the login that" in pins(project, images.host, digest)
    run = project.login(good, file="run/containers/auth.json").parents[1]
    assert pins(project, images.host, digest, XDG_RUNTIME_DIR=str(run)) == ""
    named = project.login(bad, file="named.json")
    environment = {"XDG_RUNTIME_DIR": str(run), "REGISTRY_AUTH_FILE": str(named)}
    assert f"the login that {named} has" in pins(project, images.host, digest, **environment)
    folder = project.login(good, file="docker/config.json").parent
    assert pins(project, images.host, digest, DOCKER_CONFIG=str(folder)) == ""


def test_no_login(project: Project, guarded: tuple[Registry, str]):
    images, digest = guarded
    said = pins(project, images.host, digest)
    assert f"{images.host}/{NAME} needs a login, or is not there" in said
    project.login({"auths": {"localhost:1": {"auth": basic()}}})
    assert "needs a login" in pins(project, images.host, digest)


@pytest.mark.parametrize("where", ["credsStore", "credHelpers"])
def test_a_helper_is_named_and_not_run(
    project: Project, guarded: tuple[Registry, str], images: Registry, where: str, tmp_path: Path
):
    host, digest = guarded[0].host, guarded[1]
    ran = tmp_path / "ran"
    helper = tmp_path / "docker-credential-vault"
    helper.write_text(f"#!/bin/sh\ntouch {ran}\n")
    helper.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    project.login({where: "vault" if where == "credsStore" else {host: "vault"}})
    said = pins(project, host, digest, PATH=path)
    assert "leaves to docker-credential-vault" in said
    assert "REGISTRY_AUTH_FILE" in said
    assert not ran.exists()
    # What is open to everyone needs no helper.
    assert pins(project, images.host, images.push(NAME, "v1.106.2"), PATH=path) == ""


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"auths": ', "\0", '{"auths": {"HOST": {"auth": "%%"}}}'],
)
def test_a_damaged_file(project: Project, guarded: tuple[Registry, str], content: str):
    images, digest = guarded
    file = project.login(content.replace("HOST", images.host))
    said = pins(project, images.host, digest)
    assert f"wants a login, and {file}" in said


def test_a_line_break_in_a_login(project: Project, guarded: tuple[Registry, str]):
    images, digest = guarded
    project.login({"auths": {images.host: {"auth": basic(password="right\r\nHost: evil")}}})
    assert "is damaged" in pins(project, images.host, digest)


def test_tokens(project: Project, tokens: tuple[Registry, Server, str]):
    images, service, digest = tokens
    assert "needs a login" in pins(project, images.host, digest)
    project.login({"auths": {images.host: {"auth": basic(password=WRONG)}}})
    assert "refuses the login that" in pins(project, images.host, digest)
    project.login({"auths": {images.host: {"auth": basic()}}})
    service.heard.clear()
    assert pins(project, images.host, digest) == ""
    assert len(service.heard) == 1
    assert "scope=repository%3Amirror%2Flitellm%3Apull&" not in service.heard[0].path
    assert service.heard[0].path.endswith("scope=repository%3Amirror%2Flitellm%3Apull")


def test_an_identity_token(project: Project, tokens: tuple[Registry, Server, str]):
    images, service, digest = tokens
    entry = {"auth": basic("00000000", ""), "identitytoken": "identity-of-someone"}
    project.login({"auths": {images.host: entry}})
    service.heard.clear()
    assert pins(project, images.host, digest) == ""
    assert [(each.method, each.path) for each in service.heard] == [("POST", "/token")]


def test_a_token_service_of_another_host_gets_no_login(project: Project):
    def service(_: Heard) -> Reply:
        return 401, {}, b"{}"

    with server(service, "127.0.0.1") as other:

        def images(_: Heard) -> Reply:
            return 401, {"WWW-Authenticate": f'Bearer realm="http://{other.host}/t"'}, b"{}"

        with server(images) as asked:
            project.login({"auths": {asked.host: {"auth": basic()}, other.host: {"auth": basic()}}})
            said = pins(project, asked.host, "")
            assert f"leaves its logins to {other.host}, another host" in said
            for each in (*other.heard, *asked.heard):
                assert "authorization" not in each.headers
            assert other.heard


def test_a_redirect_takes_no_login_along(project: Project):
    with server(lambda _: (404, {}, b"{}"), "127.0.0.1") as other:

        def images(heard: Heard) -> Reply:
            if "authorization" not in heard.headers:
                return 401, {"WWW-Authenticate": 'Basic realm="r"'}, b"{}"
            return 307, {"Location": f"http://{other.host}{heard.path}"}, b""

        with server(images) as asked:
            project.login({"auths": {asked.host: {"auth": basic()}, other.host: {"auth": basic()}}})
            assert "has no v1.106.2" in pins(project, asked.host, "")
            assert len(other.heard) == 1
            assert "authorization" not in other.heard[0].headers
            assert asked.heard[-1].headers["authorization"] == f"Basic {basic()}"


@pytest.mark.parametrize(
    ("registry", "realm", "expected"),
    [
        ("docker.io", "https://auth.docker.io/token", True),
        ("docker.io", "https://auth.docker.io.evil.org/token", False),
        ("ghcr.io", "https://ghcr.io/token", True),
        ("ghcr.io", "https://auth.docker.io/token", False),
        ("ghcr.io", "https://evil.io/token", False),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("registry.x.org:5050", "https://git.x.org/jwt/auth", True),
        ("registry.x.org", "https://x.org.evil.net/", False),
        ("registry.x.org", "https://evilx.org/", False),
        ("10.0.0.1:5000", "https://10.0.0.1:5001/token", True),
        ("10.0.0.1", "https://11.0.0.1/token", False),
        ("localhost:5000", "http://localhost:5001/token", True),
        ("localhost:5000", "http://127.0.0.1:5001/token", False),
        ("registry.x.org", "", False),
    ],
)
def test_who_may_receive_a_login(registry: str, realm: str, expected: bool):
    assert may_receive(registry, realm) is expected


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".docker").mkdir()
    return tmp_path


def test_docker_hub_has_many_names(home: Path):
    file = home / ".docker" / "config.json"
    encoded = base64.b64encode(b"me:a:b").decode()
    for name in ("https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"):
        file.write_text(json.dumps({"auths": {name: {"auth": encoded}}}))
        found = login("docker.io", "library/litellm")
        assert (found.user, found.password, found.file) == ("me", "a:b", str(file))
        assert login("ghcr.io", "x/y") == Login()
        assert "a:b" not in repr(found)
        assert encoded not in repr(found)


def test_a_file_that_is_another_users(home: Path):
    file = home / ".docker" / "config.json"
    file.mkdir()
    with pytest.raises(LoginUnusableError, match="cannot be read"):
        login("ghcr.io", "x/y")
