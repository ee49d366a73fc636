"""What comes next, in the order that works, as far as this machine shows what is done already."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from nixcfg.project import wiring
from nixcfg.project.model import Project
from nixcfg.project.wiring import KeyFile

SWITCH = "sudo nixos-rebuild switch"
_WHOLE = ("flake.nix", "configuration.nix")


def after_init(directory: Path | None) -> list[str]:
    """From the starter project to its first rendering."""
    return [
        *([f"cd {directory}"] if directory else []),
        "nixcfg try --mock           to see it answer, without a key",
        "nixcfg add-provider NAME    for one more provider",
        "sudo nixcfg set-key claude  on the machine that will run it",
        "nixcfg render",
    ]


def after_add(project: Project, name: str, keys: Iterable[KeyFile]) -> list[str]:
    """From a new provider to its first answer, but for what render goes on with."""
    steps = []
    keys = list(keys)
    stored = [key for key in keys if not key.file.startswith("config.")]
    for key in keys:
        if key not in stored:
            steps.append(f"put the key into {key.file}")
        elif key.encrypted:
            steps.append(f"systemd-creds encrypt - {key.file}   (the key on standard input)")
    if any(not key.encrypted for key in stored):
        steps.append(f"nixcfg set-key {name}")
    members = {config.name: config.providers for config in project.machine.configs}
    for here in project.machines:
        if name not in members.get(here.model_config, ()):
            host = f" --host {here.name}" if here.name else ""
            loaded = f"{here.name} loads" if here.name else "the container loads"
            steps.append(
                f"nixcfg use {wiring.ALL}{host}   ({loaded} {here.model_config}, without {name})"
            )
    return [*steps, "nixcfg render"]


def after_import(directory: Path | None, variables: Iterable[str]) -> list[str]:
    """From an imported project to its first rendering."""
    return [
        *([f"cd {directory}"] if directory else []),
        "nixcfg validate",
        *(f"sudo nixcfg set-key {name}" for name in variables),
        "nixcfg render",
    ]


def after_render(
    root: Path, folder: Path, project: Project, *, is_new: bool, has_changed: bool
) -> list[str]:
    """From rendered files to a gateway that answers; `is_new` where this was the first time."""
    from nixcfg.gateway import machine

    steps = []
    try:
        unknown = machine.unknown_to_git(folder)
    except machine.UnknownError:
        unknown = None
    if unknown:
        shown = os.path.relpath(folder, Path.cwd())
        steps.append(f"{unknown.command}{shown}   (a flake sees only what git knows)")
    if not steps and not has_changed:
        return []
    imports = list(_imports(root, folder, project))
    if imports:
        steps += [f"in configuration.nix: {line}" for line in imports]
    steps.append(SWITCH)
    if is_new:
        steps += [
            "nixcfg status   until it answers: the first start fetches the image",
            "nixcfg probe    to ask every provider once",
        ]
    return steps


def _imports(root: Path, folder: Path, project: Project) -> Iterator[str]:
    """The line that imports what was rendered, for each host; none where a file has it already."""
    base = next(filter(_is_configuration, (root, *root.parents)), None)
    for here in project.machines:
        path = folder / wiring.host_folder(here.name) / wiring.DOCKER_NIX
        shown = f"./{os.path.relpath(path, base)}" if base else str(path)
        if base is None or not _is_named(base, shown.removeprefix("./")):
            host = f"for {here.name}: " if here.name else ""
            yield f"{host}imports = [ {shown} ];"


def _is_configuration(folder: Path) -> bool:
    """Whether a machine's configuration is here; not where everyone can write, such as /tmp."""
    is_open = folder.stat().st_mode & stat.S_IWOTH
    return not is_open and any((folder / name).exists() for name in _WHOLE)


def _is_named(base: Path, path: str) -> bool:
    """Whether one of the Nix files in a folder, or in one of its folders, names a path."""
    for file in (*base.glob("*.nix"), *base.glob("*/*.nix")):
        try:
            if path in file.read_text("utf-8", "replace"):
                return True
        except OSError:
            continue
    return False
