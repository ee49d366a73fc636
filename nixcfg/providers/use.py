"""The project with another configuration for its container. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nixcfg import check
from nixcfg.problems.problem import Problem
from nixcfg.project import wiring
from nixcfg.project.find import Sources
from nixcfg.providers.amendment import (
    AmendError,
    Amendment,
    amended_report,
    model_config_path,
    refuse_invalid,
    refuse_unreadable,
)
from nixcfg.yamltext import editor
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import AddKey, RefusedError


def use(
    sources: Sources,
    config: str,
    today: dt.date,
    host: str | None = None,
    profile: Sequence[str] = (),
) -> Amendment:
    """The project, or one of its hosts, with another `model_config`.

    Where `profile` names providers, `config` is a profile of them, made where it is missing. Raises
    AmendError.
    """
    refuse_unreadable(sources)
    machine = sources.project
    hosts = machine.data.get("hosts", {})
    if host is not None and host not in hosts:
        there = f"there are {', '.join(hosts)}" if hosts else "it has no hosts"
        raise AmendError(f"{machine.name} has no host {host}; {there}")
    machine = _with_profile(machine, config, profile) if profile else machine
    try:
        machine = editor.put(machine, model_config_path(host or ""), config, is_first=True)
    except RefusedError as error:
        where = f"for {host} there" if host else "there"
        raise AmendError(f"{machine.name}: {error}. Set model_config: {config} {where}.") from None
    report = amended_report(sources, machine, sources.providers, today)
    before = check.validate(sources, today).problems
    wrong = {name for name, each in sources.providers.items() if _has_errors(each, before)}
    members = {config, *profile, *sources.project.data.get("profiles", {}).get(config, ())}
    if wrong <= sources.providers.keys() - members and config != wiring.ALL:
        # What is wrong with a provider that is not loaded keeps no one from leaving it.
        known = {(each.code, each.file, each.message) for each in before}
        new = (
            each for each in report.problems if (each.code, each.file, each.message) not in known
        )
        report = replace(report, problems=tuple(new))
    refuse_invalid(report, "nothing was changed")
    changed = machine.text != sources.project.text
    return Amendment({wiring.PROJECT_FILE: machine.text} if changed else {}, report)


def _has_errors(document: Document, problems: Iterable[Problem]) -> bool:
    return any(each.is_error and each.file == document.name for each in problems)


def _with_profile(machine: Document, name: str, members: Sequence[str]) -> Document:
    """nixcfg.yaml with a profile of these providers, as it is or as a new one."""
    there = machine.data.get("profiles", {}).get(name)
    if there is not None:
        if set(there) != set(members):
            raise AmendError(f"the profile {name} is {', '.join(there)}; choose another name")
        return machine
    try:
        return editor.apply(machine, [AddKey(("profiles", name), [*members])])
    except RefusedError as error:
        raise AmendError(f"{machine.name}: {error}; nothing was changed") from None
