"""A misspelt key, anywhere: nixcfg says so, but where a name is the user's own.

The configurations are the good examples of the rules' pages; NIXCFG_SNIPPETS names a folder with
more, such as the YAML snippets of LiteLLM's documentation, which are not part of this repository.
"""

import copy
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rules_support import by_itself

from nixcfg.problems import pages
from nixcfg.problems.problem import Severity

OWN_NAMES = frozenset(
    {"add_claims", "allowed_param_patterns", "allowed_params", "callback_settings", "callback_vars"}
    | {"content_policy_fallbacks", "context_window_fallbacks", "credential_values", "default"}
    | {"default_headers", "default_query_params", "env", "environment_variables", "extra_body"}
    | {"extra_headers", "fallbacks", "generic_logger_headers", "headers", "mcp_aliases"}
    | {"mcp_servers", "metadata", "model_group_alias", "model_info", "policies"}
    | {"priority_reservation", "requestMetadata", "required_claims", "set_claims", "static_headers"}
    | {"tag_budget_config", "tags", "tool_name_to_cost_per_query", "weights"}
)
"""Mappings whose keys are names that the user makes up, or data that goes to a vendor."""
OF_LITELLM_SETTINGS = (
    *("argilla_transformation_object", "aws_sqs_callback_params", "azure_content_safety_params"),
    *("cache_params", "callbacks", "compression_interception_params", "cost_discount_config"),
    *("cost_margin_config", "default_internal_user_params", "default_key_generate_params"),
    *("default_team_params", "default_vertex_config", "global_bitbucket_config"),
    *("global_gitlab_config", "guardrails", "key_generation_settings", "mcp_semantic_tool_filter"),
    *("prometheus_metrics_config", "prompt_injection_params", "s3_callback_params"),
    *("ui_theme_config", "vertex_ai_safety_settings"),
)
OF_GENERAL_SETTINGS = (
    *("alert_to_webhook_url", "alert_type_config", "custom_auth_settings", "litellm_jwtauth"),
    *("pass_through_endpoints", "service_account_settings", "user_header_mappings"),
)
NOT_YET = (
    *("assistant_settings", "credential_list[].credential_info", "default_litellm_params"),
    *("default_vertex_config", "files_settings[]", "finetune_settings[]", "litellm_jwtauth"),
    *("guardrails[].guardrail_info", "guardrails[].litellm_params", "model_list[].litellm_params"),
    *("mcp_servers", "model_list", "policies", "prompts[].litellm_params", "tag_routing"),
    *("router_settings.cache_params", "router_settings.provider_budget_config"),
    *("vector_store_registry[].litellm_params", "worker_registry"),
    *(f"litellm_settings.{key}" for key in OF_LITELLM_SETTINGS),
    *(f"general_settings.{key}" for key in OF_GENERAL_SETTINGS),
)
"""Below these keys a misspelt one may pass: docs/documented.md has the list. A section that LiteLLM
does not have, or of a shape that it refuses, is reported as a whole."""


def nodes(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if not isinstance(data, dict | list):
        return
    for step, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, step)
        yield from nodes(value, (*path, step))


def spelt(path: tuple[str | int, ...]) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def misspelt(word: str, seed: str) -> str:
    """The word with two letters exchanged, one lost or one doubled."""
    rng = random.Random(seed)
    at = rng.randrange(1, len(word) - 1)
    return rng.choice(
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        ]
    )


def configurations() -> Iterator[tuple[str, dict[str, Any]]]:
    texts = [(code, pages.read(code).good) for code in pages.codes()]
    folder = Path(os.environ.get("NIXCFG_SNIPPETS") or os.devnull)
    texts += [
        (each.name, each.read_text(encoding="utf-8")) for each in sorted(folder.glob("*.yaml"))
    ]
    for name, text in texts:
        try:
            data = yaml.safe_load(text) if isinstance(text, str) else None
            json.dumps(data)
        except (yaml.YAMLError, TypeError):
            continue
        if isinstance(data, dict) and "include" not in data and all(map(str.isidentifier, data)):
            yield name, data


def said(folder: Path, data: dict[str, Any]) -> set[tuple[str, str]]:
    text = yaml.safe_dump(data, sort_keys=False)
    problems = by_itself(folder, {"config.yaml": text}).problems
    return {(p.code, p.message) for p in problems if p.severity is not Severity.NOTE}


def places() -> dict[str, tuple[dict[str, Any], tuple[str | int, ...]]]:
    """Every key that is no name of the user's, once, with a configuration that has it."""
    found = {}
    for _, data in configurations():
        for path in nodes(data):
            *above, key = path
            is_own = any(step in OWN_NAMES for step in above)
            if isinstance(key, str) and len(key) > 3 and key.isidentifier() and not is_own:
                found.setdefault(spelt(path), (data, path))
    return found


def test_a_misspelt_key_is_reported(tmp_path: Path):
    before: dict[int, set[tuple[str, str]]] = {}
    missed = []
    listed = places()
    for place, (data, path) in listed.items():
        bad = copy.deepcopy(data)
        here: Any = bad
        for step in path[:-1]:
            here = here[step]
        wrong = misspelt(str(path[-1]), place)
        if wrong in here or wrong == path[-1]:
            continue
        items = [(wrong if key == path[-1] else key, value) for key, value in here.items()]
        here.clear()
        here.update(items)
        if id(data) not in before:
            before[id(data)] = said(tmp_path, data)
        if not said(tmp_path, bad) - before[id(data)]:
            missed.append(place)
    below = tuple(f"{each}{end}" for each in NOT_YET for end in (".", "[]."))
    assert [place for place in missed if not place.startswith(below)] == []
    assert len(missed) < 0.4 * len(listed)
