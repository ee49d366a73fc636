"""nixcfg.yaml: names that must exist, and what would expose the gateway."""

import ipaddress
from collections.abc import Collection, Iterator

from nixcfg import shape, wiring
from nixcfg.model import Project
from nixcfg.problem import Problem, Rule, Severity

UNKNOWN_CONFIG = Rule("NX501", Severity.ERROR, "model_config names nothing that is rendered")
UNKNOWN_MEMBER = Rule("NX502", Severity.ERROR, "a profile names no provider")
NAME_TAKEN = Rule("NX503", Severity.ERROR, "a name stands for two things")
SHARED_NAME = Rule("NX504", Severity.NOTE, "several providers answer to one model name")
OPEN_TO_ALL = Rule("NX505", Severity.ERROR, "anyone on the network could use the gateway")
BAD_ADDRESS = Rule("NX506", Severity.ERROR, "listen_address is no IP address")


def check(project: Project, providers: Collection[str]) -> Iterator[Problem]:
    """What is wrong with nixcfg.yaml; `providers` are the names of all provider files."""
    yield from _names(project, providers)
    yield from _shared_names(project)
    yield from _exposure(project)


def _names(project: Project, providers: Collection[str]) -> Iterator[Problem]:
    document = project.document
    configs = [*providers, *project.profiles, wiring.ALL]
    if project.model_config not in configs:
        guess = shape.nearest(project.model_config, configs)
        yield document.problem(
            UNKNOWN_CONFIG,
            ("model_config",),
            f"there is no provider or profile {project.model_config}",
            help=f"Did you mean {guess}?" if guess else f"There are: {', '.join(configs)}.",
        )
    for profile, members in project.profiles.items():
        if profile == wiring.ALL or profile in providers:
            taken = "built in" if profile == wiring.ALL else "a provider"
            yield document.problem(
                NAME_TAKEN,
                ("profiles", profile),
                f"{profile} is {taken}; a profile needs a name of its own",
                help="Rename the profile.",
                key=True,
            )
        for index, member in enumerate(members):
            if member not in providers:
                guess = shape.nearest(member, providers)
                yield document.problem(
                    UNKNOWN_MEMBER,
                    ("profiles", profile, index),
                    f"there is no {wiring.provider_path(member)}",
                    help=f"Did you mean {guess}?"
                    if guess
                    else f"There are: {', '.join(providers)}.",
                )


def _shared_names(project: Project) -> Iterator[Problem]:
    first_with: dict[str, int] = {}
    for number, provider in enumerate(project.providers):
        for index, name in enumerate(provider.model_names):
            first = project.providers[first_with.setdefault(name, number)]
            if first is not provider:
                at = ("model_list", first.model_names.index(name), "model_name")
                yield provider.document.problem(
                    SHARED_NAME,
                    ("model_list", index, "model_name"),
                    f"{first.name} offers {name} too; where both are loaded, LiteLLM takes turns",
                    help="Rename one of them if that is not meant.",
                    related=[first.document.related(at, "the other one", key=False)],
                )


def _exposure(project: Project) -> Iterator[Problem]:
    document = project.document
    try:
        address = ipaddress.ip_address(project.listen_address)
    except ValueError:
        yield document.problem(
            BAD_ADDRESS,
            ("listen_address",),
            f"{project.listen_address} is no IP address",
            help="127.0.0.1 keeps the gateway on this machine; 0.0.0.0 opens it on all interfaces.",
        )
        return
    if project.auth == "open" and not address.is_loopback:
        yield document.problem(
            OPEN_TO_ALL,
            ("auth",),
            f"auth: open on {address} lets everyone on the network spend your money",
            help="Use auth: master-key, or listen on 127.0.0.1.",
        )
