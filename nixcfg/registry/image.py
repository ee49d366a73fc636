"""What an image is, as far as its manifests say: digest, platforms, whether it is LiteLLM."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.registry.client import INDEXES, Client
from nixcfg.registry.http import RegistryError

PLATFORMS = ("linux/amd64", "linux/arm64")
"""Those that LiteLLM is published for."""

_PLATFORM = re.compile(r"[a-z0-9_]{1,20}/[a-z0-9_]{1,20}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a registry.

    `digest` is what to pin: that of the index where there is one, so that each machine takes its
    own platform. `parts` are the digests of what the index holds. `version` is the release that
    the image's label names, "" for none; `is_litellm` whether its configuration looks like one of
    LiteLLM's.
    """

    digest: str
    parts: tuple[str, ...]
    platforms: tuple[str, ...]
    version: str
    is_litellm: bool


def look(client: Client, wanted: str) -> Image:
    """The image behind a tag or a digest. Raises RegistryError."""
    manifest = client.manifest(wanted)
    data = _object(manifest.body, wanted)
    entries = data.get("manifests")
    if data.get("mediaType") in INDEXES or isinstance(entries, list):
        found = dict(_entries(entries))
        platforms = tuple(found)
        usual = [each for each in PLATFORMS if each in found]
        if not usual:
            there = ", ".join(platforms) or "no platform"
            raise RegistryError(f"{wanted} is for {there}, and not for {' or '.join(PLATFORMS)}")
        body = client.manifest(found[usual[0]]).body
        config = _config(client, _object(body, wanted), wanted)
    else:
        found = {}
        config = _config(client, data, wanted)
        system = f"{config.get('os') or 'linux'}/{config.get('architecture') or 'unknown'}"
        platforms = (system,)
        if system not in PLATFORMS:
            raise RegistryError(f"{wanted} is for {system}, and not for {' or '.join(PLATFORMS)}")
    inner = config.get("config")
    inner = inner if isinstance(inner, dict) else {}
    parts = tuple(found.values())
    return Image(manifest.digest, parts, platforms, _version(inner), _is_litellm(inner))


def release(config: Mapping[str, Any]) -> str:
    """The release of LiteLLM that an image's configuration claims, "" for none.

    The engine's `image inspect` has the configuration as `Config`.
    """
    return _version(config) if _is_litellm(config) else ""


def _object(body: bytes, wanted: str) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or data.get("schemaVersion") != 2:
        raise RegistryError(f"{wanted} is no image of a kind that docker and podman run today")
    return data


def _entries(listed: Any) -> Iterator[tuple[str, str]]:
    """Platform and digest; attestations, whose platform is unknown/unknown, are no images."""
    for each in listed if isinstance(listed, list) else ():
        platform = each.get("platform") if isinstance(each, dict) else None
        if not isinstance(platform, dict) or not _DIGEST.fullmatch(str(each.get("digest"))):
            continue
        name = f"{platform.get('os')}/{platform.get('architecture')}"
        if _PLATFORM.fullmatch(name) and name != "unknown/unknown":
            yield name, each["digest"]


def _config(client: Client, manifest: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    described = manifest.get("config")
    digest = described.get("digest") if isinstance(described, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise RegistryError(f"{wanted} is no image of a kind that docker and podman run today")
    try:
        data = json.loads(client.blob(digest))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise RegistryError(f"{wanted} has no configuration that can be read")
    return data


def _version(config: Mapping[str, Any]) -> str:
    labels = config.get("Labels")
    version = labels.get("org.opencontainers.image.version") if isinstance(labels, dict) else None
    return version if isinstance(version, str) else ""


def _is_litellm(config: Mapping[str, Any]) -> bool:
    """By the program that it starts and by its labels; an image made from LiteLLM's keeps both."""
    said = [config.get("Entrypoint"), config.get("Cmd"), config.get("Labels")]
    text = json.dumps(said).lower()
    return "litellm" in text or "prod_entrypoint.sh" in text
