"""`nixcfg explain`."""

import click

from nixcfg.commands import OK


@click.command()
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """Explain the code of a finding.

    What happens, why it matters, a bad and a good example. Without CODE, list all of them.

    \b
    Example: nixcfg explain NX201
    """
    from nixcfg.problems import pages
    from nixcfg.rules import registry

    if code is None:
        for rule in registry.RULES.values():
            click.echo(f"{rule.code}  {rule.severity.value:7}  {pages.read(rule.code).title}")
        return OK
    found = registry.RULES.get(code.upper())
    if found is None:
        guess = registry.nearest_code(code)
        raise click.BadParameter(
            f"there is no {code}; " + (f"did you mean {guess}?" if guess else "see nixcfg explain"),
            param_hint="CODE",
        )
    click.echo(pages.explain(found))
    return OK
