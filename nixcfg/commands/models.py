"""`nixcfg models`."""

import json
import sys
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS, complete
from nixcfg.commands.context import ask_its_release, json_option, today
from nixcfg.commands.output import report

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("words", nargs=-1, shell_complete=complete.models)
@click.option(
    "--provider",
    default="",
    metavar="NAME",
    shell_complete=complete.new_providers,
    help="Only this provider's models.",
)
@click.option(
    "--sort",
    type=click.Choice(["price", "context", "newest"]),
    default=None,
    help="Cheapest, widest or newest first.",
)
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Show so many at most.")
@click.option("--all", "everything", is_flag=True, help="Also retired ones, embeddings, images ...")
@json_option
@click.pass_obj
def command(
    base: "Path",
    words: tuple[str, ...],
    *,
    provider: str,
    sort: str | None,
    limit: int | None,
    everything: bool,
    form: str,
) -> int:
    """List the models that LiteLLM knows.

    With context window, price and retirement, as the release of your project has them. WORDS are
    parts of provider and model, all of which must fit, or a pattern with * and ?; cheap and newest
    say the order. Prices are US dollars for a million tokens.

    \b
    Examples:
      nixcfg models gemini flash
      nixcfg models cheap
      nixcfg models 'anthropic/*sonnet*' --sort newest --limit 5
    """
    from nixcfg.commands.output import advise, fitted, table, width_of
    from nixcfg.project.find import project_root
    from nixcfg.providers import catalogue, search

    ask_its_release(project_root(base))
    wanted = search.asked(words, _provider(provider), sort or "", limit)
    found = search.found(wanted, today(), everything=everything)
    shown = found[: wanted.limit]
    if form == "json":
        listed = [catalogue.as_data(facts, today()) for facts in shown]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif found:
        rows = [catalogue.as_row(facts, today()) for facts in shown]
        click.echo(table(catalogue.HEADERS, rows, width_of(sys.stdout)))
    if not found:
        better = search.corrected(wanted)
        near = () if better else search.suggestions(wanted)
        told = (
            f"No model has {' '.join(words)} in its name."
            + (f" Did you mean nixcfg models {better}?" if better else "")
            + (f" Nearest: {', '.join(near)}." if near else "")
            + ("" if everything or better else " Try --all.")
        )
        report(fitted(told, width_of(sys.stderr)))
        return PROBLEMS
    if len(found) > len(shown) and form == "text":
        advise(f"{len(found) - len(shown)} more: --limit {len(found)}")
    return OK


def _provider(typed: str) -> str:
    """The provider that a name means. Raises UsageError for none, or several."""
    from nixcfg.providers import names

    if not typed:
        return ""
    meaning = names.meaning(typed)
    if len(meaning.providers) == 1:
        return meaning.providers[0]
    if meaning.providers:
        raise click.UsageError(f"{typed} may be {' or '.join(meaning.providers)}")
    from nixcfg.project.nearest import nearest

    guess = nearest(typed.lower(), tuple(names.known()))
    hint = f"; did you mean {guess}?" if guess else ""
    raise click.UsageError(f"LiteLLM has no provider {typed}{hint}")
