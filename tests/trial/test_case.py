"""Cases as they are read, stand-ins as they answer, verdicts: without LiteLLM."""

import json
from typing import Any

import pytest
import yaml

from nixcfg.trial import judge, record
from nixcfg.trial.case import Case, read
from nixcfg.trial.deployment import Deployment
from nixcfg.trial.exchange import Request
from nixcfg.trial.judge import Answered
from nixcfg.trial.record import Recorded
from nixcfg.trial.standin import StandIns
from nixcfg.trial.vendors import every
from nixcfg.trial.vendors.base import Good
from nixcfg.yamltext import reader

OPENAI = Deployment("openai", "openai/gpt-4o", "", frozenset({"OPENAI_API_KEY"}))
OTHER = Deployment("second", "openai/gpt-4o", "", frozenset({"SECOND_KEY"}))
LOCAL = Deployment("box", "openai/gpt-4o", "127.0.0.1:8000", frozenset())
ANY = Deployment("any", "openai/*", "", frozenset())
CHAT = "/v1/chat/completions"


def one(text: str) -> Case:
    cases, problems = read(reader.parse("cases:\n- name: c\n" + text, "tests/c.yaml"))
    assert problems == []
    return cases[0]


def asked(model: str, *, key: str = "", host: str = "api.openai.com", **body: object) -> Request:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return Request("POST", host, CHAT, headers, json.dumps({"model": model, **body}).encode())


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("cases: []", 1, "is empty"),
        ("cases:\n- name: a", 2, "has no request"),
        ("cases:\n- name: a\n  request: {model: m}\n", 2, "expects nothing, so it cannot fail"),
        (
            "cases:\n- name: a\n  request: {model: m}\n  expect: {staus: 200}",
            4,
            "unknown key staus",
        ),
        (
            "cases:\n- name: a\n  request: {model: m}\n  steps: [{request: {model: m}}]",
            2,
            "both a request and steps",
        ),
        (
            "cases:\n- name: a\n  expect: {tool: a}\n  steps: [{request: {}, expect: {tool: a}}]",
            3,
            "each step has its own expect",
        ),
        (
            "cases: [{name: a, request: {},\n  vendors: {o: {status: 200}}, expect: {status: 1}}]",
            2,
            "cannot be",
        ),
        ("- name: a", 1, "mapping"),
        ("cases:\n- name: a\n  name: b", 3, "name"),
    ],
)
def test_what_is_wrong_has_a_place(text: str, line: int, words: str):
    _, problems = read(reader.parse(text, "tests/a.yaml"))
    assert (line, True) in [(each.span.line, words in each.message) for each in problems]


def test_who_is_asked():
    found = StandIns([ANY, OTHER, OPENAI, LOCAL], {})
    for request in (
        asked("gpt-4o", key="nixcfg-test-OPENAI_API_KEY"),
        asked("gpt-4o", key="nixcfg-test-SECOND_KEY"),
        asked("gpt-4o", host="127.0.0.1:8000"),
        asked("gpt-unheard-of"),
    ):
        found.answer(request)
    assert [each.deployment for each in found.log] == [OPENAI, OTHER, LOCAL, ANY]


def test_a_list_of_behaviours_is_used_up_and_one_alone_stays():
    listed = one("  vendors: {openai: [{status: 500, times: 2}, {status: 429}]}\n" + ANSWERED)
    stand_ins = StandIns([OPENAI], listed.vendors)
    got = [stand_ins.answer(asked("gpt-4o")).status for _ in range(5)]
    assert got == [500, 500, 429, 200, 200]
    alone = one("  vendors: {openai/gpt-4o: {status: 500}}\n" + ANSWERED)
    stand_ins = StandIns([OPENAI], alone.vendors)
    assert [stand_ins.answer(asked("gpt-4o")).status for _ in range(3)] == [500, 500, 500]


ANSWERED = "  request: {model: m}\n  expect: {status: 200}\n"
PATHS = {
    "openai": CHAT,
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/g:streamGenerateContent?alt=sse",
    "bedrock": "/model/b/converse-stream",
    "ollama": "/api/chat",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_cut_comes_before_its_piece(path: str, cut: int):
    says = ["first-", "second-", "third"]
    case = one(f"  vendors: {{openai: {{says: {says}, cut: {cut}}}}}\n{ANSWERED}")
    stand_ins = StandIns([Deployment("openai", "x/*", "", frozenset())], case.vendors)
    body = json.dumps({"model": "m", "stream": True}).encode()
    reply = stand_ins.answer(Request("POST", "host", path, {}, body))
    sent = b"".join(reply.pieces)
    assert reply.is_cut
    assert [piece.encode() in sent for piece in says] == [number < cut for number in range(3)]


@pytest.mark.parametrize("path", ["/v1/unheard-of", "/chat", "/v1/images/edits"])
def test_an_api_that_no_stand_in_speaks_is_in_the_log(path: str):
    stand_ins = StandIns([OPENAI], {})
    assert stand_ins.answer(Request("POST", "host", path, {}, b"{}")).status == 501
    assert [each.line() for each in stand_ins.log] == [
        f"?: POST host{path} -> 501, no stand-in speaks this API"
    ]


def test_what_was_asked_without_a_client_is_in_no_log():
    stand_ins = StandIns([OPENAI], {})
    stand_ins.answer(Request("GET", "raw.githubusercontent.com", "/x", {}))
    stand_ins.answer(Request("POST", "host", "/api/show", {}, b'{"name": "llama3"}'))
    assert stand_ins.log == ()


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1/responses"])
def test_an_answer_is_read_as_it_was_meant(path: str, is_streamed: bool):
    request = Request("POST", "h", path, {}, json.dumps({"stream": is_streamed}).encode())
    protocol = every.of(request)
    assert protocol
    for good, tool in (
        (Good(("one ", "two"), None, 1, 2), ""),
        (Good(("",), ("weather", {"city": "Bern"}), 1, 2), "weather"),
    ):
        reply = protocol.answer(request, good)
        lines = b"".join(reply.pieces).splitlines(keepends=True)
        got = judge.answered(200, reply.headers, lines, "")
        assert (got.text, got.tool, got.is_complete) == (good.text, tool, True)
        if is_streamed:
            assert not judge.answered(200, reply.headers, lines[:-3], "").is_complete


@pytest.mark.parametrize(
    ("group", "vendors", "by"),
    [
        ("gpt", None, "openai/gpt-4o"),
        ("claude", {"openai/gpt-4o": {"status": 503}}, "anthropic/claude-haiku-4-5"),
        ("pool", {"openai/gpt-4o": {"status": 503}}, None),  # two take turns
        ("", None, None),  # a key that does not open /model/info
        ("made-in-the-ui", None, None),
    ],
)
def test_what_is_recorded_of_an_answer(group: str, vendors: Any, by: str | None):
    deployments = {
        "gpt": ["openai/gpt-4o"],
        "claude": ["anthropic/claude-haiku-4-5"],
        "pool": ["anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash"],
    }
    # What failed is no case.
    answers = [Recorded("gpt", Answered(status), group) for status in (200, 401)]
    text = record.text(answers, deployments, "Recorded")
    assert text.startswith("# Recorded\n")
    (case,) = yaml.safe_load(text)["cases"]
    assert case.get("vendors") == vendors
    assert case["expect"].get("answered_by") == by
    assert case["request"] == {"model": "gpt", "prompt": record.PROMPT}


EU = Deployment("azure", "azure/gpt", "eu.example.org", frozenset({"EU_KEY"}), "eu")
US = Deployment("azure", "azure/gpt", "us.example.org", frozenset({"US_KEY"}))


def at(host: str) -> Request:
    return Request("POST", host, "/openai/deployments/gpt/chat/completions", {}, b"{}")


@pytest.mark.parametrize("name", ["us.example.org", "US_KEY"])
def test_one_of_two_alike_is_named_by_what_it_has_alone(name: str):
    listed = one(f"  vendors: {{{name}: {{status: 500}}, azure/gpt: {{status: 429}}}}\n" + ANSWERED)
    stand_ins = StandIns([EU, US], listed.vendors)
    assert [stand_ins.answer(at(each.host)).status for each in (EU, US)] == [429, 500]
    step = one(
        f"  request: {{model: m}}\n  expect: {{asked: {{{name}: 1, eu: 1, azure: 2}}}}"
    ).steps[0]
    assert judge.failures(step, Answered(200), stand_ins.log) == []
    assert len(judge.failures(step, Answered(200), stand_ins.log[1:])) == 2


@pytest.mark.parametrize(
    ("behaviour", "status", "is_good", "said"),
    [
        ("{down: true}", 0, False, "no answer, the connection is closed"),
        ("{refuses: context_window}", 400, False, "400, refused: context_window"),
        ("{body: {a: [1]}}", 200, True, "200, another body"),
        ("{body: '{\"a\": [1'}", 200, False, "200, another body"),
        ("{status: 402, body: {error: x}}", 402, False, "402, another body"),
        ("{tool: {name: t}, cut: 0}", 200, False, "200, cut before piece 1"),
    ],
)
def test_how_a_vendor_misbehaves(behaviour: str, status: int, is_good: bool, said: str):
    case = one(f"  vendors: {{openai: {behaviour}}}\n" + ANSWERED)
    stand_ins = StandIns([OPENAI], case.vendors)
    reply = stand_ins.answer(asked("gpt-4o", stream=True))
    (exchange,) = stand_ins.log
    assert (reply.status, exchange.is_good) == (status, is_good)
    assert exchange.line().endswith(f" -> {said}")
    assert b"[DONE]" not in b"".join(reply.pieces)


def test_a_host_that_is_no_models_answers_what_a_case_says():
    case = one("  vendors: {guard.example.org: {body: {flagged: true}}}\n" + ANSWERED)
    stand_ins = StandIns([OPENAI], case.vendors)
    request = Request("POST", "guard.example.org", "/v2/guard", {}, b"{}")
    reply = stand_ins.answer(request)
    assert (reply.status, b"".join(reply.pieces)) == (200, b'{"flagged": true}')
    assert [each.names for each in stand_ins.log] == [("guard.example.org",)]


@pytest.mark.parametrize(
    ("expect", "got", "is_met"),
    [
        ("within: 2", Answered(200, first=1.9), True),
        ("within: 2", Answered(200, first=2.1), False),
        ("within: 2", Answered(None), False),
        ("guardrails: [a]", Answered(200, {"x-litellm-applied-guardrails": "b,a"}), True),
        ("guardrails: [a]", Answered(200, {"x-litellm-applied-guardrails": "ab"}), False),
        ("guardrails: []", Answered(200), True),
        ("guardrails: []", Answered(200, {"x-litellm-applied-guardrails": "a"}), False),
    ],
)
def test_what_is_met(expect: str, got: Answered, is_met: bool):
    step = one(f"  request: {{model: m}}\n  expect: {{{expect}}}").steps[0]
    assert (judge.failures(step, got, ()) == []) is is_met


@pytest.mark.parametrize(
    ("more", "skips"),
    [
        ("", False),
        ("  vendors: {o: {says: hello}}\n", False),
        ("  vendors: {o: {cut: 1}}\n", False),
        ("  vendors: {o: {delay: 3}}\n", True),
        # LiteLLM waits before it tries again.
        ("  vendors: {o: [{says: a}, {status: 503}]}\n", True),
        ("  vendors: {o: {down: true}}\n", True),
        ("  vendors: {o: {refuses: context_window}}\n", True),
        ("  vendors: {o: {body: no JSON}}\n", True),
    ],
)
def test_time_is_skipped_where_there_is_some(more: str, skips: bool):
    assert one(more + ANSWERED).skips == skips
