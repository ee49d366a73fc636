"""One answer to whether a name is that of a secret, and whether a value is a key."""

import json
from pathlib import Path

import pytest

from nixcfg import knowledge
from nixcfg.keys.mask import masked
from nixcfg.keys.shapes import is_harmless, is_random, is_refused, names_secret, prefixes
from program import ROOT, Run

MODULE = ROOT / "modules" / "litellm-proxy"
BODY = "AbCdEf0123456789ghIJklMN"


@pytest.mark.parametrize(
    "name",
    [
        *("api_key", "apiKey", "x-api-key", "x-token-v2", "Authorization"),
        "Ocp-Apim-Subscription-Key",
        *("GOOGLE_APPLICATION_CREDENTIALS", "AWS_ACCESS_KEY_ID", "WATSONX_ZENAPIKEY"),
        *("redis_password", "DBPASSWORD", "litellm_license", "client_secret", "key", "key2"),
        *("GITHUB_PAT", "SNOWFLAKE_JWT"),
        *("anthropic_identity_token", "default_api_key", "salt_key", "api_keys", "cookie"),
    ],
)  # fmt: skip
def test_a_secret(name: str):
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("max_tokens", "input_cost_per_token", "master_key_file", "credential_name", "cache_key"),
        *("LANGFUSE_PUBLIC_KEY", "OPENAI_API_KEY_FILE", "token_url", "key_alias", "model", "auth"),
        *("disable_master_key_return", "api_key_header_name", "password_policy_min_length", "keys"),
        *("secrets", "secrets_dir", "credential_values", "monkey", "tokenizer", "hockey_team"),
    ],
)
def test_no_secret(name: str):
    assert not names_secret(name)


def test_what_is_known_of_litellm():
    """Its settings and the variables of its providers, but for values that say it themselves."""
    by_value = {"database_url", "allow_client_side_credentials"}
    settings = [key for section in knowledge.sections() for key in knowledge.keys(section).values()]
    assert {key.name for key in settings if key.secret and not names_secret(key.name)} == by_value
    wrong = {key.name for key in settings if not key.secret and names_secret(key.name)}
    assert wrong == {"key"}  # of model_info, where it is a name
    variables = {c for facts in knowledge.providers().values() for c in facts.credentials}
    assert [c for c in variables if names_secret(c.variable) != c.secret] == []


def test_the_module_agrees(nix: Run, tmp_path: Path):
    """What is valid must not fail at the rebuild, and the other way round."""
    names = {"FOO", "X_TOKEN", "KEY", "TOKEN2", "A_KEY_FILE", "MAX_TOKENS", "x-token-v2"}
    names |= {key.upper() for section in knowledge.sections() for key in knowledge.keys(section)}
    values = ["", "none", "abcdefghijk", "abcdefghijkl", "/a/b/c/d/e/f/g", "1234567890.1234"]
    values += ["http://host:80/x", "https://u:p@host/x", "postgresql://u:p@h/d", "-----BEGIN K"]
    values += ["os.environ/SOME_NAME", "é" * 6, *(prefix + BODY for prefix in prefixes())]
    pairs = [(name, "abcdefghijklmn") for name in sorted(names)]
    pairs += [(name, value) for name in ("FOO", "X_TOKEN") for value in values]
    asked = tmp_path / "pairs.json"
    asked.write_text(json.dumps(pairs))
    program = f"""
      let
        lib = import <nixpkgs/lib>;
        looksLikeKey = import {MODULE}/looks-like-key.nix lib;
      in
      map (pair: looksLikeKey (lib.head pair) (lib.last pair)) (lib.importJSON {asked})
    """
    done = nix("--eval", "--strict", "--json", "-E", program)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    assert theirs == [is_refused(name, value) for name, value in pairs]
    assert 30 < sum(theirs) < len(pairs) - 30


@pytest.mark.parametrize(
    "value", ["none", "os.environ/KEY", "${KEY}", "/run/secrets/a", "config.age.x"]
)
def test_harmless(value: str):
    assert is_harmless(value)


@pytest.mark.parametrize(
    "value", ["hunter2", "/ab+cd/efgh12345==", "$ecret1", "<", "${X:-hunter2}"]
)
def test_harmful(value: str):
    assert not is_harmless(value)


@pytest.mark.parametrize(
    "text",
    [
        *("claude-sonnet-4-5-20250929", "openai/gpt-5.6-codex", "pplx-embed-context-v1-0.6b"),
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        *("Qwen3-235B-A22B-Instruct-2507-FP8-W4A16", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        *("accounts/fireworks/models/qwen2p5-vl-32b-instruct", "GPT4AllFalcon13B"),
        "/nix/store/0c8sm6kxmfsb2y8j0fshq8pv9l3p9yzx-litellm/lib",
        *("gemini-2.5-flash-preview-native-audio", "Mistral-Small-3.2-24B-Instruct-2506-AWQ"),
    ],
)  # fmt: skip
def test_the_name_of_a_model_is_shown(text: str):
    assert not is_random(text)
    assert masked(f"model: {text}", source=True) == f"model: {text}"


def test_every_model_that_is_known_is_shown():
    known = {name for provider in knowledge.providers() for name in knowledge.models(provider)}
    assert len(known) > 1000
    hidden = {name for name in known if masked(name) != name}
    assert hidden == {"/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM"} & known
