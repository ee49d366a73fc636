"""The project that `nixcfg init` makes: a copy of templates/project."""

from pathlib import Path

from nixcfg.disk import create
from nixcfg.render import resources


def make(folder: Path) -> list[str]:
    """Copy the starter project into `folder`; the paths written, relative to it.

    Raises WriteError, with nothing changed, if one of its files is there and says something else.
    """
    template = resources.folder("templates") / "project"
    texts = {
        str(path.relative_to(template)): path.read_text(encoding="utf-8")
        for path in sorted(template.rglob("*"))
        if path.is_file()
    }
    # nixcfg.yaml last: without it there is no project, however far a killed run has come.
    texts["nixcfg.yaml"] = texts.pop("nixcfg.yaml")
    missing = create.missing(folder, texts)
    create.create(folder, missing)
    return sorted(missing)
