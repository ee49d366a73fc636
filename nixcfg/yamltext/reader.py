"""Read YAML strictly, and remember where everything is.

The data is exactly what LiteLLM's own `yaml.safe_load` would give (YAML 1.1: `yes` is True), but
what PyYAML passes over in silence becomes a problem: duplicate keys, keys that are not text,
several documents in one file.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import yaml

from nixcfg.problems.problem import START, Rule, Severity, Span, reason
from nixcfg.yamltext.builder import NOT_YAML, TOO_LARGE, Builder, StopError
from nixcfg.yamltext.document import Document, position, shown_line, split_lines
from nixcfg.yamltext.limits import MAX_BYTES
from nixcfg.yamltext.scalars import LOADER

Read = Callable[[Path, str], Document]
"""Gives the document at a path, by the name that messages call it: `read`, or what an editor has
open in its place."""

UNREADABLE = Rule("NX001", Severity.ERROR)


def read(path: Path, name: str) -> Document:
    """Read the YAML file at `path`; whatever is wrong with it is in the document's problems."""
    try:
        raw = _read_bytes(path)
    except _TooLargeError as error:
        return _too_large(name, str(error))
    except OSError as error:
        return _unusable(name, UNREADABLE, f"cannot be read: {reason(error)}", _how_to_fix(error))
    return decoded(raw, name)


NOT_UTF8 = Rule("NX002", Severity.ERROR)


def decoded(raw: bytes, name: str) -> Document:
    """Like `read`, for bytes that are already here."""
    if len(raw) > MAX_BYTES:
        return _too_large(name, f"has more than {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8-sig")
        document = Document(name, good)
        return _with_problem(
            document,
            NOT_UTF8,
            position(good, len(good)),
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            help="Save the file as UTF-8.",
        )
    return parse(text, name)


def parse(text: str, name: str) -> Document:
    """Like `read`, for text that is already here."""
    text = text.removeprefix("\ufeff")
    builder = Builder(Document(name, text))
    try:
        return builder.build()
    except yaml.MarkedYAMLError as error:
        return _with_problem(builder.document, NOT_YAML, *_explain(error, text))
    except yaml.YAMLError as error:
        return _with_problem(builder.document, NOT_YAML, START, f"not YAML: {error}")
    except StopError:
        return Document(name, text, None, tuple(builder.problems))


class _TooLargeError(Exception):
    pass


def _read_bytes(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(21, "it is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise _TooLargeError(f"has {status.st_size} bytes; the limit is {MAX_BYTES}")
        return file.read(status.st_size or MAX_BYTES)  # files in /proc have a size of 0


def _too_large(name: str, message: str) -> Document:
    return _unusable(name, TOO_LARGE, message, "Split it into several provider files.")


def _how_to_fix(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "Check its name and its folder; nothing is at that place."
        case IsADirectoryError():
            return "Put a YAML file in its place, or name one that is in it."
        case PermissionError():
            return "Make it readable for the user who runs nixcfg."
    return ""


def _unusable(name: str, rule: Rule, message: str, help: str) -> Document:
    return _with_problem(Document(name), rule, START, message, help=help)


def _with_problem(
    document: Document,
    rule: Rule,
    span: Span,
    message: str,
    help: str = "",
) -> Document:
    problem = document.problem_at(rule, span, message, help=help)
    return Document(document.name, document.text, None, (problem,))


_FIXES = {
    "mapping values are not allowed": "Indent it as the lines around it; quote a text with `: `.",
    "could not find expected ':'": "A key needs a colon and a space after it.",
    "did not find expected": "Check the indentation and the brackets and quotes before this place.",
}


def _explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Span, str, str]:
    if opened := _opened(error, text):
        return opened
    mark = error.problem_mark or error.context_mark
    span = Span(mark.line + 1, mark.column + 1) if mark else START
    lines = split_lines(text)
    if span.line > len(lines):  # libyaml names the line after the last one
        span = Span(len(lines), max(1, len(lines[-1])))
    message = error.problem or "this is not YAML"
    if error.context:
        message = f"{message} ({error.context})"
    if "cannot start any token" in message:
        character = shown_line(text, span.line)[span.column - 1 :][:1]
        advice = f"Quote a text that starts with {character}."
        return span, message, "Indent with spaces, not tabs." if character == "\t" else advice
    return span, message, next((advice for part, advice in _FIXES.items() if part in message), "")


def _opened(error: yaml.MarkedYAMLError, text: str) -> tuple[Span, str, str] | None:
    """Where a quote or a bracket opens that is not closed, or not where its writer meant to.

    libyaml names the place where it can go on no longer: often the end of the file.
    """
    at = error.problem_mark.line if error.problem_mark else 0
    quote: yaml.Token | None = None
    brackets: list[yaml.Token] = []
    try:
        for token in yaml.scan(text, Loader=LOADER):
            if isinstance(token, yaml.ScalarToken):
                is_long = token.start_mark.line != token.end_mark.line
                quote = token if is_long and token.style in ("'", '"') else quote
            elif isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                brackets.append(token)
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
                brackets = brackets[:-1]
            if token.end_mark.line > at:
                break
    except yaml.MarkedYAMLError as scanned:
        if scanned.context_mark and "quoted scalar" in (scanned.context or ""):
            span = Span(scanned.context_mark.line + 1, scanned.context_mark.column + 1)
            return span, "the quote that opens here is never closed", _CLOSE
    if quote and at == quote.end_mark.line:
        span = Span(quote.start_mark.line + 1, quote.start_mark.column + 1)
        until = f"the quote that opens here is closed only in line {quote.end_mark.line + 1}"
        return span, until, _CLOSE
    if brackets and brackets[-1].start_mark.line < at:
        mark = brackets[-1].start_mark
        sign = "[" if isinstance(brackets[-1], yaml.FlowSequenceStartToken) else "{"
        span = Span(mark.line + 1, mark.column + 1)
        return span, f"the {sign} that opens here is not closed", f"Close it before line {at + 1}."
    return None


_CLOSE = 'Close it on its own line; a quote inside a quoted text is written twice, or as \\".'
