"""Follow LiteLLM to another release: install it, learn what it does, and store that.

    python tools/follow.py X.Y.Z [--default] [--venvs FOLDER]

The release is installed in an environment of its own, its set of knowledge is generated and
measured, compared with the nearest older one, and stored unless something was lost. With --default
the release becomes the one that nixcfg renders: every place that names it is rewritten, and what
follows from it is made again. What a person has to decide is printed at the end.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import store_knowledge

from nixcfg import knowledge

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"

# Every place that names the default release, each with the text around it. tests/knowledge holds
# them against the stored set, so that none is forgotten.
PLACES = {
    "pyproject.toml": 'proxy = ["litellm[proxy]=={}"]',
    "modules/litellm-proxy/gateway.nix": 'default = "ghcr.io/berriai/litellm:v{}";',
    "docs/options.md": '`"ghcr.io/berriai/litellm:v{}"`',
    "rendered/docker.nix": '"ghcr.io/berriai/litellm:v{}"',
    "uv.lock": 'name = "litellm"\nversion = "{}"',
}
# What makes the rest again, in this order; a golden file is made by the test that reads it.
REMAKE = (
    ["-m", "nixcfg", "render"],
    ["-m", "nixcfg", "-C", "examples/fleet", "render"],
    ["tools/options_doc.py"],
    ["tools/write_rules_index.py"],
    ["-m", "pytest", "-q", "--update-golden", "tests/test_cases.py", "tests/test_commands.py"],
)
# What the registry may lack: the proxy's own parts, released apart and pinned to a build of their
# own. The wheel of litellm holds the proxy; any build of the others will do to learn from it.
PARTS = ("litellm-proxy-extras", "litellm-enterprise")
SPLIT_OFF = "litellm-proxy"


UV = Path(sys.executable).with_name("uv")  # pip install uv


def run(*command: str | Path, env: dict[str, str] | None = None, check: bool = True) -> int:
    print("$", *command, flush=True)
    done = subprocess.run(  # noqa: S603 (our own programs)
        list(map(str, command)), cwd=ROOT, env={**os.environ, **(env or {})}, check=False
    )
    if check and done.returncode:
        raise SystemExit(f"ended with {done.returncode}: {command[0]}")
    return done.returncode


def install(release: str, folder: Path) -> Path:
    """The Python of an environment that has this LiteLLM."""
    python = folder / release / "bin" / "python"
    if not python.exists():
        run(UV, "venv", "--quiet", folder / release)
    wanted = f"litellm[proxy]=={release}"
    quiet = (UV, "pip", "install", "--quiet", "--python", python)
    if run(*quiet, wanted, check=False):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
            overrides.write("\n".join([*PARTS, f'{SPLIT_OFF} ; python_version < "3"']))
            overrides.flush()
            run(*quiet, "--override", overrides.name, wanted)
        print(f"note: {wanted} asks for what the registry lacks: {', '.join(PARTS)} are others")
    return python


def learn(python: Path, folder: Path) -> None:
    """Generate and measure a set of knowledge."""
    run(python, TOOLS / "generate_knowledge.py", "--output", folder)
    for program in (
        "measure_params",
        "measure_refusals",
        "measure_behaviour",
        "measure_entries",
    ):
        run(python, TOOLS / f"{program}.py", folder)


def nearest_older(release: str, known: Iterable[str]) -> str:
    """The newest stored release before this one, else the oldest."""
    among = sorted(known, key=order)
    older = [each for each in among if order(each) < order(release)]
    return (older or among)[-1 if older else 0]


def order(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def unpack(files: dict[str, Any], folder: Path) -> None:
    """A stored set as a folder, for the programs that read one."""
    for name, data in files.items():
        (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")


def stale(release: str) -> Iterator[str]:
    """The places that do not name this release as the default one."""
    for file, text in PLACES.items():
        if text.format(release) not in (ROOT / file).read_text(encoding="utf-8"):
            yield file


def rename(old: str, new: str) -> None:
    """Name another default release in the files that are written by hand."""
    for file in ("pyproject.toml", "modules/litellm-proxy/gateway.nix"):
        path = ROOT / file
        text = path.read_text(encoding="utf-8").replace(old, new)
        path.write_text(text, encoding="utf-8")
    log = ROOT / "CHANGELOG.md"
    text = log.read_text(encoding="utf-8")
    line = f"- The default image is LiteLLM {new}; it was {old}.\n"
    log.write_text(re.sub(r"(?m)^(## .*\n\n)", rf"\1{line}", text, count=1), encoding="utf-8")


def decisions(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What no program can decide."""
    for name, value in after["behaviour"].items():
        old = before["behaviour"].get(name)
        if old != value:
            yield f"{name} was {old} and is {value}: do the rules that ask it still say the truth?"
    for section, keys in after["refused"]["refused"].items():
        new = keys.keys() - before["refused"]["refused"].get(section, {}).keys()
        if new:
            yield f"{section}: values of {', '.join(sorted(new))} now stop LiteLLM"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", metavar="X.Y.Z")
    parser.add_argument("--default", action="store_true", help="render this release from now on")
    parser.add_argument("--venvs", type=Path, default=ROOT / ".venvs", help="where to install it")
    options = parser.parse_args()
    release, began = options.release, time.monotonic()
    python = install(release, options.venvs)
    sets = store_knowledge.stored()
    older = nearest_older(release, [each for each in sets if each != release] or sets)
    with tempfile.TemporaryDirectory() as name:
        new, old = Path(name, "new"), Path(name, "old")
        new.mkdir()
        old.mkdir()
        learn(python, new)
        unpack(sets[older], old)
        print(f"\n{older} and {release}:")
        run(python, TOOLS / "compare_knowledge.py", old, new)
        sets[release] = store_knowledge.given(new)
    default = knowledge.default().version
    store_knowledge.save(sets, release if options.default else default)
    if options.default:
        rename(default, release)
        for arguments in REMAKE:
            run(sys.executable, *arguments)
        run(UV, "lock")
    asked = {"NIXCFG_LITELLM_VENV": str(options.venvs / release)}
    run(sys.executable, "-m", "pytest", "-q", "tests/knowledge/test_other_release.py", env=asked)
    print(f"\n{time.monotonic() - began:.0f} seconds. To decide:")
    for line in decisions(sets[older], sets[release]):
        print(f"- {line}")
    if options.default:
        print(
            "- the tests marked oracle need this release in .venv: uv sync, then pytest -m oracle"
        )
        print("- texts that name a release, and whether they still hold: git grep", repr(default))
    return 0


if __name__ == "__main__":
    sys.exit(main())
