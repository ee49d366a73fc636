"""`nixcfg fix`."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import find_root, today
from nixcfg.commands.output import print_problems, report

if TYPE_CHECKING:
    from nixcfg.disk.change import Change
    from nixcfg.fixing import Check, Result
    from nixcfg.problems.problem import Problem
    from nixcfg.yamltext.document import Document


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--unsafe", is_flag=True, help="Also fix what takes a guess, such as typos.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if something can be fixed.")
@click.pass_obj
def command(base: Path, files: tuple[Path, ...], unsafe: bool, diff: bool, check: bool) -> int:
    """Fix what can be fixed without guessing.

    In the project, or in any LiteLLM file. Comments, order and quoting of everything else stay
    as they are.

    \b
    Example: nixcfg fix --diff
    """
    from nixcfg import fixing
    from nixcfg.disk.files import apply, edited
    from nixcfg.disk.lock import locked

    root = base if files else find_root(base)
    is_dry = diff or check
    with contextlib.ExitStack() as locks:
        for folder in () if is_dry else _folders(root, files):
            locks.enter_context(locked(folder))
        documents, finds, unusable = _litellm_files(root, files) if files else _project(root)
        result = fixing.fix(documents, finds, unsafe=unsafe)
        changes = [
            edited(root, documents[name].name, documents[name].text, after.text)
            for name, after in result.documents.items()
            if after.text != documents[name].text
        ]
        if not is_dry:
            apply(root, changes)
    for line in _descriptions(result.fixed):
        click.echo(line, err=diff)
    for each in changes if diff else ():
        click.echo(_masked_diff(each), nl=False)
    unusable += [p for d in documents.values() if d.data is None for p in d.problems]
    _report_rest(result, unusable, len(changes), is_dry=is_dry)
    return PROBLEMS if unusable or result.left or (check and changes) else OK


def _folders(root: Path, files: Iterable[Path]) -> list[Path]:
    """Where no other nixcfg may be at work: the project, also for its files by name."""
    from nixcfg.project.find import project_root

    folders = {(root / file).parent for file in files}
    found = {project_root(folder) or folder.absolute() for folder in folders}
    return sorted(folder for folder in found or {root} if folder.is_dir())


def _project(root: Path) -> "tuple[Mapping[str, Document], Check, list[Problem]]":
    from nixcfg import check
    from nixcfg.project.find import read_project

    sources = read_project(root)
    documents = {each.name: each for each in (sources.project, *sources.providers.values())}

    def find(changed: "Mapping[str, Document]") -> "Iterable[Problem]":
        now = replace(
            sources,
            project=changed[sources.project.name],
            providers={name: changed[each.name] for name, each in sources.providers.items()},
        )
        return check.validate(now, today()).problems

    return documents, find, list(sources.problems)


def _litellm_files(
    base: Path, files: Iterable[Path]
) -> "tuple[Mapping[str, Document], Check, list[Problem]]":
    """The files by name; what they include is looked at, and left as it is."""
    from nixcfg import check
    from nixcfg.project.standalone import read_configuration

    configurations = {str(file): read_configuration(base / file, str(file)) for file in files}
    documents = {name: each.parts[0].document for name, each in configurations.items()}

    def find(changed: "Mapping[str, Document]") -> "Iterable[Problem]":
        now = [
            replace(each, parts=(replace(each.parts[0], document=changed[name]), *each.parts[1:]))
            for name, each in configurations.items()
        ]
        return check.standalone(now, today()).problems

    return documents, find, []


def _descriptions(problems: "Iterable[Problem]") -> Iterator[str]:
    from nixcfg.keys.mask import masked
    from nixcfg.yamltext import editor

    for problem in problems:
        for edit in problem.fix.edits if problem.fix else ():
            what = masked(editor.described(edit), source=True)
            yield f"{_origin(problem)}: {problem.code}: {what}"


def _origin(problem: "Problem") -> str:
    return f"{problem.file}:{problem.span.line}:{problem.span.column}"


def _masked_diff(change: "Change") -> str:
    from nixcfg.keys.mask import masked

    return masked(change.diff(), source=True)


def _report_rest(
    result: "Result", unusable: "list[Problem]", changed: int, *, is_dry: bool
) -> None:
    from nixcfg.keys.mask import masked

    if unusable:
        print_problems(unusable, len(unusable), brief=True)
    for left in result.left:
        report(f"{_origin(left.problem)}: {left.problem.code}: not fixed: {masked(left.reason)}")
    for problem in result.unsafe:
        would = f"--unsafe would fix: {masked(problem.message)}"
        report(f"{_origin(problem)}: {problem.code}: {would}")
    count = len(result.fixed)
    fixed = "would be fixed" if is_dry else "fixed"
    summary = (
        f"{count} problem{'s' * (count != 1)} {fixed} in {changed} file{'s' * (changed != 1)}."
    )
    report(summary if changed else "Nothing to fix.")
