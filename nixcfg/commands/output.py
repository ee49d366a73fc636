"""What commands print: results on stdout by click.echo, everything else, for the person, on stderr.

A table goes to a terminal that is wide enough; where it is not, a block for each row.
"""

import os
import re
import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

import click

from nixcfg.commands import QUIET

if TYPE_CHECKING:
    from nixcfg.disk.change import Change
    from nixcfg.problems.problem import Problem

_GAP = "  "


def report(message: str) -> None:
    """Print a line for the person on stderr; results go to stdout by click.echo."""
    click.echo(message, err=True)


def advise(message: str) -> None:
    """Print on stderr what the person may do next, or that all went well; -q leaves it out."""
    if not is_quiet():
        report(message)


def advise_next(steps: Sequence[str]) -> None:
    """What to do next, one step a line; nothing where there are none."""
    if steps:
        width = width_of(sys.stderr)
        lines = [line for step in steps for line in _fitted(step, width)]
        advise("Next: " + f"\n{_INDENT}".join(lines))


_INDENT = " " * len("Next: ")


def _fitted(step: str, width: int | None) -> list[str]:
    """A command and, after two blanks or more, what it is for: below it where the line is short."""
    command, *why = re.split(" {2,}", step, maxsplit=1)
    fits = width is None or len(_INDENT + step) <= width
    return [step] if fits or not why else [command, f"  {why[0]}"]


def is_quiet() -> bool:
    """Whether -q was given: only what is wrong, or was asked for, is printed."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(QUIET))


def wants_color(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that shows colours (https://no-color.org)."""
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")


def print_problems(problems: "Iterable[Problem]", files: int, *, brief: bool = False) -> None:
    """Report problems on stderr; `files` is how many were checked."""
    from nixcfg.problems.text import as_text

    report(as_text(list(problems), files, color=wants_color(sys.stderr), brief=brief))


def masked_diff(change: "Change", folder: str = "", secrets: Collection[str] = ()) -> str:
    """A change as a diff without a secret; `secrets` are those that are known besides.

    The NixOS module has `secret:` and `key =` in its code, so there only shapes are hidden.
    """
    from nixcfg.keys.mask import masked
    from nixcfg.keys.written import written
    from nixcfg.project.wiring import MODULE

    if f"{MODULE}/" in change.path:
        return masked(change.diff(folder), secrets)
    sides = [(side or b"").decode("utf-8", "replace") for side in (change.old, change.new)]
    known = {*secrets, *(secret for text in sides for secret in written(text, None))}
    return masked(change.diff(folder), known, source=True)


def painted(diff: str, *, color: bool) -> str:
    """A diff in the colours of git, where they are wanted."""
    if not color:
        return diff
    return "".join(_painted_line(line) for line in diff.splitlines(keepends=True))


_TONES = {"+": "green", "-": "red", "@": "cyan"}


def _painted_line(line: str) -> str:
    text = line.rstrip("\n")
    if text.startswith(("+++ ", "--- ")):
        return click.style(text, bold=True) + "\n"
    tone = _TONES.get(text[:1])
    return (click.style(text, fg=tone) if tone else text) + "\n"


def print_changes(
    changes: "Sequence[Change]", then: Sequence[str], form: str, **facts: object
) -> None:
    """What was changed, on stdout (`form`: text or json), and what to do next."""
    if form == "json":
        import json

        listed = [{"path": each.path, "change": each.verb} for each in changes]
        click.echo(json.dumps({**facts, "changes": listed, "next": list(then)}, indent=2))
        return
    if not is_quiet():
        for each in changes:
            click.echo(f"{each.verb} {each.path}")
    advise_next(then)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], width: int | None = None) -> str:
    """Aligned columns, or the first cell with the others named below it where `width` is less.

    `width` is in characters; None is for a reader that has no edge, such as a pipe. Nothing is
    cut off in either form.
    """
    all_rows = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *all_rows, strict=True)]
    natural = sum(widths) + len(_GAP) * (len(widths) - 1)
    if width is None or natural <= width:
        lines = [_line(row, widths) for row in (tuple(map(str.upper, headers)), *all_rows)]
        return "\n".join(lines)
    return "\n".join(_block(headers, row, width) for row in all_rows)


def width_of(stream: TextIO) -> int | None:
    """How wide the terminal behind a stream is; None for a file or a pipe."""
    if not stream.isatty():
        return None
    return os.get_terminal_size(stream.fileno()).columns or None


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _block(headers: Sequence[str], row: Sequence[str], width: int) -> str:
    named = [
        f"{header} {cell}"
        for header, cell in zip(headers[1:], row[1:], strict=True)
        if cell.strip("-")
    ]
    lines = [row[0]]
    line = ""
    for part in named:
        joined = f"{line}, {part}" if line else part
        if len(joined) > width - len(_GAP) and line:
            lines += _wrapped(line, width)
            line = part
        else:
            line = joined
    return "\n".join([*lines, *(_wrapped(line, width) if line else ())])


def fitted(text: str, width: int | None) -> str:
    """A text in lines of at most `width`; words such as paths stay whole."""
    if width is None or len(text) <= width:
        return text
    return textwrap.fill(
        text, width, subsequent_indent=_GAP, break_long_words=False, break_on_hyphens=False
    )


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=_GAP,
        subsequent_indent=_GAP * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
