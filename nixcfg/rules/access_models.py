"""The models that teams, users and keys may use: there, theirs, and with a price."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nixcfg.access import desired
from nixcfg.knowledge import Knowledge
from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project.model import MODELS, Config
from nixcfg.project.nearest import nearest
from nixcfg.rules import context
from nixcfg.rules.access import LIMIT_ABOVE
from nixcfg.rules.context import Whole, variable_stores_models
from nixcfg.rules.scope import WholeProject
from nixcfg.yamltext.document import Document

_SPECIAL = frozenset({"all-proxy-models", "all-team-models", "no-default-models"})
"""Words that LiteLLM has for models (SpecialModelNames and SpecialModelNames of a key)."""
_COUNTED = (None, "chat", "completion", "embedding", "responses")
"""Modes of models that are paid by the token."""
_SOME = 3


@dataclass(frozen=True)
class _Offered:
    """What the configurations offer that the machines with a database load."""

    configs: tuple[Config, ...]
    documents: tuple[Document, ...]
    knowledge: Knowledge
    may_be_elsewhere: bool

    @cached_property
    def deployments(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The entries of model_list by the name that clients ask for."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for config in self.configs:
            for entry in config.litellm[MODELS]:
                found.setdefault(str(entry["model_name"]), []).append(entry)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """All that a client may ask for, and access groups."""
        groups: set[str] = set()
        for entries in self.deployments.values():
            for entry in entries:
                listed = (entry.get("model_info") or {}).get("access_groups")
                groups.update(map(str, listed if isinstance(listed, list) else ()))
        offers = (context.offer(document, self.knowledge) for document in self.documents)
        return frozenset(groups).union(*(each.names for each in offers))

    def has(self, name: str) -> bool:
        patterns = (each for each in self.names if "*" in each)
        return name in self.names or any(_covers(pattern, name) for pattern in patterns)

    def is_unpriced(self, name: str) -> bool:
        """Whether requests to this model cost nothing in LiteLLM's books."""
        return any(not _is_priced(self.knowledge, each) for each in self.deployments.get(name, ()))


def _covers(pattern: str, name: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name))


def _is_priced(knowledge: Knowledge, entry: Mapping[str, Any]) -> bool:
    params, info = entry["litellm_params"], entry.get("model_info") or {}
    if any("cost_per" in key for key in (*params, *info)):
        return True
    model = str(info.get("base_model") or params.get("base_model") or params["model"])
    if "*" in model or "mock_response" in params:
        return True
    facts = knowledge.find_model(model, params.get("custom_llm_provider"))
    if facts is None:
        return False
    return facts.mode not in _COUNTED or facts.input_cost_per_token is not None


def _offered(whole: Whole) -> _Offered | None:
    """None where a file cannot be read, whose models are not known."""
    project = whole.project
    if len(whole.files) > len(project.providers):
        return None
    machines = [each for each in project.machines if desired.has_database(each)]
    configs = tuple(
        config
        for machine in machines or project.machines
        for config in machine.configs
        if config.name == machine.model_config
    )
    stores = any(
        variable_stores_models(machine.environment) for machine in project.machines
    ) or any(
        (config.litellm.get("general_settings") or {}).get("store_model_in_db")
        for config in configs
    )
    loaded = {name for config in configs for name in config.providers}
    documents = (each.document for each in project.providers if each.name in loaded)
    found = _Offered(configs, (project.document, *documents), project.knowledge, stores)
    return found if configs else None


def _allowed(given: Mapping[str, Any]) -> list[Any]:
    models = given.get("models")
    return models if isinstance(models, list) else []


@WholeProject
def _models(whole: Whole) -> Iterator[Problem]:
    if not desired.is_wanted(whole.project) or not (offered := _offered(whole)):
        return
    teams = desired.entries(whole.project, "teams")
    for section in desired.KINDS:
        for name, given in desired.entries(whole.project, section).items():
            team = teams.get(str(given.get("team"))) if section == "keys" else None
            for index, model in enumerate(_allowed(given)):
                path = (section, name, "models", index)
                if not isinstance(model, str) or model in _SPECIAL:
                    continue
                if not offered.has(model) and not offered.may_be_elsewhere:
                    yield _no_such(whole, path, model, offered)
                elif team and not _team_has(team, model):
                    yield whole.project.document.problem(
                        LIMIT_ABOVE,
                        path,
                        f"team {given['team']} may not use {model}, and so neither may this key",
                        help=f"Add {model} to the team's models, or remove it here.",
                        related=[
                            whole.project.document.related(
                                ("teams", given["team"], "models"), "the team's"
                            )
                        ],
                    )


def _team_has(team: Mapping[str, Any], model: str) -> bool:
    allowed = _allowed(team)
    return not allowed or any(
        each in ("all-proxy-models", model) or _covers(str(each), model) for each in allowed
    )


UNKNOWN_MODEL = Rule("NX536", Severity.ERROR)


def _no_such(whole: Whole, path: Steps, model: str, offered: _Offered) -> Problem:
    elsewhere = any(model in provider.model_names for provider in whole.project.providers)
    guess = nearest(model, offered.names)
    advice = f"Did you mean {guess}?" if guess else "Add it to a provider, or remove it here."
    return whole.project.document.problem(
        UNKNOWN_MODEL,
        path,
        f"{model} is not in the configuration that is loaded"
        if elsewhere
        else f"no provider offers {model}",
        help="Load it by model_config, or remove it here." if elsewhere else advice,
    )


UNPRICED = Rule("NX538", Severity.WARNING)


@WholeProject
def _unpriced(whole: Whole) -> Iterator[Problem]:
    if not desired.is_wanted(whole.project) or not (offered := _offered(whole)):
        return
    for section in desired.KINDS:
        for name, given in desired.entries(whole.project, section).items():
            if not isinstance(given.get("max_budget"), int | float):
                continue
            allowed = [model for model in _allowed(given) if isinstance(model, str)]
            asked = [m for m in allowed if m in offered.deployments] or (
                [] if allowed else list(offered.deployments)
            )
            free = [model for model in asked if offered.is_unpriced(model)]
            if free:
                some = ", ".join(free[:_SOME]) + (" ..." if len(free) > _SOME else "")
                yield whole.project.document.problem(
                    UNPRICED,
                    (section, name, "max_budget"),
                    f"LiteLLM knows no price of {some}, so this budget counts nothing there",
                    help="Give its litellm_params input_cost_per_token and "
                    "output_cost_per_token, 0 if it is free.",
                )
