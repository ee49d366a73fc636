"""nixcfg.yaml and the files of a project together: names, exposure, conflicts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nixcfg.keys.shapes import names_secret
from nixcfg.knowledge import Choice, known, releases
from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project import wiring
from nixcfg.project.model import Machine
from nixcfg.project.nearest import nearest
from nixcfg.rules.context import Whole
from nixcfg.rules.scope import EveryMachine, WholeProject
from nixcfg.yamltext.document import Document

UNKNOWN_CONFIG = Rule("NX501", Severity.ERROR)


@EveryMachine
def _loads(whole: Whole, machine: Machine) -> Iterator[Problem]:
    project, providers = whole.project, whole.files
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


@WholeProject
def _names(whole: Whole) -> Iterator[Problem]:
    project, providers = whole.project, whole.files
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


@WholeProject
def _ungrouped(whole: Whole) -> Iterator[Problem]:
    project, providers = whole.project, whole.files
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


@WholeProject
def _shared_names(whole: Whole) -> Iterator[Problem]:
    project = whole.project
    first_with: dict[str, int] = {}
    for number, provider in enumerate(project.providers):
        reported: set[str] = set()
        for index, name in enumerate(provider.model_names):
            first = project.providers[first_with.setdefault(name, number)]
            if first is not provider and name not in reported:
                reported.add(name)
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


@EveryMachine
def _exposure(whole: Whole, machine: Machine) -> Iterator[Problem]:
    document = whole.project.document
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
HOLED_IMAGE = Rule("NX521", Severity.ERROR)


@EveryMachine
def _image(whole: Whole, machine: Machine) -> Iterator[Problem]:
    document, image, where = whole.project.document, machine.image, machine.place("image")
    found, suspected = releases.of_image(image), releases.suspected(image)
    levels = {each.level for each in found}
    if releases.Level.COMPROMISED in levels:
        bad = "; ".join(f"{each.what} ({each.id})" for each in releases.compromised(found))
        yield document.problem(
            MALICIOUS_IMAGE,
            where,
            f"this release is compromised: {bad}",
            help=f"Use {wiring.DEFAULT_IMAGE}. If it has run, replace every key it could read.",
        )
    elif found:
        is_open = releases.Level.ERROR in levels
        how = " that are exploited or need no key" if is_open else ""
        until = releases.way_out(found)
        problem = document.problem(
            HOLED_IMAGE,
            where,
            f"this release has known holes{how}: {', '.join(map(str, found))}",
            help=f"Use {until and f'a release from {until} on, such as '}{wiring.DEFAULT_IMAGE}.",
        )
        yield problem if is_open else replace(problem, level=Severity.WARNING)
    elif suspected:
        bad = "; ".join(f"{each.what} ({each.id})" for each in suspected)
        problem = document.problem(
            MALICIOUS_IMAGE,
            where,
            "the tag is that of a compromised LiteLLM, and the name does not say whether this is "
            f"LiteLLM: {bad}",
            help="`nixcfg pin` looks into the image: it refuses that release, and pins any other "
            "by its digest.",
        )
        yield replace(problem, level=Severity.WARNING)
    if releases.is_floating(image):
        tag = image.rpartition("/")[2].partition(":")[2]
        yield document.problem(
            FLOATING_IMAGE,
            where,
            f"the tag {tag} moves" if tag else "without a tag this is `latest`, which moves",
            help=f"Use {wiring.DEFAULT_IMAGE}, the release that nixcfg knows. On 2026-10-21 "
            "LiteLLM's moving tags pointed at the compromised 1.107.0.",
        )


def _is_bad(image: str) -> bool:
    return bool(releases.of_image(image) or releases.suspected(image))


UNPINNED_IMAGE = Rule("NX524", Severity.NOTE)


@EveryMachine
def _unpinned(whole: Whole, machine: Machine) -> Iterator[Problem]:
    """Of an image that nixcfg.yaml names: the default is nixcfg's own choice, and no one's line."""
    document, image, where = whole.project.document, machine.image, machine.place("image")
    is_named = where[0] in document.data
    # What is worse has to be changed anyway, and what was built on the machine is in no registry.
    is_worse = releases.is_floating(image) or _is_bad(image)
    if is_named and "@" not in image and not is_worse and not image.startswith("localhost/"):
        yield document.problem(
            UNPINNED_IMAGE,
            where,
            "this image has no digest, so its owner decides what the tag is tomorrow",
            help="`nixcfg pin` asks the registry and writes image: NAME:TAG@sha256:... here.",
        )


UNKNOWN_RELEASE = Rule("NX522", Severity.NOTE)


def unknown_release(document: Document, where: Steps, chosen: Choice) -> Problem:
    """Once for what is judged by another release than it is for."""
    return document.problem(
        UNKNOWN_RELEASE,
        where,
        f"nixcfg does not know LiteLLM {chosen.asked}, and judges by {chosen.knowledge.version}",
        help="What it calls unknown may be new. Take a newer nixcfg, or a release that it knows: "
        f"{', '.join(known())}.",
    )


@EveryMachine
def _unknown_release(whole: Whole, machine: Machine) -> Iterator[Problem]:
    # One with advisories has to be replaced anyway.
    if not machine.chosen.is_known and not _is_bad(machine.image):
        yield unknown_release(whole.project.document, machine.place("image"), machine.chosen)


CONFLICT = Rule("NX202", Severity.ERROR)


@WholeProject
def _conflicts(whole: Whole) -> Iterator[Problem]:
    """Settings that cannot be merged into one configuration; each is reported once."""
    project = whole.project
    reported = set()
    for config in project.machine.configs:
        for conflict in config.conflicts:
            first, *others = conflict.settings
            other = next((s for s in others if s.value != first.value), others[-1])
            where = (first.document.name, first.path, other.document.name, other.path)
            if where in reported:
                continue
            reported.add(where)
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
