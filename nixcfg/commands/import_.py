"""`nixcfg import`."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.output import advise_next, print_problems, report
from nixcfg.commands.reached import key_file_option

if TYPE_CHECKING:
    from nixcfg.importing.assemble import Imported
    from nixcfg.problems.problem import Problem

_IGNORE = ".gitignore"


@click.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    type=click.Path(path_type=Path),
)
@click.option("--url", help="A running gateway: print the teams, users and keys it has.")
@key_file_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the new project.  [default: the current folder]",
)
@click.option("-n", "--dry-run", is_flag=True, help="Write nothing; print what would be written.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(  # noqa: PLR0917 (click passes them by name)
    base: Path,
    files: tuple[Path, ...],
    url: str | None,
    key_file: Path | None,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make a project of what runs LiteLLM today.

    FILE is a LiteLLM config.yaml (or several: each becomes a provider), a compose file with a
    service that runs LiteLLM, or a NixOS module with such a container. The last two find their
    configuration by themselves when it is on this machine; name it as well when it is not.

    Keys that are written out are never copied: the project names a variable for each, and what
    could not be carried over is reported with its place. Touches nothing that exists.

    With --url, or with .tf files of Terraform's LiteLLM provider, nothing is written: the teams,
    users and keys that are there are printed, to be copied into nixcfg.yaml.

    \b
    Examples:
      nixcfg import docker-compose.yml --out gateway
      nixcfg import --url http://127.0.0.1:4000 --key-file master.txt
    """
    if bool(url) == bool(files):
        raise click.UsageError("name one: FILE..., or --url of a running gateway")
    if url:
        return _of_gateway(url, key_file, as_json=as_json)
    if any(file.suffix == ".tf" for file in files):
        return _of_terraform(base, files, as_json=as_json)
    from nixcfg.importing import NotImportableError, assemble
    from nixcfg.importing.sources import read_sources
    from nixcfg.keys.mask import masked
    from nixcfg.knowledge import asking, judge
    from nixcfg.project import wiring

    try:
        container, documents, loaded = read_sources(base, files)
        chosen = judge(container.image if container and container.image else wiring.DEFAULT_IMAGE)
        click.get_current_context().with_resource(asking(chosen.knowledge))
        problems: Sequence[Problem] = assemble.check(documents)
        if not problems:
            imported = assemble.assemble(documents, container, loaded=loaded)
            problems = imported.problems
    except NotImportableError as error:
        report(f"nixcfg: {masked(str(error))}")
        return PROBLEMS
    if problems:
        print_problems(problems, len(documents))
        report("Nothing was imported: fix these in the source, then import it again.")
        return PROBLEMS
    folder = Path(os.path.abspath(base / (out or "")))  # noqa: PTH100 (a symlink stays one)
    written = _write(folder, imported, dry_run=dry_run)
    if as_json:
        click.echo(_as_json(imported, written))
    else:
        for path in written:
            click.echo(path)
    _report_rest(folder, imported, out, dry_run=dry_run)
    return OK


def _of_gateway(url: str, key_file: Path | None, *, as_json: bool) -> int:
    """Print what a gateway's database has, as nixcfg.yaml says it."""
    from nixcfg import knowledge
    from nixcfg.access.api import Api, ApiError
    from nixcfg.access.importing import sections
    from nixcfg.commands import reached

    gateway = reached.gateway(None, url, key_file)
    try:
        rows = Api(gateway.url, gateway.key).rows()
    except ApiError as error:
        raise click.ClickException(str(error)) from None
    found = sections(rows, knowledge.default())
    _print_access(found, as_json=as_json)
    report("No value is in the database: put each into its file, or the key gets a new one.")
    return OK


def _of_terraform(base: Path, files: Sequence[Path], *, as_json: bool) -> int:
    """Print what files of Terraform's LiteLLM provider have, as nixcfg.yaml says it."""
    from nixcfg import knowledge
    from nixcfg.access import terraform
    from nixcfg.importing import NotImportableError

    try:
        texts = {str(file): (base / file).read_text("utf-8", "replace") for file in files}
        found = terraform.sections(texts, knowledge.default())
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    except NotImportableError as error:
        raise click.ClickException(str(error)) from None
    _print_access(found.sections, as_json=as_json)
    for note in found.notes:
        report(note)
    report("Terraform keeps the value of each key in its state file: replace the keys.")
    return OK


def _print_access(found: "Mapping[str, Mapping[str, Any]]", *, as_json: bool) -> None:
    from nixcfg.yamltext import emit

    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        click.echo(emit.block({name: dict(each) for name, each in found.items() if each}))
    count = ", ".join(f"{len(each)} {name}" for name, each in found.items())
    report(f"{count}. Copy them into nixcfg.yaml, then take each over: nixcfg access adopt NAME")


def _write(folder: Path, imported: "Imported", *, dry_run: bool) -> list[str]:
    """Put the project in place: the paths written, relative to its folder."""
    from nixcfg.disk import files

    texts = {
        path: text
        for path, text in imported.texts.items()
        if path != _IGNORE or not os.path.lexists(folder / path)
    }
    write = files.plan_new if dry_run else files.create
    return [change.path for change in write(folder, texts)]


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


def _report_rest(folder: Path, imported: "Imported", out: Path | None, *, dry_run: bool) -> None:
    from nixcfg.project import wiring

    for note in imported.notes:
        report(
            f"{note.file}:{note.span.line}:{note.span.column}: {note.kind.value}: {note.message}"
        )
    if imported.models_left_out:
        count = imported.models_left_out
        report(f"Not all models were carried over: {count} left out, see above.")
    files = {name: key.file for name, key in imported.key_files.items()}
    if imported.master_key_file:
        files[wiring.MASTER_KEY_VARIABLE] = imported.master_key_file
    if files:
        report("Key files that the machine needs:")
        width = max(map(len, files))
        for name, file in files.items():
            report(f"  {name:{width}}  {file}")
    if not _is_ours(folder / _IGNORE, imported.texts[_IGNORE]):
        report(f"{_IGNORE} was left as it is; keys belong in it: /secrets/ and *.key")
    if dry_run:
        report("Nothing was written.")
    else:
        from nixcfg.commands import steps

        advise_next(steps.after_import(out, files))


def _is_ours(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(errors="replace") == text
