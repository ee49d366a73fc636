"""`nixcfg validate`."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import find_root, named_files, today
from nixcfg.commands.context import read_with_git as read_project
from nixcfg.commands.output import advise, wants_color

if TYPE_CHECKING:
    from nixcfg.check import Report
    from nixcfg.knowledge import Choice
    from nixcfg.problems.problem import Problem
    from nixcfg.project.standalone import Configuration
    from nixcfg.rules.baseline import Known
    from nixcfg.yamltext.document import Document

STDIN = "-"
_STDIN_NAME = "<stdin>"


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|-]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "gitlab"]),
    default="text",
    show_default=True,
    help="How to print the problems.",
)
@click.option(
    "--litellm",
    "release",
    metavar="VERSION",
    help="The LiteLLM release that FILE is for; a project's image names its own.",
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Leave out the findings that FILE lists: only new ones count.",
)
@click.option(
    "--write-baseline",
    "wanted",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write today's findings to FILE, for --baseline.",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.pass_obj
def command(
    base: Path,
    *,
    files: tuple[Path, ...],
    form: str,
    release: str | None,
    strict: bool,
    baseline: Path | None,
    wanted: Path | None,
    watch: bool,
) -> int:
    """Report all that is wrong with the project, in one run.

    With FILE, check ordinary LiteLLM configurations instead, each with what it includes; a file
    of a nixcfg project is checked as part of it, a folder is looked into, and - is a LiteLLM
    configuration on standard input. `nixcfg explain CODE` says more about a finding.

    Exit codes: 0 no error, 1 an error (or with --strict a warning), 2 wrong usage, 3 a bug.

    \b
    Example: nixcfg validate --format json
    """
    chosen = _chosen(release, files)
    if baseline and wanted:
        raise click.UsageError("--baseline and --write-baseline exclude each other.")
    if watch and (form != "text" or wanted or Path(STDIN) in files):
        raise click.UsageError("--watch reads files and prints text.")

    def once() -> "tuple[int, list[Path]]":
        checked = _checked(base, files, chosen)
        if wanted:
            _write_baseline(base / wanted, checked.problems)
        known = _baseline(base / (wanted or baseline or "")) if wanted or baseline else None
        fixes = _fixes(base, files, checked) if form == "text" and not known else None
        return _print(checked, known, form, fixes=fixes, strict=strict), checked.read

    if watch:
        from nixcfg.commands import watching

        return watching.repeat(once, [*([base / baseline] if baseline else [])])
    return once()[0]


@dataclass(frozen=True, slots=True)
class _Checked:
    """`groups` are the problems of each project, or of files without one, by their folder.

    `read` are the files, and the folders whose entries matter, that the problems depend on.
    """

    groups: "list[tuple[Path, Sequence[Problem]]]"
    files: int
    read: list[Path]

    @property
    def problems(self) -> "list[Problem]":
        return [problem for _, problems in self.groups for problem in problems]


def _chosen(release: str | None, files: Iterable[Path]) -> "Choice | None":
    """What is known of the release that the files are for."""
    from nixcfg.knowledge import choose

    if release is None:
        return None
    if not files:
        raise click.UsageError("--litellm needs FILE: the image of a project names its release.")
    chosen = choose(release)
    if not chosen.asked:
        raise click.UsageError(f"--litellm {release}: write a release such as 1.106.2.")
    return chosen


def _checked(base: Path, files: tuple[Path, ...], chosen: "Choice | None") -> _Checked:
    """The problems of the files, or of the project where none is named."""
    from nixcfg.project.find import by_project
    from nixcfg.project.standalone import read_configuration

    if not files:
        root = find_root(base)
        checked, read = _project(root)
        return _Checked([(root, checked.problems)], checked.files, read)
    named = named_files(base, [file for file in files if str(file) != STDIN])
    given = [_standard_input(base)] if Path(STDIN) in files else []
    groups: list[tuple[Path, Sequence[Problem]]] = []
    count = 0
    watched: list[Path] = []
    projects = by_project(base, named)
    given += [read_configuration(base / name, name) for name in projects.pop(None, ())]
    if given:
        checked = _litellm(given, chosen)
        groups.append((base, checked.problems))
        count += checked.files
        watched += [base / part.document.name for each in given for part in each.parts]
    for folder, names in projects.items():
        if folder is not None:
            checked, read = _project(folder)
            found = [problem for problem in checked.problems if problem.file in names]
            groups.append((folder, found))
            count += len(names)
            watched += read
    return _Checked(groups, count, watched)


def _project(root: Path) -> "tuple[Report, list[Path]]":
    from nixcfg import check
    from nixcfg.project import wiring

    sources = read_project(root)
    documents = [sources.project, *sources.providers.values()]
    read = [root / wiring.PROVIDERS_DIR, *(root / document.name for document in documents)]
    return check.validate(sources, today()), read


def _litellm(configurations: "list[Configuration]", chosen: "Choice | None") -> "Report":
    from nixcfg import check

    return check.standalone(configurations, today(), chosen)


def _standard_input(base: Path) -> "Configuration":
    """What arrives on standard input, with what it includes from the current folder."""
    from nixcfg.project.standalone import read_configuration
    from nixcfg.yamltext import limits, reader

    given = reader.decoded(sys.stdin.buffer.read(limits.MAX_BYTES + 1), _STDIN_NAME)

    def read(path: Path, name: str) -> "Document":
        return given if name == _STDIN_NAME else reader.read(path, name)

    return read_configuration(base / _STDIN_NAME, _STDIN_NAME, read)


_MANY_FILES, _MANY_PROBLEMS = 100, 1000
"""Of more, fixes are counted and not tried, which would take as long again for each round."""


def _fixes(base: Path, files: tuple[Path, ...], checked: _Checked) -> str | None:
    """What `nixcfg fix` would really fix: some fixes are refused, others lead to more."""
    from nixcfg.commands.fix import would_fix

    if checked.files > _MANY_FILES or len(checked.problems) > _MANY_PROBLEMS:
        return None
    if not any(problem.fix for problem in checked.problems):
        return None
    named = named_files(base, [file for file in files if str(file) != STDIN])
    return would_fix(base, named) if named or not files else None


def _print(
    checked: _Checked,
    known: "Counter[Known] | None",
    form: str,
    *,
    fixes: str | None,
    strict: bool,
) -> int:
    """Print the problems that are not known already; the exit code."""
    from nixcfg import problems
    from nixcfg.problems.problem import Problem, Severity
    from nixcfg.rules import baseline

    new: list[Problem] = []
    left = known or Counter()
    for folder, found in checked.groups:
        fresh, left = baseline.without(found, left) if known else (found, left)
        # A service looks for files from the top of the repository, where it runs nixcfg.
        here = "" if form in ("text", "json") else os.path.relpath(folder)
        new += [problem.inside(here) for problem in fresh]
    new.sort(key=Problem.sort_key)
    text = problems.report(form, new, checked.files, color=wants_color(sys.stdout), fixes=fixes)
    if text:
        click.echo(text)
    accepted = len(checked.problems) - len(new)
    if accepted:
        advise(f"{accepted} more in the baseline")
    if gone := left.total():
        advise(f"{gone} in the baseline no longer found: write it again with --write-baseline")
    failing = {Severity.ERROR, *([Severity.WARNING] if strict else [])}
    return PROBLEMS if any(problem.severity in failing for problem in new) else OK


def _baseline(path: Path) -> "Counter[Known]":
    from nixcfg.problems.problem import reason
    from nixcfg.rules import baseline

    try:
        return baseline.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(f"--baseline {path}: cannot be read: {reason(error)}") from error
    except ValueError as error:
        raise click.UsageError(f"--baseline {path}: {error}") from error


def _write_baseline(path: Path, problems: "list[Problem]") -> None:
    from nixcfg.disk import files
    from nixcfg.disk.lock import locked
    from nixcfg.rules import baseline

    accepted = baseline.accepted(problems)
    with locked(path.parent):
        files.apply(path.parent, files.plan(path.parent, {path.name: baseline.as_text(accepted)}))
    count = accepted.total()
    advise(f"{path} accepts {count} finding{'s' * (count != 1)}")
