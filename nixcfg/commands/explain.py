"""`nixcfg explain`."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import json_option

if TYPE_CHECKING:
    from nixcfg.problems.problem import Rule


@click.command()
@click.argument("code", required=False, shell_complete=complete.codes)
@click.option("--all", "every", is_flag=True, help="Explain every code.")
@json_option
def command(code: str | None, every: bool, form: str) -> int:
    """Explain the code of a finding.

    What happens, why it matters, a bad and a good example. Without CODE, list all of them.

    \b
    Example: nixcfg explain NX201
    """
    from nixcfg.problems import pages
    from nixcfg.rules import registry

    if code and every:
        raise click.UsageError("name a CODE, or ask for --all")
    rules = [_rule(code)] if code else list(registry.RULES.values())
    if form == "json":
        # A bad example may hold a byte that is no UTF-8, so the text is ASCII.
        facts = _in_full(rules) if code or every else _in_short(rules)
        click.echo(json.dumps({"rules": list(facts)}, indent=2))
    elif code or every:
        click.echo(f"\n\n{'-' * 88}\n\n".join(map(pages.explain, rules)))
    else:
        for rule in rules:
            click.echo(f"{rule.code}  {rule.severity.value:7}  {pages.read(rule.code).title}")
    return OK


def _rule(code: str) -> "Rule":
    from nixcfg.rules import registry

    found = registry.RULES.get(code.upper())
    if found is None:
        guess = registry.nearest_code(code)
        raise click.BadParameter(
            f"there is no {code}; " + (f"did you mean {guess}?" if guess else "see nixcfg explain"),
            param_hint="CODE",
        )
    return found


def _in_short(rules: "Iterable[Rule]") -> Iterable[dict[str, object]]:
    from nixcfg.problems import pages

    for rule in rules:
        yield {
            "code": rule.code,
            "severity": rule.severity,
            "standalone": rule.standalone or rule.severity,
            "title": pages.read(rule.code).title,
        }


def _in_full(rules: "Iterable[Rule]") -> Iterable[dict[str, object]]:
    from nixcfg.problems import pages

    rules = list(rules)
    for rule, short in zip(rules, _in_short(rules), strict=True):
        page = pages.read(rule.code)
        yield {
            **short,
            "explanation": page.explanation,
            "bad": page.bad,
            "good": page.good,
            "source": page.source,
        }
