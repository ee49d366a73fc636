"""Write docs/rules.md from the rules themselves: `python tools/write_rules_page.py`."""

from collections.abc import Iterator
from pathlib import Path

from nixcfg import rules
from nixcfg.problems.problem import Example, Rule

PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
GROUPS = {
    "NX0": "Reading files",
    "NX1": "Shape",
    "NX2": "Settings",
    "NX3": "Secrets and keys",
    "NX4": "Deployments, models, fallbacks",
    "NX5": "The project",
}
HEAD = """\
<!-- Written by tools/write_rules_page.py from nixcfg/rules: change those, not this file. -->
# What nixcfg looks for

An *error* will not work, or leaks a key. A *warning* has no effect, or will stop working. A *note*
may be meant. `nixcfg validate FILE...` checks ordinary LiteLLM configurations without a project;
what LiteLLM accepts is no error there, so some rules are milder: see *alone*.

- `nixcfg explain NX201` shows a rule at the terminal.
- `# nixcfg: ignore NX201` at the end of a line silences that code there; several codes stand with
  commas between them.
- `severities: {NX408: off, NX411: error}` in nixcfg.yaml decides for the whole project: `error`,
  `warning`, `note` or `off`. The errors of the first two groups are fixed.
- Under Source, *run* means that the bad example, or one like it, was put
  through LiteLLM itself, in the release that nixcfg/knowledge describes; `pytest
  tests/rules/test_oracle.py` does it again.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_overview(), *_details()]) + "\n"


def _overview() -> Iterator[str]:
    yield "| Code | Severity | Alone | What |"
    yield "|---|---|---|---|"
    for rule in rules.RULES.values():
        alone = rule.alone or rule.severity
        title = _in_table(rule.title)
        yield f"| [{rule.code}](#{rule.code.lower()}) | {rule.severity} | {alone} | {title} |"
    yield ""


def _details() -> Iterator[str]:
    group = ""
    for rule in rules.RULES.values():
        if rule.code[:3] != group:
            group = rule.code[:3]
            yield f"## {GROUPS[group]}\n"
        yield _detail(rule)


def _detail(rule: Rule) -> str:
    return "\n".join(
        [
            f"### {rule.code}",
            f"**{rule.title}** ({rule.severity}"
            + (f"; alone: {rule.alone})" if rule.alone else ")"),
            "",
            rule.explanation,
            "",
            "Bad:",
            *_blocks(rule.bad),
            "Good:",
            *_blocks(rule.good),
            f"Source: {rule.source}.",
            "",
        ]
    )


def _blocks(example: Example) -> Iterator[str]:
    for name, text in ({"": example} if isinstance(example, str) else example).items():
        shown = text.encode("utf-8", "backslashreplace").decode()
        yield "```yaml"
        yield (f"# {name}\n" if name else "") + shown.rstrip("\n")
        yield "```"


def _in_table(text: str) -> str:
    return text.replace("|", "\\|").replace("${", "\\${").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
