"""The bad example of every rule about LiteLLM, through the real LiteLLM: is the claim true?

One process answers for all of them. What LiteLLM would send to a vendor is caught before it
leaves, so that a test can look at the address, the key and the body.
"""

import pytest
from claim import Answer, Claim, drops, key, question, refused, stops, stops_with, url
from rules_support import Oracle

from nixcfg.problems import pages

pytestmark = pytest.mark.oracle

MASTER_KEY = "sk-" + "0123456789abcdef" * 2  # the oracle's own
ENV = {"OPENAI_API_KEY": "sk-the-openai-key", "ANTHROPIC_API_KEY": "sk-the-anthropic-key"}

AWS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x"}

CLAIMS: dict[str, Claim] = {
    "NX003": Claim(stops_with("ScannerError")),
    "NX004": Claim(
        lambda bad, good: bad["router"]["num_retries"] != "5" == good["router"]["num_retries"]
    ),
    "NX009": Claim(stops_with("cannot be None or Empty")),
    "NX014": Claim(stops_with("Included file not found")),
    "NX102": Claim(stops_with("model_name")),
    "NX103": Claim(stops_with("expected str instance")),
    "NX201": Claim(
        lambda bad, good: (
            bad["router"]["routing_strategy"] == "'simple-shuffle'"
            and good["router"]["routing_strategy"] == "'least-busy'"
        )
    ),
    "NX203": Claim(
        lambda bad, good: (
            bad["litellm"]["drop_params"] == "False" and good["litellm"]["drop_params"] == "True"
        )
    ),
    "NX204": Claim(
        lambda bad, good: (
            "not supported between instances" in bad["replies"][0]
            and "not supported between instances" not in good["replies"][0]
        ),
        ask="gpt-4o",
        status=500,
        env=ENV,
    ),
    "NX205": Claim(
        lambda bad, good: (
            bad["litellm"]["drop_params"] == "False" and good["litellm"]["drop_params"] == "True"
        )
    ),
    "NX206": Claim(stops_with("NOT a valid router_settings parameter")),
    "NX207": Claim(
        lambda bad, _good: (
            bad["router"]["allowed_fails"] == "3" and "cooldown" not in bad["replies"][-1].lower()
        ),
        ask="gpt-4o",
        times=6,
        status=500,
        env=ENV,
        more="  num_retries: 0\n",
    ),
    "NX208": Claim(stops_with("Invalid routing_strategy")),
    "NX209": Claim(stops),
    "NX210": Claim(lambda bad, good: not bad["redis"] and good["redis"]),
    "NX212": Claim(
        lambda bad, _good: (
            bad["error"] is None
            and "langfuze" in bad["litellm"]["success_callback"]
            and not [line for line in bad["warnings"] if "langfuze" in line]
        ),
    ),
    "NX213": Claim(stops_with("Empty module name")),
    "NX214": Claim(stops_with("'host' or 'url' must be specified")),
    "NX215": Claim(lambda bad, _good: "Enterprise" in (bad["error"] or "")),
    "NX216": Claim(lambda bad, _good: "must be a mapping" in (bad["error"] or "")),
    "NX217": Claim(stops_with("Could not import user_api_key_auth")),
    "NX218": Claim(stops_with("prompt_integration")),
    "NX219": Claim(
        lambda bad, good: (
            bad["error"] is None
            and not bad["live"]["guardrails"]
            and good["live"]["runs"] == ["pre_call"]
        )
    ),
    "NX220": Claim(
        lambda bad, good: (
            bad["error"] is None
            and not bad["live"]["pass_through"]
            and good["live"]["pass_through"] == ["/classify"]
        )
    ),
    "NX221": Claim(stops_with("Server name cannot contain")),
    "NX222": Claim(stops_with("not found in guardrail registry")),
    "NX223": Claim(lambda bad, good: refused(bad) == 1 > refused(good), ask="gpt-4o", env=ENV),
    "NX224": Claim(
        lambda bad, good: refused(bad) == 0 < refused(good),
        ask="gpt-4o",
        times=5,
        env=ENV,
        change=("budget_limit: 100", "budget_limit: 0.000000001"),
    ),
    "NX225": Claim(
        lambda bad, good: refused(bad) == 0 < refused(good),
        ask="own",
        times=5,
        change=("max_budget: 10", "max_budget: 0.000000001"),
    ),
    "NX226": Claim(
        lambda bad, good: (
            any("gtp-4.1" in reply for reply in bad["replies"])
            and all("ok" in reply for reply in good["replies"])
        ),
        ask="smart",
        times=12,
        env=ENV,
    ),
    "NX227": Claim(
        lambda bad, good: bad["replies"] == ["ok: hello"] and not good["sent"],
        ask="gpt-4o",
        tags=("paid",),
        env=ENV,
    ),
    "NX229": Claim(
        lambda bad, good: (
            any("custom_auth_run_common_checks" in line for line in bad["warnings"])
            and not any("common_checks" in line for line in good["warnings"])
        )
    ),
    "NX230": Claim(
        lambda bad, good: (
            "redis://cache.example.com" in bad["hosts"] and "cache.example.com" in good["hosts"]
        )
    ),
    "NX301": Claim(
        lambda bad, good: (
            key(bad) == "${ANTHROPIC_API_KEY}" and key(good) == "sk-the-anthropic-key"
        ),
        ask="claude",
        env=ENV,
    ),
    "NX306": Claim(
        lambda bad, _good: bad["params"][0]["api_base"] == "http://os.environ/HOST/v1",
        env={"HOST": "10.0.0.5"},
    ),
    "NX307": Claim(
        lambda bad, _good: bad["general"]["public_routes"] == ["os.environ/ROUTE"],
        env={"ROUTE": "/metrics"},
    ),
    "NX308": Claim(
        lambda bad, good: "10.0.0.5" not in url(bad) and "10.0.0.5" in url(good), ask="local"
    ),
    "NX309": Claim(lambda bad, _good: bad["env"]["OPENAI_ORGANIZATION"] == "None"),
    "NX310": Claim(lambda bad, _good: bad["env"]["NO_PROXY"] != "localhost"),
    "NX311": Claim(lambda bad, _good: key(bad) == "sk-the-anthropic-key", ask="claude", env=ENV),
    "NX312": Claim(lambda bad, _good: "dummy-1" in str(bad["sent"]), ask="gemini"),
    "NX313": Claim(
        lambda bad, _good: "10.0.0.5" in url(bad) and "sk-the-openai-key" in key(bad),
        ask="gpt-4o",
        env=ENV,
    ),
    "NX314": Claim(lambda bad, good: bad["refused"] and not good["refused"]),
    "NX315": Claim(lambda bad, _good: not bad["refused"]),
    "NX316": Claim(lambda bad, _good: bad["refused"], env={"LITELLM_MASTER_KEY": ""}),
    "NX317": Claim(
        lambda bad, _good: "deepinfra.com" in url(bad) and "sk-the-openai-key" in key(bad),
        ask="llama",
        env=ENV,
    ),
    "NX318": Claim(
        lambda bad, good: "sk-of-the-env" in key(bad) and "sk-of-the-team" in key(good),
        ask="gpt-4o",
        env={"OPENAI_API_KEY": "sk-of-the-env", "TEAM_KEY": "sk-of-the-team"},
    ),
    "NX319": Claim(
        lambda bad, good: (
            "10.0.0.5" in url(bad)
            and "sk-the-openai-key" in key(bad)
            and "sk-the-openai-key" not in key(good)
        ),
        ask="local",
        env=ENV,
    ),
    "NX320": Claim(lambda bad, _good: bad["litellm"]["api_key"] == "'sk-the-openai-key'", env=ENV),
    "NX321": Claim(
        lambda bad, _good: "deepinfra.com" in url(bad) and "sk-the-openai-key" in key(bad),
        ask="llama",
        env=ENV,
    ),
    "NX322": Claim(
        lambda bad, _good: (
            bad["env"]["DEFAULT_MAX_RETRIES"] == "7"
            and bad["constants"]["DEFAULT_MAX_RETRIES"] != "7"
        )
    ),
    "NX323": Claim(
        lambda bad, good: key(bad) == f"Bearer {MASTER_KEY}" and not good["sent"][0]["keys"],
        request={"path": "/classify", "headers": {"Authorization": f"Bearer {MASTER_KEY}"}},
    ),
    "NX401": Claim(lambda bad, good: bad["error"] is None and bad["loaded"] == 0 < good["loaded"]),
    "NX402": Claim(drops),
    "NX403": Claim(
        lambda bad, _good: '"temprature":' in bad["sent"][0]["body"], ask="gpt-4o", env=ENV
    ),
    "NX404": Claim(drops),
    "NX405": Claim(
        lambda bad, good: "timeout" not in bad["params"][0] and "timeout" in good["params"][0]
    ),
    "NX406": Claim(lambda bad, good: len(set(bad["ids"])) == 1 < len(set(good["ids"]))),
    "NX407": Claim(lambda bad, good: bad["ids"] == ["one", "one"] and len(set(good["ids"])) == 2),
    "NX408": Claim(
        lambda bad, _good: len({url(one) for one in ({"sent": [s]} for s in bad["sent"])}) == 2,
        ask="smart",
        times=40,
        env=ENV,
    ),
    "NX409": Claim(lambda bad, good: bad["names"] == ["gpt-4o "] and good["names"] == ["gpt-4o"]),
    "NX410": Claim(lambda bad, _good: '"model":"*"' in bad["sent"][0]["body"], ask="gpt", env=ENV),
    "NX411": Claim(
        lambda bad, _good: (
            "NotFoundError" in bad["replies"][0] and "claude-sonet" in bad["sent"][0]["body"]
        ),
        ask="claude",
        status=404,
        env=ENV,
    ),
    "NX414": Claim(
        lambda bad, good: (
            url(bad).endswith("/v1/v1/messages")
            and url(good) == "https://api.anthropic.com/v1/messages"
        ),
        ask="claude",
        env=ENV,
    ),
    "NX415": Claim(
        lambda bad, good: not bad["sent"] and "ok" not in bad["replies"][0] and good["sent"],
        ask="local",
    ),
    "NX416": Claim(
        lambda bad, good: "api.openai.com" in url(bad) and "10.0.0.5" in url(good), ask="local"
    ),
    "NX417": Claim(lambda bad, good: bad["spawned"] == ["ollama serve"] and not good["spawned"]),
    "NX418": Claim(
        lambda bad, good: (
            drops(bad, good) and any("login needs a human" in line for line in bad["warnings"])
        )
    ),
    "NX419": Claim(stops_with("NoneType")),
    "NX421": Claim(
        lambda bad, _good: "cluade" in bad["replies"][0],
        ask="gpt-4o",
        status=500,
        env=ENV,
        more="  num_retries: 0\n",
    ),
    "NX422": Claim(stops_with("is not a dictionary")),
    "NX423": Claim(stops_with("must be a list of model names")),
    "NX424": Claim(
        lambda bad, _good: (
            {"openai", "anthropic"}
            == {part for s in bad["sent"] for part in ("openai", "anthropic") if part in s["url"]}
            and len(bad["sent"]) < 20
        ),
        ask="gpt-4o",
        status=500,
        env=ENV,
        more="  num_retries: 0\n",
    ),
    "NX425": Claim(
        lambda bad, good: (
            not [s for s in bad["sent"] if "anthropic" in s["url"]]
            and [s for s in good["sent"] if "anthropic" in s["url"]] != []
        ),
        ask="gpt-4o",
        status=500,
        env=ENV,
        more="  num_retries: 0\n",
    ),
    "NX428": Claim(
        lambda bad, good: (
            "api.anthropic.com" in url(bad)
            and "eu-central-1" not in str(bad["sent"])
            and ".eu-central-1." in url(good)
        ),
        ask="claude",
        env={**ENV, **AWS},
    ),
    "NX429": Claim(
        lambda bad, good: ".us-west-2." in url(bad) and ".eu-central-1." in url(good),
        ask="nova",
        env=AWS,
    ),
    "NX430": Claim(
        lambda bad, good: (
            '"extra_body":' in bad["sent"][0]["body"] and '"top_k":5' in good["sent"][0]["body"]
        ),
        ask="claude",
        env=ENV,
    ),
    "NX431": Claim(
        lambda bad, good: (
            any("is not a flag value" in line for line in bad["warnings"])
            and not any("is not a flag value" in line for line in good["warnings"])
        ),
        ask="claude",
        env=ENV,
    ),
    "NX432": Claim(
        lambda bad, good: (
            "api-version=api-version%3D2024" in url(bad) and url(good).endswith("=2024-10-21")
        ),
        ask="gpt-4o",
        env={"AZURE_API_KEY": "x"},
    ),
    "NX436": Claim(drops),
    "NX433": Claim(
        lambda bad, good: "No module named 'vllm'" in bad["replies"][0] and "10.0.0.5" in url(good),
        ask="llama",
    ),
}


@pytest.fixture(scope="module")
def answers(oracle: type[Oracle]) -> dict[str, tuple[Answer, Answer]]:
    asked = [
        question(claim, example)
        for code, claim in CLAIMS.items()
        for page in (pages.read(code),)
        for example in (page.bad, page.good)
    ]
    told = iter(oracle.ask(asked))
    return {code: (next(told), next(told)) for code in CLAIMS}


@pytest.mark.parametrize("code", CLAIMS)
def test_the_claim_holds(code: str, answers: dict[str, tuple[Answer, Answer]]):
    bad, good = answers[code]
    assert CLAIMS[code].holds(bad, good), (bad, good)
