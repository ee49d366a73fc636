"""Compare what finds a planted mistake, and write docs/validators.md.

    python tools/compare_validators.py

Each file of tests/planted has one mistake, in the line that ends in `# planted`, and says in its
first line which; clean.yaml has none. nixcfg is asked as `nixcfg validate FILE` is, LiteLLM by what
`litellm --validate_config` does, which is to load the file. How many deployments are left is asked
of the real LiteLLM beside this Python.
"""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from nixcfg import check
from nixcfg.problems.problem import Severity
from nixcfg.project.standalone import read_configuration

ROOT = Path(__file__).resolve().parents[1]
PLANTED = ROOT / "tests" / "planted"
PAGE = ROOT / "docs" / "validators.md"
TODAY = dt.date(2026, 11, 29)
MARK = "# planted"
HEAD = """# What finds a planted mistake

<!-- Written by tools/compare_validators.py: edit that instead. -->
{count} configurations with one mistake each, all of them in tests/planted, and one without.
They are kinds of mistakes that public configurations have; the files are our own. **Found**
means: a finding in the line of the mistake, or, of what names no line, any refusal of the file.

| | found | of | says the line | false alarms on the clean file |
|---|---|---|---|---|
| `nixcfg validate` | {nixcfg} | {count} | yes | {false} |
| `litellm --validate_config`, LiteLLM {litellm} | {stops} | {count} | no | 0 |

`--validate_config` loads the file as the proxy does and stops there, so it finds what keeps the
proxy from starting, but for the master key, which is looked at later. Of the {dropped} files of
which LiteLLM drops a deployment in silence it says that they are fine. litellm-lint 0.1.0, a
linter of others for the same files, is neither on PyPI nor on npm, and could not be run here;
its own page names misspelt keys, variables that are not set, and fallbacks and aliases to
models that do not exist as what it finds.

nixcfg was judged by the same LiteLLM, and its authors chose the mistakes: expect it to find
fewer in your file than here. [corpus.md](corpus.md) has its verdicts on files of others.

| Mistake | nixcfg | LiteLLM says | what LiteLLM does |
|---|---|---|---|
"""


class Row(NamedTuple):
    """One file: what is wrong, the codes of nixcfg in its line, and what LiteLLM does."""

    name: str
    what: str
    codes: tuple[str, ...]
    does: str


def files() -> list[Path]:
    """The files with a mistake."""
    return [file for file in sorted(PLANTED.glob("*.yaml")) if file.stem != "clean"]


def codes(file: Path) -> tuple[str, ...]:
    """The codes of errors and warnings in the line of the mistake, the worst first."""
    lines = file.read_text(encoding="utf-8").splitlines()
    planted = next(n for n, line in enumerate(lines, 1) if line.endswith(MARK))
    near = range(planted - 1, planted + 2) if file.stem in _AROUND else (planted,)
    found = [p for p in problems(file) if p.span.line in near and p.severity is not Severity.NOTE]
    return tuple(dict.fromkeys(p.code for p in sorted(found, key=lambda p: not p.is_error)))


_AROUND = ("no-model", "yaml")
"""Mistakes that have no place of their own: what is missing, and where reading it ends."""


def problems(file: Path) -> list[Any]:
    """What nixcfg says of a LiteLLM file alone."""
    report = check.standalone([read_configuration(file, file.name)], TODAY)
    return [p for p in report.problems if p.severity is not Severity.NOTE]


def asked(paths: list[Path]) -> list[Mapping[str, Any]]:
    """What the real LiteLLM does with each."""
    questions = [{"text": file.read_text(encoding="utf-8"), "env": ENV} for file in paths]
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, ROOT / "tools" / "oracle.py"],
        input=json.dumps(questions),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


ENV = {"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x", "LITELLM_MASTER_KEY": "sk-" + "9f3b" * 8}


def does(answer: Mapping[str, Any]) -> str:
    """What LiteLLM does with a file, in a word or two."""
    if answer["error"]:
        return "stops"
    if answer["refused"]:
        return "stops later"
    return "drops a deployment" if answer["loaded"] < 2 else "starts"


def rows() -> Iterator[Row]:
    paths = files()
    for file, answer in zip(paths, asked(paths), strict=True):
        what = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").rstrip(".")
        yield Row(file.stem, what, codes(file), does(answer))


def page(listed: list[Row], litellm: str) -> str:
    said = {"stops": "refuses it"}
    table = [
        f"| {row.what} | {', '.join(row.codes) or 'nothing'} | {said.get(row.does, 'OK')} |"
        f" {row.does} |"
        for row in listed
    ]
    head = HEAD.format(
        count=len(listed),
        nixcfg=sum(bool(row.codes) for row in listed),
        stops=sum(row.does == "stops" for row in listed),
        dropped=sum(row.does == "drops a deployment" for row in listed),
        false=len(problems(PLANTED / "clean.yaml")),
        litellm=litellm,
    )
    return head + "\n".join(table) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(list(rows()), version("litellm")), encoding="utf-8")
