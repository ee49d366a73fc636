"""A new project, from configurations and a container definition. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nixcfg.importing import Container, Kind, Note, NotImportableError, litellm
from nixcfg.importing.attempt import Attempt
from nixcfg.importing.litellm import Litellm
from nixcfg.importing.split import each_as_provider, split
from nixcfg.importing.variables import declare, project_of
from nixcfg.keys.mask import masked
from nixcfg.problems.problem import START, Problem
from nixcfg.project import shape, wiring
from nixcfg.project.model import MODELS
from nixcfg.project.wiring import KeyFile
from nixcfg.yamltext.document import Document

_KEY_NOW = (
    "no master key was given here: clients send one from now on, which is made when the service "
    "first starts; auth: open in nixcfg.yaml lets clients on this machine in without"
)


_MAX_ROUNDS = 10


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
    notes += [_comments_lost(of, section) for of, rest in parts for section in rest.again]
    if container.file and "master_key_file" not in attempt.project:
        notes.append(Note(Kind.CHECK, container.file, START, _KEY_NOW))
    notes += [_comments_lost(each, "this file") for each in sources if each.is_dumped]
    secrets = {secret for document in documents for secret in document.secrets()}
    notes = [replace(note, message=masked(note.message, secrets)) for note in notes]
    return Imported(
        texts=attempt.texts(),
        notes=tuple(sorted(dict.fromkeys(notes), key=lambda note: (note.file, note.span))),
        problems=tuple(attempt.placed(problem) for problem in attempt.errors),
        key_files=attempt.key_files,
        master_key_file=attempt.project.get("master_key_file"),
        models_left_out=sum(path[0] == MODELS for each in sources for path in each.gone),
    )


def _attempt(sources: Sequence[Litellm], container: Container, loaded: str) -> "Attempt":
    """A project of what is left of the sources, validated."""
    is_one = len(sources) == 1
    providers, blocks = split(sources) if is_one else (each_as_provider(sources), None)
    chosen = next((n for n, p in providers.items() if p.of.document.name == loaded), wiring.ALL)
    project = project_of(container, sources, wiring.ALL if is_one else chosen)
    notes: list[Note] = []
    secrets = declare(providers, blocks, container, project, notes)
    attempt = Attempt(project, blocks, providers, secrets, notes=notes)
    attempt.decide(chosen)
    attempt.validate()
    return attempt


def _leave_out(sources: Sequence[Litellm], attempt: "Attempt") -> bool:
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
            each.leave_out(path, f"{at.message} ({at.code})")
        if path[0] == MODELS:
            each.drop(int(path[1]))
    return True


def _comments_lost(each: Litellm, where: str) -> Note:
    span = each.document.span((where,), key=True)
    return Note(Kind.CHANGED, each.document.name, span, f"comments in {where} could not be kept")
