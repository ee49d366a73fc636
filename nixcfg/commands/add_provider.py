"""`nixcfg add-provider`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import (
    amended,
    example_files,
    find_root,
    json_option,
    read,
    refusing,
    today,
)
from nixcfg.commands.output import print_changes, print_problems, report

if TYPE_CHECKING:
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
    provider of LiteLLM, a brand such as claude, or with --provider a name of your own. At a
    terminal, NAME alone asks what nixcfg cannot know. All is written or nothing, and only what
    validates.

    \b
    Examples:
      nixcfg add-provider groq
      nixcfg add-provider mistral --model mistral-large-4 --alias large
      nixcfg add-provider bedrock --env AWS_REGION_NAME=eu-central-1
      nixcfg add-provider box --provider openai --api-base http://localhost:8000/v1 --model qwen3
    """
    from nixcfg.providers import ask, interview
    from nixcfg.providers.add import add, check_name
    from nixcfg.providers.request import NewProvider

    root = find_root(base)
    decided = models or aliases or api_base or variables or no_key or form == "json"
    asks = ask.is_terminal() and not decided
    if name is None and not asks:
        raise click.UsageError("Missing argument 'NAME'.")
    with refusing():
        name = name or interview.name()
        new = NewProvider(
            name=name,
            prefix=interview.prefix(name, provider or ""),
            models=models,
            aliases=aliases,
            api_base=api_base,
            named=tuple(each for each in variables if "=" not in each),
            settings=dict(_pair(each) for each in variables if "=" in each),
            key_files=dict(_pair(each) if "=" in each else ("", each) for each in key_files),
            profiles=profiles,
            keyless=no_key,
        )
        sources = read(root)
        check_name(sources, new.name)
        new = interview.complete(new, sources, today()) if asks else interview.fill(new, today())
    amendment, changes = amended(
        root, lambda sources: add(sources, new, example_files(root), today())
    )
    facts = _facts(amendment, new)
    if form == "text":
        _describe(amendment, new.name, facts)
    fetch = [f"nixcfg set-key {new.name}"] if facts["secrets"] else []
    print_changes(
        changes, [*fetch, "nixcfg render", "sudo nixos-rebuild switch"][:2], form, **facts
    )
    return OK


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _facts(amendment: "Amendment", new: "NewProvider") -> dict[str, list[dict[str, str]]]:
    added = next(each for each in amendment.project.providers if each.name == new.name)
    config = next(each for each in amendment.project.machine.configs if each.name == new.name)
    files = (amendment.project.machine.key_files[variable] for variable in config.secrets)
    return {
        "models": [
            {"name": entry["model_name"], "model": entry["litellm_params"]["model"]}
            for entry in added.deployments
        ],
        "secrets": [{"variable": f.variable, "file": f.file, "kind": f.kind} for f in files],
    }


def _describe(amendment: "Amendment", name: str, facts: dict[str, list[dict[str, str]]]) -> None:
    from nixcfg.commands.output import fitted, width_of
    from nixcfg.project import wiring
    from nixcfg.rules import own_machine

    lines = [f"{model['name']}: {model['model']}" for model in facts["models"]]
    lines += [f"{secret['variable']}: {secret['file']}" for secret in facts["secrets"]]
    for line in lines:
        report(fitted(line, width_of(sys.stderr)))
    described = _describe_own_ports(amendment, name)
    path = wiring.provider_path(name)
    found = [
        each
        for each in amendment.report.problems
        if each.file in amendment.texts
        and not (described and each.code == own_machine.CLOSED_PORT.code and each.file == path)
    ]
    if found:
        print_problems(found, amendment.report.files, brief=True)


def _describe_own_ports(amendment: "Amendment", name: str) -> bool:
    """What a server on the gateway's own machine needs, whichever configuration is loaded.

    Whether it needs anything: then no finding has to say so again.
    """
    from nixcfg.commands.output import fitted, width_of
    from nixcfg.project import own_ports

    machine = amendment.project.machine
    added = next(each for each in amendment.project.providers if each.name == name)
    bases = (entry["litellm_params"].get("api_base") for entry in added.deployments)
    closed = own_ports.closed(machine, (base for base in bases if isinstance(base, str)))
    if closed:
        line = own_ports.opened(machine, closed)
        width = width_of(sys.stderr)
        why = "The firewall keeps this server from the gateway. Add to nixcfg.yaml:"
        report(f"{fitted(why, width)}\n  {line}\n{fitted(f'and {own_ports.LISTEN}.', width)}")
    return bool(closed)
