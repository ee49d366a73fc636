"""`nixcfg set-key`."""

import getpass
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import find_root, host_option, on_host, refusing, understood_project
from nixcfg.commands.output import advise, advise_next, report

if TYPE_CHECKING:
    from nixcfg.project.wiring import KeyFile


@click.command()
@click.argument("what", metavar="PROVIDER|VARIABLE", shell_complete=complete.secrets)
@click.argument("more", nargs=-1, metavar="", type=click.UNPROCESSED)
@host_option
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write this file instead of the one that the project names.",
)
@click.pass_obj
def command(
    base: Path, what: str, more: tuple[str, ...], host: str | None, path: Path | None
) -> int:
    """Store a key in its file.

    With mode 0600, whole or not at all, and never shown. The key is typed without echo, or
    comes on standard input. It is never an argument: those are in the shell's history and in
    everyone's process list.

    \b
    Examples:
      nixcfg set-key groq
      nixcfg set-key GROQ_API_KEY --file ./secrets/groq_api_key.txt < key
      pass show groq | nixcfg set-key groq
    """
    from nixcfg.keys.given import EXPOSED, keys_in
    from nixcfg.project import wiring
    from nixcfg.providers.overview import keys_of

    if more or keys_in([what, str(path or "")]):  # and no word of it is repeated
        is_told = keys_in([what, *more, str(path or "")])
        raise click.UsageError(
            "set-key takes the name of a provider or a variable, and no key."
            + ("" if is_told else f" If the other word is one: {EXPOSED}")
        )
    root = find_root(base)
    project = on_host(understood_project(root), host)
    with refusing():
        keys = keys_of(project, what)
    if len(keys) > 1 and (path or not sys.stdin.isatty()):
        names = ", ".join(key.variable for key in keys)
        raise click.UsageError(f"{what} has several keys; name one of them: {names}")
    folder = Path(project.machine.secrets_dir)
    targets = [_target(key, path, root, folder) for key in keys]
    for key, target in zip(keys, targets, strict=True):
        _store(key, target, is_private=target.parent == folder)
    if path is None and not (root / wiring.RENDERED_DIR).is_dir():
        advise_next(["nixcfg render"])
    elif path is None:
        advise("A running gateway takes it on by itself, without a rebuild.")
    return OK


def _target(key: "KeyFile", path: Path | None, root: Path, folder: Path) -> Path:
    """Where to write, known to be possible before anybody types a key."""
    from nixcfg.keys import store

    if path is None and key.file.startswith("config."):
        manager = "sops-nix" if ".sops." in key.file else "agenix"
        raise click.ClickException(
            f"{key.variable} is kept by {manager} ({key.file}); edit it there"
        )
    if path is None and key.encrypted:
        raise click.ClickException(
            f"{key.variable} is an encrypted credential; store it with\n"
            f"  systemd-creds encrypt - {key.file}"
        )
    target = Path(path or key.file).absolute()
    reason = store.place_problem(target, root) or store.target_problem(
        target, is_ours=target.parent == folder
    )
    if reason.endswith("needs root"):
        reason += f": sudo nixcfg -C {root.absolute()} set-key {key.variable}"
    if reason:
        raise click.ClickException(reason)
    return target


def _store(key: "KeyFile", target: Path, *, is_private: bool) -> None:
    from nixcfg.keys import store
    from nixcfg.providers import ask

    try:
        content = store.cleaned(_read(key), key.variable, key.kind)
    except store.KeyRefusedError as error:
        raise click.ClickException(f"{key.variable} was not stored: {error}") from None
    doubts = store.doubts(content, key.variable, key.kind)
    for doubt in doubts:
        report(f"Warning: {doubt}.")
    other = store.other_vendor(content, key.variable, key.kind)
    asks = bool(other) and ask.is_terminal() and _holds_key(key, target)
    if asks and not ask.confirm(f"Replace the key in {target} by one that looks like {other}'s?"):
        raise click.ClickException(f"{key.variable} was not stored; the old key is still there")
    store.write(target, content, is_private=is_private)
    click.echo(target)


def _holds_key(key: "KeyFile", target: Path) -> bool:
    """Whether a key is there already that could be in use."""
    from dataclasses import replace

    from nixcfg.keys import read

    try:
        return bool(read.content(replace(key, file=str(target))))
    except (read.KeyMissingError, read.KeyUnusableError):
        return False


def _read(key: "KeyFile") -> bytes:
    from nixcfg.keys import store

    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(store.MAX_LENGTH + 1)
    if key.kind == "file":
        raise click.UsageError(f"{key.variable} is a JSON document: nixcfg set-key ... < FILE")
    with warnings.catch_warnings():
        # What getpass warns of is that it would show the key.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            typed = getpass.getpass(f"{key.variable} (not shown): ", sys.stderr)
        except getpass.GetPassWarning:
            raise click.ClickException("this terminal cannot hide what is typed") from None
    return typed.encode("utf-8", "surrogateescape")
