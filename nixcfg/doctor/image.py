"""The image that really runs: whether nixcfg.yaml names it, and what is known of it."""

from collections.abc import Iterator
from typing import Any

from nixcfg.doctor import SWITCH, Check, error, ok, skipped, warning
from nixcfg.gateway import container
from nixcfg.knowledge import choose, releases
from nixcfg.project import wiring
from nixcfg.project.model import Machine


def checks(here: Machine, data: dict[str, Any] | None) -> Iterator[Check]:
    """The checks of one container; `data` is what the engine reports of it, None for nothing."""
    names = container.image_names(here.backend, data or {})
    yield _named(here.image, names)
    yield from _release(names)


def _named(wanted: str, names: list[str]) -> Check:
    name = "image"
    if found := _difference(wanted, names):
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


def _difference(wanted: str, names: list[str]) -> Check | None:
    """What nixcfg.yaml says against what runs."""
    name, pinned = "image", wanted.partition("@")[2]
    running, is_wanted = container.started_as(names), container.is_image(wanted, names)
    if is_wanted or not running:
        return None
    if is_wanted is None:
        message = f"{running} has no digest here: it was loaded from a file, or built"
        return skipped(name, f"{message}, and cannot be compared with {pinned}")
    if pinned and (digests := container.digests(names)):
        # With the very reference that is pinned, no switch is missing: something else is wrong.
        make = error if running == wanted else warning
        message = f"{running} runs, which is {', '.join(digests)}, and nixcfg.yaml pins {pinned}"
        return make(name, message, SWITCH)
    return warning(name, f"{running} runs, and nixcfg.yaml says {wanted}", SWITCH)


def _release(names: list[str]) -> Iterator[Check]:
    """What is known against the image that really runs, under each of its names and digests."""
    name = "release"
    found = tuple(dict.fromkeys(each for image in names for each in releases.of_image(image)))
    if malicious := releases.compromised(found):
        message = f"{names[0]} runs, and is compromised: {', '.join(map(str, malicious))}"
        yield error(
            name,
            message,
            f"Stop it now. Use {wiring.DEFAULT_IMAGE}, and replace every key that it could read.",
        )
    elif found:
        make = error if any(each.level is releases.Level.ERROR for each in found) else warning
        message = f"{names[0]} runs, and has known holes: {', '.join(map(str, found))}"
        yield make(name, message, f"Use {wiring.DEFAULT_IMAGE}.")
