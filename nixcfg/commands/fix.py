"""`nixcfg fix`."""

import contextlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import find_root, named_files, today
from nixcfg.commands.output import masked_diff, painted, print_problems, report, wants_color

if TYPE_CHECKING:
    from nixcfg.fixing import Check, Result
    from nixcfg.problems.problem import Problem
    from nixcfg.yamltext.document import Document

    _Named = dict[Path | None, list[str] | None]
    """Files by their project, None for those of no project; None for all files of a project."""


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--unsafe", is_flag=True, help="Also fix what takes a guess, such as typos.")
@click.option(
    "-n", "--dry-run", "--diff", "diff", is_flag=True, help="Write nothing; show what would change."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if something can be fixed.")
@click.pass_obj
def command(base: Path, files: tuple[Path, ...], unsafe: bool, diff: bool, check: bool) -> int:
    """Fix what can be fixed without guessing.

    In the project, or in any LiteLLM file; a file of a project is checked as part of it. Comments,
    order and quoting of everything else stay as they are.

    \b
    Example: nixcfg fix --diff
    """
    from nixcfg import fixing
    from nixcfg.disk.files import apply, edited
    from nixcfg.disk.lock import locked, quiet
    from nixcfg.keys.mask import masked
    from nixcfg.project.find import by_project

    named: _Named
    named, root = {}, base
    if files:
        named.update(by_project(base, named_files(base, files)))
    else:
        root = find_root(base)
        named[root] = None
    is_dry = diff or check
    with contextlib.ExitStack() as locks:
        for folder in _folders(base, named):
            locks.enter_context(quiet(folder) if is_dry else locked(folder))
        works = _works(base, named)
        results = [fixing.fix(work.documents, work.find, unsafe=unsafe) for work in works]
        changes = [
            edited(root, work.path(root, name), work.documents[name].text, after.text)
            for work, result in zip(works, results, strict=True)
            for name, after in result.documents.items()
            if after.text != work.documents[name].text
        ]
        if not is_dry:
            apply(root, changes)
    secrets = {secret for work in works for secret in work.secrets}
    for line in _descriptions(problem for result in results for problem in result.fixed):
        click.echo(masked(line, secrets, source=True), err=diff)
    for each in changes if diff else ():
        text = masked_diff(each, secrets=secrets)
        click.echo(painted(text, color=wants_color(sys.stdout)), nl=False)
    unusable = [problem for work in works for problem in work.unusable]
    _report_rest(results, unusable, secrets, len(changes), is_dry=is_dry)
    is_left = any(result.left for result in results)
    return PROBLEMS if unusable or is_left or (check and changes) else OK


def would_fix(base: Path, files: "Sequence[Path]") -> str:
    """What this command would do with these files, or the project, in words; see fix_line."""
    from nixcfg import fixing
    from nixcfg.problems.text import fix_line
    from nixcfg.project.find import by_project

    named: _Named = {}
    if files:
        named.update(by_project(base, files))
    else:
        named[find_root(base)] = None
    results = [fixing.fix(work.documents, work.find) for work in _works(base, named)]
    safe = sum(len(result.fixed) for result in results)
    return fix_line(safe, sum(len(result.unsafe) for result in results))


def _works(base: Path, named: "_Named") -> "list[_Work]":
    return [
        _project(project, names) if project else _litellm_files(base, names or ())
        for project, names in named.items()
    ]


@dataclass(frozen=True, slots=True)
class _Work:
    """Files that are checked together, by their names in problems; `root` is where those begin."""

    root: Path
    documents: "Mapping[str, Document]"
    find: "Check"
    secrets: Collection[str]
    unread: "Sequence[Problem]" = ()

    @property
    def unusable(self) -> "Iterator[Problem]":
        """What keeps a file from being fixed at all."""
        yield from self.unread
        for document in self.documents.values():
            yield from document.problems if document.data is None else ()

    def path(self, root: Path, name: str) -> str:
        return name if self.root == root else os.path.relpath(self.root / name, root)


def _folders(base: Path, named: "_Named") -> list[Path]:
    """Where no other nixcfg may be at work: each project, and the folders of other files."""
    from nixcfg.project.find import project_root

    beside = {(base / name).parent for name in named.get(None) or ()}
    folders = {project_root(folder) or folder.absolute() for folder in beside}
    return sorted(folder for folder in {*folders, *filter(None, named)} if folder.is_dir())


def _project(root: Path, names: "Collection[str] | None") -> _Work:
    """A project, or those of its files that are in `names`; the others are only looked at."""
    from nixcfg import check
    from nixcfg.project.find import read_project

    sources = read_project(root)
    every = (sources.project, *sources.providers.values())
    documents = {each.name: each for each in every if names is None or each.name in names}

    def find(changed: "Mapping[str, Document]") -> "Iterable[Problem]":
        now = replace(
            sources,
            project=changed.get(sources.project.name, sources.project),
            providers={
                name: changed.get(each.name, each) for name, each in sources.providers.items()
            },
        )
        return check.validate(now, today()).problems

    unread = [each for each in sources.problems if names is None or each.file in names]
    secrets = {secret for each in every for secret in each.secrets()}
    return _Work(root, documents, find, secrets, unread)


def _litellm_files(base: Path, names: "Iterable[str]") -> _Work:
    """LiteLLM files by their names; what they include is looked at, and left as it is."""
    from nixcfg import check
    from nixcfg.project.standalone import other_kind, read_configuration

    configurations = {name: read_configuration(base / name, name) for name in names}
    first = {name: other_kind(each.parts[0].document) for name, each in configurations.items()}
    others = [problem for problem in first.values() if problem]
    configurations = {n: each for n, each in configurations.items() if first[n] is None}
    documents = {name: each.parts[0].document for name, each in configurations.items()}

    def find(changed: "Mapping[str, Document]") -> "Iterable[Problem]":
        now = [
            replace(each, parts=(replace(each.parts[0], document=changed[name]), *each.parts[1:]))
            for name, each in configurations.items()
        ]
        return check.standalone(now, today()).problems

    secrets = {secret for each in documents.values() for secret in each.secrets()}
    return _Work(base, documents, find, secrets, others)


def _descriptions(problems: "Iterable[Problem]") -> Iterator[str]:
    from nixcfg.yamltext import editor

    for problem in problems:
        for edit in problem.fix.edits if problem.fix else ():
            yield f"{_origin(problem)}: {problem.code}: {editor.described(edit)}"


def _origin(problem: "Problem") -> str:
    return f"{problem.file}:{problem.span.line}:{problem.span.column}"


def _report_rest(
    results: "Sequence[Result]",
    unusable: "Sequence[Problem]",
    secrets: Collection[str],
    changed: int,
    *,
    is_dry: bool,
) -> None:
    from nixcfg.keys.mask import masked

    if unusable:
        print_problems(unusable, len(unusable), brief=True)
    for left in (left for result in results for left in result.left):
        why = masked(left.reason, secrets)
        report(f"{_origin(left.problem)}: {left.problem.code}: not fixed: {why}")
    for problem in (problem for result in results for problem in result.unsafe):
        would = f"--unsafe would fix: {masked(problem.message, secrets)}"
        report(f"{_origin(problem)}: {problem.code}: {would}")
    count = sum(len(result.fixed) for result in results)
    fixed = "would be fixed" if is_dry else "fixed"
    summary = (
        f"{count} problem{'s' * (count != 1)} {fixed} in {changed} file{'s' * (changed != 1)}."
    )
    report(summary if changed else "Nothing to fix.")
