"""`nixcfg probe` against the real LiteLLM, with vendors that fail in every way they can."""

import json
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from day import MODELS, Cli, Done, Trying
from gateway import MISSING_KEY, free_port
from terminal import Terminal
from vendor import Behaviour, Reply, Seen, Vendor

KEYED = ("claude", "openai", "gemini")


@pytest.fixture
def probe(cli: Cli, trying: Trying):
    """`probe("--yes")` asks the running gateway."""

    def run(*arguments: str, **environment: str) -> Done:
        key = {"LITELLM_MASTER_KEY": trying.key, **environment}
        return cli(trying.project, "probe", "--url", trying.url, *arguments, **key)

    return run


def outcomes(done: Done) -> dict[str, Any]:
    """By kind, of the only model that was asked."""
    (model,) = json.loads(done.out)["models"]
    return {each["kind"]: each for each in model["requests"]}


def slow(vendor: Vendor, seconds: float) -> Behaviour:
    def behave(seen: Seen) -> Reply:
        time.sleep(seconds)
        return vendor.answer(seen)

    return behave


def broken(vendor: Vendor) -> Behaviour:
    """The beginning of an answer, with time to arrive, and then no more."""

    def behave(seen: Seen) -> Reply:
        def chunks() -> Iterable[bytes]:
            for chunk in list(whole.chunks)[:-3]:
                yield chunk
                time.sleep(0.2)
            raise ConnectionError

        whole = vendor.answer(seen)
        return Reply(whole.status, whole.content_type, chunks())

    return behave


def rested() -> None:
    """LiteLLM leaves a model alone for a second after it failed."""
    time.sleep(1.2)


def test_everything_answers_and_each_vendor_sees_its_own_key_only(
    probe, trying: Trying, fresh: dict[str, Vendor]
):
    done = probe("--yes", "--all", "--json")
    told = json.loads(done.out)
    assert told["missing"] == told["unexpected"] == []
    assert [each["name"] for each in told["skipped"]] == ["openai/*"]
    asked = {model["name"]: model for model in told["models"]}
    assert list(asked) == [MODELS[name][0] for name in MODELS]
    for name in KEYED:
        model = asked[MODELS[name][0]]
        assert [each["status"] for each in model["requests"]] == ["ok"] * 3
        assert [each["completion_tokens"] for each in model["requests"]] == [9] * 3
        assert model["requests"][2]["first"] < model["requests"][2]["total"]
        assert model["cost"] > 0

    # The key that is missing is no other vendor's.
    assert {each["status"] for each in asked["gpt-oss"]["requests"]} == {"failed"}
    assert done.code == 1
    for name in KEYED:
        vendor = fresh[name]
        assert [vendor.key_in(seen) for seen in vendor.seen] == [vendor.key] * 3
    assert {fresh["groq"].key_in(seen) for seen in fresh["groq"].seen} == {MISSING_KEY}
    secrets = [*(vendor.key for vendor in fresh.values()), trying.key]
    for vendor in fresh.values():
        for seen in vendor.seen:
            others = [key for key in secrets if key.encode() in seen.everything()]
            assert others in ([], [vendor.key])
    assert not [key for key in secrets if key in done.said]
    # The session's key is shown once, by `try`; the others never.
    assert [trying.said().count(key) for key in secrets] == [0, 0, 0, 0, 1]


def test_the_table(probe, fresh: dict[str, Vendor]):
    done = probe("--yes", "--model", "gpt-4o", "--model", "claude-sonnet-4-5")
    assert done.code == 0, done.said
    head, openai, claude, *rest = done.out.splitlines()
    assert head.split() == [
        "MODEL",
        "PLAIN",
        "SYSTEM",
        "STREAM",
        "FIRST",
        "TOKEN",
        "TOTAL",
        "TOKENS",
        "COST",
    ]
    assert openai.split()[:4] == ["gpt-4o", "ok", "ok", "ok"]
    assert claude.split()[:4] == ["claude-sonnet-4-5", "ok", "ok", "ok"]
    # 36 and 27 tokens at $2.50 and $10 for a million.
    assert openai.endswith("36 + 27  $0.00036")
    assert rest == []
    assert "6 requests to gpt-4o, claude-sonnet-4-5 (about $0." in done.err
    assert "serves every model of the rendered configuration" in done.err
    assert len(fresh["openai"].seen) == len(fresh["claude"].seen) == 3


def test_a_model_behind_a_wildcard(probe, fresh: dict[str, Vendor]):
    done = probe("--yes", "--model", "openai/gpt-4o-mini")
    assert done.code == 0, done.said
    assert done.out.splitlines()[1].split()[:4] == ["openai/gpt-4o-mini", "ok", "ok", "ok"]
    assert [seen.json()["model"] for seen in fresh["openai"].seen] == ["gpt-4o-mini"] * 3


def test_a_dropped_deployment_is_found(probe, fresh: dict[str, Vendor]):
    done = probe("holed", "--dry-run")
    assert done.code == 1
    assert "error: dropped is in the rendered configuration, and the gateway lacks it" in done.out
    assert "`nixcfg rehearse` says why" in done.out
    done = probe("holed", "--yes", "--model", "dropped")
    assert "dropped, plain: 400: You passed in model=dropped. There are no healthy" in done.out
    assert "LiteLLM dropped this model at its start" in done.out
    assert not any(vendor.seen for vendor in fresh.values())


def test_what_the_gateway_serves_beyond_the_project_is_told(probe):
    done = probe("claude", "--dry-run", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert told["unexpected"][:3] == ["gpt-4o", "gemini-2.5-flash", "gpt-oss"]
    assert "openai/gpt-4o" in told["unexpected"]


Refusal = tuple[str, int, str]
REFUSALS: list[Refusal] = [
    ("claude", 401, "refuses the key {variable} in {file}: `nixcfg set-key {variable}`"),
    ("openai", 403, "refuses the key {variable} in {file}: `nixcfg set-key {variable}`"),
    ("gemini", 404, "The vendor has no {model}: `nixcfg models gemini/`"),
    ("claude", 429, "Too many requests for this key"),
    ("openai", 500, "The vendor's side is in trouble"),
    ("gemini", 503, "The vendor's side is in trouble"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case[0]}-{case[1]}")
def test_vendors_errors(probe, trying: Trying, fresh: dict[str, Vendor], case: Refusal):
    name, status, mend = case
    rested()
    vendor = fresh[name]
    vendor.behave_as(*[vendor.refusal(status)] * 3)
    alias, model, variable = MODELS[name]
    done = probe("--yes", "--model", alias)
    file = trying.project / "keys" / f"{variable.lower()}.txt"
    assert done.code == 1
    assert f"error: {alias}, plain: {status}: scripted by the test\n" in done.out
    assert mend.format(variable=variable, file=file, model=model) in done.out
    # What follows from the first error is not told as another.
    assert done.out.count("error:") == 1
    assert vendor.key not in done.said


@pytest.mark.parametrize("name", KEYED)
def test_a_wrong_key(probe, fresh: dict[str, Vendor], name: str):
    rested()
    vendor = fresh[name]
    vendor.behave_as(*[lambda _seen: vendor.wrong_key()] * 3)
    done = probe("--yes", "--model", MODELS[name][0])
    assert f"`nixcfg set-key {MODELS[name][2]}`" in done.out
    # A vendor says so with 400 (Google) or 401; one line of it is shown.
    assert vendor.name != "gemini" or "API key not valid. Please pass a valid API key." in done.out


def test_a_missing_optional_key(probe):
    rested()
    done = probe("--yes", "--model", "gpt-oss")
    assert done.code == 1
    assert "401: Incorrect API key provided." in done.out
    assert "`nixcfg set-key GROQ_API_KEY`" in done.out


def test_a_model_that_rests(probe, fresh: dict[str, Vendor]):
    rested()
    openai = fresh["openai"]
    openai.behave_as(openai.refusal(401))
    told = outcomes(probe("--yes", "--model", "gpt-4o", "--json"))
    assert told["plain"]["http"] == 401
    assert told["system"]["http"] == 429
    assert told["system"]["mend"].startswith("LiteLLM rests this model")
    assert told["system"]["message"].startswith("429: No deployments available")
    assert "cooldown_list" not in told["system"]["message"]


def test_a_slow_stream(probe, fresh: dict[str, Vendor]):
    rested()
    openai = fresh["openai"]
    openai.behave_as(openai.answer, openai.answer, slow(openai, 5.2))
    done = probe("--yes", "--model", "gpt-4o")
    assert done.code == 0
    assert "slow: gpt-4o, stream: the first token came after 5." in done.out


def test_no_answer_in_time(probe, fresh: dict[str, Vendor]):
    rested()
    openai = fresh["openai"]
    openai.behave_as(*[slow(openai, 1.5)] * 3)
    done = probe("--yes", "--model", "gpt-4o", "--timeout", "0.5")
    assert done.code == 1
    assert "plain: no word for 0.5 s" in done.out
    assert "--timeout" in done.out


@pytest.mark.parametrize("name", KEYED)
def test_a_stream_that_breaks_off(probe, fresh: dict[str, Vendor], name: str):
    rested()
    vendor = fresh[name]
    vendor.behave_as(vendor.answer, vendor.answer, broken(vendor))
    told = outcomes(probe("--yes", "--model", MODELS[name][0], "--json"))
    assert [told[kind]["status"] for kind in ("plain", "system", "stream")] == [
        "ok",
        "ok",
        "failed",
    ]
    assert "broke off" in told["stream"]["message"] + told["stream"]["mend"]


def test_no_money_is_spent_without_a_word(
    probe, trying: Trying, fresh: dict[str, Vendor], program: list[str], tmp_path: Path
):
    done = probe()
    assert done.code == 1
    assert "9 requests" not in done.err
    assert "12 requests to " in done.err
    assert "add --yes, or --dry-run" in done.err
    assert probe("--dry-run").code == 0
    command = [*program, "-C", str(trying.project), "probe", "--url", trying.url]
    with Terminal(command, tmp_path, LITELLM_MASTER_KEY=trying.key) as person:
        person.reads("Send them?")
        person.types("n")
        assert person.ends() == 1
    assert not any(vendor.seen for vendor in fresh.values())
    with Terminal(
        [*command, "--model", "gpt-4o"], tmp_path, LITELLM_MASTER_KEY=trying.key
    ) as person:
        person.reads("Send them?")
        person.types("y")
        person.reads("100%")
        assert person.ends() == 0
    assert len(fresh["openai"].seen) == 3


def test_the_master_key_is_wrong(probe):
    done = probe("--yes", LITELLM_MASTER_KEY="sk-of-another-gateway")
    assert done.code == 1
    assert "does not take this master key" in done.err
    assert "sk-of-another-gateway" not in done.said


def test_nobody_listens(cli: Cli, project: Path):
    done = cli(project, "probe", "--yes", LITELLM_MASTER_KEY="sk-any")
    assert done.code == 1
    assert "no one listens on http://127.0.0.1:" in done.err
    assert "systemctl status docker-litellm-proxy.service" in done.err


def test_another_program_listens(cli: Cli, project: Path, fresh: dict[str, Vendor]):
    url = fresh["openai"].url
    done = cli(project, "probe", "--yes", "--url", url, LITELLM_MASTER_KEY="sk-any")
    assert done.code == 1
    assert f"{url} answers 404 to /v1/models" in done.err


def test_without_a_project(cli: Cli, trying: Trying, tmp_path: Path, fresh: dict[str, Vendor]):
    done = cli(tmp_path, "probe")
    assert done.code == 2
    assert "name the gateway" in done.err
    key = tmp_path / "key"
    key.write_text(trying.key + "\n")
    arguments = ("--url", trying.url, "--key-file", str(key), "--model", "gpt-4o", "--yes")
    done = cli(tmp_path, "probe", *arguments)
    assert done.code == 0, done.said
    assert len(fresh["openai"].seen) == 3


def test_the_service_key_file(cli: Cli, project: Path):
    """Not there: the service makes it; and without a running one there is nothing to ask."""
    if Path("/var/lib/litellm-proxy/master-key").exists():
        pytest.skip("a gateway is installed here")
    done = cli(project, "probe", "--dry-run")
    assert done.code == 1
    assert "/var/lib/litellm-proxy/master-key is missing" in done.err
    assert str(free_port()) not in done.err


def test_this_machines_key_goes_to_no_other(cli: Cli, project: Path, tmp_path: Path):
    """A listener that is not on loopback gets no key from the service's file."""
    key = tmp_path / "master"
    key.write_text("sk-0123456789abcdef0123456789abcdef\n")
    with (project / "nixcfg.yaml").open("a") as text:
        text.write(f"master_key_file: {key}\n")
    seen: list[bytes] = []
    with socket.create_server(("0.0.0.0", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def answer() -> None:
            while len(seen) < 2:
                connection, _ = listener.accept()
                with connection:
                    seen.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        pool.submit(answer)
        port = listener.getsockname()[1]
        for host in ("0.0.0.0", "127.0.0.1"):
            cli(project, "probe", "--dry-run", "--url", f"http://{host}:{port}")
    assert [b"Authorization: Bearer sk-0123" in each for each in seen] == [False, True]
