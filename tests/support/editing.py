"""An editor for the tests: pytest-lsp's client, which talks to a real `nixcfg lsp`."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

PATIENCE = 60
"""Seconds after which an answer is given up."""


class Editor:
    """A client and its server. A position is written into a text as `|`."""

    def __init__(self, root: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.root = root
        self.client: LanguageClient = make_test_lsp_client()
        self.versions: dict[str, int] = {}
        self.texts: dict[str, str] = {}

    def run(self, answer: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(answer, PATIENCE))

    def start(self) -> lsp.InitializeResult:
        async def begin() -> lsp.InitializeResult:
            await self.client.start_io(sys.executable, "-P", "-m", "nixcfg", "lsp")
            capabilities = client_capabilities("neovim")
            assert capabilities.general is not None
            capabilities.general.position_encodings = [lsp.PositionEncodingKind.Utf16]
            return await self.client.initialize_session(
                lsp.InitializeParams(capabilities=capabilities, root_uri=self.root.as_uri())
            )

        return self.run(begin())

    def stop(self) -> None:
        async def end() -> None:
            await self.client.shutdown_session()
            await self.client.stop()

        self.run(end())
        self.loop.close()

    # What a person does.

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def open(self, name: str, text: str) -> None:
        uri = self.uri(name)
        if uri in self.versions:
            self.type(name, text)
            return
        self.versions[uri] = 1
        item = lsp.TextDocumentItem(uri=uri, language_id="yaml", version=1, text=text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))

    def type(self, name: str, text: str) -> None:
        uri = self.uri(name)
        self.versions[uri] += 1
        whole = lsp.TextDocumentContentChangeWholeDocument(text=text)
        document = lsp.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(text_document=document, content_changes=[whole])
        )

    def close(self, name: str) -> None:
        uri = self.uri(name)
        del self.versions[uri]
        document = lsp.TextDocumentIdentifier(uri=uri)
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(text_document=document))

    def until(self, holds: Callable[[dict[str, list[lsp.Diagnostic]]], bool]) -> None:
        """Wait until the diagnostics are as expected."""

        async def wait() -> None:
            while not holds({uri: list(d) for uri, d in self.client.diagnostics.items()}):
                await self.client.protocol.wait_for_notification_async(
                    lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
                )

        self.run(wait())

    def codes(self, name: str) -> list[str]:
        found = self.client.diagnostics.get(self.uri(name), ())
        return sorted(str(each.code) for each in found)

    def at(self, name: str, text: str) -> dict[str, Any]:
        """Open the text without its `|`, and say where that was."""
        before, _, after = text.partition("|")
        self.open(name, before + after)
        line = before.count("\n")
        last = before.rpartition("\n")[2]
        units = len(last.encode("utf-16-le")) // 2
        return {
            "text_document": lsp.TextDocumentIdentifier(uri=self.uri(name)),
            "position": lsp.Position(line, units),
        }

    # What is answered.

    def hover(self, name: str, text: str) -> str:
        found = self.run(
            self.client.text_document_hover_async(lsp.HoverParams(**self.at(name, text)))
        )
        return found.contents.value if found else ""

    def complete(self, name: str, text: str) -> list[lsp.CompletionItem]:
        params = lsp.CompletionParams(**self.at(name, text))
        found = self.run(self.client.text_document_completion_async(params))
        return list(found.items) if found else []

    def labels(self, name: str, text: str) -> list[str]:
        return [each.label for each in self.complete(name, text)]

    def definition(self, name: str, text: str) -> list[tuple[str, int]]:
        params = lsp.DefinitionParams(**self.at(name, text))
        return self.places(self.run(self.client.text_document_definition_async(params)))

    def references(self, name: str, text: str) -> list[tuple[str, int]]:
        context = lsp.ReferenceContext(include_declaration=True)
        params = lsp.ReferenceParams(context=context, **self.at(name, text))
        return self.places(self.run(self.client.text_document_references_async(params)))

    def places(self, found: Any) -> list[tuple[str, int]]:
        return sorted(
            (each.uri.removeprefix(self.root.as_uri() + "/"), each.range.start.line)
            for each in found or ()
        )

    def rename(self, name: str, text: str, new: str) -> dict[str, str]:
        """The texts of the files after a rename."""
        params = lsp.RenameParams(new_name=new, **self.at(name, text))
        edit = self.run(self.client.text_document_rename_async(params))
        return self.applied(edit)

    def applied(self, edit: lsp.WorkspaceEdit) -> dict[str, str]:
        found = {}
        for uri, edits in (edit.changes or {}).items():
            name = uri.removeprefix(self.root.as_uri() + "/")
            text = self.text(name)
            for each in sorted(
                edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True
            ):
                start, end = (_offset(text, p) for p in (each.range.start, each.range.end))
                text = text[:start] + each.new_text + text[end:]
            found[name] = text
        return found

    def text(self, name: str) -> str:
        return self.texts.get(name) or (self.root / name).read_text()

    def actions(self, name: str, text: str, only: list[str] | None = None) -> list[lsp.CodeAction]:
        where = self.at(name, text)
        self.texts = {name: text.replace("|", "", 1)}
        params = lsp.CodeActionParams(
            text_document=where["text_document"],
            range=lsp.Range(where["position"], where["position"]),
            context=lsp.CodeActionContext(diagnostics=[], only=only),
        )
        return list(self.run(self.client.text_document_code_action_async(params)) or ())


def _offset(text: str, position: lsp.Position) -> int:
    lines = text.splitlines(keepends=True)
    before = "".join(lines[: position.line])
    line = lines[position.line] if position.line < len(lines) else ""
    units = line.encode("utf-16-le")[: 2 * position.character].decode("utf-16-le")
    return len(before) + len(units)
