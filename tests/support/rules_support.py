"""What the tests of the rules share."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nixcfg import check
from nixcfg.problems.pages import Example
from nixcfg.problems.problem import Span
from nixcfg.project.find import read_project
from nixcfg.project.standalone import read_configuration
from nixcfg.rules.credentials import MASTER_KEY_MISSING
from nixcfg.rules.git import with_tracked_keys

ROOT = Path(__file__).parents[2]
TODAY = dt.date(2026, 8, 20)

_MARK = re.compile(r"#(?P<space> *)(?P<carets>\^+) *")


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")


def in_project(folder: Path, files: Mapping[str, str]) -> check.Report:
    """...all of whose files git tracks, where one of them is for git alone."""
    write(folder, files)
    if any(not name.endswith(".yaml") for name in files):
        for command in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", "-C", folder, *command], check=True)
    return check.validate(with_tracked_keys(read_project(folder)), TODAY)


def by_itself(folder: Path, files: Mapping[str, str]) -> check.Report:
    write(folder, files)
    return check.standalone([read_configuration(folder / "config.yaml", "config.yaml")], TODAY)


def reports(folder: Path, example: Example) -> dict[str, check.Report]:
    """What nixcfg says about an example, in a project and by itself as far as it can be either."""
    if isinstance(example, Mapping):
        check = in_project if "nixcfg.yaml" in example else by_itself
        return {check.__name__: check(folder, example)}
    whole = by_itself(folder / "alone", {"config.yaml": example})
    # A provider file has no business with the master key that a whole LiteLLM file needs.
    told = tuple(p for p in whole.problems if p.rule is not MASTER_KEY_MISSING)
    return {
        "in_project": in_project(
            folder / "project",
            {"nixcfg.yaml": "model_config: all\n", "providers/example.yaml": example},
        ),
        "by_itself": replace(whole, problems=told),
    }


def marked(example: Example) -> tuple[str | None, Span] | None:
    """The file (None for a text alone) and the place that a line of carets marks."""
    files = example.items() if isinstance(example, Mapping) else [(None, example)]
    for name, text in files:
        for number, line in enumerate(text.split("\n")):
            found = _MARK.fullmatch(line)
            if found:
                space, length = len(found["space"]), len(found["carets"])
                return name, Span(number, space + 2, length) if space else Span(
                    number, 1, length + 1
                )
    return None


class Oracle:
    """See tools/oracle.py for what a question and an answer hold."""

    @staticmethod
    def ask(questions: list[dict[str, object]]) -> list[dict[str, object]]:
        done = subprocess.run(
            [sys.executable, ROOT / "tools" / "oracle.py"],
            input=json.dumps(questions),
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        return [json.loads(line) for line in done.stdout.splitlines()]
