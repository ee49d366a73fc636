"""The image that really runs: whether nixcfg.yaml names it, and what is known of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nixcfg.doctor import SWITCH, Check, error, ok, skipped, warning
from nixcfg.gateway import machine
from nixcfg.knowledge import choose, releases
from nixcfg.project import wiring
from nixcfg.project.model import Machine
from nixcfg.registry.image import release
from nixcfg.registry.reference import BadReferenceError, parse


def checks(here: Machine, data: dict[str, Any] | None) -> Iterator[Check]:
    """The checks of one container; `data` is what the engine reports of it, None for nothing."""
    running = _running(here.backend, data or {})
    yield _named(here.image, running.names)
    yield from _release(running)


def _named(wanted: str, names: list[str]) -> Check:
    name = "image"
    running = next((each for each in names if not each.startswith("@")), "")
    if found := _difference(wanted, running, names):
        return found
    tag = wanted.partition("@")[0].rpartition("/")[2].partition(":")[2]
    chosen = choose(tag)
    if not chosen.asked and "@" not in wanted:
        advice = f"Use {wiring.DEFAULT_IMAGE}."
        return warning(name, f"{wanted} may be another program tomorrow", advice)
    if not chosen.is_known:
        message = f"{wanted}: nixcfg does not know it, and judges by {chosen.knowledge.version}"
        return warning(name, message, f"Use {wiring.DEFAULT_IMAGE}, or another nixcfg.")
    return ok(name, wanted)


def _difference(wanted: str, running: str, names: list[str]) -> Check | None:
    """What nixcfg.yaml says against what runs: by the digest, where it has one, else by name.

    podman calls a container's image NAME@DIGEST although it was started as NAME:TAG@DIGEST.
    """
    name, pinned = "image", wanted.partition("@")[2]
    digests = dict.fromkeys(each.partition("@")[2] for each in names if "@" in each)
    if not running or (pinned and pinned in digests):
        return None
    if pinned and digests:
        # With the very reference that is pinned, no switch is missing: something else is wrong.
        make = error if running == wanted else warning
        message = f"{running} runs, which is {', '.join(digests)}, and nixcfg.yaml pins {pinned}"
        return make(name, message, SWITCH)
    if _means(running) != _means(wanted.partition("@")[0] if pinned else wanted):
        return warning(name, f"{running} runs, and nixcfg.yaml says {wanted}", SWITCH)
    if pinned:
        message = f"{running} has no digest here: it was loaded from a file, or built"
        return skipped(name, f"{message}, and cannot be compared with {pinned}")
    return None


def _means(image: str) -> tuple[str, ...]:
    """The image that a reference names: podman writes docker.io/ where nixcfg.yaml need not."""
    try:
        named = parse(image)
    except BadReferenceError:
        return (image,)
    return named.registry, named.repository, named.wanted, named.digest


@dataclass(frozen=True, slots=True)
class _Running:
    """The references of the image that really runs: as it was started, then its tags and digests.

    `release` is the one of LiteLLM that the image itself claims, "" where it claims none.
    """

    names: list[str]
    release: str

    @property
    def name(self) -> str:
        return self.names[0] if self.names else "an image without a name"


def _release(running: _Running) -> Iterator[Check]:
    """What is known against the image that really runs, whatever its name: by each of its names
    and digests, and by its own label."""
    name = "release"
    by_name = [each for image in running.names for each in releases.of_image(image)]
    found = tuple(dict.fromkeys((*by_name, *releases.of_version(running.release))))
    if malicious := releases.compromised(found):
        message = f"{running.name} runs, and is compromised: {', '.join(map(str, malicious))}"
        yield error(
            name,
            message,
            f"Stop it now. Use {wiring.DEFAULT_IMAGE}, and replace every key that it could read.",
        )
    elif found:
        make = error if any(each.level is releases.Level.ERROR for each in found) else warning
        message = f"{running.name} runs, and has known holes: {', '.join(map(str, found))}"
        yield make(name, message, f"Use {wiring.DEFAULT_IMAGE}.")
    elif not running.release and (suspected := releases.suspected(running.name)):
        reasons = ", ".join(map(str, suspected))
        message = f"{running.name} runs, and its tag is that of a compromised LiteLLM: {reasons}"
        yield warning(name, message, "`nixcfg pin` looks into the image, and refuses that release.")


def _running(backend: str, data: dict[str, Any]) -> _Running:
    """What a container's image is called, and what it says of itself.

    `docker image inspect` and `podman image inspect` both list RepoTags and RepoDigests; podman
    has the digest in the container's ImageDigest too.
    """
    started = data.get("ImageName") or (data.get("Config") or {}).get("Image") or ""
    names = [started, f"@{data['ImageDigest']}"] if data.get("ImageDigest") else [started]
    claimed = ""
    try:
        output = machine.run(backend, "image", "inspect", str(data["Image"]))
        image = json.loads(output.out)[0]
        names += [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]
        claimed = release(image.get("Config") or {})
    except (machine.UnknownError, ValueError, LookupError, TypeError, AttributeError):
        pass  # the engine does not report it: the name is judged
    return _Running([str(each) for each in names if each], claimed)
