"""What a kind of cache needs, and what LiteLLM does without it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself, in_project

MODEL = {"model_name": "m", "litellm_params": {"model": "openai/gpt-4.1", "api_key": "none"}}
NODES = [["localhost", 26379]]
QDRANT = {
    "type": "qdrant-semantic",
    "qdrant_api_base": "http://q.test",
    "qdrant_collection_name": "c",
    "similarity_threshold": 0.8,
}
REDIS = {"type": "redis-semantic", "host": "r.test", "port": 6379, "password": "none"}


def without(params: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name != key}


STOPS: list[tuple[dict[str, Any], str]] = [
    (without(QDRANT, "qdrant_collection_name"), "needs qdrant_collection_name"),
    (without(QDRANT, "similarity_threshold"), "needs similarity_threshold"),
    (REDIS, "needs similarity_threshold"),
]
"""What of a file alone is known to stop LiteLLM."""


def written(params: Mapping[str, Any]) -> str:
    settings = {"cache": True, "cache_params": params}
    return json.dumps({"model_list": [MODEL], "litellm_settings": settings})


@pytest.mark.parametrize(("params", "part"), STOPS)
def test_a_cache_without_what_it_needs(params: dict[str, Any], part: str, tmp_path: Path):
    (found,) = [
        p for p in by_itself(tmp_path, {"config.yaml": written(params)}).problems if p.is_error
    ]
    assert (found.code, part in found.message) == ("NX221", True)


def test_what_a_variable_may_hold_is_known_in_a_project_only(tmp_path: Path):
    text = written(without(QDRANT, "qdrant_api_base"))
    alone = by_itself(tmp_path / "a", {"config.yaml": text}).problems
    assert not [p for p in alone if p.is_error]
    files = {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text}
    report = in_project(tmp_path / "b", files)
    (found,) = [p.message for p in report.problems if p.code == "NX221"]
    assert found.endswith("needs qdrant_api_base or QDRANT_URL or QDRANT_API_BASE")


@pytest.mark.parametrize(
    ("missing", "codes"),
    [("sentinel_nodes", {"NX214"}), ("service_name", {"NX221"}), ("", set[str]())],
)
def test_a_sentinel_is_asked_by_two_keys(missing: str, codes: set[str], tmp_path: Path):
    params = {"type": "redis", "sentinel_nodes": NODES, "service_name": "main"}
    text = written(without(params, missing))
    found = by_itself(tmp_path, {"config.yaml": text}).problems
    assert {p.code for p in found} & {"NX214", "NX221"} == codes


@pytest.mark.oracle
def test_what_litellm_does(oracle: type[Oracle]):
    sentinel = {"type": "redis", "sentinel_nodes": NODES, "service_name": "main"}
    threshold = {"similarity_threshold": 0.8}
    stops = [params for params, _ in STOPS]
    stops += [
        without(QDRANT, "qdrant_api_base"),
        without(REDIS, "password") | threshold,
        without(REDIS, "host") | threshold,
        without(sentinel, "sentinel_nodes"),
        without(sentinel, "service_name"),
    ]
    starts = [sentinel, REDIS | threshold]
    answers = oracle.ask([{"text": written(params)} for params in (*stops, *starts)])
    errors = [answer["error"] for answer in answers]
    assert [bool(error) for error in errors] == [True] * len(stops) + [False] * len(starts), errors
