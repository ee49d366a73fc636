"""`nixcfg add-model`."""

import sys
from pathlib import Path

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import (
    amended,
    ask_its_release,
    find_root,
    json_option,
    read,
    refusing,
    today,
)
from nixcfg.commands.output import fitted, print_changes, print_problems, report, width_of


@click.command()
@click.argument("provider", shell_complete=complete.providers)
@click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=complete.models_of_file)
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    help="What clients ask for; one for each MODEL, in the same order.",
)
@json_option
@click.pass_obj
def command(
    base: Path, provider: str, models: tuple[str, ...], aliases: tuple[str, ...], form: str
) -> int:
    """Add models to a provider of the project.

    They are reached as the models that the provider's file has: with the same key, address and
    region. Comments stay. At a terminal, PROVIDER alone offers what there is.

    \b
    Examples:
      nixcfg add-model claude claude-haiku-5-5
      nixcfg add-model claude claude-opus-5-5 --alias best
    """
    from nixcfg.providers import ask

    if not models and (form == "json" or not ask.is_terminal()):
        raise click.UsageError("Missing argument 'MODEL'.")
    return more(find_root(base), provider, models, aliases, form)


def more(
    root: Path,
    provider: str,
    models: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
    form: str = "text",
) -> int:
    """Add models to a provider file; asks which where none is named."""
    from nixcfg.providers import interview
    from nixcfg.providers.more_models import add_models, models_of, provider_document, way_of
    from nixcfg.providers.request import named_models

    ask_its_release(root)
    with refusing():
        sources = read(root)
        document = provider_document(sources, provider)
        way = way_of(document)
        chosen = models or interview.more(way, models_of(document), today())
        pairs = named_models(way.prefix, chosen, aliases)
    amendment, changes = amended(
        root, lambda sources: add_models(sources, provider, pairs, today())
    )
    if form == "text":
        for model, alias in pairs:
            report(fitted(f"{alias}: {way.prefix}/{model}", width_of(sys.stderr)))
        path = sources.providers[provider].name
        found = [each for each in amendment.report.problems if each.file == path]
        new = [
            each for each in found if each.line_text and any(m in each.line_text for m, _ in pairs)
        ]
        if new:
            print_problems(new, amendment.report.files, brief=True)
    added = [{"name": alias, "model": f"{way.prefix}/{model}"} for model, alias in pairs]
    print_changes(changes, ["nixcfg render"], form, models=added)
    return OK
