"""nixcfg.yaml and the files of a project together: names, exposure, conflicts."""

from collections.abc import Collection, Iterator
from typing import Any

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.project import wiring
from nixcfg.project.model import Machine, Project
from nixcfg.project.nearest import nearest
from nixcfg.rules.secrets import names_secret

_FLOATING = frozenset({"latest", "lts", "stable", "nightly", "dev", "edge"})


def check(project: Project, providers: Collection[str]) -> Iterator[Problem]:
    """What is wrong with nixcfg.yaml; `providers` are the names of all provider files."""
    yield from _names(project, providers)
    yield from _ungrouped(project, providers)
    yield from _shared_names(project)
    for machine in project.machines:
        yield from _loads(project, machine, providers)
        yield from _exposure(project, machine)
        yield from _image(project, machine)
    yield from _conflicts(project)


UNKNOWN_CONFIG = Rule("NX501", Severity.ERROR)


def _loads(project: Project, machine: Machine, providers: Collection[str]) -> Iterator[Problem]:
    configs = [*providers, *project.profiles, wiring.ALL]
    if machine.model_config not in configs:
        guess = nearest(machine.model_config, configs)
        yield project.document.problem(
            UNKNOWN_CONFIG,
            machine.place("model_config"),
            f"there is no provider or profile {machine.model_config}",
            help=f"Did you mean {guess}?" if guess else f"There are: {', '.join(configs)}.",
        )


UNKNOWN_MEMBER = Rule("NX502", Severity.ERROR)
NAME_TAKEN = Rule("NX503", Severity.ERROR)


def _names(project: Project, providers: Collection[str]) -> Iterator[Problem]:
    document = project.document
    # Their files would be one where the file system ignores case.
    taken = {wiring.ALL: "built in"}
    taken |= {name.lower(): "a provider" for name in providers}
    for profile, members in project.profiles.items():
        if profile.lower() in taken:
            wrong = f"{profile} is {taken[profile.lower()]}"
            if profile not in (wiring.ALL, *providers):
                wrong = f"on a file system that ignores case {wrong}"
            yield document.problem(
                NAME_TAKEN,
                ("profiles", profile),
                f"{wrong}; a profile needs a name of its own",
                help="Rename the profile.",
                key=True,
            )
        taken.setdefault(profile.lower(), "another profile")
        for index, member in enumerate(members):
            if member not in providers:
                guess = nearest(member, providers)
                yield document.problem(
                    UNKNOWN_MEMBER,
                    ("profiles", profile, index),
                    f"there is no {wiring.provider_path(member)}",
                    help=f"Did you mean {guess}?"
                    if guess
                    else f"There are: {', '.join(providers)}.",
                )


UNGROUPED = Rule("NX508", Severity.NOTE)


def _ungrouped(project: Project, providers: Collection[str]) -> Iterator[Problem]:
    members = {member for profile in project.profiles.values() for member in profile}
    left = [name for name in providers if name not in members]
    known = members <= set(providers)
    loaded = {machine.model_config for machine in project.machines}
    if project.profiles and left and known and loaded.isdisjoint((wiring.ALL, *left)):
        names = ", ".join(left[:5]) + (" ..." if len(left) > 5 else "")
        yield project.document.problem(
            UNGROUPED,
            ("profiles",),
            f"no profile has {names}",
            help="Add it to a profile if the container should load it.",
            key=True,
        )


SHARED_NAME = Rule("NX504", Severity.NOTE)


def _shared_names(project: Project) -> Iterator[Problem]:
    first_with: dict[str, int] = {}
    for number, provider in enumerate(project.providers):
        told: set[str] = set()
        for index, name in enumerate(provider.model_names):
            first = project.providers[first_with.setdefault(name, number)]
            if first is not provider and name not in told:
                told.add(name)
                at = ("model_list", first.model_names.index(name), "model_name")
                yield provider.document.problem(
                    SHARED_NAME,
                    ("model_list", index, "model_name"),
                    f"{first.name} offers {name} too; where both are loaded, LiteLLM takes turns",
                    help="Rename one of them if that is not meant.",
                    related=[first.document.related(at, "the other one", key=False)],
                )


OPEN_TO_ALL = Rule("NX505", Severity.ERROR)
BAD_ADDRESS = Rule("NX506", Severity.ERROR)


def _exposure(project: Project, machine: Machine) -> Iterator[Problem]:
    document = project.document
    if machine.listen_address == "127.0.0.1":
        return
    import ipaddress

    try:
        address = ipaddress.ip_address(machine.listen_address)
    except ValueError:
        yield document.problem(
            BAD_ADDRESS,
            machine.place("listen_address"),
            f"{machine.listen_address} is no IP address",
            help="127.0.0.1 keeps the gateway on this machine; 0.0.0.0 opens it on all interfaces.",
        )
        return
    if machine.auth == "open" and not address.is_loopback:
        yield document.problem(
            OPEN_TO_ALL,
            machine.place("auth"),
            f"auth: open on {address} lets everyone on the network spend your money",
            help="Use auth: master-key, or listen on 127.0.0.1.",
        )


FLOATING_IMAGE = Rule("NX509", Severity.WARNING)
MALICIOUS_IMAGE = Rule("NX510", Severity.ERROR)


def _image(project: Project, machine: Machine) -> Iterator[Problem]:
    name, _, digest = machine.image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if tag.removeprefix("main-").removeprefix("v").startswith(("1.82.7", "1.82.8")):
        yield project.document.problem(
            MALICIOUS_IMAGE,
            machine.place("image"),
            f"LiteLLM {tag.removeprefix('v')} was backdoored",
            help=f"Use {wiring.DEFAULT_IMAGE}.",
        )
    elif not digest and (not tag or any(word in _FLOATING for word in tag.split("-"))):
        is_release = any(character.isdigit() for character in tag)
        if not is_release:
            yield project.document.problem(
                FLOATING_IMAGE,
                machine.place("image"),
                f"the tag {tag} moves" if tag else "without a tag this is `latest`, which moves",
                help=f"Use {wiring.DEFAULT_IMAGE}, the release that nixcfg knows.",
            )


CONFLICT = Rule("NX202", Severity.ERROR)


def _conflicts(project: Project) -> Iterator[Problem]:
    """Settings that cannot be merged into one configuration; each is told once."""
    told = set()
    for config in project.machine.configs:
        for conflict in config.conflicts:
            first, *others = conflict.settings
            other = next((s for s in others if s.value != first.value), others[-1])
            where = (first.document.name, first.path, other.document.name, other.path)
            if where in told:
                continue
            told.add(where)
            name = ".".join(map(str, conflict.place))
            is_own = other.document is project.document
            way_out = "remove one" if is_own else f"decide in nixcfg.yaml under {conflict.place[0]}"
            secret = names_secret(str(conflict.place[-1]))
            here, there = ("", "") if secret else (_shown(other.value), _shown(first.value))
            yield other.document.problem(
                CONFLICT,
                other.path,
                f"{name} is {here or 'one thing'} here and {there or 'another'} in "
                f"{first.document.name}",
                help=f"One proxy ({config.name}) loads both: make them equal, or {way_out}.",
                related=[first.document.related(first.path, "the other value")],
            )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
