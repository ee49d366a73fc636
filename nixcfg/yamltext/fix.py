"""Apply the fixes that problems carry to the texts they were found in. Pure.

A fix is made as a replacement of a few characters at exact offsets, never by dumping data: what it
is not about stays byte for byte as it was, comments, quoting, indentation and line ends included.
(A ruamel.yaml round trip keeps comments, but writes quotes, indentation, line ends and flow
collections anew.) No result is believed: each is read back, and one that does not hold exactly
the data that was meant, or lost a comment, is thrown away and told as not fixed.
"""

import bisect
import dataclasses
import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from nixcfg.problems.problem import Fix, MoveKey, Problem, RenameKey, SetValue, Steps
from nixcfg.project.model import SETTINGS
from nixcfg.yamltext import emit, source
from nixcfg.yamltext.data import at, same, with_, without
from nixcfg.yamltext.source import Document

Edit = SetValue | RenameKey | MoveKey
Check = Callable[[Mapping[str, Document]], Iterable[Problem]]
"""Finds the problems of some files, by their names as in Problem.file."""

MAX_ROUNDS = 20
"""Each round looks for problems anew, because one fix may show or hide another."""


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


def mend(documents: Mapping[str, Document], check: Check, *, unsafe: bool = False) -> Result:
    """Apply every fix that `check` offers for `documents`, until it offers no new one.

    No fix is made twice, so that two rules that disagree come to an end as well. What is no error
    is not mended where that would bring an error: a setting that LiteLLM ignored may be one that
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
        # What stays in its line comes first: then the places told are those of the original.
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


def apply(document: Document, edits: Iterable[Edit]) -> Document:
    """The document after `edits`, each of which means the document that the one before it left.

    Raises RefusedError, with the reason, where the result would not be exactly what they ask for.
    """
    for edit in edits:
        match edit:
            case MoveKey():
                document = _move(document, edit)
            case _:
                document = _in_place(document, [edit])
    return document


def described(edit: Edit) -> str:
    """What an edit does, in a line. Mask it before it is shown: a value may be a key."""
    match edit:
        case SetValue():
            return f"{_dotted(edit.path)}: {emit.scalar(edit.value)}"
        case RenameKey():
            return f"{_dotted(edit.path)} renamed to {edit.name}"
        case MoveKey():
            return f"{_dotted(edit.path)} moved to {edit.section}"


class RefusedError(Exception):
    """An edit that cannot be made without risk; the message says why."""


def _fix(problem: Problem) -> Fix:
    assert problem.fix is not None  # noqa: S101 (only problems with a fix come here)
    return problem.fix


_Identity = tuple[str, str, Fix]


def _identity(problem: Problem) -> _Identity:
    return problem.file, problem.code, _fix(problem)


def _moves(problem: Problem) -> bool:
    return any(isinstance(edit, MoveKey) for edit in _fix(problem).edits)


def _dotted(path: Steps) -> str:
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).removeprefix(".")


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
        # An error that is mended may have hidden others.
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
        self.done: set[tuple[Edit, ...]] = set()

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
                self.document = apply(self.document, _fix(problem).edits)
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
        page = _Page(self.document.text)
        groups: dict[tuple[int, int], list[Problem]] = {}
        for problem in problems:
            (edit,) = _fix(problem).edits
            try:
                place = page.target(edit)
                if isinstance(edit, SetValue) and same(
                    at(self.document.data, edit.path), edit.value
                ):
                    raise RefusedError("it is so already")  # noqa: TRY301
            except RefusedError as error:
                self.left.append(Left(problem, str(error)))
                continue
            group = groups.setdefault((place.start, place.end), [])
            # Another value for the same place has to wait for the next round.
            if not group or _wanted(_fix(group[0]).edits[0]) == _wanted(edit):
                group.append(problem)
        everything = [problem for group in groups.values() for problem in group]
        try:
            self.document = _in_place(self.document, _edits(everything))
        except RefusedError:
            for group in groups.values():
                self.one_place(group)
        else:
            self.fixed += everything

    def one_place(self, group: Sequence[Problem]) -> None:
        try:
            self.document = _in_place(self.document, _edits(group))
        except RefusedError as refused:
            # Others share the value and want to keep it: write out the alias that wants another.
            for problem in group:
                try:
                    self.document = _in_place(self.document, _edits([problem]), through=False)
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
                self.document = _in_place(self.document, [RenameKey((section,), str(target))])
            except RefusedError:
                continue
            self.done |= {(MoveKey((section, key), str(target)),) for key in entries}


def _edits(problems: Iterable[Problem]) -> list[Edit]:
    return [edit for problem in problems for edit in _fix(problem).edits]


def _wanted(edit: Edit) -> object:
    match edit:
        case SetValue():
            return type(edit.value), edit.value
        case RenameKey():
            return edit.name
        case MoveKey():
            return edit.section


# --- The edits on data: what a result has to read back as.


def _in_place(document: Document, edits: Sequence[Edit], *, through: bool = True) -> Document:
    """Values and names rewritten, all at once. `through`: at an alias, write to its anchor.

    What an anchor gives to several places under one name (`<<: *base`) is told for one of them,
    and meant for all.
    """
    page = _Page(document.text)
    replacements = {page.rewrite(edit, through=through) for edit in edits}
    data = document.data
    if through:
        edits = [dataclasses.replace(e, path=path) for e in edits for path in page.alike(e)]
    # Values first and inner names before outer ones: every path names the document as it was.
    for edit in sorted(
        dict.fromkeys(edits), key=lambda e: (isinstance(e, RenameKey), -len(e.path))
    ):
        match edit:
            case SetValue():
                data = with_(data, edit.path, functools.partial(_replaced, edit))
            case RenameKey():
                data = with_(data, edit.path[:-1], functools.partial(_renamed, edit))
    return _verified(document, page, replacements, data)


def _replaced(edit: SetValue, _old: Any) -> Any:
    return edit.value


def _renamed(edit: RenameKey, old: Any) -> dict[str, Any]:
    if edit.name in old:
        raise RefusedError(f"{edit.name} is already there")
    return {edit.name if key == edit.path[-1] else key: value for key, value in old.items()}


def _verified(
    document: Document, page: "_Page", replacements: Iterable["_Replacement"], data: Any
) -> Document:
    ordered = sorted(replacements)
    if any(start < end for (_, end, _), (start, _, _) in itertools.pairwise(ordered)):
        raise RefusedError("it stands in the way of itself")
    text, at = "", 0
    for start, end, new in ordered:
        text += page.text[at:start] + new
        at = end
    text += page.text[at:]
    if not page.has_last_break:
        text = text.removesuffix(page.newline)
    after = source.parse(text, document.name)
    if after.data is None or len(after.problems) > len(document.problems):
        raise RefusedError("the result would not be YAML that reads as it should")
    if not same(after.data, data):
        raise RefusedError("the same text stands for other values too, or would read otherwise")
    if not _comments(page) <= _comments(_Page(text)):
        raise RefusedError("a comment would be lost")
    return after


# --- The text with its nodes.

_Replacement = tuple[int, int, str]
"""Write the text in place of what is between two offsets."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Where YAML 1.1 breaks lines; str.splitlines knows more.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT = re.compile("(?:^|(?<=[\\s\ufeff]))#[^\n\r\x85\u2028\u2029]*")
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|$))*")
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(slots=True)
class _Node:
    """A node of the text: `start` to `end` are its characters, without the last line break.

    `style` is "" for plain scalars and block collections, else the first character of the syntax.
    The children of a mapping are its keys and values in turn; an alias has its target.
    """

    kind: str
    start: int
    end: int
    style: str = ""
    value: str = ""
    in_flow: bool = False
    children: list["_Node"] = field(default_factory=list)
    target: "_Node | None" = None

    @property
    def is_merge(self) -> bool:
        return self.kind == "scalar" and self.value == "<<" and not self.style

    @property
    def is_block_scalar(self) -> bool:
        return self.kind == "scalar" and self.style in ("|", ">")

    @property
    def pairs(self) -> list[tuple["_Node", "_Node"]]:
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    def find(self, key: str) -> int | None:
        """The index of a key's pair. Raises RefusedError for a key that stands twice."""
        found = [n for n, (k, _) in enumerate(self.pairs) if k.kind == "scalar" and k.value == key]
        if len(found) > 1:
            raise RefusedError(f"{key} stands twice")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a path leads: the collection that holds it, its index there, its key, its value."""

    parent: _Node
    index: int
    key: _Node
    value: _Node
    shared: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key with its value, cut out: its comments, and its own lines at column 0."""

    above: list[str]
    lines: list[str]
    key: str
    key_node: _Node
    value_node: _Node


class _Page:
    """A text, its lines (counted from 0) and its nodes. The text always ends with a line break."""

    def __init__(self, text: str) -> None:
        found = _BREAK.search(text)
        self.newline = found[0] if found else "\n"
        self.has_last_break = bool(_BREAK.fullmatch(text[-1:]))
        self.text = text if self.has_last_break else text + self.newline
        self.starts = [0, *(each.end() for each in _BREAK.finditer(self.text))]
        self.has_aliases = False
        self.root = self._nodes()

    def _nodes(self) -> _Node:
        anchors: dict[str | None, _Node] = {}
        stack = [_Node("seq", 0, 0)]
        for event in yaml.parse(self.text, Loader=_LOADER):
            if isinstance(event, yaml.CollectionEndEvent):
                node = stack.pop()
                # libyaml ends a block collection at the next token, after comments and blanks.
                node.end = _offsets(event)[1] if node.style else node.children[-1].end
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event, anchors)
                node.in_flow = bool(stack[-1].style)
                stack[-1].children.append(node)
                if isinstance(event, yaml.CollectionStartEvent):
                    stack.append(node)
        return stack[0].children[0]

    def _node(self, event: yaml.NodeEvent, anchors: dict[str | None, _Node]) -> _Node:
        start, end = _offsets(event)
        match event:
            case yaml.AliasEvent():
                self.has_aliases = True
                return _Node("alias", start, end, target=anchors[event.anchor])
            case yaml.ScalarEvent():
                node = _Node("scalar", start, end, event.style or "", event.value)
                if node.is_block_scalar:
                    node.end = start + len(self.text[start:end].rstrip("\n\r\x85\u2028\u2029 "))
            case yaml.MappingStartEvent():
                node = _Node("map", start, end, "{" if event.flow_style else "")
            case yaml.SequenceStartEvent():
                node = _Node("seq", start, end, "[" if event.flow_style else "")
        anchors[event.anchor] = node
        return node

    # Lines.

    def line_of(self, offset: int) -> int:
        # A value that is missing altogether can stand behind the last line.
        return min(bisect.bisect_right(self.starts, offset), self.line_count) - 1

    def line(self, number: int) -> str:
        """A line without its break; "" after the last."""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return _BREAK.sub("", self.text[self.starts[number] : end])

    @property
    def line_count(self) -> int:
        return len(self.starts) - 1

    def column(self, node: _Node) -> int:
        return node.start - self.starts[self.line_of(node.start)]

    def before(self, node: _Node) -> str:
        """What stands before a node in its line."""
        return self.text[self.starts[self.line_of(node.start)] : node.start]

    def after(self, offset: int) -> str:
        """The rest of the line."""
        number = self.line_of(offset)
        return self.line(number)[offset - self.starts[number] :]

    def is_comment(self, number: int) -> bool:
        return self.line(number).lstrip(" ").startswith("#")

    def indent(self, number: int) -> int:
        line = self.line(number)
        return len(line) - len(line.lstrip(" "))

    # Nodes.

    def place(self, path: Steps) -> _Place:
        """Where a path of the data leads in the text."""
        here, shared = self.root, False
        found: _Place | None = None
        for step in path:
            if here.target:
                here, shared = here.target, True
            found = self._step(here, step, shared=shared)
            here, shared = found.value, found.shared
        if found is None:
            raise RefusedError("it is the whole file")
        return found

    def _step(self, here: _Node, step: str | int, *, shared: bool) -> _Place:
        if isinstance(step, int):
            if here.kind != "seq" or step >= len(here.children):
                raise RefusedError("it is not where it was")
            return _Place(here, step, here.children[step], here.children[step], shared)
        if here.kind == "map":
            index = here.find(step)
            if index is not None:
                return _Place(here, index, *here.pairs[index], shared)
            for key, value in here.pairs:
                if key.is_merge:
                    for base in _merged(value):
                        try:
                            return self._step(base, step, shared=True)
                        except RefusedError:
                            continue
        raise RefusedError("it is not where it was")

    def target(self, edit: Edit, *, through: bool = True) -> _Node:
        """The node that an edit in place rewrites."""
        place = self.place(edit.path)
        if isinstance(edit, RenameKey):
            if place.parent.kind != "map" or place.key.kind != "scalar":
                raise RefusedError("it is no key that is written out")
            return place.key
        if not through and (place.shared or not place.value.target):
            raise RefusedError("it is no alias")
        node = place.value.target if through and place.value.target else place.value
        if node.kind not in ("scalar", "alias"):
            raise RefusedError("it is not a single value")
        return node

    def alike(self, edit: Edit) -> list[Steps]:
        """The paths that lead to what an edit rewrites, under the name that the edit gives it."""
        if not self.has_aliases:
            return [edit.path]
        target, is_key = self.target(edit), isinstance(edit, RenameKey)
        return [
            path
            for path, key, value in self._paths()
            if path[-1] == edit.path[-1] and target is (key if is_key else value)
        ]

    def _paths(self) -> Iterator[tuple[Steps, _Node, _Node]]:
        """Every path of the data, with its key (or its value, in a list) and its value."""
        todo: list[tuple[Steps, _Node]] = [((), self.root)]
        while todo:
            path, node = todo.pop()
            for step, key, value in _entries(node):
                target = value.target or value
                yield (*path, step), key, target
                if target.children:
                    todo.append(((*path, step), target))

    def rewrite(self, edit: Edit, *, through: bool = True) -> _Replacement:
        """A value or a name in the quotes that it had."""
        node = self.target(edit, through=through)
        value = edit.name if isinstance(edit, RenameKey) else getattr(edit, "value", None)
        old = self.text[node.start : node.end]
        properties = _PROPERTIES.match(old) if node.kind == "scalar" else None
        anchors = " ".join(p for p in (properties[0] if properties else "").split() if p[0] == "&")
        if node.is_block_scalar and "#" in re.split(_BREAK, old)[0]:
            raise RefusedError("a comment stands in its first line")
        quote = node.style if node.style in ("'", '"') else ""
        new = emit.scalar(value, quote, in_flow=node.in_flow)
        new = f"{anchors} {new}" if anchors else new
        if node.start == node.end:  # a key without a value
            place = self.place(edit.path)
            missing = place.parent.kind == "map" and ":" not in self.text[place.key.end : node.end]
            new = (": " if missing else " ") + new
        elif self.text[node.start - 1 : node.start] == ":":
            new = " " + new
        return node.start, node.end, new

    # Cutting an entry out.

    def cut(self, place: _Place) -> tuple[_Entry, list[_Replacement]]:
        """An entry of a mapping, and what removes it from the text."""
        flow = place.parent.style == "{"
        return self._cut_flow(place) if flow else self._cut_block(place)

    def _cut_block(self, place: _Place) -> tuple[_Entry, list[_Replacement]]:
        column = self.column(place.key)
        if self.before(place.key).strip(" "):
            raise RefusedError("it shares its line with something else")
        rest = self.after(place.value.end).strip()
        if rest and not rest.startswith("#"):
            raise RefusedError("it shares its line with something else")
        first, last = self.line_of(place.key.start), self.extent(place)
        above = self._comments_above(place, first, column)
        entry = _Entry(
            above=[self.line(number).strip() for number in range(above, first)],
            lines=[self._dedented(number, column) for number in range(first, last + 1)],
            key=place.key.value,
            key_node=place.key,
            value_node=place.value,
        )
        return entry, [self._without_lines(above, last, is_first=not place.index)]

    def extent(self, place: _Place) -> int:
        """The last line of an entry, with the comments after it that are deeper than its key."""
        column = self.column(place.key)
        last = number = self.line_of(max(place.value.end, place.key.end))
        while number + 1 < self.line_count:
            number += 1
            if self.is_comment(number) and self.indent(number) > column:
                last = number
            elif self.line(number).strip():
                break
        return last

    def _comments_above(self, place: _Place, first: int, column: int) -> int:
        """The first of the comment lines that stand directly above line `first`."""
        # A line of a text in quotes can start with # as well.
        previous = place.parent.children[2 * place.index - 1] if place.index else None
        floor = self.line_of(previous.end) if previous else -1
        number = first
        while number - 1 > floor and self.is_comment(number - 1):
            if self.indent(number - 1) > column:
                break
            number -= 1
        # Comments from the first line of a file on are about the file.
        return first if number == 0 else number

    def _dedented(self, number: int, column: int) -> str:
        line = self.line(number)
        return line[column:] if not line[:column].strip(" ") else line.lstrip(" ")

    def _without_lines(self, first: int, last: int, *, is_first: bool = False) -> _Replacement:
        """Removes lines; of blank lines on both sides those above go too, below a title all."""
        is_end = last + 1 >= self.line_count or self.line(last + 1).strip() in ("...", "---")
        if is_end or not self.line(last + 1).strip():
            while first > 0 and not self.line(first - 1).strip():
                first -= 1
        if is_first and not is_end and first > 0 and not self.is_comment(first - 1):
            while last + 1 < self.line_count and not self.line(last + 1).strip():
                last += 1
        return self.starts[first], self.starts[last + 1], ""

    def _cut_flow(self, place: _Place) -> tuple[_Entry, list[_Replacement]]:
        parent, key, value = place.parent, place.key, place.value
        pairs = parent.pairs
        previous = pairs[place.index - 1][1].end if place.index else self._inside(parent)
        is_last = place.index + 1 == len(pairs)
        following = parent.end - 1 if is_last else pairs[place.index + 1][0].start
        before, after = self.text[previous : key.start], self.text[value.end : following]
        written = self._pair(key, value)
        own_lines = not self.before(key).strip(" ") and bool(_BREAK.search(before))
        rest = re.match(r"[ \t]*,?[ \t]*(#.*)?$", self.after(value.end))
        if own_lines and rest and _BREAK.search(after):
            first = self.line_of(key.start)
            above = self._comments_above(place, first, self.column(key))
            comments = [self.line(number).strip() for number in range(above, first)]
            lines = self._lines(written, self.column(key))
            lines[-1] += f"  {rest[1]}" if rest[1] else ""
            last = self.line_of(value.end)
            cuts = [(self.starts[above], self.starts[last + 1], "")]
            if is_last and place.index and "," not in after and before.lstrip()[0] == ",":
                comma = self.text.index(",", previous)  # JSON has none before the }
                cuts.append((comma, comma + 1, ""))
            return _Entry(comments, lines, key.value, key, value), cuts
        if "#" in before + after:
            raise RefusedError("comments stand between the entries in { }")
        entry = _Entry([], self._lines(written, self.column(key)), key.value, key, value)
        cut = (key.start, following, "") if not is_last else (previous, value.end, "")
        return entry, [cut]

    def _inside(self, flow: _Node) -> int:
        return self.text.index("{", flow.start) + 1

    def _pair(self, key: _Node, value: _Node) -> str:
        name, written = self.text[key.start : key.end], self.text[value.start : value.end]
        return f"{name}: {written}" if written else f"{name}:"

    def _lines(self, written: str, column: int) -> list[str]:
        first, *others = re.split(_BREAK, written)
        return [first, *(o[column:] if not o[:column].strip(" ") else o.lstrip() for o in others)]

    # Removing a section, once its last entry is cut out.

    def cut_section(self, index: int) -> list[_Replacement]:
        """Removes a section with its last entry; comments of its own stay, in lines of their own.

        The comments of the entry itself have been taken with it.
        """
        key, value = self.root.pairs[index]
        place = _Place(self.root, index, key, value, shared=False)
        if self.root.style == "{":
            entry, cuts = self._cut_flow(place)
            if "#" in "".join([*entry.above, *entry.lines]):
                raise RefusedError("comments stand between the entries in { }")
            return cuts
        if self.before(key).strip(" "):
            raise RefusedError("its section shares a line with something else")
        inner = _Place(value, 0, *value.pairs[0], shared=False)
        header = self.line_of(key.start)
        if value.style == "{":
            last = self.line_of(value.end)
            _, [(start, end, _)] = self._cut_flow(inner)
            if "#" in self.text[self._inside(value) : start] + self.text[end : value.end]:
                raise RefusedError("comments stand between the entries in { }")
            kept = self.after(value.end).strip()
            if not kept:
                return [self._without_lines(header, last)]
            if not kept.startswith("#"):
                raise RefusedError("its section shares a line with something else")
            kept = self.before(key) + kept + self.newline
            return [(self.starts[header], self.starts[last + 1], kept)]
        _, [(start, end, _)] = self._cut_block(inner)
        # `litellm_settings:  # comment` (an anchor there is caught when the result is read back)
        comment = next(_found(self.text, key.end, self.starts[header + 1]), "")
        kept = self.before(key) + comment + self.newline if comment else ""
        if not kept and start == self.starts[header + 1]:
            return [self._without_lines(header, self.line_of(end - 1))]
        return [(self.starts[header], self.starts[header + 1], kept), (start, end, "")]

    # Putting an entry in.

    def put(self, section: str, entry: _Entry, data: Any, column: int) -> list[_Replacement]:
        """Writes an entry as the last one of a section. `data` is its value."""
        index = self.root.find(section)
        if index is None:
            return self._put_section(section, entry, data, column)
        key, value = self.root.pairs[index]
        if value.kind == "map" and value.style == "{" and (value.children or self.root.style):
            return self._put_flow(value, key, entry, data)
        if value.kind == "map" and not value.style:
            last_key, last_value = value.pairs[-1]
            place = _Place(value, len(value.pairs) - 1, last_key, last_value, shared=False)
            if self.before(last_key).strip(" "):
                raise RefusedError(f"{section} does not stand in lines of its own")
            return [self._after_line(self.extent(place), entry, self.column(last_key))]
        written = self.text[value.start : value.end]
        is_empty = value.kind == "map" and re.fullmatch(r"\{\s*\}", written)
        if self.root.style or not (is_empty or (value.kind == "scalar" and written in _NULLS)):
            raise RefusedError(f"{section} is no mapping that is written out")
        start = key.end + len(self.text[key.end : value.start].rstrip())
        return [
            (start, value.end, ""),
            self._after_line(self.line_of(value.end), entry, column),
        ]

    def _put_section(
        self, section: str, entry: _Entry, data: Any, column: int
    ) -> list[_Replacement]:
        pairs = self.root.pairs
        settings = [n for n, (key, _) in enumerate(pairs) if key.value in SETTINGS]
        index = settings[-1] if settings else len(pairs) - 1
        key, value = pairs[index]
        if self.root.style == "{":
            name = emit.scalar(section, pairs[-1][0].style, in_flow=True)
            inner = self._flow_pair(entry, data)
            if entry.above or "#" in entry.lines[-1]:
                raise RefusedError("the file is written in { } and has comments")
            return [(pairs[-1][1].end, pairs[-1][1].end, f", {name}: {{{inner}}}")]
        if self.before(key).strip(" "):
            raise RefusedError("the file does not start its sections in lines of their own")
        last = self.extent(_Place(self.root, index, key, value, shared=False))
        starts = [self.line_of(each.start) for each, _ in pairs[1:]]
        spaced = any(not self.line(self._heading(number) - 1).strip() for number in starts)
        block = "".join(
            [
                self.newline if spaced else "",
                f"{self.before(key)}{emit.text(section)}:{self.newline}",
                self._block(entry, column),
            ]
        )
        return [(self.starts[last + 1], self.starts[last + 1], block)]

    def _heading(self, number: int) -> int:
        while number > 0 and self.is_comment(number - 1):
            number -= 1
        return number

    def _after_line(self, number: int, entry: _Entry, column: int) -> _Replacement:
        at = self.starts[number + 1]
        return at, at, self._block(entry, column)

    def _block(self, entry: _Entry, column: int) -> str:
        lines = [*entry.above, *entry.lines]
        return "".join((" " * column + line if line else "") + self.newline for line in lines)

    def _put_flow(self, flow: _Node, key: _Node, entry: _Entry, data: Any) -> list[_Replacement]:
        pair = self._flow_pair(entry, data)
        comments = [*entry.above, *self._trailing(entry)]
        if not flow.children:
            at, cuts = self._inside(flow), [(self._inside(flow), self._inside(flow), pair)]
        else:
            last_key, last_value = flow.pairs[-1]
            at = last_value.end
            rest = self.after(at)
            if not self.before(last_key).strip(" ") and re.fullmatch(r"\s*,?\s*(#.*)?", rest):
                line = self.starts[self.line_of(at) + 1]
                column = " " * self.column(last_key)
                written = [*entry.above, pair + ("," if rest.lstrip()[:1] == "," else "")]
                written[-1] += "".join(f"  {comment}" for comment in self._trailing(entry))
                text = "".join(column + each + self.newline for each in written)
                comma = [] if rest.lstrip()[:1] == "," else [(at, at, ",")]
                return [*comma, (line, line, text)]
            cuts = [(at, at, f", {pair}")]
        if comments:
            place = _Place(self.root, 0, key, flow, shared=False)
            cuts += self.comment_on(place, comments)
        return cuts

    def _trailing(self, entry: _Entry) -> list[str]:
        rest = self.after(entry.value_node.end).lstrip(" \t,")
        return [rest] if rest.startswith("#") and rest in entry.lines[-1] else []

    def _flow_pair(self, entry: _Entry, data: Any) -> str:
        """An entry as `key: value` for inside { }."""
        key, value = entry.key_node, entry.value_node
        written = self.text[value.start : value.end]
        name = self.text[key.start : key.end] if key.style else emit.text(key.value, in_flow=True)
        is_block = value.is_block_scalar or (value.kind in ("map", "seq") and not value.style)
        is_plain = value.kind == "scalar" and not value.style
        if is_block or (is_plain and set(written) & set(",[]{}")) or _BREAK.search(written):
            if "#" in written or "&" in written or "*" in written:
                raise RefusedError("the section is written in { }, its value is not")
            written = emit.flow(data)
        return f"{name}: {written}" if written else f"{name}: null"

    def comment_on(self, place: _Place, comments: Sequence[str]) -> list[_Replacement]:
        """Writes comment lines above an entry that is already there."""
        key = place.key
        if self.before(key).strip(" "):
            # Inside { }: above the section.
            key = next((k for k, v in self.root.pairs if v.start <= key.start <= v.end), key)
        if self.before(key).strip(" "):
            raise RefusedError("there is no line for its comments")
        start = self.starts[self.line_of(key.start)]
        column = " " * self.column(key)
        return [(start, start, "".join(column + each + self.newline for each in comments))]


def _offsets(event: yaml.Event) -> tuple[int, int]:
    start, end = event.start_mark, event.end_mark
    return (start.index, end.index) if start and end else (0, 0)  # a parser's events have both


def _entries(node: _Node) -> Iterator[tuple[str | int, _Node, _Node]]:
    """What a collection holds, merged mappings included; of a key that stands twice, the last."""
    if node.kind == "seq":
        yield from ((number, each, each) for number, each in enumerate(node.children))
        return
    found: dict[str, tuple[_Node, _Node]] = {}
    for key, value in node.pairs:
        if key.is_merge:
            for base in _merged(value):
                for name, inner, inner_value in _entries(base):
                    found.setdefault(str(name), (inner, inner_value))
    own = {key.value: (key, value) for key, value in node.pairs if not key.is_merge}
    yield from ((name, *pair) for name, pair in {**found, **own}.items())


def _merged(value: _Node) -> Iterator[_Node]:
    node = value.target or value
    if node.kind == "map":
        yield node
    elif node.kind == "seq":
        for child in node.children:
            yield child.target or child


def _comments(page: _Page) -> Counter[str]:
    """Every comment of a text: what starts with # outside of scalars."""
    comments: Counter[str] = Counter()
    at = 0
    for node in _scalars(page.root):
        comments.update(_found(page.text, at, node.start))
        at = node.end
        if node.is_block_scalar:  # its first line can hold a comment
            comments.update(_found(re.split(_BREAK, page.text[node.start : node.end])[0]))
    comments.update(_found(page.text, at))
    return comments


def _found(text: str, start: int = 0, end: int | None = None) -> Iterator[str]:
    end = len(text) if end is None else end
    return (each[0].rstrip() for each in _COMMENT.finditer(text, start, end))


def _scalars(root: _Node) -> Iterator[_Node]:
    todo = [root]
    while todo:
        node = todo.pop()
        if node.kind in ("map", "seq"):
            todo += reversed(node.children)
        else:
            yield node


# --- Moving.


def _move(document: Document, edit: MoveKey) -> Document:
    page = _Page(document.text)
    place = page.place(edit.path)
    if place.shared or place.parent.kind != "map" or page.root.kind != "map":
        raise RefusedError("it stands in what an anchor shares with other places")
    if edit.path[0] == edit.section:
        raise RefusedError("it is there already")
    key = str(edit.path[-1])
    value, data = at(document.data, edit.path), without(document.data, [edit.path])
    target = data.get(edit.section)
    is_last = len(place.parent.pairs) == 1
    if is_last and len(edit.path) != 2:
        raise RefusedError("it is the only entry where it stands")
    entry, replacements = page.cut(place)
    if is_last:
        index = page.root.find(str(edit.path[0]))
        replacements = page.cut_section(index or 0)
    if isinstance(target, dict) and key in target:
        if not same(target[key], value):
            raise RefusedError(f"{edit.section} sets {key} to something else; keep one of them")
        comments = [*entry.above, *_found("\n".join(entry.lines))]
        if comments:
            replacements += page.comment_on(page.place((edit.section, key)), comments)
        return _verified(document, page, replacements, data)
    is_usual = len(edit.path) == 2 and place.parent.style != "{"
    column = page.column(place.key) if is_usual else _usual_indent(page)
    replacements += page.put(edit.section, entry, value, column)
    data[edit.section] = {**(target or {}), key: value}
    return _verified(document, page, replacements, data)


def _usual_indent(page: _Page) -> int:
    for _, value in page.root.pairs:
        if value.kind == "map" and not value.style:
            return page.column(value.children[0])
    return page.column(page.root) + 2
