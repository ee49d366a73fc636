"""Secrets in a file: named by a reference that LiteLLM understands, never written out."""

import re
from collections.abc import Iterator
from functools import cache

from nixcfg.keys.shapes import looks_like_key, names_secret, password_in_url
from nixcfg.knowledge import Knowledge, ProviderFacts
from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity, Steps
from nixcfg.project import wiring
from nixcfg.project.model import ENVIRONMENT, MODELS, SETTINGS
from nixcfg.project.nearest import nearest
from nixcfg.project.values import dollar, reference, referenced, referenced_at_end
from nixcfg.rules.context import Config
from nixcfg.rules.scope import EveryDocument
from nixcfg.rules.walk import scalars

_DOLLAR_ANYWHERE = re.compile(r"\$\{[^{}\s]*\}")
_SPELT_OTHERWISE = re.compile(
    r"\$[A-Z][A-Z0-9_]*|(?:os\.)?environ(?:[.:]|\[['\"]?|\.get\(['\"])[A-Za-z_]\w*['\"]?[\])]*"
    r"|(?:os\.)?env[/.][A-Z][A-Z0-9_]*|\{\{ *[A-Z][A-Z0-9_]* *\}\}|%[A-Z][A-Z0-9_]*%"
    r"|<[A-Z]+_[A-Z_]+>"
)
_WELL_KNOWN = (wiring.MASTER_KEY_VARIABLE, "DATABASE_URL", "LITELLM_LICENSE")
_OIDC = re.compile(r"oidc/(file|env|env_path)/\S+")


@EveryDocument
def _texts(config: Config) -> Iterator[Problem]:
    """What a document says about secrets, and how."""
    undeclared: set[str | None] = set()
    for path, text in scalars(config.data):
        if not isinstance(text, str):
            continue
        if config.is_project_file and path[0] not in SETTINGS:
            continue
        if len(path) > 2 and "model_info" in path:
            continue  # free-form: descriptions may hold anything
        for problem in _text(config, path, text):
            if problem.rule is not UNDECLARED:
                yield problem
            elif (name := referenced_at_end(text)) not in undeclared:
                undeclared.add(name)
                yield problem


PARTIAL = Rule("NX306", Severity.ERROR, standalone=Severity.WARNING)


def _text(config: Config, path: Steps, text: str) -> Iterator[Problem]:
    if "os.environ/" in text:
        yield from _reference(config, path, text)
    elif _DOLLAR_ANYWHERE.search(text):
        yield from _dollar(config, path, text)
    elif password_in_url(text):
        yield _literal(config, path, f"the password in {path[-1]}")
    elif looks_like_key(text) and _is_secret(config.knowledge, path) and not _OIDC.fullmatch(text):
        yield _literal(config, path, f"the secret in {path[-1]}")
    elif isinstance(path[-1], str) and (
        _SPELT_OTHERWISE.fullmatch(text)
        or (_OIDC.fullmatch(text) and _is_secret(config.knowledge, path))
    ):
        name = re.search(r"[A-Z][A-Z0-9_]+", text)
        right = f"os.environ/{text}" if text.startswith("oidc/") else ""
        right = right or (reference(name[0]) if name else "")
        yield config.document.problem(
            PARTIAL,
            path,
            f"LiteLLM would send the text {text} as is",
            help=f"Write {right or 'os.environ/NAME'}.",
            fix=Fix((SetValue(path, right),), safe=False) if right else None,
        )


LITERAL = Rule("NX302", Severity.ERROR, standalone=Severity.WARNING)


def _literal(config: Config, path: Steps, what: str) -> Problem:
    danger = (
        "is written out in the file"
        if config.standalone
        else "would be world-readable in the Nix store"
    )
    return config.document.problem(
        LITERAL,
        path,
        f"{what} {danger}",
        help="Write os.environ/NAME here, keep the value in a file, and replace it where it was "
        f"issued: it has been in {config.document.name}.",
    )


IN_LIST = Rule("NX307", Severity.ERROR, standalone=Severity.WARNING)
TOO_LATE = Rule("NX308", Severity.ERROR, standalone=Severity.WARNING)


def _reference(config: Config, path: Steps, text: str) -> Iterator[Problem]:
    variable = referenced_at_end(text) if _is_header(path) else referenced(text)
    if isinstance(path[-1], int):
        yield config.document.problem(
            IN_LIST,
            path,
            f"LiteLLM resolves no references in lists and keeps the text {_shown(text)}",
            help="Write the value itself.",
        )
    elif variable is None:
        if not re.fullmatch(r"os\.environ/oidc/\S+", text):
            yield config.document.problem(
                PARTIAL,
                path,
                f"LiteLLM would use the text {_shown(text)} as is",
                help="Put the whole value into one variable, and write only os.environ/NAME.",
            )
    elif config.environment.get(variable) is not None and not _declares(config, variable):
        yield config.document.problem(
            TOO_LATE,
            path,
            f"LiteLLM looks for {variable} before environment_variables sets it",
            help="Write the value here, or declare the variable in nixcfg.yaml."
            if not config.standalone
            else "Write the value here, or set the variable outside the file.",
            related=[config.document.related((ENVIRONMENT, variable), "set here, too late")],
        )
    elif not config.standalone and not _is_declared(config, path, variable):
        yield from _undeclared(config, path, variable, text)


def _is_header(path: Steps) -> bool:
    """Whether LiteLLM reads a reference here behind other text too: `Bearer os.environ/NAME`."""
    return len(path) == 5 and path[1] == "pass_through_endpoints" and path[3] == "headers"


UNDECLARED = Rule("NX311", Severity.WARNING)


def _undeclared(config: Config, path: Steps, variable: str, text: str) -> Iterator[Problem]:
    named: set[str] = {*config.environment, *config.context.secrets, *config.context.environment}
    if path[-1] == "model":
        return  # the rule on models that a variable names says more
    guess = nearest(variable, named) or nearest(variable, _variables_of_file(config))
    if not guess and _is_secret(config.knowledge, path):
        return  # a key under a name of the user's own: it is wired to a key file
    declare = f"Declare it: {ENVIRONMENT}: {variable}: ${{{variable}}}; or, for a plain value, "
    yield config.document.problem(
        UNDECLARED,
        path,
        f"nothing declares {variable}; nixcfg would read it from a key file",
        help=f"Did you mean {guess}?" if guess else declare + "under environment in nixcfg.yaml.",
        fix=Fix((SetValue(path, text.replace(variable, guess)),), safe=False) if guess else None,
    )


def _is_declared(config: Config, path: Steps, variable: str) -> bool:
    return (
        path[0] == ENVIRONMENT
        or variable in config.environment
        or variable in config.context.secrets
        or variable in config.context.environment
        or variable in _WELL_KNOWN
        or variable in _credential_variables(config.knowledge)
    )


@cache
def _credential_variables(knowledge: Knowledge) -> frozenset[str]:
    return frozenset().union(*map(_variables, knowledge.providers().values()))


def _variables_of_file(config: Config) -> frozenset[str]:
    """Those of the providers in the file: a key must not be sought among other vendors' names."""
    return frozenset().union(*(_variables(d.facts) for d in config.deployments if d.facts))


def _variables(facts: ProviderFacts) -> frozenset[str]:
    alternatives = (variable for names in facts.alternatives for variable in names)
    usual = (credential.variable for credential in facts.credentials)
    return frozenset({*usual, *alternatives, facts.api_base.variable or ""} - {""})


def _declares(config: Config, variable: str) -> bool:
    """`KEY: ${KEY}` or `KEY: os.environ/KEY`: the variable is in the environment already."""
    value = config.environment.get(variable)
    return variable in (referenced(value), dollar(value))


DOLLAR = Rule("NX301", Severity.WARNING)


def _dollar(config: Config, path: Steps, text: str) -> Iterator[Problem]:
    variable = dollar(text)
    in_environment = path[0] == ENVIRONMENT and path[-1] == variable
    if in_environment and not config.standalone:
        return
    right = reference(variable) if variable else ""
    default = re.fullmatch(r"\$\{([A-Za-z_]\w*):?[-=?+][^{}]*\}", text)
    if in_environment:
        wrong = f"LiteLLM would overwrite {variable} with the text {text}"
        advice = "Remove the line: the variable is in LiteLLM's environment anyway."
    elif default and isinstance(path[-1], str):
        right = reference(default[1])
        wrong = f"LiteLLM knows no default values and would send {text} as is"
        advice = f"Write {right}."
    elif isinstance(path[-1], int) or not right:
        wrong = f"LiteLLM would use the text {_shown(text)} as is"
        advice = "Put the whole value into one variable, and write only os.environ/NAME."
        right = ""
    else:
        wrong = f"LiteLLM would send the text {text} as is"
        advice = f"Write {right}" + ("." if config.standalone else "; nixcfg renders it so.")
    fix = Fix((SetValue(path, right),), safe=not default) if right and not in_environment else None
    yield config.document.problem(DOLLAR, path, wrong, help=advice, fix=fix)


def _shown(text: str) -> str:
    return text if len(text) <= 60 and "@" not in text else "that is written here"


def _is_secret(knowledge: Knowledge, path: Steps) -> bool:
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    section = "litellm_params" if path[0] == MODELS else str(path[0])
    if section == ENVIRONMENT:
        return names_secret(key)
    known = knowledge.keys(section).get(key) if section in knowledge.sections() else None
    return known.secret if known else names_secret(key)
