"""Write docs/rules/README.md from the rules' pages: `python tools/write_rules_index.py`."""

from collections.abc import Iterator
from itertools import groupby

from nixcfg import knowledge
from nixcfg.problems import pages
from nixcfg.problems.problem import Rule
from nixcfg.rules import registry

INDEX = pages.path("README")
GROUPS = {
    "NX0": "Reading files",
    "NX1": "Shape",
    "NX2": "Settings",
    "NX3": "Secrets and keys",
    "NX4": "Deployments, models, fallbacks",
    "NX5": "The project",
}
HEAD = """\
<!-- Written by tools/write_rules_index.py from the pages beside it: edit those instead. -->
# What nixcfg looks for

An *error* will not work, or leaks a key. A *warning* has no effect, or will stop working. A *note*
may be meant. `nixcfg validate FILE...` checks ordinary LiteLLM configurations without a project;
what LiteLLM accepts is no error there, so some rules are milder: see *standalone*.

- `nixcfg explain NX201` shows a page at the terminal.
- `# nixcfg: ignore NX201` at the end of a line silences that code there; separate several codes
  with commas.
- `severities: {NX408: off, NX411: error}` in nixcfg.yaml decides for the whole project: `error`,
  `warning`, `note` or `off`. The errors of the first two groups are fixed.
- Under Source, *run* means that the bad example, or one like it, was put through LiteLLM {release}
  itself; `pytest --all -m oracle tests/rules/test_oracle.py` does it again. What other releases
  do otherwise is in their sets of knowledge.
"""


def index() -> str:
    """The whole file: a table for each group of rules."""
    groups = groupby(registry.RULES.values(), key=lambda rule: rule.code[:3])
    head = HEAD.replace("{release}", knowledge.default().version)
    return "\n".join([head, *("\n".join(_table(group, listed)) for group, listed in groups)])


def _table(group: str, listed: Iterator[Rule]) -> Iterator[str]:
    yield f"## {GROUPS[group]}\n"
    yield "| Code | Severity | Standalone | What |"
    yield "|---|---|---|---|"
    for rule in listed:
        milder = rule.standalone or rule.severity
        title = _in_table(pages.read(rule.code).title)
        yield f"| [{rule.code}]({rule.code}.md) | {rule.severity} | {milder} | {title} |"
    yield ""


def _in_table(text: str) -> str:
    return text.replace("|", "\\|").replace("${", "\\${").replace("<", "&lt;")


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
