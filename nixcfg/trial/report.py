"""What became of the cases: for a person, for programs, for CI. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.trial.run import Result

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

FORMATS = ("text", "json", "junit", "github")
FAILED = Rule("CASE", Severity.ERROR)
"""The kind of all that `nixcfg test` finds; it is no finding about a configuration."""


def problems(results: Sequence[Result]) -> list[Problem]:
    """What failed, each at its place in the file of its case."""
    found = []
    for result in results:
        case = result.case
        if result.broken:
            found.append(case.document.problem(FAILED, case.path, f"{case.name}: {result.broken}"))
        for index, failure in enumerate(result.failures):
            said = f"{case.name}: {failure.what}: expected {failure.expected}, got {failure.got}"
            seen = "" if index else _seen(result)
            found.append(case.document.problem(FAILED, failure.path, said, key=True, help=seen))
    return sorted(found, key=Problem.sort_key)


def _seen(result: Result) -> str:
    lines = [f"{number}. {each.line()}" for number, each in enumerate(result.log, 1)]
    return "the vendors saw\n    " + "\n    ".join(lines) if lines else "No vendor was asked."


def as_json(results: Sequence[Result]) -> str:
    """`[{file, line, name, passed, seconds, failures: [{what, expected, got, line}], vendors}]`."""
    return json.dumps([_data(result) for result in results], indent=2, ensure_ascii=False)


def _data(result: Result) -> dict[str, object]:
    document = result.case.document
    return {
        "file": document.name,
        "line": document.span(result.case.path).line,
        "name": result.case.name,
        "passed": not result.has_failed,
        "seconds": result.seconds,
        **({"broken": result.broken} if result.broken else {}),
        "failures": [
            {
                "what": each.what,
                "expected": each.expected,
                "got": each.got,
                "line": document.span(each.path, key=True).line,
            }
            for each in result.failures
        ],
        "vendors": [each.line() for each in result.log],
    }


def as_junit(results: Sequence[Result]) -> str:
    """JUnit's XML, which CI systems read: a suite for each file."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="nixcfg test")
    for file, of_file in _by_file(results):
        suite = ET.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(of_file)),
            failures=str(sum(each.has_failed for each in of_file)),
            time=f"{sum(each.seconds for each in of_file):.2f}",
        )
        for result in of_file:
            _junit(ET.SubElement(suite, "testcase"), result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


def _junit(element: "Element", result: Result) -> None:
    from xml.etree import ElementTree as ET

    document = result.case.document
    element.attrib |= {
        "name": result.case.name,
        "classname": document.name,
        "file": document.name,
        "line": str(document.span(result.case.path).line),
        "time": f"{result.seconds:.2f}",
    }
    said = [f"{each.what}: expected {each.expected}, got {each.got}" for each in result.failures]
    if result.broken:
        said.insert(0, result.broken)
    if said:
        failure = ET.SubElement(element, "failure", message=said[0])
        failure.text = "\n".join([*said, _seen(result)])


def _by_file(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    files: dict[str, list[Result]] = {}
    for result in results:
        files.setdefault(result.case.document.name, []).append(result)
    yield from files.items()
