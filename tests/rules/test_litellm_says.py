"""What the real proxy does with settings that are easily judged wrong; and what nixcfg says."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself, in_project

from nixcfg import check, knowledge

HOSTS = ("a.test", "b.test")


def deployment(model: str = "openai/gpt-4o", host: str = HOSTS[0], **more: Any) -> dict[str, Any]:
    params = {"model": model, "api_key": "none", "api_base": f"http://{host}", **more}
    return {"model_name": "m", "litellm_params": params}


def written(*deployments: Mapping[str, Any], **sections: Any) -> str:
    return json.dumps({"model_list": list(deployments or [deployment()]), **sections})


def found(folder: Path, text: str) -> dict[str, tuple[str, str, str]]:
    """Severity, message and help of each finding in a LiteLLM file alone, by code."""
    problems = by_itself(folder, {"config.yaml": text}).problems
    return {p.code: (p.severity.value, p.message, p.help) for p in problems}


def project(folder: Path, text: str) -> check.Report:
    files = {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text}
    return in_project(folder, files)


def passing(header: str) -> str:
    endpoint = {"path": "/x", "target": "https://a.test", "headers": {"Authorization": header}}
    return written(general_settings={"pass_through_endpoints": [endpoint]})


@pytest.mark.parametrize(
    "header", ["Bearer os.environ/COHERE_API_KEY", "os.environ/COHERE_API_KEY"]
)
def test_a_header_reads_a_variable_behind_other_text(tmp_path: Path, header: str):
    assert "NX306" not in found(tmp_path / "alone", passing(header))
    report = project(tmp_path / "project", passing(header))
    assert not [p for p in report.problems if p.is_error]
    assert report.project is not None
    assert "COHERE_API_KEY" in report.project.machine.key_files


@pytest.mark.parametrize("header", ["Bearer os.environ/KEY!", "os.environ/A os.environ/B"])
def test_a_header_with_text_behind_the_variable_is_sent_as_it_is(tmp_path: Path, header: str):
    assert found(tmp_path, passing(header))["NX306"][0] == "warning"


def cached(**params: Any) -> str:
    return written(litellm_settings={"cache": True, "cache_params": params})


@pytest.mark.parametrize(
    ("params", "severity"),
    [
        ({"ttl": 60}, "note"),
        ({"supported_call_types": ["acompletion"]}, "note"),
        ({"host": "redis.test", "port": 6379}, "warning"),
        ({"type": "redis", "ttl": 60}, "warning"),
    ],
)
def test_a_cache_without_type_is_no_error(tmp_path: Path, params: Any, severity: str):
    assert found(tmp_path, cached(**params))["NX214"][0] == severity
    assert not [p for p in project(tmp_path / "p", cached(ttl=60)).problems if p.is_error]


def bedrock(**params: Any) -> str:
    model = {"model": "bedrock/amazon.nova-pro-v1:0", "aws_region_name": "eu-central-1"}
    return written({"model_name": "m", "litellm_params": {**model, **params}})


@pytest.mark.parametrize(
    "params",
    [
        {"api_key": "os.environ/TEAM_KEY"},
        {"aws_role_name": "arn:aws:iam::1:role/x", "aws_session_name": "gateway"},
        {"aws_profile_name": "work"},
    ],
)
def test_a_token_or_role_needs_no_access_key(tmp_path: Path, params: Any):
    report = project(tmp_path, bedrock(**params))
    assert report.project is not None
    assert "AWS_ACCESS_KEY_ID" not in report.project.machine.key_files


def test_a_deployment_that_names_no_way_to_aws_needs_an_access_key(tmp_path: Path):
    report = project(tmp_path, bedrock())
    assert report.project is not None
    assert "AWS_ACCESS_KEY_ID" in report.project.machine.key_files


TAKEN: dict[str, Any] = {
    "cache_control_injection_points": [{"location": "message", "role": "user"}],
    "success_callback": ["langfuse"],
    "failure_callback": ["langfuse"],
    "callbacks": ["otel"],
}


@pytest.mark.parametrize("key", TAKEN)
def test_what_litellm_keeps_for_itself_is_not_sent(tmp_path: Path, key: str):
    assert "NX403" not in found(tmp_path / "in", written(deployment(**{key: TAKEN[key]})))


def test_cache_control_belongs_into_a_deployment(tmp_path: Path):
    key = "cache_control_injection_points"
    told = found(tmp_path, written(litellm_settings={key: TAKEN[key]}))
    assert "litellm_params" in told["NX203"][2]


def test_gemini_is_sent_nothing_unknown(tmp_path: Path):
    told = found(tmp_path / "gemini", written(deployment("gemini/gemini-2.5-flash", flavour=1)))
    assert "drops it" in told["NX403"][1]
    told = found(tmp_path / "openai", written(deployment(flavour=1)))
    assert "sends it" in told["NX403"][1]


@pytest.mark.parametrize(
    ("litellm", "router", "is_found"),
    [
        ({}, 3, True),
        ({"allowed_fails": 5}, 3, False),
        ({"allowed_fails": 5}, 5, True),
        ({}, 2, False),
    ],
)
def test_a_number_of_fails_like_the_default_is_not_set(
    tmp_path: Path, litellm: Any, router: int, is_found: bool
):
    settings = {"litellm_settings": litellm, "router_settings": {"allowed_fails": router}}
    text = written(deployment(), deployment(host=HOSTS[1]), **settings)
    assert ("NX207" in found(tmp_path, text)) is is_found


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("aws_regoin_name", "aws_region_name"),
        ("aws_region", "aws_region_name"),
        ("vertex_locaton", "vertex_location"),
        ("azure_api_version", "api_version"),
    ],
)
def test_a_misspelt_region_is_found_on_every_provider(tmp_path: Path, key: str, meant: str):
    for model in ("bedrock/amazon.nova-pro-v1:0", "azure/gpt-4o", "openai/gpt-4o"):
        folder = tmp_path / model.split("/", maxsplit=1)[0]
        told = found(folder, written(deployment(model, **{key: "x"})))
        assert told["NX403"][2] == f"Did you mean {meant}?"
        is_sent = not key.startswith(("aws_", "vertex_")) or (
            key.startswith("aws_") and model.startswith("bedrock")
        )
        assert ("sends it" if is_sent else "drops it") in told["NX403"][1]


def test_extra_body_belongs_into_litellm_params(tmp_path: Path):
    for key in ("extra_body", "cache_control_injection_points"):
        told = found(tmp_path / key, written({**deployment(), key: {}}))
        assert told["NX405"][2] == "Write it under litellm_params."


@pytest.mark.parametrize(
    ("base", "is_found"),
    [
        ("https://api.perplexity.ai", False),
        ("https://api.githubcopilot.com", False),
        ("https://api.business.githubcopilot.com", False),
        ("https://models.inference.ai.azure.com", False),
        ("https://openrouter.ai", True),
        ("http://10.0.0.5:8000", True),
    ],
)
def test_a_host_that_has_no_version_in_its_address(tmp_path: Path, base: str, is_found: bool):
    assert ("NX414" in found(tmp_path, written(deployment(api_base=base)))) is is_found


@pytest.mark.parametrize(
    ("section", "key", "advice"),
    [
        ("litellm_settings", "verbose", "Did you mean set_verbose?"),
        ("litellm_settings", "stream_response", "Remove it: each request says"),
        ("litellm_settings", "rust", "LITELLM_RUST=1"),
        ("general_settings", "rust", "LITELLM_RUST=1"),
    ],
)
def test_advice_that_helps(tmp_path: Path, section: str, key: str, advice: str):
    assert advice in found(tmp_path, written(**{section: {key: True}}))["NX203"][2]


def test_a_constant_that_is_read_off_the_module_is_a_setting(tmp_path: Path):
    text = written(litellm_settings={"REPEATED_STREAMING_CHUNK_LIMIT": 50})
    assert "NX203" not in found(tmp_path, text)


def test_rust_in_a_deployment_does_nothing(tmp_path: Path):
    assert "LITELLM_RUST=1" in found(tmp_path, written(deployment(rust=True)))["NX201"][2]


@pytest.mark.parametrize("key", ["acompletion", "get_llm_provider", "utils"])
def test_a_setting_that_replaces_a_function_is_an_error(tmp_path: Path, key: str):
    assert found(tmp_path, written(litellm_settings={key: 1}))["NX203"][0] == "error"


def test_a_module_in_a_package_is_looked_for_there(tmp_path: Path):
    text = written(general_settings={"custom_auth": "services.ai.auth.check"})
    assert "services/ai/auth.py" in found(tmp_path, text)["NX217"][1]


def test_a_wrapper_is_removed_and_not_what_it_holds(tmp_path: Path):
    told = found(tmp_path, json.dumps({"proxy_config": json.loads(written())}))
    assert "move what is below it to the top level" in told["NX205"][2]


def test_an_undeclared_variable_is_reported_once(tmp_path: Path):
    entries = [deployment(host=h, api_key="os.environ/OPENAI_API_KY") for h in HOSTS]
    report = project(tmp_path, written(*entries))
    assert [p.code for p in report.problems].count("NX311") == 1


@pytest.mark.parametrize(("key", "severity"), [("sk-1234", "error"), ("sk-12345", "warning")])
def test_a_master_key_that_is_refused_by_name(tmp_path: Path, key: str, severity: str):
    told = found(tmp_path, written(general_settings={"master_key": key}))
    assert [s for code, (s, *_) in told.items() if code in ("NX314", "NX315")] == [severity]


QUESTIONS: dict[str, dict[str, Any]] = {
    f"{status} x{len(hosts)} {fails}": {
        "text": written(
            *(deployment(host=host) for host in hosts),
            router_settings={"num_retries": 0, **({"allowed_fails": fails} if fails else {})},
        ),
        "ask": "m",
        "times": 14,
        "status": status,
    }
    for status in (429, 500)
    for hosts in (HOSTS[:1], HOSTS)
    for fails in (None, 3, 2)
} | {
    "taken": {"text": written(deployment(**TAKEN, rust=True, flavour=1)), "ask": "m"},
    "gemini": {"text": written(deployment("gemini/gemini-2.5-flash", flavour=1)), "ask": "m"},
    "acompletion": {"text": written(litellm_settings={"acompletion": 1}), "ask": "m"},
    "token": {
        "text": bedrock(api_key="token"),
        "ask": "m",
        "env": {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x"},
    },
    "region": {"text": bedrock(api_key="token"), "ask": "m"},
    "misspelt region": {
        "text": bedrock(api_key="token").replace("aws_region_name", "aws_region"),
        "ask": "m",
    },
    "no key": {"text": bedrock(), "ask": "m"},
    "extra_body": {"text": written(deployment(extra_body={"flavour": 1})), "ask": "m"},
    "ttl alone": {"text": cached(ttl=60)},
    "redis": {"text": cached(type="redis", ttl=60)},
    "wrapper": {"text": json.dumps({"proxy_config": json.loads(written())})},
    "module": {"text": written(general_settings={"custom_auth": "services.ai.auth.check"})},
    "sk-1234": {"text": written(general_settings={"master_key": "sk-1234"})},
}


@pytest.fixture(scope="module")
def verdicts(oracle: type[Oracle]) -> dict[str, Any]:
    return dict(zip(QUESTIONS, oracle.ask(list(QUESTIONS.values())), strict=True))


@pytest.mark.oracle
def test_allowed_fails_of_the_default_is_not_set(verdicts: dict[str, Any]):
    """One deployment is asked each time; of two, 429 rests each at once and 500 after five."""
    sent = {name: len(verdicts[name]["sent"]) for name in verdicts if " x" in name}
    for status, one, two in ((429, 14, 2), (500, 14, 10)):
        for fails in (None, 3):
            assert (sent[f"{status} x1 {fails}"], sent[f"{status} x2 {fails}"]) == (one, two)
        alone = 3 if knowledge.default().behaviour["allowed_fails_alone"] else 14
        assert (sent[f"{status} x1 2"], sent[f"{status} x2 2"]) == (alone, 6)


@pytest.mark.oracle
def test_what_litellm_sends_and_what_not(verdicts: dict[str, Any]):
    body = json.loads(verdicts["taken"]["sent"][0]["body"])
    assert body["flavour"] == 1
    assert not {*TAKEN, "rust"} & body.keys()
    assert "cache_control" in str(body["messages"])
    assert "flavour" not in verdicts["gemini"]["sent"][0]["body"]
    assert json.loads(verdicts["extra_body"]["sent"][0]["body"])["flavour"] == 1


@pytest.mark.oracle
def test_a_bearer_token_is_sent_even_beside_an_access_key(verdicts: dict[str, Any]):
    assert verdicts["token"]["sent"][0]["keys"] == {"authorization": "Bearer token"}
    assert "Unable to locate credentials" in verdicts["no key"]["replies"][0]


@pytest.mark.oracle
def test_a_misspelt_region_sends_prompts_to_another(verdicts: dict[str, Any]):
    assert ".eu-central-1." in verdicts["region"]["sent"][0]["url"]
    sent = verdicts["misspelt region"]["sent"][0]
    assert ".us-west-2." in sent["url"]
    assert "aws_region" in sent["body"]


@pytest.mark.oracle
def test_what_starts_and_what_answers(verdicts: dict[str, Any]):
    assert verdicts["ttl alone"]["error"] is None
    assert "'host' or 'url' must be specified" in verdicts["redis"]["error"]
    assert "not callable" in verdicts["acompletion"]["replies"][0]
    assert verdicts["wrapper"]["loaded"] == 0
    assert "from services.ai.auth" in verdicts["module"]["error"]
    assert verdicts["sk-1234"]["refused"]
