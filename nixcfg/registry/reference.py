"""What an image reference names, read as docker and podman read it. Pure.

The grammar is that of github.com/distribution/reference, which both engines use.
"""

import ipaddress
import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IDENTIFIER = re.compile(r"[0-9a-f]{64}")
_LONGEST = 255


class BadReferenceError(ValueError):
    """It names no image; the message says why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image in a registry. `tag` and `digest` are "" where they are not given.

    `name` is the name as it was written, `registry` the one that it means, with its port, and
    `repository` what the image is called there. `digest` is `sha256:` and 64 digits.
    """

    name: str
    registry: str
    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        return self.name + f":{self.tag}" * bool(self.tag) + f"@{self.digest}" * bool(self.digest)

    @property
    def wanted(self) -> str:
        """The tag that is asked for: that of the reference, or what an engine takes without one."""
        return self.tag or ("" if self.digest else "latest")

    def pinned(self, digest: str) -> str:
        """The reference with its tag and this digest, the name as it was written."""
        return f"{self.name}{self.wanted and ':'}{self.wanted}@{digest}"


def parse(text: str) -> Reference:
    """The reference in a text such as `ghcr.io/berriai/litellm:v1.1`. Raises BadReferenceError."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise BadReferenceError(f"{text}: a digest is sha256: and 64 digits from 0-9 and a-f")
    name, tag = _split_tag(rest)
    if rest != name and not _TAG.fullmatch(tag):
        raise BadReferenceError(f"{text}: a tag has letters, digits, `_`, `.` and `-`, 128 at most")
    if _IDENTIFIER.fullmatch(name):
        raise BadReferenceError(f"{text}: that is the number of an image here, and no name")
    registry, repository = _split_registry(name)
    if not _DOMAIN.fullmatch(registry):
        raise BadReferenceError(f"{text}: {registry or 'nothing'} is no name of a registry")
    if repository != repository.lower():
        raise BadReferenceError(f"{text}: the name of an image has no capital letters")
    if not _REPOSITORY.fullmatch(repository):
        raise BadReferenceError(f"{text}: {repository or 'nothing'} is no name of an image")
    if len(registry) + len(repository) + 1 > _LONGEST:
        raise BadReferenceError(f"a name of an image has {_LONGEST} characters at most")
    return Reference(name, registry, repository, tag, digest)


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine itself."""
    bare = hostname(host)
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def hostname(host: str) -> str:
    """`HOST:PORT` without its port, in lower case: `[::1]:5000` is `::1`."""
    inner = re.fullmatch(r"\[(.*)\](?::[0-9]*)?", host)
    return (inner[1] if inner else host.partition(":")[0]).lower()


def _split_tag(text: str) -> tuple[str, str]:
    """A colon after the last slash begins a tag; before it, a port."""
    folder, slash, last = text.rpartition("/")
    own, _, tag = last.partition(":")
    return folder + slash + own, tag


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    # Without a dot, a port or a capital letter it is a folder of Docker Hub, which is asked for
    # every name that names no registry.
    is_host = slash and (first == "localhost" or re.search(r"[.:A-Z]", first))
    registry, repository = (first, rest) if is_host else (DOCKER_HUB, name)
    registry = DOCKER_HUB if registry == f"index.{DOCKER_HUB}" else registry
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository
