"""The project that `nixcfg init` makes: a copy of templates/project."""

from pathlib import Path

from nixcfg import resources
from nixcfg.problem import WriteError


def create(folder: Path) -> list[str]:
    """Copy the starter project into `folder`; the paths written, relative to it.

    Raises WriteError, before anything is written, if one of its files exists already.
    """
    template = resources.folder("templates") / "project"
    names = sorted(str(p.relative_to(template)) for p in template.rglob("*") if p.is_file())
    taken = [name for name in names if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        raise WriteError(f"{folder} has {', '.join(taken)} already; nothing was changed")
    try:
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((template / name).read_bytes())
    except OSError as error:
        raise WriteError(f"cannot write {folder}: {error.strerror}") from error
    return names
