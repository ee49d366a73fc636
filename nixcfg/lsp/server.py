"""The language server: the protocol on one side, the rooms of this package on the other.

A change is checked a moment after the last keystroke, in a thread of its own, so that no keystroke
and no question waits for it.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from nixcfg import __version__
from nixcfg.lsp import about, change, place
from nixcfg.lsp.files import Files, Look
from nixcfg.lsp.place import Range, lines_of
from nixcfg.problems.problem import Problem, Severity, Span
from nixcfg.problems.shown import shown
from nixcfg.settings.names import Name

PAUSE = 0.15
"""Seconds without a keystroke after which the project is checked."""

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.NOTE: lsp.DiagnosticSeverity.Information,
}


class Server(LanguageServer):
    """What is open, what is being checked, and which files have diagnostics now."""

    def __init__(self, today: Callable[[], dt.date]) -> None:
        super().__init__("nixcfg", __version__)
        self.today = today
        self.files = Files()
        self.told: dict[Path, set[str]] = {}
        self.waiting: dict[Path, asyncio.TimerHandle] = {}
        self.checked: dict[Path, tuple[Look, tuple[Problem, ...]]] = {}
        self.running: set[asyncio.Task[None]] = set()

    # What the editor has open.

    def keep(self, uri: str) -> None:
        """Take the editor's text for that of the file, and check again in a moment."""
        path = to_fs_path(uri)
        if path is not None:
            self.files.buffers[path] = self.workspace.get_text_document(uri).source
            self.soon(Path(path))

    def drop(self, uri: str) -> None:
        """The file is closed: the disk has its text again."""
        path = to_fs_path(uri)
        if path is None:
            return
        self.files.buffers.pop(path, None)
        if self.files.look(Path(path)).sources:
            self.soon(Path(path))
        else:
            none = lsp.PublishDiagnosticsParams(uri=uri, diagnostics=[])
            self.text_document_publish_diagnostics(none)

    def soon(self, path: Path, pause: float = PAUSE) -> None:
        """Check what a file is a part of, once no more changes come."""
        earlier = self.waiting.pop(path, None)
        if earlier:
            earlier.cancel()
        loop = asyncio.get_running_loop()
        self.waiting[path] = loop.call_later(pause, self.start, path)

    def start(self, path: Path) -> None:
        self.waiting.pop(path, None)
        task = asyncio.get_running_loop().create_task(self.check(path))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def check(self, path: Path) -> None:
        """Check in a thread, and show the result unless another change has come meanwhile."""
        files = self.files.frozen()
        look, problems = await asyncio.to_thread(_checked, files, path, self.today())
        if path not in self.waiting:
            self.checked[look.root] = look, problems
            self.show(look, problems)

    def problems(self, look: Look) -> tuple[Problem, ...]:
        """What is wrong: as it was just found, where nothing has changed since."""
        known = self.checked.get(look.root)
        if known and known[0].is_as(look):
            return known[1]
        return look.problems(self.today())

    def show(self, look: Look, problems: tuple[Problem, ...]) -> None:
        """Publish the problems of each file of a project, and take back those that are gone."""
        by_uri: dict[str, list[lsp.Diagnostic]] = {}
        for problem in shown(problems):
            uri = self.uri(look, problem.file)
            by_uri.setdefault(uri, []).append(self.diagnostic(look, problem))
        own = look.root if look.sources else look.path
        for uri in self.told.get(own, set()) | by_uri.keys() | {_uri(look.path)}:
            self.text_document_publish_diagnostics(
                lsp.PublishDiagnosticsParams(uri=uri, diagnostics=by_uri.get(uri, []))
            )
        self.told[own] = set(by_uri)

    # Between nixcfg's places and the protocol's.

    def look(self, uri: str, *, whole: bool = False) -> Look | None:
        path = to_fs_path(uri)
        if path is None:
            return None
        found = self.files.look(Path(path), whole=whole)
        return found if found.is_ours or whole else None

    def uri(self, look: Look, name: str) -> str:
        path = look.path_of(name)
        return _uri(path if path.is_file() or look.sources is None else look.root / "nixcfg.yaml")

    def place(self, uri: str, position: lsp.Position) -> tuple[int, int]:
        """Line and column in characters: the protocol counts in units of UTF-16."""
        lines = self.workspace.get_text_document(uri).lines
        found = self.workspace.position_codec.position_from_client_units(lines, position)
        return found.line, found.character

    def range(self, lines: list[str], at: Range) -> lsp.Range:
        codec = self.workspace.position_codec
        start = lsp.Position(at.line, at.column)
        end = lsp.Position(at.end_line, at.end_column)
        return codec.range_to_client_units(lines, lsp.Range(start, end))

    def of_span(self, look: Look, name: str, span: Span) -> lsp.Range:
        document = look.documents.get(name)
        lines = lines_of(document.text) if document else []
        line, column = span.line - 1, span.column - 1
        return self.range(lines, Range(line, column, line, column + span.length))

    def diagnostic(self, look: Look, problem: Problem) -> lsp.Diagnostic:
        return lsp.Diagnostic(
            range=self.of_span(look, problem.file, problem.span),
            message="\n".join(filter(None, (problem.message, problem.help))),
            severity=_SEVERITIES[problem.severity],
            code=problem.code,
            source="nixcfg",
            related_information=[
                lsp.DiagnosticRelatedInformation(
                    lsp.Location(
                        self.uri(look, each.file), self.of_span(look, each.file, each.span)
                    ),
                    each.message,
                )
                for each in problem.related
            ]
            or None,
        )

    def edit(self, look: Look, edits: dict[str, list[change.Edit]]) -> lsp.WorkspaceEdit:
        return lsp.WorkspaceEdit(
            changes={
                _uri(look.path_of(name)): [
                    lsp.TextEdit(
                        self.range(lines_of(look.documents[name].text), each.range),
                        each.text,
                    )
                    for each in several
                ]
                for name, several in edits.items()
            }
        )

    def location(self, look: Look, name: str, at: Range) -> lsp.Location:
        lines = lines_of(look.documents[name].text)
        return lsp.Location(_uri(look.path_of(name)), self.range(lines, at))

    def named(self, params: Any) -> tuple[Look, Name] | None:
        """The name at the place that a question is about."""
        uri = params.text_document.uri
        look = self.look(uri)
        here = look and place.at(look.document, *self.place(uri, params.position))
        found = look and here and about.name_at(look, here)
        return (look, found) if look and found else None


def _checked(files: Files, path: Path, today: dt.date) -> tuple[Look, tuple[Problem, ...]]:
    look = files.look(path)
    return look, look.problems(today)


def _uri(path: Path) -> str:
    return str(from_fs_path(str(path)))
