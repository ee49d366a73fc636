"""Variables that a file, or nixcfg.yaml, puts into LiteLLM's environment."""

from collections.abc import Iterator
from dataclasses import replace

from nixcfg.keys.shapes import is_refused
from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project import wiring
from nixcfg.project.model import ENVIRONMENT, Machine, Project
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config, Whole
from nixcfg.rules.endpoints import own_address
from nixcfg.rules.scope import EveryMachine, ModelFile, WholeProject
from nixcfg.rules.secrets import LITERAL
from nixcfg.yamltext.document import Document

# LiteLLM, and the OpenAI client inside it, read these two by themselves.
_REDIRECTS = {"OPENAI_BASE_URL": "openai", "OPENAI_API_BASE": "openai"}


NONE_VALUE = Rule("NX309", Severity.WARNING)


@ModelFile
def _none_values(config: Config) -> Iterator[Problem]:
    for name, value in config.environment.items():
        source = referenced(value)
        if value is None or (source and config.standalone):
            problem = config.document.problem(
                NONE_VALUE,
                (ENVIRONMENT, name),
                f'LiteLLM sets {name} to the text "None"'
                + (f" when {source} is not set" if source else ""),
                help="Remove the line: the variable is in LiteLLM's environment anyway."
                if source == name
                else f"See that {source} is set."
                if source
                else "Give it a value, or remove the line.",
            )
            # Another variable is read for a purpose, and may well be set.
            other = source and source != name
            yield replace(problem, level=Severity.NOTE) if other else problem


TOO_LATE = Rule("NX322", Severity.WARNING)


@ModelFile
def _at_import(config: Config) -> Iterator[Problem]:
    for name in config.environment:
        if name in config.knowledge.variables_at_import:
            yield config.document.problem(
                TOO_LATE,
                (ENVIRONMENT, name),
                f"{config.litellm} reads {name} when it is imported, before this file",
                help="Set it in the environment of the process."
                if config.standalone
                else "Move it to environment in nixcfg.yaml.",
                key=True,
            )


BLOCKED = Rule("NX310", Severity.WARNING)


@ModelFile
def _blocked(config: Config) -> Iterator[Problem]:
    for name in config.environment:
        if name in config.knowledge.blocked_variables or name.startswith("DYLD_"):
            yield config.document.problem(
                BLOCKED,
                (ENVIRONMENT, name),
                f"LiteLLM does not set {name}",
                help="Remove the line.",
                key=True,
            )


CONFIG_PATH = Rule("NX511", Severity.ERROR, standalone=Severity.WARNING)


def _config_path(document: Document, path: Steps) -> Problem:
    return document.problem(
        CONFIG_PATH,
        path,
        "CONFIG_FILE_PATH makes LiteLLM load another file than the one that is rendered",
        help="Remove the line.",
        key=True,
    )


@ModelFile
def _config_path_in_file(config: Config) -> Iterator[Problem]:
    if "CONFIG_FILE_PATH" in config.environment:
        yield _config_path(config.document, (ENVIRONMENT, "CONFIG_FILE_PATH"))


REDIRECT = Rule("NX313", Severity.WARNING)


@ModelFile
def _redirects(config: Config) -> Iterator[Problem]:
    for name, value in config.environment.items():
        provider = _REDIRECTS.get(name)
        if not provider or value is None:
            continue
        if any(d.provider == provider and d.api_base is None for d in config.deployments):
            yield config.document.problem(
                REDIRECT,
                (ENVIRONMENT, name),
                f"{name} sends all {provider} requests, with their key, to another address",
                help="Give the deployment that is meant an api_base instead.",
                key=True,
            )


COMPETING = Rule("NX312", Severity.WARNING)


@ModelFile
def _competing(config: Config) -> Iterator[Problem]:
    """Outside a project, those of one file; in a project, see `_competing_secrets`."""
    document = config.document
    for winner, loser in config.knowledge.competing() if config.standalone else ():
        if winner in config.environment and loser in config.environment:
            yield document.problem(
                COMPETING,
                (ENVIRONMENT, loser),
                f"LiteLLM uses {winner} and never {loser} when both are set",
                help=f"Keep one of the two, or write api_key: os.environ/{loser} where meant.",
                key=True,
                related=[document.related((ENVIRONMENT, winner), "this one wins")],
            )


@EveryMachine
def _competing_secrets(whole: Whole, machine: Machine) -> Iterator[Problem]:
    for provider in whole.project.providers:
        section = provider.document.data.get(ENVIRONMENT) or {}
        known = {*provider.variables, *machine.environment, *section}
        for winner, loser in sorted(machine.knowledge.competing()):
            if not known.issuperset((winner, loser)):
                continue
            at: Steps = (ENVIRONMENT, loser) if loser in section else ()
            yield provider.document.problem(
                COMPETING,
                at,
                f"LiteLLM uses {winner} and never {loser} when both are set",
                help="Keep one of the two.",
                key=True,
            )


UNUSED = Rule("NX305", Severity.WARNING)


@WholeProject
def _unused(whole: Whole) -> Iterator[Problem]:
    project = whole.project
    used = {name for each in project.machines for name in (*each.key_files, *each.environment)}
    for machine in (project.machine, *project.machines):
        for name in machine.secrets:
            if name not in used and name != wiring.MASTER_KEY_VARIABLE:
                yield project.document.problem(
                    UNUSED,
                    machine.place("secrets", name),
                    f"no provider uses {name}",
                    help="Declare it in a provider's environment_variables, or remove it.",
                    key=True,
                )


ONE_FILE = Rule("NX303", Severity.ERROR)


@EveryMachine
def _shared_files(whole: Whole, machine: Machine) -> Iterator[Problem]:
    first_with: dict[str, str] = {}
    for key in machine.key_files.values():
        first = first_with.setdefault(key.file, key.variable)
        if first != key.variable:
            named = key.variable if key.variable in machine.secrets else first
            yield whole.project.document.problem(
                ONE_FILE,
                machine.place("secrets", named),
                f"{first} and {key.variable} would both be read from {key.file}",
                help="Give one of them a file of its own under secrets.",
            )


@EveryMachine
def _plain(whole: Whole, machine: Machine) -> Iterator[Problem]:
    document = whole.project.document
    for name, value in machine.environment.items():
        place = machine.place("environment", name)
        if is_refused(name, value):
            yield document.problem(
                LITERAL,
                place,
                f"the key in {name} would be world-readable in the Nix store",
                help="Remove it here and keep it in a key file; see `secrets`.",
            )
        if name == "CONFIG_FILE_PATH":
            yield _config_path(document, place)
        if wiring.is_loopback(value):
            yield own_address(document, place, value)
        provider = _REDIRECTS.get(name)
        if provider and _relies_on_default(whole.project, provider):
            yield document.problem(
                REDIRECT,
                place,
                f"{name} sends all {provider} requests, with their key, to another address",
                help="Give the deployment that is meant an api_base instead.",
                key=True,
            )


TWICE = Rule("NX304", Severity.ERROR)


@EveryMachine
def _wired_twice(whole: Whole, machine: Machine) -> Iterator[Problem]:
    document = whole.project.document
    for name in machine.secrets:
        if name in machine.environment:
            yield document.problem(
                TWICE,
                machine.place("environment", name),
                f"{name} is also under secrets",
                help="Keep it in one of the two.",
                key=True,
                related=[document.related(machine.place("secrets", name), "the secret")],
            )


OWNED = Rule("NX512", Severity.ERROR)


@EveryMachine
def _owned(whole: Whole, machine: Machine) -> Iterator[Problem]:
    owned = {**wiring.OWNED_VARIABLES, **machine.served}
    for section, given in (("environment", machine.environment), ("secrets", machine.secrets)):
        for name in given:
            is_nx511 = section == "environment" and name == "CONFIG_FILE_PATH"
            if name in owned and not is_nx511:
                setting = owned[name]
                yield whole.project.document.problem(
                    OWNED,
                    machine.place(section, name),
                    f"the gateway sets {name} by itself",
                    help=f"Use {setting} instead." if setting else "Remove the line.",
                    key=True,
                )


def _relies_on_default(project: Project, provider: str) -> bool:
    return any(
        "api_base" not in entry["litellm_params"]
        and project.knowledge.split_model(str(entry["litellm_params"]["model"]))[0] == provider
        for each in project.providers
        for entry in each.deployments
    )
