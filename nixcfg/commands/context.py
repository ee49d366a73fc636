"""What a command works on: the project, one of its hosts, one of its configurations, the date.

Heavy imports stand inside the functions: a command pays only for what it does.
"""

import contextlib
import datetime as dt
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from nixcfg.commands import PROBLEMS
from nixcfg.commands.output import print_problems, report, wants_color

if TYPE_CHECKING:
    from pathlib import Path

    from nixcfg.check import Report
    from nixcfg.disk.change import Change
    from nixcfg.project.find import Sources
    from nixcfg.project.model import Config, Project
    from nixcfg.providers.amendment import Amendment


def find_root(base: "Path") -> "Path":
    """The project that `base` is in; a usage error if there is none."""
    from nixcfg.project.find import project_root

    root = project_root(base)
    if root is None:
        raise click.UsageError(
            f"no nixcfg.yaml in {base.absolute()} or above; `nixcfg init` makes a project"
        )
    return root


def ask_its_release(root: "Path | None") -> None:
    """Until the command ends, take what is known of LiteLLM from the release of this project.

    Without a project, or an image whose tag names a release, it is the default one.
    """
    from nixcfg.knowledge import asking, judge
    from nixcfg.project import wiring
    from nixcfg.yamltext import reader

    if root is None:
        return
    data = reader.read(root / wiring.PROJECT_FILE, wiring.PROJECT_FILE).data
    image = data.get("image") if isinstance(data, dict) else None
    if isinstance(image, str):
        click.get_current_context().with_resource(asking(judge(image).knowledge))


def read(root: "Path") -> "Sources":
    """The files of the project in `root`, between two changes that another nixcfg makes."""
    from nixcfg.disk.lock import quiet
    from nixcfg.project.find import read_project

    with quiet(root):
        return read_project(root)


def read_with_git(root: "Path") -> "Sources":
    """The same, and what git keeps of the project that it should not."""
    from nixcfg.rules.git import with_tracked_keys

    return with_tracked_keys(read(root))


def named_files(base: "Path", files: "Iterable[Path]") -> "list[Path]":
    """The files that a user names, relative to `base`; for a folder, the configurations in it.

    A folder that holds none stays, to be reported as what it is.
    """
    from nixcfg.project.standalone import configurations_in

    found: list[Path] = []
    for file in files:
        inside = configurations_in(base / file) if (base / file).is_dir() else []
        found += [file / path.relative_to(base / file) for path in inside] or [file]
    return found


def validated(base: "Path") -> "Report":
    """Read and check the project that `base` is in."""
    from nixcfg import check

    return check.validate(read_with_git(find_root(base)), today())


def without_errors(root: "Path") -> "Project":
    """The project in `root`. Where it has errors, they are reported, and the command ends."""
    checked = validated(root)
    if checked.project is None:
        print_problems((each for each in checked.problems if each.is_error), checked.files)
        raise click.exceptions.Exit(PROBLEMS)
    return checked.project


def understood_project(root: "Path") -> "Project":
    """The project in `root` without the providers that have errors, which one line names.

    For commands that ask about single providers. Where nixcfg.yaml itself cannot be understood,
    its errors are reported, and the command ends.
    """
    from nixcfg import check

    sources = read(root)
    checked = check.validate(sources, today())
    project, broken = check.understood(sources, checked)
    if project is None:
        own = [each for each in checked.problems if each.file == sources.project.name]
        print_problems(own, 1)
        raise click.exceptions.Exit(PROBLEMS)
    for name in broken:
        report(f"{name} has errors, so it is left out here: nixcfg validate")
    return project


def valid_project(root: "Path", host: str | None = None) -> "Project":
    """The project in `root`, asked about one of its hosts where it has any; see without_errors."""
    return on_host(without_errors(root), host)


def project_here(root: "Path", host: str | None) -> "Project":
    """As valid_project, judged by the LiteLLM that is installed here, because it will run.

    Reports where that is not the release of the project's image.
    """
    from nixcfg.gateway import process
    from nixcfg.knowledge import of_image, running

    if process.absent():
        return valid_project(root, host)
    release = process.version()
    click.get_current_context().with_resource(running(release))
    project = valid_project(root, host)
    named = of_image(project.machine.image)
    if named and named != release:
        report(f"LiteLLM {release} is installed here; the container runs {named}.")
    return project


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
    hint = f"did you mean {guess}?" if guess else f"there are {', '.join(project.hosts)}"
    asked = f"no host is called {name}" if host else f"{name}, this machine, is none of the hosts"
    raise click.UsageError(f"{asked}; {hint}" + ("" if host else " (--host NAME)"))


def config_of(project: "Project", name: str | None) -> "Config":
    """One configuration of the project; the one that the container loads where none is named."""
    from nixcfg.project.nearest import nearest

    configs = {config.name: config for config in project.machine.configs}
    name = name or project.machine.model_config
    if name not in configs:
        guess = nearest(name, configs)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(configs)}"
        raise click.UsageError(f"no configuration is called {name}; {hint}")
    return configs[name]


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Report why a change of the project is refused, and end with exit code 1."""
    from nixcfg.problems.text import as_text
    from nixcfg.providers.amendment import AmendError

    try:
        yield
    except AmendError as error:
        if error.problems:
            color = wants_color(sys.stderr)
            report(as_text(error.problems, 0, color=color).rpartition("\n\n")[0])
        raise click.ClickException(f"{error}") from None


def amended(
    root: "Path", make: "Callable[[Sources], Amendment]"
) -> "tuple[Amendment, list[Change]]":
    """Change a project: read it, amend it, and write the result, with no other nixcfg between."""
    from nixcfg.disk import files
    from nixcfg.disk.lock import locked
    from nixcfg.project.find import read_project

    with refusing(), locked(root):
        amendment = make(read_project(root))
        changes = files.plan(root, amendment.texts)
        files.apply(root, changes)
    return amendment, changes


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
    help="Print the result as JSON; ask nothing.",
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
