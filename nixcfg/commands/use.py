"""`nixcfg use`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import amended, find_root, json_option, read, today
from nixcfg.commands.output import print_changes

if TYPE_CHECKING:
    from nixcfg.project.find import Sources


@click.command()
@click.argument(
    "configs", nargs=-1, required=True, metavar="CONFIG...", shell_complete=complete.configs
)
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete.profiles,
    help="The profile that several providers become.",
)
@click.option(
    "--host",
    metavar="NAME",
    shell_complete=complete.hosts,
    help="Change this host of nixcfg.yaml, not what all of them have in common.",
)
@json_option
@click.pass_obj
def command(
    base: Path, configs: tuple[str, ...], profile: str | None, host: str | None, form: str
) -> int:
    """Choose what the container loads.

    CONFIG is a provider, a profile, or all; it becomes model_config in nixcfg.yaml. Several
    providers become a profile first.

    \b
    Examples:
      nixcfg use all
      nixcfg use claude openai --profile both
    """
    from nixcfg.providers.use import use

    if profile == "":
        raise click.UsageError("--profile needs a name")
    root = find_root(base)
    members = configs if profile or len(configs) > 1 else ()
    if members and not profile:
        profile = _profile(read(root), configs, asks=form == "text")
    config = profile or configs[0]
    _, changes = amended(root, lambda sources: use(sources, config, today(), host, members))
    then = ["nixcfg render", "sudo nixos-rebuild switch"]
    print_changes(changes, then, form, model_config=config)
    return OK


def _profile(sources: "Sources", members: tuple[str, ...], *, asks: bool) -> str:
    """The profile that has these members, or the name of a new one, asked at a terminal."""
    from nixcfg.project.find import is_name
    from nixcfg.providers import ask

    data = sources.project.data if isinstance(sources.project.data, dict) else {}
    profiles = data.get("profiles")
    for name, there in profiles.items() if isinstance(profiles, dict) else ():
        if isinstance(there, list) and [*map(str, there)] == [*members]:
            return str(name)
    unknown = next((name for name in members if name not in sources.providers), "")
    if unknown:
        there = ", ".join(sources.providers)
        raise click.UsageError(f"there is no provider {unknown}; a profile is made of: {there}")
    if not asks or not ask.is_terminal():
        raise click.UsageError(
            "several providers are a profile: nixcfg use " + " ".join(members) + " --profile NAME"
        )

    def check(answer: str) -> str:
        if not is_name(answer) or answer in sources.providers:
            taken = "a provider" if answer in sources.providers else "no name"
            raise ValueError(f"{answer} is {taken}; use letters, digits, - and _")
        return answer

    ask.say(f"{' and '.join(members)} become a profile.")
    return ask.ask("Its name", default="-".join(members), check=check)
