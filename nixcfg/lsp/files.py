"""What an editor works on: the buffers that it has open, and the files that it has not."""

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nixcfg import check
from nixcfg.knowledge import Knowledge, choose, judge
from nixcfg.problems.problem import Problem
from nixcfg.project import shape
from nixcfg.project.build import build
from nixcfg.project.find import Sources, by_project, read_project
from nixcfg.project.model import Machine, Project
from nixcfg.project.standalone import Configuration, read_configuration
from nixcfg.settings.names import MODEL, Name, names
from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Document, Map

_LITELLM = {"model_list", "litellm_settings", "general_settings", "router_settings"}
"""One of these sections makes a YAML file a configuration of LiteLLM."""
_Stamp = tuple[Any, ...]


@dataclass(slots=True)
class Files:
    """Open buffers by absolute path, and what was read already; each file is parsed once a change.

    `frozen` is for another thread: the buffers as they are now, and the same memory of what was
    read, which no two threads can spoil for each other.
    """

    buffers: dict[str, str] = field(default_factory=dict)
    _parsed: dict[tuple[str, str], tuple[_Stamp, Document]] = field(default_factory=dict)
    _whole: dict[tuple[str, str], Document] = field(default_factory=dict)
    _named: dict[str, tuple[Document, tuple[Name, ...]]] = field(default_factory=dict)

    def frozen(self) -> "Files":
        return Files(dict(self.buffers), self._parsed, self._whole, self._named)

    def names(self, document: Document) -> tuple[Name, ...]:
        """The names in a document, looked for once a change."""
        known = self._named.get(document.name)
        if known is None or known[0] is not document:
            known = self._named[document.name] = (document, tuple(names(document)))
        return known[1]

    def read(self, path: Path, name: str) -> Document:
        """The document at a path: as the editor shows it, or as it is on the disk."""
        key = os.path.abspath(path)  # noqa: PTH100 (text)
        text = self.buffers.get(key)
        stamp: _Stamp = (text,) if text is not None else _stamp(key)
        known = self._parsed.get((key, name))
        if known and known[0] == stamp:
            return known[1]
        found = reader.parse(text, name) if text is not None else reader.read(path, name)
        self._parsed[key, name] = (stamp, found)
        if found.data is not None:
            self._whole[key, name] = found
        return found

    def read_whole(self, path: Path, name: str) -> Document:
        """The same, or as it last was YAML: a line that is being written breaks it."""
        found = self.read(path, name)
        if found.data is not None:
            return found
        return self._whole.get((os.path.abspath(path), name), found)  # noqa: PTH100 (text)

    def look(self, path: Path, *, whole: bool = False) -> "Look":
        """What a file is a part of; `whole` as in read_whole."""
        read = self.read_whole if whole else self.read
        for root, own in by_project(path.parent, [path]).items():
            if root is not None:
                return Look(self, path, root, own[0], sources=read_project(root, read))
        found = read_configuration(path, path.name, read)
        return Look(self, path, path.parent, path.name, configuration=found)


@dataclass(frozen=True)
class Look:
    """A file, `name` in `root`, and the project or the LiteLLM configuration that it is part of."""

    files: Files = field(repr=False)
    path: Path
    root: Path
    name: str
    sources: Sources | None = None
    configuration: Configuration | None = None

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """Every document by its name."""
        if self.sources:
            every = [self.sources.project, *self.sources.providers.values()]
        else:
            every = (
                [each.document for each in self.configuration.parts] if self.configuration else []
            )
        return {each.name: each for each in every}

    @property
    def document(self) -> Document:
        """The file itself; an empty one where a project cannot take it, as for a bad name."""
        return self.documents.get(self.name) or Document(self.name)

    def with_document(self, document: Document) -> "Look":
        """The same with another text of the file itself."""
        if self.sources:
            sources = self.sources
            if self.is_project_file:
                return replace(self, sources=replace(sources, project=document))
            providers = {
                name: document if each.name == document.name else each
                for name, each in sources.providers.items()
            }
            return replace(self, sources=replace(sources, providers=providers))
        assert self.configuration is not None  # noqa: S101 (it has one of the two)
        first, *others = self.configuration.parts
        parts = (replace(first, document=document), *others)
        return replace(self, configuration=replace(self.configuration, parts=parts))

    @property
    def is_project_file(self) -> bool:
        return self.sources is not None and self.name == self.sources.project.name

    @property
    def is_ours(self) -> bool:
        """Whether nixcfg has anything to say: any other YAML file is none of its business."""
        data = self.document.data
        return bool(self.sources) or (isinstance(data, Map) and not _LITELLM.isdisjoint(data))

    def path_of(self, name: str) -> Path:
        return self.root / name

    def problems(self, today: dt.date) -> tuple[Problem, ...]:
        """What is wrong with all of it."""
        if self.sources:
            return check.validate(self.sources, today).problems
        if self.configuration and self.is_ours:
            return check.standalone([self.configuration], today).problems
        return ()

    @cached_property
    def project(self) -> Project | None:
        """The model of the files whose shape is right, whatever else is wrong with them."""
        if self.sources is None or not _has_shape(self.sources.project, "project"):
            return None
        usable = {
            name: each
            for name, each in self.sources.providers.items()
            if _has_shape(each, "provider")
        }
        return build(self.sources.project, usable)

    @property
    def machine(self) -> Machine | None:
        return self.project.machine if self.project else None

    @property
    def knowledge(self) -> Knowledge:
        """The set for the release that the project renders."""
        if self.machine:
            return self.machine.chosen.knowledge
        data = self.sources.project.data if self.sources else None
        image = data.get("image") if isinstance(data, Map) else None
        return judge(image).knowledge if isinstance(image, str) else choose().knowledge

    @cached_property
    def models(self) -> frozenset[str]:
        """Every name that clients can ask for."""
        return frozenset(
            name.text
            for document in self.documents.values()
            for name in self.files.names(document)
            if name.kind == MODEL and name.is_given
        )

    @cached_property
    def names(self) -> tuple[tuple[Document, Name], ...]:
        """Every name of every document."""
        return tuple(
            (document, name)
            for document in self.documents.values()
            for name in self.files.names(document)
            if name.kind != MODEL or name.text in self.models
        )

    def is_as(self, other: "Look") -> bool:
        """Whether every document is the same in both."""
        mine, theirs = self.documents, other.documents
        return mine.keys() == theirs.keys() and all(mine[name] is theirs[name] for name in mine)


def _has_shape(document: Document, kind: str) -> bool:
    found = [*document.problems, *shape.check(document, kind)]
    return document.data is not None and not any(problem.is_error for problem in found)


def _stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116 (text)
    except OSError as error:
        return (error.errno,)
    return (status.st_mtime_ns, status.st_size, status.st_ino)
