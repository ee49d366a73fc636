"""The credentials of a registry, from the files in which docker and podman keep them.

Read when a registry asks for them, never stored, and in no message. The forms are those of
containers-auth.json(5) and of docker's config.json.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_MAX_BYTES = 1_000_000


class LoginUnusableError(Exception):
    """There is a login, and it cannot be read; the message says why, without its content."""


@dataclass(frozen=True, slots=True)
class Login:
    """How one registry is to be asked. `file` is where it was found, "" for no login at all.

    `token` is what docker calls an identity token, to be exchanged for others. `helper` is the
    program that keeps the credentials of this registry; nixcfg does not run it.
    """

    file: str = ""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    helper: str = ""

    @property
    def basic(self) -> str:
        """The value of an Authorization header, "" where there is no password."""
        if not self.password:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def login(registry: str, repository: str) -> Login:
    """The login for `registry` (`host` or `host:port`), most specific first; empty for none.

    Raises LoginUnusableError.
    """
    helper = Login()
    for file in auth_files():
        data = _read(file)
        if data is None:
            continue
        entries = data.get("auths")
        for key in _keys(registry, repository):
            found = _entry(file, entries, key)
            if found:
                return found
        helper = helper if helper.helper else _helper(file, data, registry)
    return helper


def auth_files() -> Iterator[Path]:
    """Where the engines look, in the order of podman: its own files first, then docker's."""
    environment = os.environ
    if named := environment.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "containers", "auth.json")
    yield Path(f"/run/containers/{os.geteuid()}/auth.json")
    home = environment.get("HOME", "")
    if home:
        yield Path(environment.get("XDG_CONFIG_HOME") or f"{home}/.config", "containers/auth.json")
    if folder := environment.get("DOCKER_CONFIG") or (home and f"{home}/.docker"):
        yield Path(folder, "config.json")


def _read(file: Path) -> Mapping[str, Any] | None:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        if not os.access(file.parent, os.X_OK):
            return None  # another user's folder: the engine would not see the file either
        raise LoginUnusableError(f"{file} cannot be read by you") from None
    except OSError as error:
        raise LoginUnusableError(f"{file} cannot be read: {error.strerror}") from None
    try:
        data = json.loads(content[:_MAX_BYTES] if len(content) <= _MAX_BYTES else b"")
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        # Not the parser's words, nor as a cause: both hold a piece of the file.
        raise LoginUnusableError(f"{file} is no JSON as docker and podman write it") from None
    return data


def _keys(registry: str, repository: str) -> Iterator[str]:
    """`host/folder/name`, `host/folder`, `host`: podman may know a login for a folder alone."""
    hosts = _HUB if registry in _HUB else (registry,)
    for host in hosts:
        path = f"{host}/{repository}"
        while "/" in path:
            yield path
            path = path.rpartition("/")[0]
    yield from hosts


def _entry(file: Path, entries: Any, key: str) -> Login | None:
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        # docker writes a URL for Docker Hub, and older ones for every host.
        bare = str(name).removeprefix("https://").removeprefix("http://")
        is_url = bare != name
        bare = bare.partition("/")[0] if is_url else bare
        if bare == key and isinstance(entry, dict):
            found = _credentials(file, entry, key)
            if found:
                return found
    return None


def _credentials(file: Path, entry: Mapping[str, Any], key: str) -> Login | None:
    token = entry.get("identitytoken")
    user, password = entry.get("username"), entry.get("password")
    if encoded := entry.get("auth"):
        try:
            text = base64.b64decode(str(encoded), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise LoginUnusableError(f"{file}: the login of {key} is damaged") from None
        user, _, password = text.partition(":")
        password = password.rstrip("\0")
    if any(c in "\r\n" for part in (user, password, token) for c in str(part or "")):
        raise LoginUnusableError(f"{file}: the login of {key} is damaged")
    if isinstance(token, str) and token:
        return Login(str(file), token=token)
    if isinstance(password, str) and password:
        return Login(str(file), str(user or ""), password)
    return None


def _helper(file: Path, data: Mapping[str, Any], registry: str) -> Login:
    helpers = data.get("credHelpers")
    names = _HUB if registry in _HUB else (registry,)
    own = [helpers[n] for n in names if n in helpers] if isinstance(helpers, dict) else []
    name = next(iter(own), data.get("credsStore"))
    return Login(str(file), helper=f"docker-credential-{name}") if name else Login()
