"""Odd forms that the rules meet, and forms that only look odd: what is told, where, and how to mend
it. The usual ones are the examples of the rules themselves."""

from pathlib import Path

import pytest
from rules_support import by_itself, in_project

from nixcfg.rules.credentials import MASTER_KEY_MISSING

MODELS = "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o}\n"


def asks(params: str) -> str:
    """A configuration whose deployment has these parameters."""
    return MODELS.replace("openai/gpt-4o", params)


def litellm(settings: str) -> str:
    return f"{MODELS}litellm_settings:\n  {settings}\n"


def router(settings: str) -> str:
    return f"{MODELS}router_settings:\n  {settings}\n"


#: The text, the code, what stands at the place, and a part of the message or of the mend.
FOUND: dict[str, tuple[str, str, str, str]] = {
    "a number among callbacks": (litellm("callbacks: [5]"), "NX213", "5", "the number 5"),
    "a callback without its list": (
        litellm("callbacks: langfuse"),
        "NX213",
        "langfuse",
        "Write a list: callbacks: [langfuse].",
    ),
    "a callback that nobody knows": (
        litellm("success_callback: [lago, nosuchthing]"),
        "NX212",
        "nosuchthing",
        "Name one of LiteLLM's, or module.attribute.",
    ),
    "a callback with a licence": (
        litellm("callbacks: [llamaguard_moderations]"),
        "NX215",
        "llamaguard_moderations",
        "unless it has a licence",
    ),
    "a guardrail with a licence": (
        litellm("guardrails: [{x: {callbacks: [llamaguard_moderations], default_on: true}}]"),
        "NX215",
        "llamaguard_moderations",
        "unless it has a licence",
    ),
    "one callback in Python": (
        litellm("callbacks: mine.handler"),
        "NX217",
        "mine.handler",
        "there is no mine.py beside this file",
    ),
    "callbacks in Python": (
        litellm("failure_callback: [mine.handler]"),
        "NX217",
        "mine.handler",
        "there is no mine.py beside this file",
    ),
    "an empty cache": (
        litellm("cache: true\n  cache_params:"),
        "NX209",
        "cache_params",
        "Fill it in, or remove the line.",
    ),
    "a cache that is a text": (
        litellm("cache: true\n  cache_params: abc"),
        "NX204",
        "abc",
        "must be a mapping",
    ),
    "a cache of no kind": (
        litellm("cache: true\n  cache_params: {type: nowhere}"),
        "NX208",
        "nowhere",
        "Use azure-blob or disk",
    ),
    "a cache that keeps things for a word": (
        litellm("cache: true\n  cache_params: {type: local, ttl: soon, namespace: null}"),
        "NX204",
        "soon",
        "ttl must be a number",
    ),
    "a guardrail without parameters": (
        f"{MODELS}guardrails:\n  - guardrail_name: x\n",
        "NX216",
        "guardrail_name",
        "guardrails[0] has no litellm_params",
    ),
    "no models": ("general_settings: {}\n", "NX401", "g", "there is no model"),
    "a vendor that is none": (
        asks("gpt-4o, custom_llm_provider: nowhere"),
        "NX402",
        "nowhere",
        "no provider for nowhere",
    ),
    "a server that speaks like OpenAI's": (
        asks("zzqq/x, api_base: 'http://10.0.0.1/v1', api_key: none"),
        "NX402",
        "zzqq/x",
        "Write openai/zzqq/x or openai/x, as the server calls the model, for an API",
    ),
    "a limit in words": (f"{MODELS}    rpm: many\n", "NX404", "many", "rpm must be a whole number"),
    "a section in a deployment": (
        f"{MODELS}    credential_list: []\n",
        "NX405",
        "credential_list",
        "Write it under the top level of the file.",
    ),
    "an address with its route": (
        asks("openai/gpt-4o, api_key: none, api_base: 'http://h/v1/chat/completions'"),
        "NX414",
        "'http://h/v1/chat/completions'",
        "Write http://h/v1.",
    ),
    "an address with a version too many": (
        asks("anthropic/claude-sonnet-4-5, api_base: 'http://h/v1'"),
        "NX414",
        "'http://h/v1'",
        "LiteLLM asks /v1/v1/messages of this host",
    ),
    "an address without an end": (
        asks("openai/gpt-4o, api_base: 'http://[::1'"),
        "NX415",
        "'http://[::1'",
        "api_base is no URL",
    ),
    "two models in one fallback": (
        router("fallbacks: [{a: [a], b: [a]}]"),
        "NX422",
        "b",
        "must have one model in each mapping, not 2",
    ),
    "no model in a fallback": (
        router("fallbacks: [{}]"),
        "NX422",
        "{",
        "must have one model in each mapping, not 0",
    ),
    "a fallback with parameters": (
        router("fallbacks: [{a: [{model: nowhere}, {}]}]"),
        "NX421",
        "nowhere",
        "no one offers nowhere",
    ),
    "default fallbacks without their list": (
        litellm("default_fallbacks: a"),
        "NX423",
        "a",
        "Write a list: [a].",
    ),
    "a default fallback that no one offers": (
        litellm("default_fallbacks: [nowhere, 5]"),
        "NX421",
        "nowhere",
        "no one offers nowhere",
    ),
    "an alias with parameters": (
        router("model_group_alias: {b: {model: nowhere, hidden: true}, c: a, d: 5}"),
        "NX421",
        "nowhere",
        "no one offers nowhere",
    ),
    "a reference with a dot": (
        asks("openai/gpt-4o, api_key: os.environ.OPENAI_API_KEY"),
        "NX306",
        "os.environ.OPENAI_API_KEY",
        "Write os.environ/OPENAI_API_KEY.",
    ),
    "a reference with half its name": (
        asks("openai/gpt-4o, api_key: env/OPENAI_API_KEY"),
        "NX306",
        "env/OPENAI_API_KEY",
        "Write os.environ/OPENAI_API_KEY.",
    ),
    "a reference with a default": (
        asks("openai/gpt-4o, api_key: '${KEY:-x}'"),
        "NX301",
        "'${KEY:-x}'",
        "Write os.environ/KEY.",
    ),
    "a variable with a default": (
        f"{MODELS}environment_variables:\n  A: ${{A:-b}}\n",
        "NX301",
        "${A:-b}",
        "Write os.environ/A.",
    ),
    "a master key that is a number": (
        f"{MODELS}general_settings: {{master_key: 5}}\n",
        "NX209",
        "5",
        "It must be text. Quote it.",
    ),
    "a merge of a text": (
        f"{MODELS}x: &x abc\nlitellm_settings:\n  <<: *x\n",
        "NX003",
        "*x",
        "Name an anchor of a mapping.",
    ),
    "a key that is an alias": (
        f"{MODELS}x: &x abc\nlitellm_settings:\n  *x : 1\n",
        "NX005",
        "*x",
        "a key must be written out",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_told(name: str, tmp_path: Path):
    text, code, token, says = FOUND[name]
    told = by_itself(tmp_path, {"config.yaml": text}).problems
    (problem,) = [each for each in told if each.rule is not MASTER_KEY_MISSING]
    line, column, length = problem.span
    assert problem.code == code
    assert text.splitlines()[line - 1][column - 1 : column - 1 + length] == token
    assert says in f"{problem.message} {problem.help}"


CLEAN = {
    "older guardrails": litellm("guardrails: [{x: {callbacks: [presidio], default_on: true}}]"),
    "code that comes with LiteLLM": litellm("callbacks: [litellm.integrations.x.handler]"),
    "models in the database": (
        "general_settings: {store_model_in_db: true, database_url: os.environ/DATABASE_URL}\n"
    ),
    "a vendor of one's own": asks("mine/x")
    + "litellm_settings:\n  custom_provider_map: [{provider: mine, custom_handler: litellm.it}]\n",
    "a model under another name": asks("openai/a-b-c") + "    model_info: {base_model: gpt-4o}\n",
    "an address with the vendor's own ending": asks(
        "anthropic/claude-sonnet-4-5, api_base: 'http://h/v1/messages'"
    ),
    "a fallback of a group": router(
        "routing_groups: [{group_name: g, models: [a], routing_strategy: least-busy}]\n"
        "  fallbacks: [{g: [a]}]"
    ),
    "a strategy from the environment": router("routing_strategy: os.environ/STRATEGY"),
    "where to alert as a text": f"{MODELS}general_settings: {{alerting: slack}}\n",
    "a token of an identity": asks("openai/gpt-4o, api_key: os.environ/oidc/google/x"),
}


@pytest.mark.parametrize("name", CLEAN)
def test_what_only_looks_odd(name: str, tmp_path: Path):
    told = by_itself(tmp_path, {"config.yaml": CLEAN[name]}).problems
    assert [each for each in told if each.rule is not MASTER_KEY_MISSING] == []


PROJECTS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "a profile like a provider but for case": (
        "model_config: all\nprofiles: {OPENAI: [openai]}\n",
        MODELS,
        [
            (
                "nixcfg.yaml",
                (
                    "on a file system that ignores case OPENAI is a provider; "
                    "a profile needs a name of its own"
                ),
            )
        ],
    ),
    "the database by its variable": (
        """\
database: local
general_settings:
  database_url: os.environ/DATABASE_URL
  maximum_spend_logs_retention_period: 90d
""",
        MODELS,
        [],
    ),
    "the Redis by its variables": (
        """\
redis: {host: 10.0.0.5, password_file: /run/redis}
router_settings:
  redis_host: os.environ/REDIS_HOST
  redis_port: os.environ/REDIS_PORT
  redis_password: os.environ/REDIS_PASSWORD
""",
        MODELS,
        [],
    ),
    "the password of a Redis without one": (
        "redis: {host: 10.0.0.5}\nrouter_settings: {redis_password: os.environ/PASSWORD}\n",
        MODELS,
        [("nixcfg.yaml", "redis of nixcfg.yaml is the one that all of LiteLLM uses")],
    ),
    "models for a database that is not there": (
        "environment: {STORE_MODEL_IN_DB: 'True'}\n",
        MODELS,
        [("nixcfg.yaml", "STORE_MODEL_IN_DB is for a database, and there is none")],
    ),
    "a key of one's own at another address": (
        "model_config: all\n",
        asks("openai/gpt-4o, api_base: 'http://h/v1'")
        + "environment_variables:\n  OPENAI_API_KEY: ${OPENAI_API_KEY}\n",
        [],
    ),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_what_a_project_makes_odd(name: str, tmp_path: Path):
    machine, provider, expected = PROJECTS[name]
    files = {"nixcfg.yaml": machine, "providers/openai.yaml": provider}
    told = in_project(tmp_path, files).problems
    assert [(each.file, each.message) for each in told] == expected
