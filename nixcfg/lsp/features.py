"""What the server answers: each question of the protocol, and who knows."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidRequest
from pygls.uris import to_fs_path

from nixcfg.lsp import about, change, offer, outline
from nixcfg.lsp.place import Range, lines_of
from nixcfg.lsp.server import Server
from nixcfg.problems.shown import shown
from nixcfg.settings.names import CONFIG, Name

_OFFERS = {
    "key": lsp.CompletionItemKind.Property,
    "value": lsp.CompletionItemKind.EnumMember,
    "model": lsp.CompletionItemKind.Value,
    "variable": lsp.CompletionItemKind.Variable,
}
_SYMBOLS = {
    "section": lsp.SymbolKind.Namespace,
    "setting": lsp.SymbolKind.Property,
    "model": lsp.SymbolKind.Class,
}
_FIX_ALL = "source.fixAll.nixcfg"


def make(today: Callable[[], dt.date]) -> Server:
    """A server that answers once its transport is started; `today` decides what is retired."""
    server = Server(today)
    _changes(server)
    _meaning(server)
    _navigation(server)
    _outline(server)
    _edits(server)
    return server


def _changes(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def _open(params: lsp.DidOpenTextDocumentParams) -> None:
        server.keep(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def _change(params: lsp.DidChangeTextDocumentParams) -> None:
        server.keep(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def _close(params: lsp.DidCloseTextDocumentParams) -> None:
        server.drop(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def _save(params: lsp.DidSaveTextDocumentParams) -> None:
        server.keep(params.text_document.uri)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _watched(params: lsp.DidChangeWatchedFilesParams) -> None:
        for each in params.changes:
            path = to_fs_path(each.uri)
            if path is not None:
                server.soon(Path(path))


def _meaning(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def _hover(params: lsp.HoverParams) -> lsp.Hover | None:
        uri = params.text_document.uri
        look = server.look(uri)
        if look is None:
            return None
        text, here = about.about(look, *server.place(uri, params.position))
        if not text:
            return None
        lines = lines_of(look.document.text)
        return lsp.Hover(
            lsp.MarkupContent(lsp.MarkupKind.Markdown, text),
            server.range(lines, here.range) if here else None,
        )

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=["/", ":", " ", "-"])
    )
    def _complete(params: lsp.CompletionParams) -> lsp.CompletionList | None:
        uri = params.text_document.uri
        look = server.look(uri, whole=True)
        if look is None:
            return None
        text = server.workspace.get_text_document(uri).source
        line, column = server.place(uri, params.position)
        found = offer.offers(look, text, line, column)
        lines = lines_of(text)
        return lsp.CompletionList(
            is_incomplete=len(found) == offer.MOST,
            items=[
                lsp.CompletionItem(
                    label=each.label,
                    kind=_OFFERS[each.kind],
                    detail=each.detail or None,
                    documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, each.about)
                    if each.about
                    else None,
                    sort_text=f"{number:04}",
                    text_edit=lsp.TextEdit(
                        server.range(lines, Range(line, each.column, line, column)), each.text
                    ),
                )
                for number, each in enumerate(found)
            ],
        )


def _navigation(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def _definition(params: lsp.DefinitionParams) -> list[lsp.Location] | None:
        found = server.named(params)
        if found is None:
            return None
        look, name = found
        if name.kind == CONFIG and look.sources and name.text in look.sources.providers:
            return [
                server.location(look, look.sources.providers[name.text].name, Range(0, 0, 0, 0))
            ]
        return [
            server.location(look, document.name, _written(document, each))
            for document, each in change.used(look, name)
            if each.is_given
        ]

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def _references(params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        found = server.named(params)
        if found is None:
            return None
        look, name = found
        return [
            server.location(look, document.name, _written(document, each))
            for document, each in change.used(look, name)
            if params.context.include_declaration or not each.is_given
        ]


def _outline(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol] | None:
        look = server.look(params.text_document.uri)
        if look is None:
            return None
        lines = lines_of(look.document.text)

        def made(each: outline.Symbol) -> lsp.DocumentSymbol:
            return lsp.DocumentSymbol(
                name=each.text or "?",
                detail=each.detail or None,
                kind=_SYMBOLS[each.kind],
                range=server.range(lines, each.whole),
                selection_range=server.range(lines, each.name),
                children=[made(inner) for inner in each.inner],
            )

        return [made(each) for each in outline.symbols(look.document)]


def _written(document: Any, name: Name) -> Range:
    span = document.span(name.path, key=name.is_key)
    return Range(span.line - 1, span.column - 1, span.line - 1, span.column - 1 + span.length)


def _edits(server: Server) -> None:
    kinds = [lsp.CodeActionKind.QuickFix, _FIX_ALL]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def _actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction] | None:
        look = server.look(params.text_document.uri)
        if look is None:
            return None
        only = params.context.only
        if only and any(_FIX_ALL.startswith(each) and each != "" for each in only):
            edits = change.fixed(look, server.today())
            whole = server.edit(look, {look.name: edits})
            return [lsp.CodeAction("Fix all", kind=_FIX_ALL, edit=whole)] if edits else []
        here = [
            problem
            for problem in server.problems(look)
            if params.range.start.line < problem.span.line <= params.range.end.line + 1
        ]
        return [
            lsp.CodeAction(
                each.title,
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[server.diagnostic(look, shown([each.problem])[0])],
                is_preferred=each.is_preferred or None,
                edit=server.edit(look, dict(each.edits)),
            )
            for each in change.actions(look, here)
        ]

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def _prepare(params: lsp.PrepareRenameParams) -> lsp.Range | None:
        found = server.named(params)
        if found is None:
            return None
        look, name = found
        lines = lines_of(look.document.text)
        return server.range(lines, _written(look.document, name))

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def _rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        found = server.named(params)
        if found is None:
            return None
        look, name = found
        try:
            return server.edit(look, change.renamed(look, name, params.new_name))
        except change.RenameError as error:
            raise JsonRpcInvalidRequest(str(error)) from error
