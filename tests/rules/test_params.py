"""Parameters on their way to a vendor: what nixcfg says, and what LiteLLM does with them."""

import json
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself, in_project

from nixcfg import knowledge
from nixcfg.knowledge.fates import Fate, Fates
from nixcfg.problems.problem import Problem

AWS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x"}
NOVA = "bedrock/converse/amazon.nova-pro-v1:0"


def text(model: str, params: dict[str, Any], **sections: Any) -> str:
    entry = {"model_name": "m", "litellm_params": {"model": model, **params}}
    return json.dumps({"model_list": [entry], **sections})


def told(folder: Path, model: str, params: dict[str, Any], **sections: Any) -> list[Problem]:
    report = by_itself(folder, {"config.yaml": text(model, params, **sections)})
    return [p for p in report.problems if p.code in ("NX403", "NX428", "NX429", "NX430", "NX431")]


@pytest.mark.parametrize(
    ("model", "key", "code", "says"),
    [
        ("openai/gpt-4o", "aws_region_name", "NX428", "no effect"),
        ("openai/gpt-4o", "vertex_ai_location", "NX428", "no effect"),
        ("gemini/gemini-2.5-flash", "vertex_project", "NX428", "no effect"),
        ("openai/gpt-4o", "oci_key", "NX428", "sends it"),
        ("openai/gpt-4o", "azure_ad_token", "NX428", "sends it"),
        ("openai/gpt-4o", "flavour", "NX403", "sends it"),
        ("openai/gpt-4o", "aws_flavour", "NX403", "drops it"),
        ("anthropic/claude-sonnet-4-5", "vertex_flavour", "NX403", "drops it"),
        ("azure/gpt-4o", "azure_api_version", "NX403", "sends it"),
        ("gemini/gemini-2.5-flash", "flavour", "NX403", "drops it"),
        ("azure_text/x", "flavour", "NX403", "fails on it"),
        ("openai/gpt-4o", "params", "NX403", "drops it"),
        ("openai/gpt-4o", "supports_vision", "NX403", "drops it"),
        ("openai/gpt-4o", "supports_flavour", "NX403", "sends it"),
        ("openai/text-embedding-3-large", "flavour", "NX403", "sends it"),
        # Asked in LiteLLM's chat, answered by /v1/responses, whose request holds what it lists.
        ("openai/o1-pro", "flavour", "NX403", "drops it"),
        ("bedrock/amazon.nova-pro-v1:0", "aws_flavour", "NX403", "sends it"),
    ],
)
def test_what_is_said(tmp_path: Path, model: str, key: str, code: str, says: str):
    (found,) = [p for p in told(tmp_path, model, {key: "x"}) if p.code != "NX429"]
    assert (found.code, says in found.message) == (code, True)
    assert found.is_error is (says == "fails on it")


@pytest.mark.parametrize(
    ("model", "key"),
    [
        (NOVA, "aws_region_name"),
        ("bedrock_mantle/openai.gpt-oss-120b", "aws_region_name"),
        ("sagemaker_chat/endpoint", "aws_region_name"),
        ("vertex_ai/gemini-2.5-pro", "vertex_location"),
        ("vertex_ai/gemini-2.5-pro", "vertex_ai_location"),
        ("azure/gpt-4o", "azure_ad_token"),
        ("azure_ai/gpt-4o", "azure_ad_token"),
        ("oci/cohere.command", "oci_region"),
        ("watsonx/ibm/granite", "watsonx_region"),
        ("openai/gpt-4o", "callbacks"),
        ("vertex_ai/gemini-2.5-pro", "vertex_ai_credentials"),
        ("aws_polly/neural", "voice"),
        ("openai/gpt-4o", "vector_store_ids"),
        ("os.environ/MODEL", "aws_region_name"),
        ("gemini/gemini-2.5-flash", "candidateCount"),
        ("gemini/gemini-2.5-flash", "responseJsonSchema"),
        ("gemini/gemini-2.5-flash", "thinking_config"),
    ],
)
def test_what_is_not_said(tmp_path: Path, model: str, key: str):
    assert [p for p in told(tmp_path, model, {key: "x"}) if p.code != "NX429"] == []


@pytest.mark.parametrize("model", ["opnai/gpt-4o", "os.environ/MODEL"])
def test_of_a_deployment_without_a_provider_nothing_is_said_to_be_sent(tmp_path: Path, model: str):
    (found,) = told(tmp_path, model, {"flavour": "x"})
    assert found.message.endswith("does not know flavour")


def test_code_of_ones_own_takes_any_parameter(tmp_path: Path):
    own = {"custom_provider_map": [{"provider": "mine", "custom_handler": "mine.handler"}]}
    assert told(tmp_path, "mine/x", {"flavour": 1}, litellm_settings=own) == []


@pytest.mark.parametrize(
    "named",
    [
        {"aws_region_name": "eu-central-1"},
        {"aws_bedrock_runtime_endpoint": "https://a.test"},
        {"aws_profile_name": "work"},
        {"api_base": "https://a.test"},
        {"litellm_credential_name": "aws"},
        {"model_id": "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x"},
    ],
)
def test_a_region_that_is_named(tmp_path: Path, named: dict[str, str]):
    assert told(tmp_path, NOVA, named) == []


@pytest.mark.parametrize(
    "model",
    [
        "bedrock/eu-central-1/amazon.nova-pro-v1:0",
        "bedrock/us-gov-west-1/anthropic.claude",
        "bedrock/arn:aws:bedrock:eu-central-1:1:provisioned-model/x",
    ],
)
def test_a_region_in_the_name_of_the_model(tmp_path: Path, model: str):
    assert told(tmp_path, model, {}) == []


def test_a_region_that_is_given_to_all(tmp_path: Path):
    for number, sections in enumerate(
        (
            {"router_settings": {"default_litellm_params": {"aws_region_name": "eu-west-1"}}},
            {"environment_variables": {"AWS_REGION": "eu-west-1"}},
        )
    ):
        assert told(tmp_path / str(number), NOVA, {}, **sections) == []


def test_without_a_region(tmp_path: Path):
    (found,) = told(tmp_path / "alone", NOVA, {})
    assert (found.code, found.severity.value) == ("NX429", "note")
    assert "us-west-2" in found.message
    files = {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text(NOVA, {})}
    report = in_project(tmp_path / "project", files)
    assert [p.severity.value for p in report.problems if p.code == "NX429"] == ["warning"]


def test_drop_params_and_extra_body(tmp_path: Path):
    model = "anthropic/claude-sonnet-4-5"
    for number, value in enumerate((True, "true", "yes", 1, None)):
        assert told(tmp_path / str(number), model, {"drop_params": value}) == []
    assert [p.code for p in told(tmp_path / "a", model, {"drop_params": {"a": 1}})] == ["NX431"]
    assert [p.code for p in told(tmp_path / "b", model, {"extra_body": {"a": 1}})] == ["NX430"]
    assert told(tmp_path / "c", "deepseek/deepseek-chat", {"extra_body": {"a": 1}}) == []
    assert [
        p.code for p in told(tmp_path / "d", NOVA, {"extra_body": {"a": 1}}) if p.code != "NX429"
    ] == ["NX430"]


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("vertex_ai/gemini-2.5-pro", {}),  # no one asked: its client library is missing
        ("azure/our-deployment", {}),  # some models of azure go another way
        ("openai/gpt-4o", {"additional_drop_params": ["flavour"]}),
    ],
)
def test_where_no_one_knows_what_becomes_of_it(
    tmp_path: Path, model: str, params: dict[str, object]
):
    found = told(tmp_path, model, {"flavour": "x", **params})
    (message,) = [p.message for p in found if p.code == "NX403"]
    assert message == f"LiteLLM {knowledge.default().version} does not know flavour"


def test_a_release_that_was_not_asked(tmp_path: Path):
    image = "ghcr.io/berriai/litellm:v1.106.2"
    files = {
        "nixcfg.yaml": f"model_config: all\nimage: {image}\n",
        "providers/one.yaml": text("openai/gpt-4o", {"flavour": "x", "oci_key": "x"}),
    }
    messages = {p.code: p.message for p in in_project(tmp_path, files).problems}
    assert messages["NX403"] == "LiteLLM 1.106.2 does not know flavour"
    assert messages["NX428"] == "openai does not read oci_key"


ROADS = {
    "common": {
        "sent": {"left out": ["params", "aws_*"], "own": ["aws_region_name"]},
        "left out": {},
    },
    "roads": {
        "plain": {
            "chat": {"usual": "sent"},
            "embedding": {"usual": "left out"},
            "rerank": {"usual": "sent", "others": ["odd"]},
        },
        "cloud": {"chat": {"usual": "sent", "apart": {"sent": ["aws_*", "params"]}}},
        "varied": {"chat": {"usual": "own"}},
    },
}


@pytest.mark.parametrize(
    ("road", "key", "fate"),
    [
        (("plain", "chat"), "flavour", Fate.SENT),
        (("plain", "chat"), "params", Fate.LEFT_OUT),
        (("plain", "chat"), "aws_flavour", Fate.LEFT_OUT),
        (("plain", "chat"), "aws_region_name", Fate.OWN),
        (("plain", "embedding"), "flavour", Fate.LEFT_OUT),
        (("plain", None), "flavour", Fate.UNKNOWN),
        (("plain", None), "params", Fate.UNKNOWN),
        (("plain", "rerank"), "flavour", Fate.SENT),
        (("plain", "ocr"), "flavour", Fate.UNKNOWN),
        (("cloud", "chat"), "params", Fate.SENT),
        (("cloud", None), "aws_flavour", Fate.SENT),
        (("cloud", "chat"), "aws_region_name", Fate.OWN),
        (("varied", "chat"), "flavour", Fate.UNKNOWN),
        (("absent", "chat"), "flavour", Fate.UNKNOWN),
    ],
)
def test_fates(road: tuple[str, str | None], key: str, fate: Fate):
    assert Fates(ROADS).of(*road, "model", key) is fate


def test_a_model_that_goes_another_way():
    fates = Fates(ROADS)
    assert fates.of("plain", "rerank", "odd", "flavour") is Fate.UNKNOWN


ASKED = [
    (model, key)
    for model in (
        "openai/gpt-4o",
        "anthropic/claude-sonnet-4-5",
        "gemini/gemini-2.5-flash",
        "custom_openai/x",
        "groq/llama-3.3-70b-versatile",
        NOVA,
    )
    for key in (
        *("flavour", "aws_flavour", "vertex_flavour", "oci_flavour", "oci_key", "aws_role"),
        # Names that LiteLLM's own code has a use for, on all providers or on some.
        *("params", "supports_vision", "start_time", "candidateCount", "maxOutputTokens"),
    )
]


@pytest.mark.oracle
def test_a_deployment_does_what_the_knowledge_says(oracle: type[Oracle]):
    """The measurement made plain calls; here a router makes them, as the proxy does."""
    fates = knowledge.default().fates
    questions: list[dict[str, object]] = [
        {"text": text(model, {"api_key": "none", key: "nixcfg-x"}), "ask": "m", "env": AWS}
        for model, key in ASKED
    ]
    for (model, key), answer in zip(ASKED, oracle.ask(questions), strict=True):
        sent: Any = answer["sent"]
        seen = Fate.SENT if "nixcfg-x" in str(sent) else Fate.LEFT_OUT
        provider, _, name = model.partition("/")
        known = fates.of(provider, "chat", name, key)
        assert known in (seen if sent else Fate.REFUSED, Fate.OWN, Fate.UNKNOWN), (model, key)
