"""One module a command: arguments in, an exit code out. Here is what they share.

Results go to stdout, talk to stderr. Heavy imports stand inside the functions, so that
`nixcfg --help` and shell completion pay for none of them.
"""

import contextlib
import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from pathlib import Path

    from nixcfg.disk.write import Change
    from nixcfg.gateway.proxy import Launch, Proxy
    from nixcfg.project.find import Sources
    from nixcfg.project.model import Config, Project
    from nixcfg.providers.amend import Amendment
    from nixcfg.validate import Report

OK, PROBLEMS, USAGE, BUG = 0, 1, 2, 3


def find_root(base: "Path") -> "Path":
    """The project that `base` is in; a usage error if there is none."""
    from nixcfg.project.find import project_root

    root = project_root(base)
    if root is None:
        raise click.UsageError(
            f"no nixcfg.yaml in {base.absolute()} or above; `nixcfg init` makes a project"
        )
    return root


def validated(base: "Path") -> "Report":
    """Read and check the project that `base` is in."""
    from nixcfg import validate
    from nixcfg.project.find import read_project

    return validate.validate(read_project(find_root(base)), today())


def valid_project(root: "Path", host: str | None = None) -> "Project":
    """The project in `root`, asked about one of its hosts where it has any.

    Where it has errors, they are told and the command is left.
    """
    from nixcfg.problems import report

    checked = validated(root)
    if checked.project is None:
        errors = [problem for problem in checked.problems if problem.is_error]
        say(report.as_text(errors, checked.files, color=wants_color(sys.stderr)))
        raise click.exceptions.Exit(PROBLEMS)
    return on_host(checked.project, host)


def on_host(project: "Project", host: str | None) -> "Project":
    """The project, asked about a host; the one that is called like this machine if none is named.

    A usage error where there is no such host. A project without hosts is all about one machine.
    """
    import socket

    from nixcfg.project.nearest import nearest

    if not project.hosts and host is None:
        return project
    name = host or socket.gethostname().partition(".")[0]
    if name in project.hosts:
        return project.at(name)
    if not project.hosts:
        raise click.UsageError("--host: nixcfg.yaml has no hosts")
    guess = nearest(name, project.hosts) if host else ""
    mend = f"did you mean {guess}?" if guess else f"there are {', '.join(project.hosts)}"
    asked = f"no host is called {name}" if host else f"{name}, this machine, is none of the hosts"
    raise click.UsageError(f"{asked}; {mend}" + ("" if host else " (--host NAME)"))


def config_of(project: "Project", name: str | None) -> "Config":
    """One configuration of the project; the one that the container loads where none is named."""
    from nixcfg.project.nearest import nearest

    configs = {config.name: config for config in project.machine.configs}
    name = name or project.machine.model_config
    if name not in configs:
        guess = nearest(name, configs)
        mend = f"did you mean {guess}?" if guess else f"there are {', '.join(configs)}"
        raise click.UsageError(f"no configuration is called {name}; {mend}")
    return configs[name]


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Tell why a change of the project is refused, and leave with exit code 1."""
    from nixcfg.problems import report
    from nixcfg.providers.amend import AmendError

    try:
        yield
    except AmendError as error:
        if error.problems:
            color = wants_color(sys.stderr)
            say(report.as_text(error.problems, 0, color=color).rpartition("\n\n")[0])
        raise click.ClickException(f"{error}") from None


def amended(
    root: "Path", make: "Callable[[Sources], Amendment]"
) -> "tuple[Amendment, list[Change]]":
    """Change a project: read it, amend it, and write the result, with no other nixcfg between."""
    from nixcfg.disk import change, write
    from nixcfg.project.find import read_project

    with refusing(), write.locked(root):
        amendment = make(read_project(root))
        changes = change.plan(root, amendment.texts)
        change.apply(root, changes)
    return amendment, changes


def tell(changes: "Sequence[Change]", then: Sequence[str], form: str, **facts: object) -> None:
    """What was changed, on stdout (`form`: text or json), and what to do next."""
    if form == "json":
        import json

        told = [{"path": each.path, "change": each.verb} for each in changes]
        click.echo(json.dumps({**facts, "changes": told, "next": list(then)}, indent=2))
        return
    for each in changes:
        click.echo(f"{each.verb} {each.path}")
    say("Next: " + "\n      ".join(then))


def example_files(root: "Path") -> dict[str, str]:
    """The files of secrets.example/ by name, which hold placeholders."""
    from nixcfg.project import wiring

    folder = root / wiring.EXAMPLES_DIR
    files = folder.iterdir() if folder.is_dir() else ()
    return {file.name: file.read_text("utf-8", "replace") for file in files if file.is_file()}


def today() -> dt.date:
    """The date that decides which models are retired: that of SOURCE_DATE_EPOCH, else today's."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = dt.datetime.now(tz=dt.UTC)
    return (dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC) if epoch.isdecimal() else now).date()


json_option = click.option(
    "--json",
    "form",
    flag_value="json",
    default="text",
    help="Tell the result as JSON; ask nothing.",
)


def _hosts(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    from nixcfg.commands import complete

    return complete.hosts(ctx, param, typed)


host_option = click.option(
    "--host",
    metavar="NAME",
    shell_complete=_hosts,
    help="The host of nixcfg.yaml that is meant.  [default: the one with this machine's name]",
)


def say(message: str) -> None:
    """Talk to the person; results go to stdout by click.echo."""
    click.echo(message, err=True)


def wants_color(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that shows colours (https://no-color.org)."""
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")


@contextlib.contextmanager
def starting(launch: "Launch", *, verbose: bool = False) -> "Iterator[Proxy]":
    """LiteLLM while it runs, with its start told on stderr; a start that fails is told too."""
    from nixcfg.gateway import proxy

    is_terminal = sys.stderr.isatty()
    began = time.monotonic()

    def tick(seconds: float, lines: Sequence[str]) -> None:
        if verbose:
            for line in lines:
                say(line)
        elif is_terminal:
            click.echo(f"\r{title}: {seconds:.0f} s ", nl=False, err=True)

    try:
        title = f"Starting LiteLLM {proxy.version()}" if not proxy.absent() else ""
        if not is_terminal and title:
            say(f"{title} ...")
        with proxy.running(launch, tick) as running:
            end = "\r" if is_terminal and not verbose else ""
            say(f"{end}LiteLLM {proxy.version()} is up after {time.monotonic() - began:.1f} s.  ")
            yield running
    except proxy.StartError as error:
        told = [event for event in proxy.events(error.log) if event.level == "error"]
        last = [line for line in error.log if line.strip()][-8:]
        for line in [event.text for event in told] or last:
            say(f"  {line}")
        raise click.ClickException(f"{error}") from None
