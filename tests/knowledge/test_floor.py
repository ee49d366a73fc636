"""The floor refuses a set that is poorer, by sets with one thing taken away each."""

import copy
from typing import Any

import pytest

from nixcfg import knowledge
from tool import load

load("compare_knowledge")
from learn import floor  # noqa: E402 - beside the program

VERSION = knowledge.LITELLM_VERSION


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    stored: dict[str, Any] = load("store_knowledge").stored()[VERSION]
    return stored


def found(before: dict[str, Any], after: dict[str, Any], *, held: bool = True) -> list[str]:
    objects = {"client_session"}
    return [str(loss) for loss in floor.losses(before, after, lambda _: held, objects.__contains__)]


def test_a_set_loses_nothing_against_itself(whole: dict[str, Any]):
    assert found(whole, whole) == []


def section(name: str, after: dict[str, Any]) -> Any:
    return after["litellm"]["sections"][name]["keys"]


def provider(name: str, after: dict[str, Any]) -> Any:
    return after["litellm"]["providers"][name]


def without_key(after: dict[str, Any]) -> None:
    del section("general_settings", after)["disable_error_logs"]


def any_type(after: dict[str, Any]) -> None:
    section("router_settings", after)["num_retries"]["type"] = "any"


def without_choices(after: dict[str, Any]) -> None:
    del section("router_settings", after)["routing_strategy"]["values"]


def no_secret(after: dict[str, Any]) -> None:
    del section("general_settings", after)["master_key"]["secret"]


def an_object(after: dict[str, Any]) -> None:
    section("litellm_settings", after)["client_session"] = {"type": "any"}


def without_variable(after: dict[str, Any]) -> None:
    azure = provider("azure", after)
    azure["credentials"] = [c for c in azure["credentials"] if c["variable"] != "AZURE_API_BASE"]
    del azure["api_base"]["variable"]
    azure["competing"] = [p for p in azure["competing"] if "AZURE_API_BASE" not in p]
    azure["alternatives"] = [[n for n in a if n != "AZURE_API_BASE"] for a in azure["alternatives"]]


def required_now(after: dict[str, Any]) -> None:
    for each in provider("huggingface", after)["credentials"]:
        each["required"] = True


def model_in_address(after: dict[str, Any]) -> None:
    model = next(m for m in after["models"]["models"]["azure"] if "/" in m)
    base = provider("azure", after)["api_base"]
    base["appends"] = f"/openai/deployments/{model.replace('/', '%2F')}/chat/completions"


def probe_in_address(after: dict[str, Any]) -> None:
    provider("predibase", after)["api_base"]["appends"] = "/nixcfg-predibase-tenant-id-end/x"


def without_address(after: dict[str, Any]) -> None:
    del provider("groq", after)["api_base"]["default"]


def without_chat(after: dict[str, Any]) -> None:
    provider("groq", after)["chat"] = False


def without_section(after: dict[str, Any]) -> None:
    del after["litellm"]["sections"]["cache_params"]


def without_provider(after: dict[str, Any]) -> None:
    del after["litellm"]["providers"]["mistral"]


def without_models(after: dict[str, Any]) -> None:
    after["models"]["models"] = {"openai": after["models"]["models"]["openai"]}


def without_callback(after: dict[str, Any]) -> None:
    after["litellm"]["callbacks"]["callbacks"].remove("langfuse")


@pytest.mark.parametrize(
    ("damage", "loss"),
    [
        (without_key, "general_settings.disable_error_logs: gone"),
        (any_type, "router_settings.num_retries: was int, and is any"),
        (without_choices, "router_settings.routing_strategy: its choices are gone"),
        (no_secret, "general_settings.master_key: no longer a secret"),
        (an_object, "litellm_settings.client_session: an object"),
        (without_variable, "providers.azure.AZURE_API_BASE: the variable is lost"),
        (required_now, "is required now"),
        (model_in_address, "providers.azure.api_base: has a model's name in it"),
        (probe_in_address, "providers.predibase.api_base: has a model's name in it"),
        (without_address, "providers.groq.api_base: its own address is lost"),
        (without_chat, "providers.groq: no longer for chat"),
        (without_section, "cache_params: the section is gone"),
        (without_provider, "providers.mistral: gone"),
        (without_models, "models: "),
        (without_callback, "callbacks.callbacks.langfuse: the name is lost"),
    ],
)
def test_a_poorer_set_is_refused(whole: dict[str, Any], damage: Any, loss: str):
    after = copy.deepcopy(whole)
    damage(after)
    assert any(loss in each for each in found(whole, after)), found(whole, after)


def test_what_litellm_dropped_is_no_loss(whole: dict[str, Any]):
    after = copy.deepcopy(whole)
    without_key(after)
    without_provider(after)
    assert found(whole, after, held=False) == []
