"""The parts of a new project, from configurations and a container definition. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from nixcfg import validate
from nixcfg.importing import Container, Kind, Note, NotImportableError, litellm
from nixcfg.importing.litellm import Litellm
from nixcfg.importing.text import Rest, without
from nixcfg.keys.mask import masked
from nixcfg.problems.problem import START, Problem, Span, Steps
from nixcfg.project import model, shape, wiring
from nixcfg.project.build import build
from nixcfg.project.find import Sources
from nixcfg.project.model import ENVIRONMENT, MODELS, SETTINGS
from nixcfg.project.values import declared_secrets, referenced
from nixcfg.project.wiring import KeyFile
from nixcfg.render import resources
from nixcfg.yamltext import emit, source
from nixcfg.yamltext.source import Document

_KEY_NOW = (
    "no master key was given here: clients send one from now on, which is made when the service "
    "first starts; auth: open in nixcfg.yaml lets clients on this machine in without"
)
_GENERIC = re.compile("config|litellm|proxy|settings|models|compose|docker")
_MAX_ROUNDS = 10
_PLACEHOLDER = "replace-me\n"


@dataclass(frozen=True, slots=True)
class Imported:
    """A new project: its files by path, what to know about it, and what is wrong with it.

    `problems` are errors only, at their place in the sources where they come from there; there is
    something to write only when there are none. `key_files` are what the machine has to hold.
    """

    texts: Mapping[str, str]
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]
    key_files: Mapping[str, KeyFile] = field(default_factory=dict)
    master_key_file: str | None = None
    models_left_out: int = 0


@dataclass(slots=True)
class _Provider:
    """A provider file in the making; `of` is the source that its lines come from."""

    of: Litellm
    rest: Rest
    added: str = ""

    @property
    def text(self) -> str:
        return self.rest.text + (f"\n{self.added}" if self.added else "")


def check(documents: Iterable[Document]) -> list[Problem]:
    """What keeps LiteLLM files from being read at all."""
    found = []
    for document in documents:
        problems = [*document.problems, *shape.check(document, "provider")]
        found += [problem for problem in problems if problem.is_error]
    return found


def assemble(
    documents: Sequence[Document], container: Container | None, *, loaded: str = ""
) -> Imported:
    """A project of LiteLLM configurations that passed `check`, and of what runs them.

    `loaded` is the name of the document that the container loads, where several are given.
    One configuration becomes one file for each LiteLLM provider in it, its settings those of the
    project; each of several stays one provider file, with its settings.
    """
    container = container or Container("")
    names = litellm.names_in_use(documents, container.places)
    sources = [litellm.read(document, names) for document in documents]
    for _ in range(_MAX_ROUNDS):
        if not any(each.groups for each in sources):
            raise NotImportableError("no model is left to import")
        attempt = _attempt(sources, container, loaded)
        if not attempt.errors or not _leave_out(sources, attempt):
            break
    notes = [note for each in sources for note in each.notes] + container.notes + attempt.notes
    parts = [(each.of, each.rest) for each in attempt.providers.values()]
    parts += [(sources[0], attempt.blocks)] if attempt.blocks else []
    notes += [_comments_lost(of, section) for of, rest in parts for section in rest.anew]
    if container.file and "master_key_file" not in attempt.project:
        notes.append(Note(Kind.CHECK, container.file, START, _KEY_NOW))
    notes += [_comments_lost(each, "this file") for each in sources if each.is_dumped]
    return Imported(
        texts=attempt.texts(),
        notes=tuple(sorted(dict.fromkeys(notes), key=lambda note: (note.file, note.span))),
        problems=tuple(attempt.placed(problem) for problem in attempt.errors),
        key_files=attempt.key_files,
        master_key_file=attempt.project.get("master_key_file"),
        models_left_out=sum(path[0] == MODELS for each in sources for path in each.gone),
    )


def _attempt(sources: Sequence[Litellm], container: Container, loaded: str) -> "_Attempt":
    """A project of what is left of the sources, validated."""
    is_one = len(sources) == 1
    providers, blocks = _split(sources) if is_one else (_each(sources), None)
    chosen = next((n for n, p in providers.items() if p.of.document.name == loaded), wiring.ALL)
    project = _project(container, sources, wiring.ALL if is_one else chosen)
    notes: list[Note] = []
    secrets = _declare(providers, blocks, container, project, notes)
    attempt = _Attempt(project, blocks, providers, secrets, notes=notes)
    attempt.decide(chosen)
    attempt.validate()
    return attempt


def _leave_out(sources: Sequence[Litellm], attempt: "_Attempt") -> bool:
    """Leave out what the errors are about; False where one of them is about nothing of the source.

    What is in error never worked: LiteLLM drops it, ignores it or does not start with it.
    """
    for problem in attempt.errors:
        at = attempt.placed(problem)
        each = next((each for each in sources if each.document.name == at.file), None)
        path = each.path_at(at.span) if each else None
        if each is None or path is None:
            return False
        path = path[:2] if path[0] == MODELS else path
        if path not in each.gone:
            each.leave_out(path, f"{masked(at.message)} ({at.code})")
        if path[0] == MODELS:
            each.drop(int(path[1]))
    return True


def _comments_lost(each: Litellm, where: str) -> Note:
    span = each.document.span((where,), key=True)
    return Note(Kind.CHANGED, each.document.name, span, f"comments in {where} could not be kept")


# --- Provider files.


def _each(sources: Sequence[Litellm]) -> dict[str, _Provider]:
    """Each configuration as one provider file, by a name made of the file's."""
    providers: dict[str, _Provider] = {}
    for each in sources:
        if each.groups:
            name = _unused(_file_name(each), providers)
            providers[name] = _Provider(each, without(each.document, each.gone))
        else:
            each.note(Kind.LEFT_OUT, (), "no model is left of this file")
    return providers


def _split(sources: Sequence[Litellm]) -> tuple[dict[str, _Provider], Rest | None]:
    """One configuration as a provider file for each LiteLLM provider, and the settings of all."""
    (whole,) = sources
    data = whole.document.data
    if len(whole.groups) == 1:
        (group,) = whole.groups
        stem = _file_name(whole)
        is_generic = "(" in whole.document.name or _GENERIC.search(stem)
        name = _unused(group if is_generic else stem, {})
        return {name: _Provider(whole, without(whole.document, whole.gone))}, None
    settings: set[Steps] = {(section,) for section in SETTINGS if section in data}
    moved = {*settings, *({(ENVIRONMENT,)} if ENVIRONMENT in data else ())}
    providers: dict[str, _Provider] = {}
    for group, indices in whole.groups.items():
        others = {(MODELS, n) for n in range(len(data[MODELS])) if n not in indices}
        gone = {*whole.gone, *moved, *others, *_unused_credentials(data, indices)}
        name = _unused(group, providers)
        providers[name] = _Provider(whole, without(whole.document, gone, header=False))
    kept = {(section,) for section in data} - settings
    blocks = without(whole.document, {*whole.gone, *kept})
    return providers, blocks if blocks.text else None


def _unused_credentials(data: Mapping[str, Any], indices: Sequence[int]) -> set[Steps]:
    used = {
        data[MODELS][index]["litellm_params"].get("litellm_credential_name") for index in indices
    }
    return {
        ("credential_list", number)
        for number, credential in enumerate(data.get("credential_list") or ())
        if credential["credential_name"] not in used
    }


def _file_name(each: Litellm) -> str:
    return PurePosixPath(each.document.name.split(" (")[0]).stem


def _unused(wanted: str, taken: Iterable[str]) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-_")[:60] or "provider"
    taken = {*taken, wiring.ALL}
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)


# --- Variables.


_WORKERS = "NUM_WORKERS"


def _project(container: Container, sources: Sequence[Litellm], chosen: str) -> dict[str, Any]:
    """nixcfg.yaml but for its secrets and the settings of LiteLLM."""
    secrets_dir = _secrets_dir(container)
    project: dict[str, Any] = {"model_config": chosen}
    if container.backend:
        project["backend"] = container.backend
    if container.image:
        project["image"] = container.image
    project["listen_address"] = container.listen_address or "127.0.0.1"
    project["port"] = container.port or 4000
    if container.workers is not None:
        project["workers"] = container.workers
    project["secrets_dir"] = secrets_dir
    master = container.secrets.get(wiring.MASTER_KEY_VARIABLE)
    if master is not None or any(each.has_master_key for each in sources):
        usual = wiring.key_file(wiring.MASTER_KEY_VARIABLE, secrets_dir)
        project["master_key_file"] = master or usual
    return project


def _secrets_dir(container: Container) -> str:
    """The folder that holds the key files, where they are named as nixcfg names them."""
    folders = [
        str(PurePosixPath(file).parent)
        for variable, file in container.secrets.items()
        if file[:1] == "/" and PurePosixPath(file).name == f"{variable.lower()}.txt"
    ]
    return max(folders, key=folders.count) if folders else wiring.DEFAULT_SECRETS_DIR


def _declare(
    providers: Mapping[str, _Provider],
    blocks: Rest | None,
    container: Container,
    project: dict[str, Any],
    notes: list[Note],
) -> dict[str, Any]:
    """Wire what the source had in its environment; the `secrets` of nixcfg.yaml.

    A variable that a model or a setting reads is wired by nixcfg anyway. Others are declared in
    the provider files, but for the keys of vendors that no model uses.
    """
    environment = dict(container.environment)
    wanted = set(container.secrets) - {wiring.MASTER_KEY_VARIABLE}
    (first, *others) = {id(p.of): p.of for p in providers.values()}.values()
    split = not others and len(providers) > 1
    if split:
        section = first.document.data.get(ENVIRONMENT) or {}
        given = {k: v for k, v in section.items() if (ENVIRONMENT, k) not in first.gone}
        declared = declared_secrets(given)
        wanted |= declared
        plain = {k: v for k, v in given.items() if k not in declared}
        environment |= {key: str(value) for key, value in plain.items()}
    if environment.get(_WORKERS, "").isdecimal():
        project["workers"] = int(environment.pop(_WORKERS))
    if environment:
        project["environment"] = dict(sorted(environment.items()))
    read = _references(providers, blocks)
    wanted |= read - {wiring.MASTER_KEY_VARIABLE}
    owners = _owners(providers)
    wired = _wired(providers, blocks, project, wanted) | _given(providers) | environment.keys()
    for variable in sorted(wanted - wired):
        vendors = _vendors(variable)
        users = [name for name, served in owners.items() if served & vendors]
        if vendors and not users and variable not in read:
            wanted.discard(variable)
            file = container.file or first.document.name
            span = container.places.get(variable, START)
            why = f"{variable}: no model here is answered by {' or '.join(sorted(vendors)[:3])}"
            notes.append(Note(Kind.LEFT_OUT, file, span, why))
            continue
        for name in users or providers:
            _add_secret(providers[name], variable)
    secrets: dict[str, Any] = {}
    for variable in sorted(wanted):
        entry = _secret(variable, container, project["secrets_dir"])
        if entry is not None:
            secrets[variable] = entry
    return secrets


def _secret(variable: str, container: Container, secrets_dir: str) -> Any:
    """The entry under `secrets`; None where nixcfg would say the same by itself."""
    file = container.secrets.get(variable, "")
    if file == wiring.key_file(variable, secrets_dir):
        file = ""
    entry: dict[str, Any] = {"file": file} if file else {}
    if variable in container.optional:
        entry["optional"] = True
    if variable in container.files:
        entry["kind"] = "file"
    return (file if set(entry) == {"file"} else entry) if entry else None


def _owners(providers: Mapping[str, _Provider]) -> dict[str, set[str]]:
    """The LiteLLM providers behind each provider file."""
    owners: dict[str, set[str]] = {}
    for name, provider in providers.items():
        data = provider.rest.data.get(MODELS) or ()
        owners[name] = {litellm.provider_of(entry["litellm_params"]) or "" for entry in data}
    return owners


def _vendors(variable: str) -> set[str]:
    from nixcfg import knowledge

    return {
        name
        for name, facts in knowledge.providers().items()
        if variable in {c.variable for c in facts.credentials} | {facts.api_base.variable}
    }


def _references(providers: Mapping[str, _Provider], blocks: Rest | None) -> set[str]:
    """The variables that models and settings read."""
    data = [provider.rest.data for provider in providers.values()]
    data += [blocks.data] if blocks else []
    return {v for v in map(referenced, litellm.all_texts(data)) if v}


def _given(providers: Mapping[str, _Provider]) -> set[str]:
    """The variables that the provider files set or declare themselves."""
    return {name for each in providers.values() for name in each.rest.data.get(ENVIRONMENT) or ()}


def _wired(
    providers: Mapping[str, _Provider],
    blocks: Rest | None,
    project: Mapping[str, Any],
    wanted: Iterable[str],
) -> set[str]:
    """The variables that nixcfg wires by itself, when `wanted` have key files."""
    secrets = {variable: f"/{variable}" for variable in wanted}
    attempt = _Attempt(dict(project), blocks, providers, secrets, notes=[])
    document, documents = attempt.documents()
    if document.data is None or shape.check(document, "project"):
        return set()
    return set(build(document, documents).machine.key_files)


def _add_secret(provider: _Provider, variable: str) -> None:
    declared = provider.rest.data.get(ENVIRONMENT)
    line = f"  {variable}: ${{{variable}}}\n"
    if declared and not provider.added:
        # Its section is there already: written anew at the end, with what is added to it.
        rest = without(source.parse(provider.rest.text, ""), {(ENVIRONMENT,)})
        origin = tuple(provider.rest.origin[n - 1] if n else 0 for n in rest.origin)
        provider.added = f"{ENVIRONMENT}:\n" + "".join(
            f"  {row}\n" for row in emit.block(dict(declared)).splitlines()
        )
        provider.rest = Rest(rest.text, rest.data, origin, provider.rest.anew)
    provider.added = (provider.added or f"{ENVIRONMENT}:\n") + line


# --- The whole.


@dataclass(slots=True)
class _Attempt:
    """A project as it would be written, and what validation says about it."""

    project: dict[str, Any]
    blocks: Rest | None
    providers: Mapping[str, _Provider]
    secrets: Mapping[str, Any]
    notes: list[Note]
    decided: dict[str, Any] = field(default_factory=dict)
    errors: tuple[Problem, ...] = ()
    key_files: Mapping[str, KeyFile] = field(default_factory=dict)

    def documents(self) -> tuple[Document, dict[str, Document]]:
        """nixcfg.yaml, and the provider files by name."""
        providers = {
            name: source.parse(provider.text, wiring.provider_path(name))
            for name, provider in sorted(self.providers.items())
        }
        return source.parse(self.project_text(), wiring.PROJECT_FILE), providers

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
        checked = validate.validate(Sources(Path(), project, providers, ()))
        self.errors = tuple(problem for problem in checked.problems if problem.is_error)
        self.key_files = checked.project.machine.key_files if checked.project else {}

    def texts(self) -> dict[str, str]:
        """Every file by its path, nixcfg.yaml last: with it the project begins to exist."""
        starter = resources.folder("templates") / "project"
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
        # Written anew: the section is all that is known.
        above = rest.text.splitlines()[:line]
        section = next((s for text in reversed(above) for s in rest.anew if text == f"{s}:"), "")
        if not section or section == MODELS:
            return file, span
        return of.document.name, of.document.span((section,), key=True)


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
