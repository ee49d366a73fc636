"""A project as it would be written, and what validation says about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from nixcfg import check
from nixcfg.disk import shipped
from nixcfg.importing import Kind, Note
from nixcfg.importing.rest import Rest
from nixcfg.importing.split import ProviderFile
from nixcfg.problems.problem import START, Problem, Span
from nixcfg.project import model, own_ports, shape, wiring
from nixcfg.project.build import build
from nixcfg.project.find import Sources
from nixcfg.project.model import MODELS, SETTINGS
from nixcfg.project.wiring import KeyFile
from nixcfg.rules.walk import scalars
from nixcfg.yamltext import emit, reader
from nixcfg.yamltext.document import Document

_PLACEHOLDER = "replace-me\n"


_STARTER = (
    ".gitignore",
    ".schema/project.schema.json",
    ".schema/provider.schema.json",
    "secrets.example/README.md",
)


_MODELINE = "# yaml-language-server: $schema=../.schema/provider.schema.json\n"


_HEADER = """\
# yaml-language-server: $schema=.schema/project.schema.json
# What belongs to the machine. The providers are in providers/, one file each.
# `nixcfg schema` prints all there is.

"""


_DECIDED = "# The files said different things; this is what the loaded one said.\n"


@dataclass(slots=True)
class Attempt:
    """A project as it would be written, and what validation says about it."""

    project: dict[str, Any]
    blocks: Rest | None
    providers: Mapping[str, ProviderFile]
    secrets: Mapping[str, Any]
    notes: list[Note]
    decided: dict[str, Any] = field(default_factory=dict)
    errors: tuple[Problem, ...] = ()
    key_files: Mapping[str, KeyFile] = field(default_factory=dict)

    def documents(self) -> tuple[Document, dict[str, Document]]:
        """nixcfg.yaml, and the provider files by name."""
        providers = {
            name: reader.parse(provider.text, wiring.provider_path(name))
            for name, provider in sorted(self.providers.items())
        }
        return reader.parse(self.project_text(), wiring.PROJECT_FILE), providers

    def project_text(self) -> str:
        parts = [self.project_head()]
        if self.blocks:
            parts.append(self.blocks.text)
        if self.decided:
            parts.append(_DECIDED + emit.block(self.decided) + "\n")
        return "\n".join(parts)

    def project_head(self) -> str:
        data = {**self.project, **({"secrets": dict(self.secrets)} if self.secrets else {})}
        return _HEADER + emit.block(data) + "\n"

    def decide(self, chosen: str) -> None:
        """Settings that files give differently, as the loaded one has them (else the first)."""
        project, providers = self.documents()
        if project.data is None or shape.check(project, "project"):
            return
        everything = build(project, providers).machine
        used = everything.key_files
        self.secrets = {name: entry for name, entry in self.secrets.items() if name in used}
        for config in everything.configs:
            for conflict in config.conflicts if config.name == wiring.ALL else ():
                # What one file says twice is an error in it, and left out of it.
                files = {setting.document.name for setting in conflict.settings}
                if conflict.place[0] in SETTINGS and len(files) > 1:
                    self.settle(conflict, wiring.provider_path(chosen))

    def settle(self, conflict: model.Conflict, wanted: str) -> None:
        given = conflict.settings
        winner = next((s for s in given if s.document.name == wanted), given[0])
        here = self.decided
        for step in conflict.place[:-1]:
            here = here.setdefault(str(step), {})
        here[str(conflict.place[-1])] = winner.value
        name = ".".join(map(str, conflict.place))
        for setting in given:
            if setting.value != winner.value:
                place = self.place(setting.document.name, setting.document.span(setting.path))
                message = (
                    f"{name} differs between the files; nixcfg.yaml decides it for all of them, "
                    f"as {winner.document.name} has it"
                )
                self.notes.append(Note(Kind.CHANGED, *place, message))

    def validate(self) -> None:
        project, providers = self.documents()
        checked = check.validate(Sources(Path(), project, providers, ()))
        self.errors = tuple(problem for problem in checked.problems if problem.is_error)
        if checked.project:
            self.key_files = checked.project.machine.key_files
            self.open_ports(checked.project)

    def open_ports(self, project: model.Project) -> None:
        """What the configurations ask of the machine itself, whose firewall would keep it."""
        machine = project.machine
        data = [provider.document.data for provider in project.providers]
        texts = [text for _, text in scalars([*data, machine.environment]) if isinstance(text, str)]
        closed = own_ports.closed(machine, texts)
        if not closed:
            return
        self.project["host_ports"] = sorted({*machine.host_ports, *closed})
        first = next(iter(self.providers.values())).of.document.name
        message = (
            f"host_ports opens {', '.join(map(str, closed))} of this machine to the gateway; "
            + own_ports.LISTEN
        )
        self.notes.append(Note(Kind.CHECK, first, START, message))

    def texts(self) -> dict[str, str]:
        """Every file by its path, nixcfg.yaml last: with it the project begins to exist."""
        starter = shipped.folder("templates") / "project"
        files = {path: (starter / path).read_text(encoding="utf-8") for path in _STARTER}
        for variable, key in self.key_files.items():
            if key.kind == "env":
                files[f"secrets.example/{variable.lower()}.txt"] = _PLACEHOLDER
        for name, provider in sorted(self.providers.items()):
            files[wiring.provider_path(name)] = _MODELINE + provider.text
        return {**files, wiring.PROJECT_FILE: self.project_text()}

    def placed(self, problem: Problem) -> Problem:
        """The problem at its place in the source, where its line comes from there."""
        file, span = self.place(problem.file, problem.span)
        return replace(problem, file=file, span=span) if file != problem.file else problem

    def place(self, file: str, span: Span) -> tuple[str, Span]:
        """Where a place in the project comes from."""
        line = span.line
        if file == wiring.PROJECT_FILE:
            rest = self.blocks
            line -= self.project_head().count("\n") + 1
            of = next(iter(self.providers.values())).of
        else:
            provider = self.providers[PurePosixPath(file).stem]
            rest, of = provider.rest, provider.of
        if rest is None or of.is_dumped or not 1 <= line <= len(rest.origin):
            return file, span
        if rest.origin[line - 1]:
            return of.document.name, span._replace(line=rest.origin[line - 1])
        # Written again: only the section is known.
        above = rest.text.splitlines()[:line]
        section = next((s for text in reversed(above) for s in rest.again if text == f"{s}:"), "")
        if not section or section == MODELS:
            return file, span
        return of.document.name, of.document.span((section,), key=True)
