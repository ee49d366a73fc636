"""Who may use the gateway, and whose key goes to which host."""

import re
from collections.abc import Iterator

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.project.nearest import nearest
from nixcfg.project.values import dollar, referenced
from nixcfg.rules import endpoints
from nixcfg.rules.config import Config, Deployment
from nixcfg.yamltext.source import Map

_REFUSED = frozenset({"", "true", "sk-1234"})
_WEAK_LENGTH = 20


GLOBAL_KEY = Rule("NX320", Severity.ERROR, alone=Severity.WARNING)


def check(config: Config) -> Iterator[Problem]:
    """Keys and credentials of a document."""
    yield from _master_key(config)
    yield from _named(config)
    for deployment in config.deployments:
        yield from _whose_key(config, deployment)
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


MASTER_KEY_REFUSED = Rule("NX314", Severity.ERROR, alone=Severity.WARNING)
MASTER_KEY_WEAK = Rule("NX315", Severity.WARNING)
MASTER_KEY_MISSING = Rule("NX316", Severity.NOTE)


def _master_key(config: Config) -> Iterator[Problem]:
    general = config.section("general_settings")
    path = ("general_settings", "master_key")
    value = general.get("master_key")
    permitted = general.get("dangerously_permit_weak_or_unset_master_key")
    if isinstance(value, str) and not referenced(value) and not dollar(value):
        if value.strip().lower() in _REFUSED:
            yield config.document.problem(
                MASTER_KEY_REFUSED,
                path,
                "LiteLLM does not start with this master key",
                help="Remove it: nixcfg generates a strong one."
                if not config.alone
                else "Set LITELLM_MASTER_KEY to sk- and 32 random characters.",
            )
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
    elif config.alone and not config.around.included:
        yield config.document.problem(
            MASTER_KEY_MISSING,
            (),
            "LiteLLM starts only when LITELLM_MASTER_KEY is set, for this file names no master key",
            help="Add general_settings: master_key: os.environ/LITELLM_MASTER_KEY.",
        )


UNKNOWN_CREDENTIAL = Rule("NX318", Severity.ERROR, alone=Severity.WARNING)


def _named(config: Config) -> Iterator[Problem]:
    listed = config.data.get("credential_list") if not config.is_project_file else None
    names = {
        item["credential_name"]
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, Map) and isinstance(item.get("credential_name"), str)
    } | config.around.credentials
    for deployment in config.deployments:
        name = deployment.params.get("litellm_credential_name")
        if isinstance(name, str) and name not in names and config.around.complete:
            path = (*deployment.params_path, "litellm_credential_name")
            guess = nearest(name, names)
            yield config.document.problem(
                UNKNOWN_CREDENTIAL,
                path,
                f"credential_list has no {name}; LiteLLM would use the key of its environment",
                help=f"Did you mean {guess}?" if guess else "Define it in credential_list.",
                fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
            )


OTHER_KEY = Rule("NX317", Severity.NOTE)
SENT_ELSEWHERE = Rule("NX319", Severity.ERROR, alone=Severity.WARNING)


def _whose_key(config: Config, deployment: Deployment) -> Iterator[Problem]:
    params, facts = deployment.params, deployment.facts
    if facts is None or "mock_response" in params or "litellm_credential_name" in params:
        return
    if any(params.get(c.param) is not None for c in facts.credentials if c.param and c.secret):
        return
    if params.get("api_key") is not None:
        return
    base = deployment.api_base
    if deployment.provider == "openai" and isinstance(base, str) and "://" in base:
        if not config.alone and "OPENAI_API_KEY" in config.environment:
            return  # this file says that OPENAI_API_KEY is its key
        host = endpoints.host(base)
        is_theirs = re.search(r"(^|\.)openai\.(com|azure\.com)$", host)
        if host and not is_theirs and not referenced(base):
            key = "api_base" if "api_base" in params else "base_url"
            yield config.document.problem(
                SENT_ELSEWHERE,
                (*deployment.params_path, key),
                f"LiteLLM sends OPENAI_API_KEY to {host}",
                help="Add api_key: os.environ/NAME with its own key, or api_key: none.",
            )
    elif config.alone and facts.falls_back_to:
        own = facts.key.variable if facts.key else "its key"
        yield config.document.problem(
            OTHER_KEY,
            (*deployment.params_path, "model"),
            f"when {own} is not set, LiteLLM sends {facts.falls_back_to} to {facts.name}",
            help=f"Write api_key: os.environ/{own}, and see that it is set."
            if facts.key
            else "Add an api_key.",
        )
