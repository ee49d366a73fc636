"""`nixcfg rename`."""

from pathlib import Path

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import amended, find_root, json_option, read, refusing, today
from nixcfg.commands.output import advise, print_changes


@click.command()
@click.argument("old", shell_complete=complete.renamable)
@click.argument("new")
@click.option("--model", "kind", flag_value="model", help="OLD is what clients ask for.")
@click.option("--provider", "kind", flag_value="provider", help="OLD is a provider's file.")
@json_option
@click.pass_obj
def command(base: Path, old: str, new: str, kind: str | None, form: str) -> int:
    """Rename a model or a provider of the project.

    A model in every place that names it: its entries, fallbacks, aliases and who may use it. A
    provider with its file, its profiles and model_config. Comments stay. All is written or nothing.

    \b
    Examples:
      nixcfg rename claude-sonnet sonnet
      nixcfg rename claude anthropic --provider
    """
    from nixcfg.project.nearest import nearest
    from nixcfg.providers.amendment import AmendError
    from nixcfg.providers.rename import offered, rename_model, rename_provider

    root = find_root(base)
    with refusing():
        sources = read(root)
        models = offered(sources)
        is_model, is_provider = old in models, old in sources.providers
        if kind is None and is_model and is_provider:
            raise AmendError(f"{old} is a provider and a model; add --provider or --model")
        if kind is None and not is_model and not is_provider:
            known = [*models, *sources.providers]
            guess = nearest(old, known)
            hint = f"Did you mean {guess}?" if guess else f"There are {', '.join(known)}."
            raise AmendError(f"no model and no provider is called {old}. {hint}")
    kind = kind or ("provider" if is_provider else "model")
    change = rename_provider if kind == "provider" else rename_model
    _, changes = amended(root, lambda sources: change(sources, old, new, today()))
    if kind == "model" and form == "text":
        advise(f"Clients have to ask for {new} now.")
    print_changes(changes, ["nixcfg render"], form)
    return OK
