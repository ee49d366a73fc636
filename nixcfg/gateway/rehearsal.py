"""Start LiteLLM once on a configuration, without a key, to see what it makes of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nixcfg.gateway import launch, log, process
from nixcfg.gateway.compare import compare
from nixcfg.gateway.pinned import Container
from nixcfg.project.model import MODELS, Config, Machine


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What LiteLLM made of one configuration.

    `missing` are the models that it dropped, `last_words` the end of its log where it ended
    without an error of its own. Times are in seconds; `start_seconds` is None where it did not
    come up.
    """

    config: str
    models: int
    missing: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    last_words: tuple[str, ...]
    start_seconds: float | None
    seconds: float

    @property
    def has_failed(self) -> bool:
        return bool(self.errors or self.missing)

    @property
    def served(self) -> int:
        return 0 if self.start_seconds is None else self.models - len(self.missing)

    def as_data(self) -> dict[str, Any]:
        """For JSON; what does not apply is left out."""
        is_up = self.start_seconds is not None
        return {
            "config": self.config,
            "models": self.models,
            "missing": list(self.missing),
            "errors": list(self.errors),
            **({"start_seconds": self.start_seconds} if is_up else {}),
            "warnings": list(self.warnings),
            **({"last_words": list(self.last_words)} if self.last_words else {}),
            "seconds": self.seconds,
        }


def rehearse(
    here: Machine,
    config: Config,
    tick: Callable[[float, Sequence[str]], None],
    container: Container | None = None,
) -> Rehearsal:
    """Run LiteLLM until it serves its models, or fails to; the rest as for process.running."""
    began = time.monotonic()
    text = launch.configuration(here, config)
    start = launch.rehearsed(here, config, text, process.free_port(0))
    up: float | None = None
    missing: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()
    try:
        with process.running(start, tick, container) as running:
            up = round(time.monotonic() - began, 1)
            missing = compare(config, running.gateway.models()).missing
            list(running.lines(0.2))
            lines: Sequence[str] = running.log
    except process.StartError as error:
        lines, failure = error.log, (f"{error}",)
    events = log.events(lines)
    errors = tuple(dict.fromkeys(each.text for each in events if each.level == "error"))
    holes = "" if container else process.holes()
    warnings = [holes, *(each.text for each in events if each.level == "warning")]
    return Rehearsal(
        config=config.name,
        models=len({entry["model_name"] for entry in config.litellm[MODELS]}),
        missing=missing,
        errors=failure + errors,
        warnings=tuple(dict.fromkeys(filter(None, warnings))),
        last_words=log.last_words(lines) if failure and not errors else (),
        start_seconds=up,
        seconds=round(time.monotonic() - began, 1),
    )
