"""A rule's page, docs/rules/NX201.md: the one source of what nixcfg says about a rule in prose.

`nixcfg explain`, SARIF and the tests read it. No other command does: a finding holds all that its
line, caret and help need.
"""

import functools
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nixcfg.disk import shipped
from nixcfg.problems.problem import Rule

Example = str | Mapping[str, str]
"""Files by name, as text. One text alone is a LiteLLM configuration: valid as the provider file
`providers/example.yaml` of a project, and by itself. A line of carets in a comment marks the
place in the line above it; in `#^^` the # is the first of them."""

_PAGE = re.compile(
    r"# (?P<code>NX\d{3}): (?P<title>[^\n]+)\n\n"
    r"Severity: (?P<severity>[^\n]+)\n\n"
    r"(?P<explanation>.+?)\n\n"
    r"## Bad\n\n(?P<bad>.+?)\n"
    r"## Good\n\n(?P<good>.+?)\n"
    r"## Source\n\n(?P<source>.+)\n",
    re.DOTALL,
)
_FILE = re.compile(r"(?:`(?P<name>[^`\n]+)`\n\n)?```yaml\n(?P<text>.*?)```\n", re.DOTALL)
_BYTE = re.compile(r"\\udc([89a-f][0-9a-f])")
"""A byte that is no UTF-8, as Python's surrogateescape names it: a page itself is UTF-8."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says, each part without its line breaks.

    `severity` is as `severity_of` writes it. `explanation` is one paragraph on what happens and
    why it matters, `bad` and `good` are what the tests run, `source` is how the fact was
    established.
    """

    code: str
    title: str
    severity: str
    explanation: str
    bad: Example
    good: Example
    source: str


@functools.cache
def read(code: str) -> Page:
    """The page of a rule; every rule has one."""
    return parse(path(code).read_text(encoding="utf-8"))


def codes() -> list[str]:
    """Every code that has a page, in order."""
    return sorted(file.stem for file in path("NX001").parent.glob("NX*.md"))


def title(code: str) -> str:
    """The title alone, from the first line of a page."""
    with path(code).open(encoding="utf-8") as file:
        return file.readline().partition(": ")[2].strip()


def path(code: str) -> Path:
    """Where the page of a rule is."""
    return shipped.folder("docs/rules") / f"{code}.md"


def parse(text: str) -> Page:
    """Read a page; ValueError where it has another form than docs/adding-a-rule.md describes."""
    found = _PAGE.fullmatch(text)
    if found is None:
        raise ValueError("a page needs a title, severity, explanation, Bad, Good and Source")
    return Page(
        code=found["code"],
        title=found["title"],
        severity=found["severity"],
        explanation=" ".join(found["explanation"].split()),
        bad=_example(found["bad"]),
        good=_example(found["good"]),
        source=" ".join(found["source"].split()),
    )


def _example(text: str) -> Example:
    found = list(_FILE.finditer(text))
    if "\n".join(each[0] for each in found) != text:
        raise ValueError("an example is ```yaml blocks, each below the name of its file in `...`")
    files = {each["name"] or "": _with_bytes(each["text"]) for each in found}
    return files.get("", files)


def _with_bytes(text: str) -> str:
    return _BYTE.sub(lambda found: chr(0xDC00 + int(found[1], 16)), text)


def severity_of(rule: Rule) -> str:
    """A rule's severity in words: `error (in a LiteLLM file on its own: warning)`."""
    milder = rule.standalone
    return rule.severity + (f" (in a LiteLLM file on its own: {milder})" if milder else "")


def explain(rule: Rule) -> str:
    """A rule in full, for a person at a terminal."""
    page = read(rule.code)
    return "\n\n".join(
        [
            f"{rule.code}: {page.title}\nSeverity: {severity_of(rule)}",
            textwrap.fill(page.explanation, 88),
            "Bad:\n" + _indented(page.bad),
            "Good:\n" + _indented(page.good),
            textwrap.fill(f"Source: {measured(page.source)}", 88),
        ]
    )


def measured(source: str) -> str:
    """How one knows, with the release that was run: `run on LiteLLM 1.108.14: ...`."""
    from nixcfg import knowledge

    return re.sub(r"^run\b", f"run on LiteLLM {knowledge.default().version}", source)


def _indented(example: Example) -> str:
    files = {"": example} if isinstance(example, str) else example
    parts = []
    for name, text in files.items():
        body = text.encode("utf-8", "backslashreplace").decode()
        parts += [f"  # {name}"] if name else []
        parts.append(textwrap.indent(body.rstrip("\n"), "  "))
    return "\n".join(parts)
