"""Edits that an editor makes of what nixcfg would change: fixes, ignore comments, renames. Pure."""

import datetime as dt
import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from nixcfg import fixing
from nixcfg.keys.mask import masked
from nixcfg.lsp.files import Look
from nixcfg.lsp.place import Range, lines_of
from nixcfg.problems.problem import Problem, RenameKey, SetValue
from nixcfg.project.model import SETTINGS
from nixcfg.rules import policy
from nixcfg.settings.names import CONFIG, CREDENTIAL, MODEL, Name
from nixcfg.yamltext import editor
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import RefusedError


class Edit(NamedTuple):
    """Write `text` in place of a range."""

    range: Range
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """What an editor may offer for a problem: `edits` by document name."""

    title: str
    edits: Mapping[str, list[Edit]]
    problem: Problem
    is_preferred: bool


class RenameError(ValueError):
    """The name cannot be changed so; the message says why."""


def actions(look: Look, problems: Iterable[Problem]) -> Iterator[Action]:
    """What may be done about the problems of the file, each with its edits."""
    document = look.document
    for problem in problems:
        if problem.file != document.name:
            continue
        if problem.fix:
            try:
                after = editor.apply(document, problem.fix.edits, beside=SETTINGS)
            except RefusedError:
                continue
            what = masked(
                "; ".join(map(editor.described, problem.fix.edits)), document.secrets(), source=True
            )
            edits = {document.name: edits_of(document.text, after.text)}
            yield Action(f"{problem.code}: {what}", edits, problem, problem.fix.safe)
        if look.sources is None or not policy.is_fixed(problem.rule):
            yield Action(
                f"Ignore {problem.code} on this line",
                {document.name: [_ignore(document, problem)]},
                problem,
                is_preferred=False,
            )


def _ignore(document: Document, problem: Problem) -> Edit:
    number = problem.span.line
    line = document.line(number)
    end = len(line.rstrip())
    is_there = "# nixcfg: ignore " in line
    text = f" {problem.code}" if is_there else f"  # nixcfg: ignore {problem.code}"
    return Edit(Range(number - 1, end, number - 1, len(line)), text)


def fixed(look: Look, today: dt.date) -> list[Edit]:
    """The file with everything fixed that takes no guess, as `nixcfg fix` does."""
    document = look.document

    def find(changed: Mapping[str, Document]) -> Iterable[Problem]:
        return look.with_document(changed[document.name]).problems(today)

    result = fixing.fix({document.name: document}, find)
    return edits_of(document.text, result.documents[document.name].text)


def renamed(look: Look, name: Name, new: str) -> dict[str, list[Edit]]:
    """The edits that give a name another text wherever it is used. Raises RenameError."""
    if name.kind not in (MODEL, CONFIG, CREDENTIAL):
        raise RenameError(f"{name.text} is the name of a file or a variable elsewhere")
    if name.kind == CONFIG and look.sources and name.text in {*look.sources.providers, "all"}:
        raise RenameError(f"{name.text} is the name of a provider's file: nixcfg rename")
    if not new.strip() or not new.isprintable() or "*" in new:
        raise RenameError(f"{new} cannot be a name")
    if any(each.kind == name.kind and each.text == new for _, each in look.names):
        raise RenameError(f"{new} is there already")
    found = {}
    for document in look.documents.values():
        edits = [
            RenameKey(each.path, new) if each.is_key else SetValue(each.path, new)
            for owner, each in look.names
            if owner is document and (each.kind, each.text) == (name.kind, name.text)
        ]
        if edits:
            try:
                after = editor.rewrite(document, edits)
            except RefusedError as error:
                raise RenameError(f"{document.name}: {error}") from error
            found[document.name] = edits_of(document.text, after.text)
    return found


def used(look: Look, name: Name) -> Iterator[tuple[Document, Name]]:
    """Every place that has the name."""
    for document, each in look.names:
        if (each.kind, each.text) == (name.kind, name.text):
            yield document, each


_SHORT = 2_000


def edits_of(before: str, after: str) -> list[Edit]:
    """What makes one text of another, in whole lines."""
    old, new = lines_of(before), lines_of(after)
    same = _alike(old, new)
    rest = min(len(old), len(new)) - same
    tail = _alike(reversed(old[-rest:] if rest else []), reversed(new[-rest:] if rest else []))
    middle, into = old[same : len(old) - tail], new[same : len(new) - tail]
    blocks: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(middle), 0, len(into))]
    if max(len(middle), len(into)) < _SHORT:
        blocks = difflib.SequenceMatcher(a=middle, b=into, autojunk=False).get_opcodes()
    return [
        Edit(_lines(old, same + start, same + end), "".join(into[begin:stop]))
        for tag, start, end, begin, stop in blocks
        if tag != "equal" and (start < end or begin < stop)
    ]


def _alike(some: Iterable[str], others: Iterable[str]) -> int:
    """How many lines two texts have in common from their start on."""
    pairs = zip(some, others, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _lines(text: list[str], start: int, end: int) -> Range:
    """From one line up to another, the end of the text included."""
    if end < len(text) or not text or text[-1].endswith("\n"):
        return Range(start, 0, end, 0)
    last = Range(end - 1, len(text[-1]), end - 1, len(text[-1]))
    return last if start == end else replace(last, line=start, column=0)
