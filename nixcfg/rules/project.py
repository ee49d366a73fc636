"""nixcfg.yaml and the files of a project together: names, exposure, conflicts."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.project import wiring
from nixcfg.project.model import Machine, Project
from nixcfg.project.nearest import nearest
from nixcfg.rules.secrets import names_secret

_OPENAI = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""
_CLAUDE = """\
model_list:
  - model_name: claude
    litellm_params:
      model: anthropic/claude-sonnet-4-5
"""
_FILES: Mapping[str, str] = {"providers/openai.yaml": _OPENAI, "providers/claude.yaml": _CLAUDE}

CONFLICT = Rule(
    "NX202",
    Severity.ERROR,
    "one setting is given differently in two places",
    explanation=(
        "A configuration that loads several providers has one of each setting. nixcfg merges "
        "mappings and lists of fallbacks, and lets nixcfg.yaml win; whatever else differs between "
        "two provider files it does not decide."
    ),
    bad={
        "nixcfg.yaml": "model_config: all\n",
        "providers/claude.yaml": _CLAUDE + "router_settings:\n  num_retries: 2\n",
        "providers/openai.yaml": _OPENAI
        + """\
router_settings:
  num_retries: 3
#              ^
""",
    },
    good={
        "nixcfg.yaml": "model_config: all\nrouter_settings:\n  num_retries: 2\n",
        "providers/claude.yaml": _CLAUDE,
        "providers/openai.yaml": _OPENAI + "router_settings:\n  num_retries: 3\n",
    },
    source="design: conflicts are reported, never resolved in silence",
)

UNKNOWN_CONFIG = Rule(
    "NX501",
    Severity.ERROR,
    "model_config names nothing that is rendered",
    explanation=(
        "model_config says which rendered configuration the container loads: a provider, a "
        "profile, or all."
    ),
    bad={"nixcfg.yaml": "model_config: cluade\n#             ^^^^^^\n", **_FILES},
    good={"nixcfg.yaml": "model_config: claude\n", **_FILES},
    source="design: one LiteLLM file for each provider, each profile, and all",
)

UNKNOWN_MEMBER = Rule(
    "NX502",
    Severity.ERROR,
    "a profile names no provider",
    explanation="A profile is a list of providers, each of which is a file in providers/.",
    bad={
        "nixcfg.yaml": """\
model_config: work
profiles:
  work: [claude, opnai]
#                ^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "model_config: work\nprofiles:\n  work: [claude, openai]\n", **_FILES},
    source="design: profiles are named groups of providers",
)

NAME_TAKEN = Rule(
    "NX503",
    Severity.ERROR,
    "a name stands for two things",
    explanation=(
        "Providers, profiles and the built-in `all` are rendered side by side in litellm/, so no "
        "two of them can have one name."
    ),
    bad={
        "nixcfg.yaml": """\
profiles:
  claude: [claude, openai]
# ^^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "profiles:\n  both: [claude, openai]\n", **_FILES},
    source="design: one LiteLLM file for each provider, each profile, and all",
)

SHARED_NAME = Rule(
    "NX504",
    Severity.NOTE,
    "several provider files offer one model name",
    explanation=(
        "Where both files are loaded, LiteLLM balances the requests for that name over both. That "
        "is how a group over several vendors is written; by accident it sends some requests to "
        "another vendor."
    ),
    bad={
        "nixcfg.yaml": "model_config: all\n",
        "providers/a.yaml": _CLAUDE,
        "providers/b.yaml": """\
model_list:
  - model_name: claude
#               ^^^^^^
    litellm_params:
      model: openrouter/anthropic/claude-sonnet-4.5
""",
    },
    good={"nixcfg.yaml": "model_config: all\n", **_FILES},
    source="run: requests alternate between the two",
)

OPEN_TO_ALL = Rule(
    "NX505",
    Severity.ERROR,
    "anyone on the network could use the gateway",
    explanation=(
        "auth: open serves everybody who can reach the port, on your account with every vendor. "
        "It is possible on loopback only."
    ),
    bad={
        "nixcfg.yaml": """\
listen_address: 0.0.0.0
auth: open
#     ^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "listen_address: 127.0.0.1\nauth: open\n", **_FILES},
    source="run: without a master key every route is open",
)

BAD_ADDRESS = Rule(
    "NX506",
    Severity.ERROR,
    "listen_address is no IP address",
    explanation="The container's port is published on an IP address; a host name cannot be used.",
    bad={
        "nixcfg.yaml": """\
listen_address: 127.0.0
#               ^^^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "listen_address: 127.0.0.1\n", **_FILES},
    source="docker and podman: --publish takes an address",
)

UNGROUPED = Rule(
    "NX508",
    Severity.NOTE,
    "a provider is in no profile",
    explanation=(
        "The project groups its providers into profiles, and this one is in none of them: it is "
        "loaded by its own configuration and by `all` only."
    ),
    bad={
        "nixcfg.yaml": """\
model_config: work
profiles:
#^^^^^^^
  work: [claude]
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "model_config: work\nprofiles:\n  work: [claude, openai]\n", **_FILES},
    source="design: profiles are named groups of providers",
)

FLOATING_IMAGE = Rule(
    "NX509",
    Severity.WARNING,
    "an image that changes under its name",
    explanation=(
        "latest, main-latest, main-stable and the like name another image every week; main-latest "
        "and main-stable are deprecated upstream. A restart may then bring a release that nobody "
        "tried, and nixcfg's knowledge of LiteLLM belongs to one release. Name a release, or a "
        "digest."
    ),
    bad={
        "nixcfg.yaml": """\
image: ghcr.io/berriai/litellm:main-latest
#      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "image: ghcr.io/berriai/litellm:v1.106.2\n", **_FILES},
    source="LiteLLM's documentation: pin a release tag",
)

MALICIOUS_IMAGE = Rule(
    "NX510",
    Severity.ERROR,
    "a release of LiteLLM that was backdoored",
    explanation=(
        "LiteLLM 1.82.7 and 1.82.8 on PyPI carried a backdoor that sent keys away (BerriAI/litellm "
        "issue 24518). The images were not affected, but nobody should run these versions from "
        "any source."
    ),
    bad={
        "nixcfg.yaml": """\
image: ghcr.io/berriai/litellm:v1.82.8
#      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "image: ghcr.io/berriai/litellm:v1.106.2\n", **_FILES},
    source="BerriAI/litellm issue 24518",
)

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
