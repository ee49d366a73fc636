"""Apply the fixes that problems carry, in rounds, until there is nothing more to fix. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from nixcfg.problems.problem import Fix, MoveKey, Problem, RenameKey, SetValue
from nixcfg.project.model import SETTINGS
from nixcfg.yamltext import editor
from nixcfg.yamltext.data import at, same
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import RefusedError

_Edit = SetValue | RenameKey | MoveKey
Check = Callable[[Mapping[str, Document]], Iterable[Problem]]
"""Finds the problems of some files, by their names as in Problem.file."""

MAX_ROUNDS = 20
"""Each round looks for problems again, because one fix may show or hide another."""


@dataclass(frozen=True, slots=True)
class Left:
    """A problem that has a fix which was not applied, and why."""

    problem: Problem
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """The files as they would be, and what became of each problem that has a fix.

    `unsafe` are the problems whose fix guesses, and was not asked for.
    """

    documents: Mapping[str, Document]
    fixed: tuple[Problem, ...]
    left: tuple[Left, ...]
    unsafe: tuple[Problem, ...]


def fix(documents: Mapping[str, Document], check: Check, *, unsafe: bool = False) -> Result:
    """Apply every fix that `check` offers for `documents`, until it offers no new one.

    No fix is made twice, so that two rules that disagree come to an end as well. What is no error
    is not fixed where that would bring an error: a setting that LiteLLM ignored may be one that
    it cannot take.
    """
    work = _Work(dict(documents), check)
    for _ in range(MAX_ROUNDS):
        todo = [
            problem
            for problem in work.offered
            if (_fix(problem).safe or unsafe)
            and (identity := _identity(problem)) not in work.fixed
            # What was refused may be possible in another text.
            and (identity not in work.left or work.left[identity][0] != work.text(problem))
        ]
        # What stays in its line comes first: then the places reported are those of the original.
        todo = [problem for problem in todo if not _moves(problem)] or todo
        if not todo:
            break
        work.round(todo)
    still = {_identity(problem): problem for problem in work.offered}
    return Result(
        work.files,
        tuple(work.fixed.values()),
        tuple(work.left[each][1] for each in still if each in work.left.keys() - work.fixed.keys()),
        tuple(problem for problem in still.values() if not (_fix(problem).safe or unsafe)),
    )


def _fix(problem: Problem) -> Fix:
    assert problem.fix is not None  # noqa: S101 (only problems with a fix come here)
    return problem.fix


_Identity = tuple[str, str, Fix]


def _identity(problem: Problem) -> _Identity:
    return problem.file, problem.code, _fix(problem)


def _moves(problem: Problem) -> bool:
    return any(isinstance(edit, MoveKey) for edit in _fix(problem).edits)


class _Work:
    """Files on their way, and what became of the problems that were found in them."""

    def __init__(self, files: dict[str, Document], check: Check) -> None:
        self.files = files
        self.check = check
        self.found = list(check(files))
        self.fixed: dict[_Identity, Problem] = {}
        self.left: dict[_Identity, tuple[str, Left]] = {}

    @property
    def offered(self) -> list[Problem]:
        return [problem for problem in self.found if problem.fix and problem.file in self.files]

    def text(self, problem: Problem) -> str:
        return self.files[problem.file].text

    def round(self, problems: Sequence[Problem]) -> None:
        """All of them, or those halves of them that bring no error."""
        passes = {name: _Pass(self.files[name]) for name in dict.fromkeys(p.file for p in problems)}
        for name, each in passes.items():
            each.run([problem for problem in problems if problem.file == name])
        files = {**self.files, **{name: each.document for name, each in passes.items()}}
        found = list(self.check(files))
        brought = _errors(found) - _errors(self.found)
        # An error that is fixed may have hidden others.
        if brought and not all(problem.is_error for problem in problems):
            if len(problems) == 1:
                (error,) = [p for p in found if p.is_error and (p.file, p.code) in brought][:1]
                self.leave(problems[0], f"it would bring an error, {error.code}: {error.message}")
                return
            middle = len(problems) // 2
            self.round(problems[:middle])
            self.round(problems[middle:])
            return
        for each in passes.values():
            for left in each.left:
                self.leave(left.problem, left.reason)
            self.fixed |= {_identity(problem): problem for problem in each.fixed}
        self.files, self.found = files, found

    def leave(self, problem: Problem, reason: str) -> None:
        self.left[_identity(problem)] = self.text(problem), Left(problem, reason)


def _errors(problems: Iterable[Problem]) -> Counter[tuple[str, str]]:
    return Counter((problem.file, problem.code) for problem in problems if problem.is_error)


class _Pass:
    """One round over one file."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.fixed: list[Problem] = []
        self.left: list[Left] = []
        self.done: set[tuple[_Edit, ...]] = set()

    def run(self, problems: Sequence[Problem]) -> None:
        if not any(map(_moves, problems)):
            self.together([problem for problem in problems if len(_fix(problem).edits) == 1])
            problems = [problem for problem in problems if len(_fix(problem).edits) > 1]
        self.whole_sections(problems)
        for problem in problems:
            if _fix(problem).edits in self.done:
                self.fixed.append(problem)  # two rules that ask for the same
                continue
            try:
                self.document = editor.apply(self.document, _fix(problem).edits, beside=SETTINGS)
            except RefusedError as error:
                self.left.append(Left(problem, str(error)))
            else:
                self.fixed.append(problem)
                self.done.add(_fix(problem).edits)

    def together(self, problems: Sequence[Problem]) -> None:
        """All at once; where that fails, those that write to the same place at once.

        Values that an anchor repeats are one place with several problems: it may only be written
        when all of them want the same.
        """
        if not problems:
            return
        page = editor.open_page(self.document)
        groups: dict[tuple[int, int], list[Problem]] = {}
        for problem in problems:
            edit = _in_place(problem)
            try:
                place = editor.target(page, edit)
                if isinstance(edit, SetValue) and same(
                    at(self.document.data, edit.path), edit.value
                ):
                    raise RefusedError("it is so already")  # noqa: TRY301
            except RefusedError as error:
                self.left.append(Left(problem, str(error)))
                continue
            group = groups.setdefault((place.start, place.end), [])
            # Another value for the same place has to wait for the next round.
            if not group or _wanted(_in_place(group[0])) == _wanted(edit):
                group.append(problem)
        everything = [problem for group in groups.values() for problem in group]
        try:
            self.document = editor.rewrite(
                self.document, [_in_place(problem) for problem in everything]
            )
        except RefusedError:
            for group in groups.values():
                self.one_place(group)
        else:
            self.fixed += everything

    def one_place(self, group: Sequence[Problem]) -> None:
        try:
            self.document = editor.rewrite(self.document, [_in_place(problem) for problem in group])
        except RefusedError as refused:
            # Others share the value and want to keep it: write out the alias that wants another.
            for problem in group:
                try:
                    self.document = editor.rewrite(
                        self.document, [_in_place(problem)], through=False
                    )
                except RefusedError:
                    self.left.append(Left(problem, str(refused)))
                else:
                    self.fixed.append(problem)
        else:
            self.fixed += group

    def whole_sections(self, problems: Sequence[Problem]) -> None:
        """A section of which every entry moves to one that is missing just gets its name."""
        data = self.document.data
        moves = [edits[0] for p in problems if len(edits := _fix(p).edits) == 1]
        homes = {move.path: move.section for move in moves if isinstance(move, MoveKey)}
        for section, entries in data.items() if isinstance(data, dict) else ():
            if not isinstance(entries, dict) or not entries:
                continue
            targets = {homes.get((section, key)) for key in entries}
            if len(targets) > 1 or not targets.isdisjoint({None, *data}):
                continue
            (target,) = targets
            try:
                self.document = editor.rewrite(self.document, [RenameKey((section,), str(target))])
            except RefusedError:
                continue
            self.done |= {(MoveKey((section, key), str(target)),) for key in entries}


def _in_place(problem: Problem) -> SetValue | RenameKey:
    """The only edit of a fix that moves nothing."""
    (edit,) = _fix(problem).edits
    assert not isinstance(edit, MoveKey)  # noqa: S101 (fixes that move are never made together)
    return edit


def _wanted(edit: SetValue | RenameKey) -> object:
    return (type(edit.value), edit.value) if isinstance(edit, SetValue) else edit.name
