import subprocess
import sys
from pathlib import Path

import pytest

from nixcfg import knowledge

ROOT = Path(__file__).resolve().parents[2]


def test_each_file_is_read_when_something_in_it_is_looked_up():
    program = (
        "import sys\n"
        "from nixcfg import knowledge\n"
        "knowledge.LITELLM_VERSION, knowledge.BLOCKED_VARIABLES\n"
        "knowledge.homes('drop_params'), knowledge.provider('openai'), knowledge.providers()\n"
        "assert knowledge.split_model('openai/gpt-4o') == ('openai', 'gpt-4o')\n"
        "read = vars(knowledge.default())\n"
        "assert '_bare' not in read\n"
        "assert knowledge.split_model('gpt-4o') == ('openai', 'gpt-4o')\n"
        "assert '_bare' in read\n"
        "assert '_catalogue' not in read\n"
        "assert knowledge.models('openai')\n"
        "assert '_catalogue' in read\n"
        "assert not {'yaml', 'click', 'jsonschema', 'litellm'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=True)


@pytest.mark.parametrize(
    ("key", "home"),
    [
        ("routing_strategy", "router_settings"),
        ("allowed_fails", "router_settings"),
        ("cooldown_time", "router_settings"),
        ("drop_params", "litellm_settings"),
        ("cache_params", "litellm_settings"),
        ("master_key", "general_settings"),
        ("health_check_interval", "general_settings"),
        ("api_base", "litellm_params"),
        ("tpm", "litellm_params"),
        ("model_name", "deployment"),
        ("model_list", "top_level"),
        ("mcp_servers", "top_level"),
    ],
)
def test_home(key: str, home: str):
    assert home in knowledge.homes(key)
    assert knowledge.honoured(home, key)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("litellm_settings", "routing_strategy"),
        ("litellm_settings", "allowed_fails"),
        ("litellm_settings", "cooldown_time"),
        ("litellm_settings", "acompletion"),
        ("litellm_settings", "model_list"),
        ("router_settings", "drop_params"),
        ("router_settings", "health_check_interval"),
        ("router_settings", "model_list"),
        ("general_settings", "drop_params"),
        ("general_settings", "mastr_key"),
        ("top_level", "callbacks"),
        ("top_level", "enable_jwt_auth"),
        ("litellm_params", "aip_key"),
        ("deployment", "api_key"),
    ],
)
def test_not_honoured(section: str, key: str):
    assert not knowledge.honoured(section, key)


def test_key_nobody_knows_has_no_home():
    assert knowledge.homes("frobnicate") == ()


@pytest.mark.parametrize(
    ("section", "key", "kind"),
    [
        ("router_settings", "num_retries", "int"),
        ("router_settings", "timeout", "float"),
        ("router_settings", "fallbacks", "list"),
        ("litellm_settings", "drop_params", "bool|str"),
        ("litellm_settings", "success_callback", "list"),
        ("litellm_settings", "request_timeout", "float"),
        ("litellm_params", "rpm", "int"),
        ("litellm_params", "api_key", "str"),
        ("litellm_params", "tags", "list[str]"),
        ("general_settings", "master_key", "str"),
        ("top_level", "model_list", "list"),
        ("top_level", "litellm_settings", "map"),
    ],
)
def test_type(section: str, key: str, kind: str):
    assert knowledge.keys(section)[key].type == kind


@pytest.mark.parametrize(
    ("section", "secrets", "others"),
    [
        (
            "litellm_params",
            {"api_key", "aws_secret_access_key", "vertex_credentials", "azure_ad_token"},
            {"input_cost_per_token", "max_tokens", "eos_token", "model", "api_base"},
        ),
        ("general_settings", {"master_key", "database_url"}, {"custom_auth", "ui_access_mode"}),
        ("router_settings", {"redis_password"}, {"redis_host"}),
        ("cache_params", {"password", "qdrant_api_key"}, {"host"}),
    ],
)
def test_secrets(section: str, secrets: set[str], others: set[str]):
    found = {name for name, key in knowledge.keys(section).items() if key.secret}
    assert secrets <= found
    assert not others & found


def test_values_of_a_choice():
    strategies = knowledge.keys("router_settings")["routing_strategy"].values
    assert "simple-shuffle" in strategies
    assert "round-robin" not in strategies
    assert knowledge.keys("model_info")["tier"].values == ("free", "paid")
    assert "redis" in knowledge.keys("cache_params")["type"].values


def test_callbacks():
    assert "langfuse" in knowledge.callbacks("success_callback")
    assert "lunarry" not in knowledge.callbacks("success_callback")
    assert "s3" in knowledge.callbacks("success_callback")
    assert "s3" not in knowledge.callbacks("callbacks")


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("openai", "OPENAI_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("mistral", "MISTRAL_API_KEY"),
        ("together_ai", "TOGETHERAI_API_KEY"),
        ("bedrock", "AWS_ACCESS_KEY_ID"),
        ("azure", "AZURE_API_KEY"),
        ("apertis", "STIMA_API_KEY"),
        ("vertex_ai", "GOOGLE_APPLICATION_CREDENTIALS"),
    ],
)
def test_key_to_ask_for(name: str, variable: str):
    facts = knowledge.provider(name)
    assert facts is not None
    assert facts.key is not None
    assert facts.key.variable == variable
    assert facts.key.required


def test_provider_facts():
    gemini = knowledge.providers()["gemini"]
    assert ("GOOGLE_API_KEY", "GEMINI_API_KEY") in gemini.competing
    assert gemini.api_base.path == "/v1beta"
    anthropic = knowledge.providers()["anthropic"]
    assert (anthropic.api_base.path, anthropic.api_base.slash, anthropic.api_base.full) == (
        "",
        False,
        True,
    )
    openai = knowledge.providers()["openai"]
    assert (openai.api_base.path, openai.api_base.full) == ("/v1", False)
    vllm = knowledge.providers()["hosted_vllm"]
    assert vllm.api_base.sent_to == "api.openai.com"
    assert vllm.api_base.required
    assert vllm.api_base.path == "/v1"
    assert not any(c.required and c.secret for c in vllm.credentials)
    assert knowledge.providers()["deepinfra"].falls_back_to == "OPENAI_API_KEY"
    assert knowledge.providers()["openai"].falls_back_to is None
    assert knowledge.providers()["groq"].sends_without_key
    assert ("AWS_BEARER_TOKEN_BEDROCK",) in knowledge.providers()["bedrock"].alternatives
    assert knowledge.provider("antropic") is None


def test_open_catalogues():
    for name in ("openrouter", "ollama", "hosted_vllm", "azure", "huggingface", "litellm_proxy"):
        assert knowledge.providers()[name].open_catalogue, name
    for name in ("anthropic", "openai", "gemini", "mistral", "deepseek", "xai"):
        assert not knowledge.providers()[name].open_catalogue, name


def test_device_login():
    asking = {name for name, facts in knowledge.providers().items() if facts.interactive_login}
    assert asking == {"chatgpt", "github_copilot"}


def test_params_of_credentials_are_keys_of_litellm_params():
    for name, facts in knowledge.providers().items():
        for credential in facts.credentials:
            if credential.param is not None:
                assert knowledge.honoured("litellm_params", credential.param), (name, credential)


def test_models():
    model = knowledge.find_model("anthropic/claude-sonnet-4-5")
    assert model is not None
    assert (model.provider, model.mode) == ("anthropic", "chat")
    assert model.input_cost_per_token is not None
    assert model.input_cost_per_token > 0
    assert knowledge.find_model("anthropic/claude-3-7-sonnet-20250219") is None
    assert knowledge.find_model("gpt-4o") == knowledge.find_model("openai/gpt-4o")
    assert knowledge.find_model("ai21/jamba-mini-1.7") is not None
    assert knowledge.find_model("openai/gpt-3.5-turbo-instruct") is not None
    assert knowledge.find_model("nonsense") is None
    assert knowledge.models("nonsense") == {}


def test_blocked_variables():
    assert {"PATH", "HOME", "LD_PRELOAD"} <= knowledge.BLOCKED_VARIABLES
    assert "OPENAI_API_KEY" not in knowledge.BLOCKED_VARIABLES
