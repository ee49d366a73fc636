"""What may be wrong with a gateway, from the project to the port: each question is a Check.

Looks, and changes nothing. What an ordinary user cannot see is skipped, with a word on how root
sees it.
No check holds a byte of a key.
"""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from nixcfg.check import Report
from nixcfg.problems import text

SWITCH = "sudo nixos-rebuild switch"


class Status(StrEnum):
    """`skipped`: could not be asked, or needs no answer; see the message."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer. `mend` is what to do about it, which is its name in the JSON;
    `details` are lines of a log, keys masked.
    """

    name: str
    status: Status
    message: str
    mend: str = ""
    details: tuple[str, ...] = ()


def ok(name: str, message: str) -> Check:
    """In order."""
    return Check(name, Status.OK, message)


def warning(name: str, message: str, advice: str) -> Check:
    """Works, and should not stay so."""
    return Check(name, Status.WARNING, message, advice)


def error(name: str, message: str, advice: str, details: tuple[str, ...] = ()) -> Check:
    """Does not work, or gives a key away."""
    return Check(name, Status.ERROR, message, advice, details)


def skipped(name: str, message: str, advice: str = "") -> Check:
    """Not known."""
    return Check(name, Status.SKIPPED, message, advice)


def hidden(name: str, message: str) -> Check:
    """Not known to an ordinary user."""
    return skipped(name, message, "" if os.geteuid() == 0 else "Root sees it: sudo nixcfg doctor.")


def examine(root: Path, checked: Report, today: dt.date) -> Iterator[Check]:
    """Every check of the project in `root`, one after the other, as they are made."""
    from nixcfg.doctor import files, gateway, own_ports, units
    from nixcfg.gateway import engine, machine

    yield _project(checked)
    yield from _keys_in_git(checked)
    yield from _knowledge(today)
    if checked.project is None:
        return
    yield from files.rendered(root, checked.project)
    yield from _unresolved()
    found = files.Found()
    here = replace(checked.project.machine, backend=engine.of(checked.project.machine))
    is_here = machine.is_nixos() or units.is_there(here)
    yield from files.key_files(here, found, is_here=is_here)
    if not is_here:
        message = "this is no NixOS, so neither units nor a gateway are looked for"
        yield skipped("machine", message, "Run it where the gateway is; `nixcfg try` is for here.")
        return
    is_wanted = yield from units.checks(root, here, found)
    yield from gateway.checks(here, is_wanted=is_wanted)
    if is_wanted:
        yield from own_ports.checks(here)


def _project(checked: Report) -> Check:
    summary = text.summary(checked.problems, checked.files)
    if not checked.is_valid:
        return error("project", summary, "See `nixcfg validate`.")
    if checked.problems:
        some = "; `nixcfg fix` fixes some" if any(each.fix for each in checked.problems) else ""
        return warning("project", summary, f"See `nixcfg validate`{some}.")
    return ok("project", summary)


def _keys_in_git(checked: Report) -> Iterator[Check]:
    from nixcfg.rules.git import TRACKED_KEY

    for problem in checked.problems:
        if problem.rule is TRACKED_KEY:
            where = f"{problem.file}:{problem.span.line}"
            yield error("git", f"{where} holds a key, and git tracks it", problem.help)


def _unresolved() -> Iterator[Check]:
    from nixcfg.knowledge import releases

    for each in releases.unresolved():
        yield skipped("advisories", f"{each}")


def _knowledge(today: dt.date) -> Iterator[Check]:
    from nixcfg.knowledge import releases

    days = releases.age(today)
    if days > releases.OLD_DAYS:
        message = f"the list of bad releases of LiteLLM is {days} days old, and may lack some"
        yield warning("known releases", message, "Update nixcfg.")
