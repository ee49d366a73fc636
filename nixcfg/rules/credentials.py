"""Who may use the gateway, and whose key goes to which host."""

import re
from collections.abc import Iterator
from dataclasses import replace

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.project.nearest import nearest
from nixcfg.project.values import dollar, referenced
from nixcfg.rules import endpoints
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import EveryDeployment, EveryDocument

_REFUSED = frozenset({"", "sk-1234"})
"""What the check at LiteLLM's start refuses. The text `true` it takes, unless from a variable."""
_WEAK_LENGTH = 20


GLOBAL_KEY = Rule("NX320", Severity.ERROR, standalone=Severity.WARNING)


@EveryDocument
def _global_key(config: Config) -> Iterator[Problem]:
    for key in ("api_key", "api_base"):
        value = config.section("litellm_settings").get(key)
        if isinstance(value, str):
            what = "is sent to" if key == "api_key" else "gets the requests of"
            yield config.document.problem(
                GLOBAL_KEY,
                ("litellm_settings", key),
                f"litellm_settings.{key} {what} every provider that has none of its own",
                help=f"Give each deployment its {key} in litellm_params.",
                key=True,
            )


MASTER_KEY_REFUSED = Rule("NX314", Severity.ERROR, standalone=Severity.WARNING)
MASTER_KEY_WEAK = Rule("NX315", Severity.WARNING)
MASTER_KEY_MISSING = Rule("NX316", Severity.NOTE)


@EveryDocument
def _master_key(config: Config) -> Iterator[Problem]:
    general = config.section("general_settings")
    path = ("general_settings", "master_key")
    value = general.get("master_key")
    permitted = config.has("general_settings", "dangerously_permit_weak_or_unset_master_key")
    if isinstance(value, str) and not referenced(value) and not dollar(value):
        if value.strip() in _REFUSED:
            problem = config.document.problem(
                MASTER_KEY_REFUSED,
                path,
                "LiteLLM does not start with this master key",
                help="Remove it: nixcfg generates a strong one."
                if not config.standalone
                else "Set LITELLM_MASTER_KEY to sk- and 32 random characters.",
            )
            # The check at the start refuses this one by name, whatever the environment holds.
            is_known = value.strip() == "sk-1234"
            yield replace(problem, level=Severity.ERROR) if is_known else problem
        elif len(value) < _WEAK_LENGTH and "os.environ" not in value:
            yield config.document.problem(
                MASTER_KEY_WEAK,
                path,
                "this master key is short enough to be guessed",
                help="Use sk- and 32 random characters, kept in a file of their own.",
            )
    elif permitted or value is not None:
        return
    elif "master_key" in general:
        yield config.document.problem(
            MASTER_KEY_REFUSED,
            path,
            "LiteLLM does not start: a null master_key hides LITELLM_MASTER_KEY",
            help="Remove the line.",
            key=True,
        )
    elif config.standalone and not config.context.included:
        yield config.document.problem(
            MASTER_KEY_MISSING,
            (),
            "LiteLLM starts only when LITELLM_MASTER_KEY is set, because this file names none",
            help="Add general_settings: master_key: os.environ/LITELLM_MASTER_KEY.",
        )


UNKNOWN_CREDENTIAL = Rule("NX318", Severity.ERROR, standalone=Severity.WARNING)


@EveryDeployment
def _named(config: Config, deployment: Deployment) -> Iterator[Problem]:
    names = config.context.credentials
    name = deployment.params.get("litellm_credential_name")
    if isinstance(name, str) and name not in names and config.context.complete:
        path = (*deployment.params_path, "litellm_credential_name")
        guess = nearest(name, names)
        yield config.document.problem(
            UNKNOWN_CREDENTIAL,
            path,
            f"credential_list has no {name}; LiteLLM would use the key of its environment",
            help=f"Did you mean {guess}?" if guess else "Define it in credential_list.",
            fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
        )


def _names_no_key(deployment: Deployment) -> bool:
    """Whether LiteLLM looks for the key of this deployment in its environment."""
    params, facts = deployment.params, deployment.facts
    given = {c.param for c in facts.credentials if c.param and c.secret} if facts else set()
    return (
        "mock_response" not in params
        and "litellm_credential_name" not in params
        and all(params.get(key) is None for key in (*given, "api_key"))
    )


def _is_elsewhere(deployment: Deployment) -> bool:
    base = deployment.api_base
    return deployment.provider == "openai" and isinstance(base, str) and "://" in base


SENT_ELSEWHERE = Rule("NX319", Severity.ERROR, standalone=Severity.WARNING)


@EveryDeployment
def _sent_elsewhere(config: Config, deployment: Deployment) -> Iterator[Problem]:
    if not _is_elsewhere(deployment) or not _names_no_key(deployment):
        return
    if not config.standalone and "OPENAI_API_KEY" in config.environment:
        return  # this file says that OPENAI_API_KEY is its key
    host = endpoints.host(deployment.api_base)
    is_theirs = re.search(r"(^|\.)openai\.(com|azure\.com)$", host)
    if host and not is_theirs:
        key = "api_base" if "api_base" in deployment.params else "base_url"
        yield config.document.problem(
            SENT_ELSEWHERE,
            (*deployment.params_path, key),
            f"LiteLLM sends OPENAI_API_KEY to {host}",
            help="Add api_key: os.environ/NAME with its own key, or api_key: none.",
        )


OTHER_KEY = Rule("NX317", Severity.NOTE)


@EveryDeployment
def _other_key(config: Config, deployment: Deployment) -> Iterator[Problem]:
    facts = deployment.facts
    if not config.standalone or facts is None or _is_elsewhere(deployment):
        return
    if facts.falls_back_to and _names_no_key(deployment):
        own = facts.key.variable if facts.key else "its key"
        yield config.document.problem(
            OTHER_KEY,
            (*deployment.params_path, "model"),
            f"when {own} is not set, LiteLLM sends {facts.falls_back_to} to {facts.name}",
            help=f"Write api_key: os.environ/{own}, and see that it is set."
            if facts.key
            else "Add an api_key.",
        )


ANOTHERS_KEY = Rule("NX321", Severity.WARNING)


@EveryDeployment
def _anothers_key(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """A key that is named after one vendor, and goes to the host of another."""
    facts, variable = deployment.facts, referenced(deployment.params.get("api_key"))
    if facts is None or variable is None or deployment.api_base is not None:
        return
    own = facts.api_base.default
    if not own or variable in {each.variable for each in facts.credentials}:
        return
    owner = _owner(config, variable)
    if owner is None or _domain(owner) == _domain(own):
        return
    better = facts.key.variable if facts.key else ""
    yield config.document.problem(
        ANOTHERS_KEY,
        (*deployment.params_path, "api_key"),
        f"LiteLLM sends the key in {variable} to {endpoints.host(own)}",
        help=f"Did you mean os.environ/{better}?" if better else "Name the key that is meant.",
    )


def _owner(config: Config, variable: str) -> str | None:
    """The address of the vendor whose key this variable holds, where it is one vendor's."""
    hosts = {
        facts.api_base.default
        for facts in config.knowledge.providers().values()
        if facts.api_base.default and facts.key and facts.key.variable == variable
    }
    return hosts.pop() if len({_domain(host) for host in hosts}) == 1 else None


def _domain(address: str) -> str:
    return ".".join(endpoints.host(address).split(".")[-2:])
