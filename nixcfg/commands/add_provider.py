"""`nixcfg add-provider`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import (
    amended,
    ask_its_release,
    example_files,
    find_root,
    json_option,
    read,
    refusing,
    today,
)
from nixcfg.commands.output import print_changes, print_problems, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixcfg.project.model import Provider
    from nixcfg.project.wiring import KeyFile
    from nixcfg.providers.amendment import Amendment
    from nixcfg.providers.request import NewProvider


@click.command()
@click.argument("name", required=False, shell_complete=complete.new_providers)
@click.option(
    "--provider",
    metavar="PREFIX",
    shell_complete=complete.new_providers,
    help="What LiteLLM calls it, if NAME is a name of your own.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    shell_complete=complete.models,
    help="A model of the provider; repeat for more.  [default: its current main models]",
)
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    help="What clients ask for; one for each --model, in the same order.",
)
@click.option("--api-base", default="", metavar="URL", help="The address of a server of your own.")
@click.option(
    "--key-file",
    "key_files",
    multiple=True,
    metavar="[VARIABLE=]PATH",
    help="Where the key is on the machine, if not in secrets_dir; "
    "also config.sops.secrets.NAME.path.",
)
@click.option(
    "--env",
    "variables",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A setting that is no secret (region, account), or the name of the variable that holds "
    "the key.",
)
@click.option("--no-key", is_flag=True, help="The server asks for no key.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    shell_complete=complete.profiles,
    help="A profile to join, new or not.",
)
@json_option
@click.pass_obj
def command(
    base: Path,
    *,
    name: str | None,
    provider: str | None,
    models: tuple[str, ...],
    aliases: tuple[str, ...],
    api_base: str,
    key_files: tuple[str, ...],
    variables: tuple[str, ...],
    no_key: bool,
    profiles: tuple[str, ...],
    form: str,
) -> int:
    """Add a provider of models.

    Writes its file, a placeholder for its key, and what nixcfg.yaml has to say. NAME is any
    provider of LiteLLM, what people call one (claude, grok, aws), provider/model, or with
    --provider a name of your own. At a terminal, NAME alone asks what nixcfg cannot know, and an
    unknown NAME is a server of your own. All is written or nothing, and only what validates.

    \b
    Examples:
      nixcfg add-provider groq
      nixcfg add-provider mistral --model mistral-large-4 --alias large
      nixcfg add-provider bedrock --env AWS_REGION_NAME=eu-central-1
      nixcfg add-provider box --provider openai --api-base http://localhost:8000/v1 --model qwen3
    """
    from nixcfg.commands import add_model, steps
    from nixcfg.providers import ask, identify, interview
    from nixcfg.providers.add import add, check_name, refuse_taken
    from nixcfg.providers.request import NewProvider

    root = find_root(base)
    ask_its_release(root)
    decided = models or aliases or api_base or variables or no_key or form == "json"
    asks = ask.is_terminal() and not decided
    if name is None and not asks:
        raise click.UsageError("Missing argument 'NAME'.")
    with refusing():
        typed = identify.typed_name() if name is None else name
        who = identify.identify(typed, provider or "", asks=asks)
        new = NewProvider(
            name=who.name,
            prefix=who.prefix,
            models=models or ((who.model,) if who.model else ()),
            aliases=aliases,
            api_base=api_base or who.api_base,
            named=tuple(each for each in variables if "=" not in each),
            settings=dict(_pair(each) for each in variables if "=" in each),
            key_files=dict(_pair(each) if "=" in each else ("", each) for each in key_files),
            profiles=profiles,
            keyless=no_key,
        )
        sources = read(root)
        check_name(sources, new.name)
        if asks:
            refuse_taken(sources, new)
            others = [] if provider else interview.siblings(new, sources)
            chosen = interview.beside(new, others[0]) if others else new
            if chosen is None:
                return add_model.more(root, others[0], new.models)
            new = interview.complete(chosen, sources, today())
        else:
            new = interview.fill(new, today())
    amendment, changes = amended(
        root, lambda sources: add(sources, new, example_files(root), today())
    )
    keys = _keys(amendment, new.name)
    facts = _facts(amendment, new.name, keys)
    if form == "text":
        _describe(amendment, new, facts, was_asked=asks)
    print_changes(changes, steps.after_add(amendment.project, new.name, keys), form, **facts)
    return OK


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _keys(amendment: "Amendment", name: str) -> "list[KeyFile]":
    machine = amendment.project.machine
    config = next(each for each in machine.configs if each.name == name)
    return [machine.key_files[variable] for variable in config.secrets]


def _facts(amendment: "Amendment", name: str, keys: "Sequence[KeyFile]") -> dict[str, Any]:
    """What `--json` says beside the changes; host_ports are the ports that are still closed."""
    from nixcfg.project import own_ports

    added = next(each for each in amendment.project.providers if each.name == name)
    return {
        "models": [
            {"name": entry["model_name"], "model": entry["litellm_params"]["model"]}
            for entry in added.deployments
        ],
        "secrets": [{"variable": k.variable, "file": k.file, "kind": k.kind} for k in keys],
        "host_ports": own_ports.closed(amendment.project.machine, _bases(added)),
    }


def _bases(added: "Provider") -> set[str]:
    return {str(each["litellm_params"].get("api_base", "")) for each in added.deployments}


def _describe(
    amendment: "Amendment",
    new: "NewProvider",
    facts: dict[str, Any],
    *,
    was_asked: bool,
) -> None:
    from nixcfg.commands.output import fitted, width_of
    from nixcfg.project import wiring
    from nixcfg.rules import own_machine, regions

    lines = [f"{model['name']}: {model['model']}" for model in facts["models"]]
    lines += [f"{secret['variable']}: {secret['file']}" for secret in facts["secrets"]]
    for line in lines:
        report(fitted(line, width_of(sys.stderr)))
    described = _describe_own_machine(amendment, new)
    path = wiring.provider_path(new.name)
    said = {own_machine.CLOSED_PORT.code} if described else set()
    said |= {regions.NO_REGION.code} if was_asked else set()
    found = [
        each
        for each in amendment.report.problems
        if each.file in amendment.texts and not (each.code in said and each.file == path)
    ]
    # What is wrong with each of several models in the same way is said once.
    found = [*{(each.file, each.code, each.message): each for each in reversed(found)}.values()]
    if found:
        print_problems(found[::-1], amendment.report.files, brief=True)


def _describe_own_machine(amendment: "Amendment", new: "NewProvider") -> bool:
    """What a server on the gateway's own machine needs, whichever configuration is loaded.

    Whether its port is closed: then no finding has to say so again.
    """
    from nixcfg.commands.output import fitted, width_of
    from nixcfg.project import own_ports

    machine = amendment.project.machine
    added = next(each for each in amendment.project.providers if each.name == new.name)
    own = sorted(base for base in _bases(added) if own_ports.own_port(base) is not None)
    width = width_of(sys.stderr)
    for base in own if not new.api_base or new.api_base not in own else ():
        why = (
            f"In the container localhost is the container itself, so the gateway calls {base}, "
            "which is this machine."
        )
        report(fitted(why, width))
    closed = own_ports.closed(machine, own)
    if closed:
        line = own_ports.opened(machine, closed)
        why = "The firewall keeps this server from the gateway. Add to nixcfg.yaml:"
        report(f"{fitted(why, width)}\n  {line}\n{fitted(f'and {own_ports.LISTEN}.', width)}")
    return bool(closed)
