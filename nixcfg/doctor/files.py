"""Rendered files and key files."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nixcfg.disk.folder import plan
from nixcfg.doctor import Check, error, hidden, ok, skipped, warning
from nixcfg.gateway import machine
from nixcfg.keys import read
from nixcfg.keys import store as keys_store
from nixcfg.keys.read import KeyForbiddenError, KeyMissingError, KeyUnusableError
from nixcfg.problems.problem import WriteError
from nixcfg.project import wiring
from nixcfg.project.model import Machine, Project
from nixcfg.project.wiring import KeyFile
from nixcfg.render.files import rendered_files


@dataclass(slots=True)
class Found:
    """The keys that could be read, to mask them in the output of others; printed nowhere."""

    values: set[str] = field(default_factory=set, repr=False)


def rendered(root: Path, project: Project) -> Iterator[Check]:
    """Whether rendered/ is what the project renders to."""
    name = "rendered"
    folder = root / wiring.RENDERED_DIR
    try:
        found = plan(folder, rendered_files(project))
    except WriteError as problem:
        yield error(name, f"{problem}", "Make it readable for you.")
        return
    changed = found.summary
    if found.edited:
        edited = ", ".join(found.edited)
        yield warning(
            name,
            f"{folder.name}/ was edited by hand: {edited}",
            "Keep changes in nixcfg.yaml, providers/ or your own NixOS configuration.",
        )
    elif found.is_module_behind:
        message = f"the module in {folder.name}/ is not that of this nixcfg: {changed}"
        yield error(name, message, "Run `nixcfg render`.")
    elif found.changes:
        yield error(name, f"{folder.name}/ is not up to date: {changed}", "Run `nixcfg render`.")
    else:
        yield ok(name, f"{folder.name}/ is what the project renders to")
    yield from _in_git(folder)


def _in_git(folder: Path) -> Iterator[Check]:
    """A flake is evaluated from what git knows: a new file is not there for it."""
    name = "flake"
    try:
        unknown = machine.unknown_to_git(folder)
    except machine.UnknownError as reason:
        yield skipped(name, f"whether git knows {folder.name}/: {reason}")
        return
    if unknown:
        files = f"{unknown.count} file{'s' * (unknown.count != 1)}"
        message = f"git does not know {files} of {folder.name}/, so a flake does not see them"
        yield warning(name, message, f"{unknown.command}{folder}")


def key_files(here: Machine, found: Found, *, is_here: bool = True) -> Iterator[Check]:
    """Every key file: there, right, and no one else's to read.

    One that is missing is no finding where the gateway is not (`is_here`).
    """
    loaded = here.loaded
    variables: dict[str, str] = {}
    for key in here.key_files.values():
        is_needed = key.variable in loaded.secrets
        if is_here or not _is_absent(Path(wiring.place(key.file))):
            yield from _key(key, here, found, variables, is_needed=is_needed)


def _is_absent(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # a folder that only root enters
    return False


def _key(
    key: KeyFile, here: Machine, found: Found, variables: dict[str, str], *, is_needed: bool
) -> Iterator[Check]:
    name = f"key {key.variable}"
    path = Path(wiring.place(key.file))
    store = f"sudo nixcfg set-key {key.variable}"
    in_store = Path(os.path.realpath(path)).is_relative_to("/nix/store")
    if in_store:
        yield error(
            name,
            f"{path} is in the Nix store, which everyone can read",
            "Keep the key elsewhere, name that path in nixcfg.yaml, and revoke this key.",
        )
        return
    try:
        content = read.content(key)
    except KeyMissingError:
        yield _missing(name, key, path, here, store, is_needed=is_needed)
        return
    except KeyForbiddenError:
        yield hidden(name, f"{path}: you cannot read it")
        yield from _exposure(name, path)
        return
    except KeyUnusableError as problem:
        yield error(name, f"{path} {problem}".rstrip("."), f"Store the key again: {store}")
        yield from _around(name, path)
        return
    value = os.fsdecode(content)
    found.values.add(value)
    problems = [*_around(name, path), *_doubts(name, key, path, content, store)]
    if value in variables:
        problems.append(
            warning(name, f"{path} holds the same as that of {variables[value]}", store)
        )
    variables.setdefault(value, key.variable)
    yield from problems
    if not problems:
        yield ok(name, f"{path} is in order")


def _missing(
    name: str, key: KeyFile, path: Path, here: Machine, store: str, *, is_needed: bool
) -> Check:
    managed = key.file.startswith("config.")
    if managed:
        message = f"{key.file} is not at {path}, where it is by default"
        return skipped(name, message, "Is the secret declared, and the system switched?")
    if not is_needed:
        return skipped(name, f"{path} is missing; {here.model_config} does not need it")
    if not here.requires(here.loaded, key.variable):
        message = f"{path} is missing; requests that need this optional key fail"
        return warning(name, message, f"Store it: {store}")
    return error(name, f"{path} is missing, so the gateway does not start", f"Store it: {store}")


def _doubts(name: str, key: KeyFile, path: Path, content: bytes, store: str) -> Iterator[Check]:
    for doubt in keys_store.doubts(content, key.variable, key.kind):
        yield warning(name, f"{path}: {doubt}", f"If that is wrong: {store}")


def _around(name: str, path: Path) -> Iterator[Check]:
    yield from _exposure(name, path)
    yield from _git(name, path)


def _exposure(name: str, path: Path) -> Iterator[Check]:
    """Who else can read or write the file, as far as its folders let them come."""
    real = Path(os.path.realpath(path))
    try:
        info = real.stat()
        folders = [each.stat().st_mode for each in real.parents]
    except OSError:
        return
    is_open = all(mode & stat.S_IXOTH for mode in folders)
    mode = stat.S_IMODE(info.st_mode)
    close = f"chmod 0600 {path}"
    if is_open and mode & stat.S_IWOTH:
        yield error(name, f"everyone can write to {path} (mode {mode:04o})", close)
    elif is_open and mode & stat.S_IROTH:
        yield error(name, f"everyone on this machine can read {path} (mode {mode:04o})", close)
    elif is_open and mode & (stat.S_IRGRP | stat.S_IWGRP) and info.st_gid != 0:
        group = _name(grp.getgrgid, info.st_gid)
        yield warning(name, f"the group {group} can read {path} (mode {mode:04o})", close)
    if folders[0] & stat.S_IWOTH and not folders[0] & stat.S_ISVTX:
        yield error(
            name, f"everyone can replace files in {real.parent}", f"chmod 0700 {real.parent}"
        )
    ours = {0, os.getuid(), int(os.environ.get("SUDO_UID", "0") or 0)}
    if info.st_uid not in ours:
        owner = _name(pwd.getpwuid, info.st_uid)
        yield warning(name, f"{path} belongs to {owner}", f"chown root {path}")


def _name(look_up: object, number: int) -> str:
    try:
        return str(look_up(number)[0])  # type: ignore[operator]
    except KeyError:
        return str(number)


def _git(name: str, path: Path) -> Iterator[Check]:
    tree = machine.work_tree(path)
    if tree is None or tree.state == "ignored":
        return
    if tree.state == "unknown":
        yield skipped(name, f"whether git tracks {path}: {tree.reason}")
    elif tree.state == "tracked":
        yield error(
            name,
            f"git tracks {path}: the key is in the history of {tree.root}",
            f"git rm --cached {path}, add it to .gitignore, and revoke this key.",
        )
    else:
        yield warning(
            name,
            f"{path} is in the git work tree {tree.root}, which does not ignore it",
            "Add it to .gitignore, or keep it elsewhere.",
        )
