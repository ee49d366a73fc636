"""The image that really runs: whether nixcfg.yaml names it, and what is known of it."""

from collections.abc import Iterator
from typing import Any

from nixcfg.doctor import SWITCH, Check, error, ok, skipped, warning
from nixcfg.gateway.container import Image, image_of
from nixcfg.knowledge import choose, releases
from nixcfg.project import wiring
from nixcfg.project.model import Machine


def checks(here: Machine, data: dict[str, Any] | None) -> Iterator[Check]:
    """The checks of one container; `data` is what the engine reports of it, None for nothing."""
    running = image_of(here.backend, data or {})
    yield _named(here.image, running)
    yield from _release(running)


def _named(wanted: str, running: Image) -> Check:
    name = "image"
    if found := _difference(wanted, running):
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


def _difference(wanted: str, running: Image) -> Check | None:
    """What nixcfg.yaml says against what runs."""
    name, pinned = "image", wanted.partition("@")[2]
    started, is_wanted = running.started_as, running.is_named(wanted)
    if is_wanted or not started:
        return None
    if is_wanted is None:
        message = f"{started} has no digest here: it was loaded from a file, or built"
        return skipped(name, f"{message}, and cannot be compared with {pinned}")
    if pinned and running.digests:
        # With the very reference that is pinned, no switch is missing: something else is wrong.
        make = error if started == wanted else warning
        digests = ", ".join(running.digests)
        message = f"{started} runs, which is {digests}, and nixcfg.yaml pins {pinned}"
        return make(name, message, SWITCH)
    return warning(name, f"{started} runs, and nixcfg.yaml says {wanted}", SWITCH)


def _release(running: Image) -> Iterator[Check]:
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
