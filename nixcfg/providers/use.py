"""The project with another configuration for its container. Pure."""

import datetime as dt

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
from nixcfg.yamltext.edits import RefusedError


def use(sources: Sources, config: str, today: dt.date, host: str | None = None) -> Amendment:
    """The project, or one of its hosts, with another `model_config`. Raises AmendError."""
    refuse_unreadable(sources)
    machine = sources.project
    hosts = machine.data.get("hosts", {})
    if host is not None and host not in hosts:
        there = f"there are {', '.join(hosts)}" if hosts else "it has no hosts"
        raise AmendError(f"{machine.name} has no host {host}; {there}")
    try:
        machine = editor.put(machine, model_config_path(host or ""), config, is_first=True)
    except RefusedError as error:
        where = f"for {host} there" if host else "there"
        raise AmendError(f"{machine.name}: {error}. Set model_config: {config} {where}.") from None
    report = amended_report(sources, machine, sources.providers, today)
    refuse_invalid(report, "nothing was changed")
    changed = machine.text != sources.project.text
    return Amendment({wiring.PROJECT_FILE: machine.text} if changed else {}, report)
