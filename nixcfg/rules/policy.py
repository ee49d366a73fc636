"""What a user says about the rules: `# nixcfg: ignore NX201` on a line, severities for a project.

Problems that leave nothing to render (files that cannot be read, shapes that make no sense) can
be neither ignored nor softened.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from nixcfg.problems.problem import Problem, Rule, Severity, Span
from nixcfg.project.nearest import nearest
from nixcfg.yamltext.document import Document

OFF = "off"
_COMMENT = re.compile(r"(?:^|\s)#\s*nixcfg:\s*ignore\s+([A-Za-z0-9, \t]+)")
_FIXED = ("NX0", "NX1")


@dataclass(frozen=True, slots=True)
class _Ignore:
    document: Document
    code: str
    span: Span


def is_fixed(rule: Rule) -> bool:
    """Whether the rule can be neither ignored nor given another severity."""
    return rule.code.startswith(_FIXED) and rule.severity is Severity.ERROR


NEEDLESS_IGNORE = Rule("NX013", Severity.NOTE)


def ignored(
    problems: Iterable[Problem],
    documents: Iterable[Document],
    *,
    standalone: bool,
    is_whole: bool = True,
) -> list[Problem]:
    """The problems without those that a comment on their line silences. Without `is_whole`
    some rules could not be asked, and whose comments are needless is not known."""
    ignores: dict[tuple[str, int, str], _Ignore] = {
        (document.name, ignore.span.line, ignore.code): ignore
        for document in documents
        for ignore in _ignores(document)
    }
    if not ignores:
        return list(problems)
    kept, used = [], set()
    for problem in problems:
        key = (problem.file, problem.span.line, problem.code)
        if key in ignores and (standalone or not is_fixed(problem.rule)):
            used.add(key)
        else:
            kept.append(problem)
    for key, ignore in ignores.items():
        if key not in used and (is_whole or ignore.code.startswith(_FIXED)):
            kept.append(
                ignore.document.problem_at(
                    NEEDLESS_IGNORE,
                    ignore.span,
                    f"there is no {ignore.code} on this line to ignore",
                    help="Remove it.",
                )
            )
    return kept


def _ignores(document: Document) -> Iterator[_Ignore]:
    if "nixcfg:" not in document.text:
        return
    for number, line in enumerate(document.lines(), start=1):
        for comment in _COMMENT.finditer(line):
            for code in re.finditer(r"[A-Za-z0-9]+", comment[1]):
                column = comment.start(1) + code.start() + 1
                yield _Ignore(document, code[0].upper(), Span(number, column, len(code[0])))


BAD_SEVERITY = Rule("NX507", Severity.ERROR)


def unknown_severities(document: Document, rules: Mapping[str, Rule]) -> Iterator[Problem]:
    """Entries of nixcfg.yaml's severities that cannot be."""
    for code in document.data.get("severities") or {}:
        rule = rules.get(code)
        if rule is None or is_fixed(rule) or rule is BAD_SEVERITY:
            guess = "" if rule else nearest(code, rules)
            yield document.problem(
                BAD_SEVERITY,
                ("severities", code),
                f"{code} cannot have another severity" if rule else f"there is no rule {code}",
                help=f"Did you mean {guess}?" if guess else "`nixcfg explain` lists all rules.",
                key=True,
            )


def with_severities(
    problems: Iterable[Problem], severities: Mapping[str, str | bool]
) -> Iterator[Problem]:
    """The problems with the severities that the project gives."""
    for problem in problems:
        # YAML 1.1 reads an unquoted `off` as false.
        wanted = severities.get(problem.code)
        if wanted is None or is_fixed(problem.rule) or problem.rule is BAD_SEVERITY:
            yield problem
        elif wanted not in (OFF, False):
            yield replace(problem, level=Severity(str(wanted)))
