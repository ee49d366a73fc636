"""Teams, users and keys in nixcfg.yaml: what LiteLLM's admin API would refuse, and what has no
effect."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from nixcfg.access import desired
from nixcfg.knowledge import Key
from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, Severity, Steps
from nixcfg.project import wiring
from nixcfg.project.nearest import nearest
from nixcfg.rules import values
from nixcfg.rules.context import Config, Context, Whole
from nixcfg.rules.scope import WholeProject
from nixcfg.yamltext.scalars import describe

_LIMITS = ("max_budget", "tpm_limit", "rpm_limit", "tpd_limit", "max_parallel_requests")
_DURATION = re.compile(r"(?i)[0-9]*[1-9][0-9]*(s|m|h|d|w|mo)")


class _Entry(NamedTuple):
    """A team, a user or a key as it is written; `fields` have LiteLLM's names."""

    section: str
    name: str
    given: Mapping[str, Any]

    @property
    def path(self) -> Steps:
        return (self.section, self.name)

    @property
    def fields(self) -> Mapping[str, Any]:
        own = desired.OWN[self.section]
        return {key: value for key, value in self.given.items() if key not in own}

    def teams(self) -> Iterator[tuple[Steps, str]]:
        """The teams that it names, with their places."""
        if self.given.get("team"):
            yield (*self.path, "team"), self.given["team"]
        for index, team in enumerate(
            self.given.get("teams", ()) if self.section == "users" else ()
        ):
            yield (*self.path, "teams", index), team


def _entries(whole: Whole) -> Iterator[_Entry]:
    for section in desired.KINDS:
        for name, given in desired.entries(whole.project, section).items():
            yield _Entry(section, name, given)


NO_DATABASE = Rule("NX530", Severity.ERROR)


@WholeProject
def _without_database(whole: Whole) -> Iterator[Problem]:
    project = whole.project
    if any(desired.has_database(machine) for machine in project.machines):
        return
    for section in (*desired.KINDS, "prune"):
        if section in project.document.data:
            yield project.document.problem(
                NO_DATABASE,
                (section,),
                f"LiteLLM keeps {section if section != 'prune' else 'all of this'} in a database, "
                "and there is none",
                help="Add database: local, or the host of one.",
                key=True,
            )
            return


_INSTEAD = {
    "duration": "expires: with a date says until when a key is valid.",
    "key": "The value is in a file: give file:.",
    "key_alias": "The name is the alias.",
    "team_alias": "The name is the alias.",
    "team_id": "team: names a team of this file.",
    "user_id": "user: names a user of this file.",
    "spend": "LiteLLM counts it.",
    "auto_rotate": "Change the content of the file to rotate a key.",
    "key_type": "Give allowed_routes: [llm_api_routes].",
}


NEEDS_LICENCE = Rule("NX532", Severity.ERROR)


@WholeProject
def _fields(whole: Whole) -> Iterator[Problem]:
    project = whole.project
    has_licence = _has_licence(whole)
    config = Config(project.document, Context(chosen=project.machine.chosen), is_project_file=True)
    for entry in _entries(whole):
        kind = desired.KINDS[entry.section]
        known = project.knowledge.access(kind)
        for name, value in entry.fields.items():
            path = (*entry.path, name)
            if name not in known:
                yield _unknown(whole, entry, name, known)
            elif known[name].licence and not has_licence:
                yield project.document.problem(
                    NEEDS_LICENCE,
                    path,
                    f"{config.litellm} refuses {name} of a {kind} unless it has a licence",
                    help="Wire LITELLM_LICENSE, or remove the line.",
                    key=True,
                )
            else:
                yield from map(_as_error, values.setting(config, path, known[name], value))
                yield from _amount(whole, path, value)


def _as_error(problem: Problem) -> Problem:
    """The API refuses what a settings file would get away with."""
    return replace(problem, level=Severity.ERROR)


UNKNOWN_FIELD = Rule("NX531", Severity.ERROR)


def _unknown(whole: Whole, entry: _Entry, name: str, known: Mapping[str, Key]) -> Problem:
    own = desired.OWN[entry.section]
    guess = nearest(name, [*known, *own]) if name not in _INSTEAD else ""
    help_ = _INSTEAD.get(name) or (f"Did you mean {guess}?" if guess else "Remove it.")
    path = (*entry.path, name)
    return whole.project.document.problem(
        UNKNOWN_FIELD,
        path,
        f"LiteLLM {whole.project.knowledge.version} has no {name} for a "
        f"{desired.KINDS[entry.section]}"
        if name not in _INSTEAD
        else f"{name} cannot be given here",
        help=help_,
        key=True,
        fix=Fix((RenameKey(path, guess),), safe=False)
        if guess and guess not in entry.given
        else None,
    )


def _has_licence(whole: Whole) -> bool:
    machines = desired.reconcilers(whole.project)
    return bool(machines) and all(
        "LITELLM_LICENSE" in {*machine.environment, *machine.secrets}
        or any("LITELLM_LICENSE" in config.secrets for config in machine.configs)
        for machine in machines
    )


BAD_AMOUNT = Rule("NX533", Severity.ERROR)


def _amount(whole: Whole, path: Steps, value: Any) -> Iterator[Problem]:
    """A time that is none, and a limit below zero."""
    name, document = str(path[-1]), whole.project.document
    if name.endswith("_duration") and isinstance(value, str) and not _DURATION.fullmatch(value):
        yield document.problem(
            BAD_AMOUNT,
            path,
            f"{value or 'an empty text'} is no time for {name}",
            help="Write a number and s, m, h, d, w or mo, such as 30d.",
        )
    number = _number(value)
    if name.endswith(("_budget", "_limit")) and number is not None and not 0 <= number < math.inf:
        yield document.problem(
            BAD_AMOUNT,
            path,
            f"{describe(value)} cannot be a limit",
            help="Write a number from 0 on, in US dollars for a budget; or remove the line.",
        )


@WholeProject
def _expiry(whole: Whole) -> Iterator[Problem]:
    for entry in _entries(whole):
        given = entry.given.get("expires")
        if entry.section == "keys" and given is not None and desired.expiry(given) is None:
            yield whole.project.document.problem(
                BAD_AMOUNT,
                (*entry.path, "expires"),
                f"{describe(given)} is no date",
                help="Write a date such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z.",
            )


@WholeProject
def _names(whole: Whole) -> Iterator[Problem]:
    teams, users = (desired.entries(whole.project, each) for each in ("teams", "users"))
    for entry in _entries(whole):
        for path, team in entry.teams():
            if team not in teams:
                yield _no_such(whole, path, "team", team, teams)
        user = entry.given.get("user") if entry.section == "keys" else None
        if user and user not in users:
            yield _no_such(whole, (*entry.path, "user"), "user", user, users)


UNKNOWN_NAME = Rule("NX534", Severity.ERROR)


def _no_such(whole: Whole, path: Steps, what: str, name: str, known: Iterable[str]) -> Problem:
    guess = nearest(name, known)
    return whole.project.document.problem(
        UNKNOWN_NAME,
        path,
        f"there is no {what} {name}",
        help=f"Did you mean {guess}?" if guess else f"Add it to {what}s.",
    )


LIMIT_ABOVE = Rule("NX535", Severity.WARNING)


@WholeProject
def _above_the_team(whole: Whole) -> Iterator[Problem]:
    teams = desired.entries(whole.project, "teams")
    for entry in _entries(whole):
        team = teams.get(str(entry.given.get("team")), {}) if entry.section == "keys" else {}
        for limit in _LIMITS:
            own, ceiling = _number(entry.given.get(limit)), _number(team.get(limit))
            if own is not None and ceiling is not None and own > ceiling:
                place = ("teams", entry.given["team"], limit)
                yield whole.project.document.problem(
                    LIMIT_ABOVE,
                    (*entry.path, limit),
                    f"{limit} is above that of team {entry.given['team']}, which wins",
                    help=f"Write {ceiling} or less, or remove the line.",
                    related=[whole.project.document.related(place, "the team's")],
                )


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


ONE_FILE = Rule("NX537", Severity.ERROR)


@WholeProject
def _files(whole: Whole) -> Iterator[Problem]:
    document = whole.project.document
    taken: dict[str, tuple[str, Steps | None]] = {}
    for machine in whole.project.machines:
        if machine.master_key_file:
            taken[machine.master_key_file] = ("the master key", machine.place("master_key_file"))
        for variable, key in machine.key_files.items():
            taken[key.file] = (variable, None)
    for each in desired.value_files(whole.project):
        written = "file" in desired.entries(whole.project, "keys")[each.name]
        path: Steps = ("keys", each.name, "file") if written else ("keys", each.name)
        if whole.root and f"{wiring.place(each.file)}/".startswith(f"{whole.root.rstrip('/')}/"):
            yield document.problem(
                ONE_FILE,
                path,
                "a key in the project's own folder ends up in git or in the Nix store",
                help="Choose a place outside, such as /etc/nixcfg/keys.",
            )
        if each.file in taken:
            other, place = taken[each.file]
            yield document.problem(
                ONE_FILE,
                path,
                f"{each.file} is the file of {other} already",
                help="Give each key a file of its own.",
                related=[document.related(place, "here")] if place else (),
            )
        taken.setdefault(each.file, (f"key {each.name}", path))
