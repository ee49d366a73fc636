"""What was meant by a command or an option that does not exist, or by a number that cannot be.
Imported for that alone."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence

import click

from nixcfg.project.nearest import nearest

_MEANT: Mapping[str, tuple[str, ...]] = {
    "activate": ("use",),
    "add": ("add-provider", "add-model"),
    "apply": ("render",),
    "auth": ("set-key",),
    "build": ("render",),
    "chat": ("ask",),
    "check": ("validate", "doctor"),
    "choose": ("use",),
    "compile": ("render",),
    "config": ("client", "use"),
    "configure": ("init", "client"),
    "connect": ("client",),
    "convert": ("import",),
    "create": ("init", "add-provider"),
    "delete": ("remove-provider",),
    "deploy": ("render",),
    "diagnose": ("doctor",),
    "diff": ("render",),
    "drift": ("render", "status"),
    "edit": ("add-model", "rename"),
    "env": ("client",),
    "format": ("fix",),
    "generate": ("render",),
    "health": ("status", "doctor"),
    "info": ("status", "explain"),
    "key": ("set-key",),
    "keys": ("set-key",),
    "lint": ("validate",),
    "list": ("status", "models"),
    "login": ("set-key",),
    "logs": ("status", "doctor"),
    "ls": ("status", "models"),
    "migrate": ("import", "upgrade"),
    "mv": ("rename",),
    "new": ("init",),
    "ping": ("probe",),
    "prices": ("models",),
    "prompt": ("ask",),
    "query": ("ask",),
    "remove": ("remove-provider",),
    "repair": ("fix",),
    "restart": ("status", "doctor"),
    "rm": ("remove-provider",),
    "run": ("try",),
    "search": ("models",),
    "secret": ("set-key",),
    "secrets": ("set-key",),
    "select": ("use",),
    "serve": ("try",),
    "set": ("use", "set-key"),
    "setup": ("init",),
    "show": ("status", "explain"),
    "simulate": ("rehearse",),
    "start": ("try",),
    "stop": ("status", "doctor"),
    "switch": ("use", "render"),
    "sync": ("render",),
    "test": ("try", "probe"),
    "update": ("upgrade",),
    "up": ("try",),
    "verify": ("validate", "probe"),
    "version": ("--version",),
    "why": ("explain",),
}
"""Words that other programs have for what ours do, each with the commands it may mean."""

_DRY = ("--dry-run", "--diff", "--check")
_SAME: Mapping[str, tuple[str, ...]] = {
    "--dry-run": _DRY,
    "--preview": _DRY,
    "--diff": _DRY,
    "--assume-yes": ("--yes",),
    "--force": ("--yes", "--force"),
    "--output": ("--out", "--format", "--json"),
    "--key": ("--key-file",),
    "--base-url": ("--api-base", "--url"),
    "--debug": ("--verbose",),
    "--fix": ("--unsafe",),
    "-n": _DRY,
    "-y": ("--yes",),
    "-v": ("--verbose",),
    "-m": ("--model",),
    "-o": ("--out",),
    "-f": ("--force", "--file"),
}
"""Options of other programs, each with what ours may be called in a command that has it."""

_BEFORE: Mapping[str, str] = {
    "-C": "-C DIR",
    "--directory": "-C DIR",
    "-V": "-V",
    "--version": "-V",
}
"""Options of nixcfg itself, which go before the command."""


def command(typed: str, commands: Mapping[str, str]) -> str:
    """What is wrong with a command that there is not, and which was meant. `commands` have their
    first sentences as values."""
    word = typed.lower().replace("_", "-")
    meant = _MEANT.get(word) or (nearest(word, commands) or nearest(word, tuple(_MEANT)),)
    if meant[0] in _MEANT and meant[0] not in commands:
        meant = _MEANT[meant[0]]
    known = [each for each in meant if each in commands or each.startswith("-")]
    if not known:
        return f"No such command '{typed}'. `nixcfg --help` lists them."
    if len(known) == 1:
        return f"No such command '{typed}'. Did you mean {known[0]}?"
    width = max(map(len, known))
    lines = (f"\n  {each:{width}}  {commands.get(each, '')}".rstrip() for each in known)
    return f"No such command '{typed}'. Did you mean one of these?" + "".join(lines)


def option(error: click.NoSuchOption, find: Callable[[str], click.Command | None]) -> str:
    """What is wrong with an option that there is not; `find` gives a command by its name."""
    typed = error.option_name
    message = f"No such option '{typed}'."
    context = error.ctx
    if context is None:
        return message
    own = _options(context.command)
    if context.parent is None:
        return f"{message} {_after(typed, own, find)}".rstrip()
    line = f"{context.info_name}"
    if typed in _BEFORE:
        return f"{typed} goes before the command: nixcfg {_BEFORE[typed]} {line}"
    meant = next((each for each in _SAME.get(typed, ()) if each in own), "") or _near(typed, own)
    if meant:
        return f"{message} Did you mean {meant}?"
    if typed in ("-y", "--yes"):
        return f"{message} {line} asks nothing."
    return f"{message} `nixcfg {line} --help` lists what there is."


def _options(found: click.Command) -> list[str]:
    return [
        name
        for each in found.params
        if isinstance(each, click.Option) and not each.hidden
        for name in (*each.opts, *each.secondary_opts)
    ] + ["--help"]


def _near(typed: str, known: Collection[str]) -> str:
    return nearest(typed, [each for each in known if each.startswith("--")])


def _after(typed: str, own: Sequence[str], find: Callable[[str], click.Command | None]) -> str:
    """An option that was typed before the command it belongs to, or a misspelt one."""
    after = sys.argv[sys.argv.index(typed) + 1 :] if typed in sys.argv else []
    for word in after:
        found = find(word)
        if found is not None and typed in (*_options(found), *_SAME):
            return f"It goes after the command: nixcfg {word} {typed}"
    meant = _near(typed, own)
    return f"Did you mean {meant}?" if meant else "`nixcfg --help` lists what there is."


def number(error: click.BadParameter) -> str:
    """What a bounded number of an option may be, "" where the error is about something else. click
    says `'many' is not a valid integer range` and `0 is not in the range x>=1`."""
    of = error.param.type if error.param else None
    given, found, _ = error.message.partition(" is not ")
    if not found or not isinstance(of, click.IntRange | click.FloatRange):
        return ""
    kind = "whole number" if isinstance(of, click.IntRange) else "number"
    to = f"from {of.min:,} to {of.max:,}" if of.max is not None else f"of {of.min} or more"
    return f"{given} is not a {kind} {to}."
