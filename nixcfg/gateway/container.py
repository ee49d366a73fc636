"""A container as docker or podman report it: what it was made of, and is that what is wanted.

Their `container inspect` agree in State, Mounts and Image, the id of the image.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixcfg.gateway import machine
from nixcfg.gateway.host import HERE, Host
from nixcfg.project import wiring
from nixcfg.registry.image import release
from nixcfg.registry.reference import BadReferenceError, parse


class AwayError(machine.UnknownError):
    """The engine is installed, and its daemon does not answer."""


class HiddenError(machine.UnknownError):
    """The engine shows it to others than this user."""


def inspect(backend: str, name: str, host: Host = HERE) -> dict[str, Any] | None:
    """What the engine reports of a container, None where it has none of that name.

    Raises AwayError, HiddenError or UnknownError. What it gives has a mapping in `State`.
    """
    output = _asked(backend, host, "container", "inspect", name)
    if output.code != 0:
        if not host.is_root():
            raise HiddenError(f"{backend} answers only root")
        return None
    try:
        data: dict[str, Any] = json.loads(output.out)[0]
        data["State"].get("Status")
    except (ValueError, LookupError, TypeError, AttributeError):
        raise machine.UnknownError(f"{backend} gives no answer that is understood") from None
    return data


@dataclass(frozen=True, slots=True)
class Listed:
    """A container in the engine's list; `image` is the reference that it was started with."""

    name: str
    image: str


def listed(backend: str, host: Host = HERE) -> list[Listed]:
    """Every container that the engine has, running or not. Raises as inspect.

    podman lists to each user its own: those of the gateway are root's.
    """
    # No tab: podman makes blanks of it.
    form = "{{.Names}}|{{.Image}}"
    output = _asked(backend, host, "ps", "--all", "--no-trunc", "--format", form)
    if output.code != 0:
        raise machine.UnknownError(output.err.partition("\n")[0] or f"{backend} gives no reason")
    rows = (line.split("|") for line in output.out.splitlines())
    return [Listed(*row) for row in rows if len(row) == 2]


def _asked(backend: str, host: Host, *arguments: str) -> machine.Output:
    output = host.run(backend, *arguments)
    if "permission denied" in output.err.lower():
        raise HiddenError(f"{backend} answers only root")
    if "annot connect" in output.err:
        raise AwayError(f"{backend} is installed, and its daemon does not answer")
    return output


def published_in(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Where it is published, `ADDRESS:PORT`."""
    bindings = (data.get("HostConfig") or {}).get("PortBindings") or {}
    return tuple(
        f"{_address(each.get('HostIp') or '0.0.0.0')}:{each.get('HostPort')}"  # noqa: S104 (said)
        for several in bindings.values()
        for each in several or ()
    )


def _address(text: str) -> str:
    return f"[{text}]" if ":" in text else text


def environment_in(data: Mapping[str, Any]) -> dict[str, str]:
    """The variables that it was started with, and those of its image. None of them is a key."""
    pairs = (str(each).partition("=") for each in (data.get("Config") or {}).get("Env") or ())
    return {name: value for name, _, value in pairs}


def config_in(data: Mapping[str, Any]) -> Path | None:
    """Where the configuration comes from that it mounts."""
    for mount in data.get("Mounts") or ():
        if mount.get("Destination") == wiring.CONTAINER_CONFIG:
            return Path(mount.get("Source", ""))
    return None


@dataclass(frozen=True, slots=True)
class Image:
    """The references of a container's image: as it was started, then its tags and its digests.

    `release` is the one of LiteLLM that the image itself claims, "" where it claims none.
    """

    names: tuple[str, ...]
    release: str = ""

    @property
    def name(self) -> str:
        """How a message calls it."""
        return self.names[0] if self.names else "an image without a name"

    @property
    def started_as(self) -> str:
        """The name with which it was started, "" where the engine reports none."""
        return next((each for each in self.names if not each.startswith("@")), "")

    @property
    def digests(self) -> tuple[str, ...]:
        """None for one that was loaded from a file, or built."""
        return tuple(dict.fromkeys(each.partition("@")[2] for each in self.names if "@" in each))

    def is_named(self, wanted: str) -> bool | None:
        """Whether it is what a reference means; None where its names do not say.

        By the digest, where `wanted` has one, else by name: podman calls a container's image
        NAME@DIGEST although it was started as NAME:TAG@DIGEST.
        """
        running, pinned = self.started_as, wanted.partition("@")[2]
        if not running:
            return None
        if pinned and self.digests:
            return pinned in self.digests
        if _means(running) != _means(wanted.partition("@")[0] if pinned else wanted):
            return False
        return None if pinned else True


def image_of(backend: str, data: Mapping[str, Any], host: Host = HERE) -> Image:
    """That of a container of which the engine reports `data`.

    `docker image inspect` and `podman image inspect` both list RepoTags and RepoDigests; podman
    has the digest in the container's ImageDigest too.
    """
    started = data.get("ImageName") or (data.get("Config") or {}).get("Image") or ""
    names = [started, f"@{data['ImageDigest']}"] if data.get("ImageDigest") else [started]
    claimed = ""
    try:
        output = host.run(backend, "image", "inspect", str(data["Image"]))
        image = json.loads(output.out)[0]
        names += [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]
        claimed = release(image.get("Config") or {})
    except (machine.UnknownError, ValueError, LookupError, TypeError, AttributeError):
        pass  # the engine does not report it: the name is judged
    return Image(tuple(str(each) for each in names if each), claimed)


def _means(image: str) -> tuple[str, ...]:
    """The image that a reference names: podman writes docker.io/ where nixcfg.yaml need not."""
    try:
        named = parse(image)
    except BadReferenceError:
        return (image,)
    return named.registry, named.repository, named.wanted, named.digest
