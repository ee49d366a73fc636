"""Follow LiteLLM to another release: install it, learn what it does, and store that.

    python tools/follow.py X.Y.Z [--default] [--venvs FOLDER]

The release is installed in an environment of its own, its set of knowledge is generated, compared
with the nearest older one, and unless something was lost measured and stored. With --default
the release becomes the one that nixcfg renders: every place that names it is rewritten, what
follows from it is made again, and it is installed beside nixcfg. Then the tests that ask the real
LiteLLM run. What a person has to decide is printed at the end.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import store_knowledge
from learn.environment import UV, extra, install, needed

from nixcfg import knowledge
from nixcfg.knowledge import releases

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"

# Files written by hand that name the default release, each time as the release to run. Pages that
# say with which release something was measured keep it.
WRITTEN = (
    "README.md",
    "docs/comparison.md",
    "docs/images.md",
    "modules/litellm-proxy/alerts.yaml",
    "modules/litellm-proxy/dashboard.json",
    "modules/litellm-proxy/gateway.nix",
)
# What measures a set that has been generated.
MEASURE = (
    "measure_params",
    "measure_fates",
    "measure_variables",
    "measure_refusals",
    "measure_behaviour",
    "measure_entries",
)
# A page about all sets.
PAGES = (["tools/write_catalogues.py"],)
# What makes the rest again, in this order; a golden file is made by the test that reads it.
REMAKE = (
    ["-m", "nixcfg", "render"],
    ["-m", "nixcfg", "-C", "examples/fleet", "render"],
    ["tools/options_doc.py"],
    ["tools/write_rules_index.py"],
    [
        *("-m", "pytest", "-q", "--update-golden"),
        *("tests/test_cases.py", "tests/commands/test_commands.py", "tests/docs/test_readme.py"),
    ],
    ["tools/record_session.py"],
)
# Made again by these, or by `uv lock`.
MADE = (
    "docs/options.md",
    "docs/rules/README.md",
    "docs/session.svg",
    "examples/fleet/rendered/litellm-proxy/gateway.nix",
    "rendered/docker.nix",
    "rendered/litellm-proxy/gateway.nix",
    "uv.lock",
)
# What holds every set against the others and against the words that people read about it.
SETS = ("tests/knowledge/test_releases.py", "tests/settings/test_schema.py")

_FORMS = (
    r"litellm(?:-[a-z_]+)?:v{0}\b",
    r"LiteLLM {0}\b",
    r"[`\"]v{0}[`\"]",
    r"litellm=={0}\b",
    r'name = "litellm"\nversion = "{0}"',
)
_NAMED = "|".join(_FORMS)


def run(*command: str | Path, env: dict[str, str] | None = None, check: bool = True) -> int:
    print("$", *command, flush=True)
    done = subprocess.run(  # noqa: S603 (our own programs)
        list(map(str, command)), cwd=ROOT, env={**os.environ, **(env or {})}, check=False
    )
    if check and done.returncode:
        raise SystemExit(f"ended with {done.returncode}: {' '.join(map(str, command))}")
    return done.returncode


def nearest_older(release: str, known: Iterable[str]) -> str:
    """The newest stored release before this one, else the oldest."""
    among = sorted(known, key=order)
    older = [each for each in among if order(each) < order(release)]
    return (older or among)[-1 if older else 0]


def order(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def unpack(files: dict[str, Any], folder: Path) -> None:
    """A stored set as a folder, for the programs that read one."""
    folder.mkdir()
    for name, data in files.items():
        (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")


def named(text: str) -> list[str]:
    """The releases that a text names as one to run."""
    found = re.findall(_NAMED.format(r"([0-9]+\.[0-9]+\.[0-9]+)"), text)
    return [release for groups in found for release in groups if release]


def stale(release: str) -> Iterator[str]:
    """The places that do not name this release as the default one, or name another beside it.

    One that must not run may be named: an example of what is refused.
    """
    for file in ("pyproject.toml", *WRITTEN, *MADE):
        found = {
            each
            for each in named((ROOT / file).read_text(encoding="utf-8"))
            if not releases.of_version(each)
        }
        if found != {release}:
            yield f"{file}: {', '.join(sorted(found)) or 'none'}"


def rename(old: str, new: str, requirements: Sequence[str]) -> None:
    """Name another default release in the files that are written by hand."""
    for file in WRITTEN:
        path = ROOT / file
        text = path.read_text(encoding="utf-8")
        renamed = re.sub(
            _NAMED.format(re.escape(old)), lambda found: found[0].replace(old, new), text
        )
        path.write_text(renamed, encoding="utf-8")
    project = ROOT / "pyproject.toml"
    lines = "".join(f"  {json.dumps(each)},\n" for each in extra(new, requirements))
    text = re.sub(
        r"(?ms)^proxy = \[\n.*?^\]", f"proxy = [\n{lines}]", project.read_text(encoding="utf-8")
    )
    project.write_text(text, encoding="utf-8")
    log = ROOT / "CHANGELOG.md"
    log.write_text(noted(log.read_text(encoding="utf-8"), old, new), encoding="utf-8")


def noted(log: str, old: str, new: str) -> str:
    """A changelog whose newest section says which release is the default one, once."""
    line = f"- The default image is LiteLLM {new}; it was {old}.\n"
    head, *sections = re.split(r"(?m)^(?=## )", log)
    said = re.compile(r"(?m)^- The default image is LiteLLM [^\n]*\n(?:  [^\n]*\n)*")
    newest, count = said.subn(line, sections[0], count=1)
    if not count:
        newest = re.sub(r"(?m)^(?=- )", line, sections[0], count=1)
    return head + newest + "".join(sections[1:])


def decisions(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What no program can decide."""
    for name, value in after["behaviour"].items():
        old = before["behaviour"].get(name)
        if old != value:
            yield f"{name} was {old} and is {value}: do the rules that ask it still hold?"
    for section, keys in after["refused"]["refused"].items():
        new = keys.keys() - before["refused"]["refused"].get(section, {}).keys()
        if new:
            yield f"{section}: values of {', '.join(sorted(new))} now stop LiteLLM"
    for section, facts in after["litellm"]["sections"].items():
        known = knowledge.default().description
        new = sorted(key for key in facts["keys"] if not known(section, key))
        if new:
            yield f"{section}: describe {', '.join(new)} in nixcfg/knowledge/descriptions.json"


def known_set(release: str, python: Path) -> tuple[dict[str, Any], list[str]]:
    """The sets with this release's among them, and what is to be decided."""
    sets = store_knowledge.stored()
    older = nearest_older(release, [each for each in sets if each != release] or sets)
    # Against a newer set, what that one has gained would be a loss.
    has_older = order(older) < order(release)
    with tempfile.TemporaryDirectory() as name:
        new, old = Path(name, "new"), Path(name, "old")
        new.mkdir()
        run(python, TOOLS / "generate_knowledge.py", "--output", new)
        unpack(sets[older], old)
        print(f"\n{older} and {release}:")
        run(python, TOOLS / "compare_knowledge.py", old, new, check=has_older)
        for program in MEASURE:
            run(python, TOOLS / f"{program}.py", new)
        sets[release] = store_knowledge.given(new)
    to_decide = list(decisions(sets[older], sets[release]))
    if not has_older:
        to_decide.append(f"no set is older than {release}: is what is LOST above only newer?")
    return sets, to_decide


def make_default(old: str, release: str, requirements: Sequence[str]) -> None:
    """Everything that follows from another default release."""
    rename(old, release, requirements)
    run(UV, "pip", "install", "--quiet", "--python", sys.executable, "-e", ".[dev]")
    run(UV, "lock")
    for arguments in REMAKE:
        run(sys.executable, *arguments)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", metavar="X.Y.Z")
    parser.add_argument("--default", action="store_true", help="render this release from now on")
    parser.add_argument("--venvs", type=Path, default=ROOT / ".venvs", help="where to install it")
    options = parser.parse_args()
    release, default, began = options.release, knowledge.default().version, time.monotonic()
    python = install(release, options.venvs)
    asks_for = needed(python)
    if options.default:  # Before anything is rewritten: may it be installed beside nixcfg?
        can = (UV, "pip", "install", "--quiet", "--dry-run", "--python", sys.executable)
        run(*can, *extra(release, asks_for))
    sets, to_decide = known_set(release, python)
    store_knowledge.save(sets, release if options.default else default)
    tests = ["tests/knowledge/test_other_release.py"]
    for page in PAGES:
        run(sys.executable, *page)
    if options.default:
        make_default(default, release, asks_for)
        tests = ["tests"]
    asked = {"NIXCFG_LITELLM_VENV": str(options.venvs / release)}
    # Each of a test's own words is a decision: the program goes on to print them all.
    if run(sys.executable, "-m", "pytest", "-q", *SETS, check=False):
        to_decide.append("the tests that failed above: what is said about the sets")
    arguments = ("-m", "pytest", "-q", "--all", "-m", "oracle", *tests)
    if run(sys.executable, *arguments, env=asked, check=False):
        to_decide.append("the tests that failed above: LiteLLM does what a rule or page denies")
    if options.default:
        to_decide.append(f"pages that say what was measured with {default}: git grep '{default}'")
    print(f"\n{time.monotonic() - began:.0f} seconds. To decide:")
    for line in to_decide:
        print(f"- {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
