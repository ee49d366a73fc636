"""LiteLLM's database client, Prisma, as far as package registries have it.

Prisma's native engines come from a host of its own, which a machine without the Internet does not
reach. Its npm packages hold them as WebAssembly: the query engine in the very commit that
the Python client asks for, and the schema engine of a later release, which runs the migrations.
`prisma/` beside this file starts both in place of the native ones.

It is installed once, into a cache folder under the hash of its recipe.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

RECIPE = Path(__file__).with_name("prisma")

#: The Python client, and what it needs beside what LiteLLM brings.
PYTHON_PACKAGES = ("prisma==0.15.0", "nodeenv==1.10.0", "tomlkit==0.14.0")

#: Prisma's CLI demands the native engines, even where it does not run them.
NO_ENGINE = "/bin/true"


class AbsentError(Exception):
    """What it takes cannot be had here; the message says what."""


@dataclass(frozen=True)
class Toolchain:
    """An installed Prisma."""

    folder: Path

    def environment(self, migrations: Path) -> dict[str, str]:
        """What LiteLLM has to be started with. `migrations` becomes a folder of one instance,
        into which LiteLLM copies its own migrations."""
        migrations.mkdir()
        for name in ("database.mjs", "prisma.config.mjs"):
            shutil.copy(self.folder / name, migrations)
        (migrations / "node_modules").symlink_to(self.folder / "node_modules")
        return {
            # `prisma` is looked up there too.
            "PATH": f"{self.folder}:{os.defpath}",
            "PYTHONPATH": str(self.folder / "python"),
            "PRISMA_QUERY_ENGINE_BINARY": str(self.folder / "query-engine"),
            "PRISMA_OFFLINE_MODE": "true",
            "PRISMA_CLI_PATH": str(self.folder / "prisma"),
            "LITELLM_MIGRATION_DIR": str(migrations),
        }


def installed(schemas: Path | None = None) -> Toolchain:
    """The toolchain, from the cache or installed into it, for the database schema in this folder
    (`extras` of another environment) or that of the LiteLLM here. Raises AbsentError."""
    absent = [name for name in ("node", "npm") if not shutil.which(name)]
    if absent:
        raise AbsentError(f"no {' and no '.join(absent)} (Debian: nodejs)")
    schema = (schemas or extras()) / "schema.prisma"
    recipe = [*sorted(RECIPE.iterdir()), Path(__file__), schema]
    key = hashlib.sha256(b"".join(each.read_bytes() for each in recipe)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nixcfg-tests"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"prisma-{key}"
    with (cache / f"prisma-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests and a benchmark may want it at once
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _install(folder, schema)
            (folder / "complete").touch()
    return Toolchain(folder)


def extras() -> Path:
    """The package that has LiteLLM's database schema and its migrations."""
    spec = find_spec("litellm_proxy_extras")
    if not spec or not spec.origin:
        raise AbsentError("litellm[proxy] is not installed here: no litellm_proxy_extras")
    return Path(spec.origin).parent


def _install(folder: Path, schema: Path) -> None:
    for each in RECIPE.iterdir():
        shutil.copy(each, folder)
    _fetch("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    _fetch(*pip, "--target", str(folder / "python"), *PYTHON_PACKAGES, cwd=folder)

    node = shutil.which("node")
    cli = f'{node} "{folder}/node_modules/prisma-migrate/build/index.js" "$@"'
    settings = (
        f"CHECKPOINT_DISABLE=1 PRISMA_QUERY_ENGINE_LIBRARY={NO_ENGINE}"
        f" PRISMA_SCHEMA_ENGINE_BINARY={NO_ENGINE}"
    )
    _program(folder / "prisma", f"export {settings}\nexec {cli}")
    _program(folder / "query-engine", f'exec {node} "{folder}/engine.mjs" "$@"')

    # The client's code is generated from LiteLLM's schema, for the machine it runs on.
    text = schema.read_text()
    lines = [line for line in text.splitlines() if "binaryTargets" not in line]
    (folder / "schema.prisma").write_text("\n".join(lines))
    generate = folder / "node_modules" / "prisma-generate" / "build" / "index.js"
    _run(
        *(node, str(generate), "generate", "--schema", "schema.prisma"),
        cwd=folder,
        PYTHONPATH=str(folder / "python"),
        PATH=f"{_generator(folder)}:{os.environ['PATH']}",
        CHECKPOINT_DISABLE="1",
        PRISMA_CLI_QUERY_ENGINE_TYPE="binary",
        PRISMA_QUERY_ENGINE_BINARY=str(folder / "query-engine"),
        PRISMA_SCHEMA_ENGINE_BINARY=NO_ENGINE,
    )


def _generator(folder: Path) -> Path:
    """A folder with the program by which the CLI calls the generator of the Python client."""
    programs = folder / "generator"
    programs.mkdir()
    _program(programs / "prisma-client-py", f'exec "{sys.executable}" -m prisma "$@"')
    return programs


def _program(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def _fetch(*command: str, cwd: Path) -> None:
    try:
        _run(*command, cwd=cwd)
    except subprocess.CalledProcessError as error:
        reason = (error.stdout + error.stderr).strip().splitlines()[-1:]
        raise AbsentError(f"{Path(command[0]).name} cannot fetch its packages: {reason}") from error


def _run(*command: str, cwd: Path, **environment: str) -> None:
    subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
