"""Carry a plan out: one change after the other, each that fails by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nixcfg.access.api import Api, ApiError, AwayError, LaterError
from nixcfg.access.changes import Change
from nixcfg.access.rows import VALUE

DONE = {
    "create": "created",
    "update": "updated",
    "replace": "given its new value",
    "block": "blocked",
    "delete": "deleted",
    "keep": "kept",
    "refuse": "left alone",
}
"""What a change is once it is made."""


@dataclass
class Outcome:
    """What became of a plan: how many of each action, and of what did not work.

    `is_passing`: some of it may work at another time.
    """

    done: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    is_passing: bool = False

    def summary(self) -> str:
        """One line."""
        parts = [f"{count} {DONE[action]}" for action, count in self.done.items()]
        parts += [f"{self.failed} failed"] if self.failed else []
        return ", ".join(parts) or "all as it should be; nothing was written"


def carry_out(
    api: Api,
    changes: Sequence[Change],
    values: Mapping[str, str],
    say: Callable[[int, str], None],
) -> Outcome:
    """Make the changes. `say` is called with a priority of syslog and a line, never with a value.

    Raises AwayError when the gateway or its database goes; the next run does what is left.
    """
    outcome = Outcome()
    broken: set[tuple[str, str]] = set()
    for change in changes:
        what = f"{change.kind} {change.name}"
        missing = [need for need in change.needs if need in broken]
        if change.action == "refuse" or missing:
            reason = change.reason if not missing else f"{' '.join(missing[0])} is not there"
            say(3, f"{what}: {DONE['refuse']}: {reason}")
            broken.add((change.kind, change.name))
            outcome.failed += 1
            continue
        try:
            for path, body in change.calls:
                api.post(path, _filled(body, change.name, values))
        except ApiError as error:
            outcome.is_passing |= isinstance(error, LaterError)
            if isinstance(error, AwayError) or (
                isinstance(error, LaterError) and not api.is_ready()
            ):
                raise AwayError(str(error)) from None
            say(3, f"{what}: cannot be {DONE[change.action]}: {error}")
            broken.add((change.kind, change.name))
            outcome.failed += 1
            continue
        reason = f": {change.reason}" if change.reason else ""
        say(4 if change.action == "keep" else 6, f"{what}: {DONE[change.action]}{reason}")
        outcome.done[change.action] = outcome.done.get(change.action, 0) + 1
    return outcome


def _filled(body: Mapping[str, Any], name: str, values: Mapping[str, str]) -> dict[str, Any]:
    return {key: values[name] if value == VALUE else value for key, value in body.items()}
