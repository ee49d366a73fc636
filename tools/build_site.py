"""Build the site: the documentation, a page a rule, and the playground, for any static host.

    python tools/build_site.py FOLDER

FOLDER is replaced as a whole. The pages are README, CHANGELOG, CONTRIBUTING and docs/, with their
links as they are in a repository. The playground is nixcfg's own wheel inside Pyodide, which npm
fetches; beside it are the pure parts of what nixcfg needs, from the environment of this Python.
It needs `nixcfg[site]`, npm, and git for the list of files.
"""

import argparse
import importlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
PYODIDE = "314.0.7"
CORE = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
    "python_stdlib.zip",
)
"""What a browser loads of Pyodide's package."""
PURE = ("yaml", "click", "jsonschema", "jsonschema_specifications", "referencing", "attr", "attrs")
"""What `validate` and `fix` need, and what these need; rpds is site/playground/rpds.py."""
TOP = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
_LINK = re.compile(r"(?P<text>\[[^\]]*\])\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def pages() -> dict[Path, str]:
    """Where each page of the repository is in the site."""
    found = {ROOT / name: place for name, place in TOP.items()}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        if path != ROOT / "docs" / "index.md":
            found[path] = str(path.relative_to(ROOT / "docs"))
    return found


def linked(text: str, path: Path, places: Mapping[Path, str]) -> str:
    """A page's text with its links as they are in the site; one to a source file is its name."""
    here = Path(places[path]).parent

    def replace(found: re.Match[str]) -> str:
        target = found["target"]
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        aim = (path.parent / target).resolve()
        aim = aim / "README.md" if aim.is_dir() else aim
        if aim == ROOT / "docs" / "index.md":
            aim = ROOT / "README.md"
        if aim not in places:
            return found["text"][1:-1]
        return f"{found['text']}({os.path.relpath(places[aim], here)}{found['anchor'] or ''})"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else _LINK.sub(replace, part) for part in parts)


def config(places: Mapping[Path, str]) -> str:
    """mkdocs' settings; pages that site/mkdocs.yml does not name are at the end of the menu."""
    text = (SITE / "mkdocs.yml").read_text(encoding="utf-8")
    rest = [place for place in places.values() if "/" not in place and f": {place}\n" not in text]
    return text + "".join(f"  - {place}\n" for place in sorted(rest))


def documentation(output: Path) -> None:
    places = pages()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "docs"
        for path, place in places.items():
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(linked(path.read_text(encoding="utf-8"), path, places))
        (folder / "playground.md").write_text(
            "# Playground\n\n"
            "[Check a LiteLLM configuration](playground/index.html), in the browser.\n"
        )
        (folder / "playground").mkdir()
        (folder / "playground" / "index.html").touch()  # so that the link leads somewhere
        settings = Path(name) / "mkdocs.yml"
        settings.write_text(config(places))
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
        quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        subprocess.run(  # noqa: S603
            [*command, "-f", settings, "-d", output.resolve()], check=True, env=quiet
        )


def playground(output: Path) -> None:
    shutil.rmtree(output, ignore_errors=True)
    (output / "pyodide").mkdir(parents=True)
    for file in ("index.html", "style.css", "main.js", "worker.js"):
        shutil.copy(SITE / "playground" / file, output)
    pyodide(output / "pyodide")
    with zipfile.ZipFile(output / "packages.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(packages()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def pyodide(output: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        command = ["npm", "pack", "--silent", f"pyodide@{PYODIDE}"]
        subprocess.run(command, cwd=name, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        [archive] = Path(name).glob("*.tgz")
        with tarfile.open(archive) as package:
            for file in CORE:
                content = package.extractfile(f"package/{file}")
                if content is None:
                    raise SystemExit(f"pyodide {PYODIDE} has no {file}")
                (output / file).write_bytes(content.read())


def packages() -> Iterator[tuple[str, bytes]]:
    """The files of Python's that the page needs, by their names in site-packages."""
    for file in ("playground.py", "rpds.py"):
        yield file, (SITE / "playground" / file).read_bytes()
    for name in PURE:
        package = Path(str(importlib.import_module(name).__file__)).parent
        for path in package.rglob("*"):
            inside = path.relative_to(package)
            if (
                path.suffix in (".py", ".json", "")
                and path.is_file()
                and "tests" not in inside.parts
            ):
                yield f"{name}/{inside}", path.read_bytes()
    yield from wheel()


def wheel() -> Iterator[tuple[str, bytes]]:
    """The files of nixcfg's own wheel, but for what only a machine with NixOS has a use for."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        subprocess.run([*command, "--wheel-dir", name, ROOT], check=True)  # noqa: S603
        [built] = Path(name).glob("*.whl")
        with zipfile.ZipFile(built) as archive:
            for file in archive.namelist():
                if not file.startswith(("nixcfg/templates/", "nixcfg/commands/", "nixcfg/lsp/")):
                    yield file, archive.read(file)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--playground", action="store_true", help="only the playground")
    options = parser.parse_args()
    if not options.playground:
        documentation(options.folder)
    playground(options.folder / "playground")
    return 0


if __name__ == "__main__":
    sys.exit(main())
