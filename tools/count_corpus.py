"""Count what the rules say of the corpus of real configurations, and write docs/corpus.md.

    python tools/count_corpus.py FOLDER

The prose of the page is written by hand; the tables between `<!-- counted -->` and `<!-- end -->`
are written here. tests/rules/read_warnings.json says of each warning what a person made of it who
read it: `right`, `at home` (right only where the file was found), `noise` or `wrong`. It holds no
more of a warning than a digest, for the files are other people's. A warning that no one has read is
listed on stdout, with the digest to put there.
"""

import argparse
import datetime as dt
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nixcfg import check
from nixcfg.problems import pages
from nixcfg.problems.problem import Problem, Severity
from nixcfg.project.standalone import read_configuration

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "corpus.md"
READ = ROOT / "tests" / "rules" / "read_warnings.json"
TODAY = dt.date(2026, 11, 29)
VERDICTS = ("right", "at home", "noise", "wrong")
_COUNTED = re.compile(r"<!-- counted -->\n.*?<!-- end -->\n", re.DOTALL)


class Found(NamedTuple):
    """A finding in a file of the corpus."""

    file: str
    problem: Problem

    @property
    def digest(self) -> str:
        where = f"{self.file}:{self.problem.span.line}:{self.problem.span.column}"
        text = f"{where} {self.problem.code} {self.problem.message} {self.problem.help}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:10]


def found(folder: Path) -> list[Found]:
    """All that is found in the files of which oracle.json has a verdict."""
    names = json.loads((folder / "oracle.json").read_text(encoding="utf-8"))
    return [
        Found(name, problem)
        for name in names
        for problem in check.standalone([read_configuration(folder / name, name)], TODAY).problems
    ]


def warnings(listed: Iterable[Found]) -> list[Found]:
    return [each for each in listed if each.problem.severity is Severity.WARNING]


def read() -> Mapping[str, str]:
    """What was made of each warning, by its digest."""
    return dict(json.loads(READ.read_text(encoding="utf-8")))


def counted(files: int, listed: list[Found], verdicts: Mapping[str, str]) -> Iterator[str]:
    """The tables, as lines."""
    kinds = Counter(each.problem.severity for each in listed)
    loud = {each.file for each in listed if each.problem.severity is not Severity.NOTE}
    errors, warned, notes = (kinds[each] for each in Severity)
    yield f"{errors} errors, {warned} warnings and {notes} notes in {files} files;"
    yield f"{files - len(loud)} files have notes only, or nothing."
    yield ""
    yield "| Code | Severity | Findings | Files | What |"
    yield "|---|---|---|---|---|"
    rows = Counter((each.problem.code, each.problem.severity) for each in listed)
    order = list(Severity)
    for (code, severity), count in sorted(
        rows.items(), key=lambda row: (row[0][0], order.index(row[0][1]))
    ):
        among = {
            each.file
            for each in listed
            if (each.problem.code, each.problem.severity) == (code, severity)
        }
        what = pages.title(code).replace("${", "\\${").replace("\\\\", "\\")
        yield f"| {code} | {severity} | {count} | {len(among)} | {what} |"
    yield ""
    yield "Every warning was read, with the line that it is about:"
    yield ""
    yield "| | " + " | ".join(VERDICTS) + " |"
    yield "|---" * (len(VERDICTS) + 1) + "|"
    by_code = Counter(
        (each.problem.code, verdicts.get(each.digest, "not read")) for each in warnings(listed)
    )
    codes = sorted({code for code, _ in by_code})
    for code in codes:
        numbers = [by_code[code, verdict] for verdict in VERDICTS]
        yield f"| {code} | " + " | ".join(map(str, numbers)) + " |"
    totals = [sum(by_code[code, verdict] for code in codes) for verdict in VERDICTS]
    yield "| in all | " + " | ".join(map(str, totals)) + " |"


def page(text: str, folder: Path) -> str:
    """The page with the tables of today."""
    files = len(json.loads((folder / "oracle.json").read_text(encoding="utf-8")))
    lines = "\n".join(counted(files, found(folder), read()))
    return _COUNTED.sub(lambda _: f"<!-- counted -->\n{lines}\n<!-- end -->\n", text, count=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    verdicts = read()
    for each in warnings(found(folder)):
        if each.digest not in verdicts:
            problem = each.problem
            print(f"{each.digest} {each.file}:{problem.span.line} {problem.code} {problem.message}")
            print(f"    {problem.line_text.strip()}\n    help: {problem.help}")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
