"""`nixcfg import`."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.output import say, say_problems

if TYPE_CHECKING:
    from nixcfg.importing import Container
    from nixcfg.importing.assemble import Imported
    from nixcfg.problems.problem import Problem
    from nixcfg.yamltext.source import Document

_IGNORE = ".gitignore"


@click.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the new project.  [default: the current folder]",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be written.")
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
@click.pass_obj
def command(
    base: Path, files: tuple[Path, ...], out: Path | None, dry_run: bool, as_json: bool
) -> int:
    """Make a project of what runs LiteLLM today.

    FILE is a LiteLLM config.yaml (or several: each becomes a provider), a compose file with a
    service that runs LiteLLM, or a NixOS module with such a container. The last two find their
    configuration by themselves when it is on this machine; name it as well when it is not.

    Keys that are written out are never copied: the project names a variable for each, and what
    could not be carried over is told with its place. Touches nothing that exists.

    \b
    Example: nixcfg import docker-compose.yml --out gateway
    """
    from nixcfg.importing import NotImportableError, assemble

    try:
        container, documents, loaded = _read(base, files)
    except NotImportableError as error:
        say(f"nixcfg: {error}")
        return PROBLEMS
    problems: Sequence[Problem] = assemble.check(documents)
    if not problems:
        try:
            imported = assemble.assemble(documents, container, loaded=loaded)
        except NotImportableError as error:
            say(f"nixcfg: {error}")
            return PROBLEMS
        problems = imported.problems
    if problems:
        say_problems(problems, len(documents))
        say("Nothing was imported: mend these in the source, then import it again.")
        return PROBLEMS
    folder = Path(os.path.abspath(base / (out or "")))  # noqa: PTH100 (a symlink stays one)
    written = _write(folder, imported, dry_run=dry_run)
    if as_json:
        click.echo(_as_json(imported, written))
    else:
        for path in written:
            click.echo(path)
    _tell(folder, imported, out, dry_run=dry_run)
    return OK


# --- Reading.


def _read(base: Path, files: Sequence[Path]) -> "tuple[Container | None, list[Document], str]":
    """The container definition, the configurations, and the name of the one that is loaded."""
    from nixcfg.importing import NotImportableError, compose, litellm, nixos
    from nixcfg.yamltext import source

    containers: list[tuple[Path, Container]] = []
    documents: dict[Path, Document] = {}
    for file in dict.fromkeys(files):
        document = source.read(base / file, str(file))
        is_text = all(p.rule is not source.NOT_UTF8 for p in document.problems) and document.text
        if file.suffix == ".nix" and is_text:
            containers.append((file, nixos.read(str(file), document.text)))
        elif compose.is_compose(document.data):
            containers.append((file, compose.read(document)))
        elif document.data is None or litellm.is_config(document.data):
            documents[base / file] = document
        else:
            raise NotImportableError(
                f"{file}: neither a LiteLLM configuration nor a compose file with services"
            )
    if len(containers) > 1:
        names = " and ".join(str(file) for file, _ in containers)
        raise NotImportableError(f"{names} each define the container; import takes one")
    if not containers:
        return None, list(documents.values()), ""
    ((file, container),) = containers
    loaded = _find_configurations(base, file, container, documents)
    return container, list(documents.values()), loaded


def _find_configurations(
    base: Path, file: Path, container: "Container", documents: "dict[Path, Document]"
) -> str:
    """Add what the container loads to `documents`; the name of the document that it loads."""
    from nixcfg.importing import NotImportableError, litellm
    from nixcfg.yamltext import source

    config = container.config
    if config is not None and config.document is not None:
        documents[base / file] = config.document
        return config.document.name
    wanted = file.parent / config.path if config is not None else None
    if documents:
        same = [d for p, d in documents.items() if wanted is not None and p.name == wanted.name]
        return same[0].name if len(same) == 1 else ""
    if wanted is None or config is None:
        raise NotImportableError(
            f"{file} does not say where its LiteLLM configuration is; name that file as well"
        )
    found = [wanted]
    if config.siblings:
        pattern = file.parent / config.siblings
        names = sorted(each.name for each in (base / pattern.parent).glob(pattern.name))
        found = [pattern.parent / name for name in names]
    for path in found:
        document = source.read(base / path, os.path.normpath(path))
        if document.data is None or litellm.is_config(document.data):
            documents[base / path] = document
    if not (base / wanted).is_file():
        raise NotImportableError(
            f"{file} loads {config.path}, which is not on this machine; name that file as well"
        )
    return os.path.normpath(wanted)


# --- Writing.


def _write(folder: Path, imported: "Imported", *, dry_run: bool) -> list[str]:
    """Put the project in place: the paths written, relative to its folder."""
    from nixcfg.disk import create

    texts = {
        path: text
        for path, text in imported.texts.items()
        if path != _IGNORE or not os.path.lexists(folder / path)
    }
    new = create.missing(folder, texts)
    if not dry_run:
        create.create(folder, new)
    return list(new)


# --- Talking.


def _as_json(imported: "Imported", written: Sequence[str]) -> str:
    return json.dumps(
        {
            "written": written,
            "notes": [
                {
                    "kind": note.kind.value,
                    "file": note.file,
                    "line": note.span.line,
                    "column": note.span.column,
                    "message": note.message,
                    **({"variable": note.variable} if note.variable else {}),
                }
                for note in imported.notes
            ],
            "key_files": {name: key.file for name, key in imported.key_files.items()},
            "master_key_file": imported.master_key_file,
            "models_left_out": imported.models_left_out,
        },
        indent=2,
        ensure_ascii=False,
    )


def _tell(folder: Path, imported: "Imported", out: Path | None, *, dry_run: bool) -> None:
    from nixcfg.project import wiring

    for note in imported.notes:
        say(f"{note.file}:{note.span.line}:{note.span.column}: {note.kind.value}: {note.message}")
    if imported.models_left_out:
        say(f"Not all models were carried over: {imported.models_left_out} left out, see above.")
    files = {name: key.file for name, key in imported.key_files.items()}
    if imported.master_key_file:
        files[wiring.MASTER_KEY_VARIABLE] = imported.master_key_file
    if files:
        say("Key files that the machine needs:")
        width = max(map(len, files))
        for name, file in files.items():
            say(f"  {name:{width}}  {file}")
    if not _is_ours(folder / _IGNORE, imported.texts[_IGNORE]):
        say(f"{_IGNORE} was left as it is; keys belong in it: /secrets/ and *.key")
    if dry_run:
        say("Nothing was written.")
    else:
        say("Next: " + (f"cd {out}; " if out else "") + "nixcfg validate, then nixcfg render")


def _is_ours(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(errors="replace") == text
