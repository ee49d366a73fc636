"""What becomes of answers that a good gateway does not give, and of lines that LiteLLM may log.

A gateway in such a state cannot be had at will, so these are bytes on a loopback socket.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from day import Cli
from gateway import free_port

from nixcfg.gateway import ask, log
from nixcfg.gateway.client import Gateway
from nixcfg.gateway.log import Event
from nixcfg.gateway.targets import Target

TARGET = Target("m", ("openai/m",))


@contextmanager
def gateway(*answers: bytes, hold: float = 0) -> Iterator[str]:
    """Somebody who gives these answers, one a connection, and keeps the last one open."""
    end = threading.Event()

    def serve(listener: socket.socket) -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                end.wait(hold)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        end.set()
        thread.join(10)


def http(status: int, body: str, *, length: int | None = None) -> bytes:
    size = len(body.encode()) if length is None else length
    return f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\n\r\n{body}".encode()


def failed(status: int, message: str) -> bytes:
    return http(status, json.dumps({"error": {"message": message}}))


PIECE = 'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
CHUNKED = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"

ANSWERS: dict[str, tuple[str, bytes, str, str]] = {
    "no JSON": ("plain", http(200, "hello"), "the answer is no JSON", "Is this LiteLLM?"),
    "nothing": ("plain", b"", "the connection broke: RemoteDisconnected", "gateway's log"),
    "no HTTP": ("plain", b"220 smtp ready\r\n", "the connection broke: BadStatusLine", "log"),
    "no message": ("system", http(500, ""), "500: no message", "try later"),
    "no mapping": ("plain", http(502, "[1]"), "502: [1]", "try later"),
    "no key": ("plain", failed(401, "Who?"), "401: Who?", "see the deployment's api_key"),
    "no money": ("plain", failed(402, "Pay"), "402: Pay", "The vendor wants money"),
    "no credit": ("plain", failed(429, "Your credit is low"), "429: Your", "wants money"),
    "no network": ("plain", failed(500, "Cannot connect to host"), "500: Cannot", "DNS"),
    "broken behind": (
        "plain",
        failed(500, "Response payload is not completed"),
        "500: Response",
        "broke off in the middle",
    ),
    "a vendor's JSON": (
        "plain",
        failed(400, 'litellm.BadRequestError: XException - {"error": {"message": "No"}}'),
        "400: No",
        "nixcfg validate",
    ),
    "a vendor's JSON, escaped": (
        "plain",
        failed(400, 'X - {\\"detail\\": {\\"message\\": \\"No\\"}}'),
        "400: No",
        "nixcfg validate",
    ),
    "a vendor's JSON without words": (
        "plain",
        failed(400, 'X - {"code": 7}'),
        '400: X - {"code": 7}',
        "nixcfg validate",
    ),
    "braces": ("plain", failed(400, "X - {no: JSON}"), "400: X - {no: JSON}", "nixcfg validate"),
    "an error in the stream": (
        "stream",
        http(200, PIECE + 'data: {"error": {"message": "Pay", "code": "402"}}\n\n'),
        "the stream broke off after 1 pieces: Pay",
        "wants money",
    ),
    "an error of no form in the stream": (
        "stream",
        http(200, 'data: {"error": "Oops"}\n\n'),
        "the stream broke off after 0 pieces: Oops",
        "try later",
    ),
    "a stream without an end": (
        "stream",
        http(200, f": a comment\n\ndata: [1]\n\ndata: {{no\n\n{PIECE}"),
        "the stream broke off after 1 pieces, without an end",
        "Try again",
    ),
    "a stream that breaks": (
        "stream",
        CHUNKED + f"{len(PIECE):x}\r\n{PIECE}\r\nnonsense\r\n".encode(),
        "the stream broke off after 1 pieces",
        "gateway's log",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name: str):
    kind, answer, message, mend = ANSWERS[name]
    with gateway(answer) as url:
        outcome = ask.ask(Gateway(url), TARGET, kind, 10)
    assert outcome.status == "failed"
    assert outcome.message.startswith(message)
    assert mend in outcome.mend


def test_a_stream_that_holds_what_it_should_is_fine():
    text = f"data: no JSON\n\n{PIECE}data: {json.dumps({'usage': {'prompt_tokens': 3}})}\n\n"
    with gateway(http(200, f"{text}data: [DONE]\n\n")) as url:
        outcome = ask.ask(Gateway(url), TARGET, "stream", 10)
    assert (outcome.status, outcome.prompt_tokens, outcome.message) == ("ok", 3, "")
    with gateway(http(200, json.dumps({"usage": {"prompt_tokens": "many"}}))) as url:
        assert ask.ask(Gateway(url), TARGET, "plain", 10).prompt_tokens == 0


def test_a_stream_that_stops():
    with gateway(http(200, PIECE, length=1000), hold=10) as url:
        outcome = ask.ask(Gateway(url), TARGET, "stream", 0.5)
    assert outcome.message == "no word for 0.5 s after 1 pieces of the answer"


def test_nobody_listens():
    outcome = ask.ask(Gateway(f"http://127.0.0.1:{free_port()}"), TARGET, "plain", 10)
    assert (outcome.message, outcome.mend) == ("no one listens there", "See `nixcfg doctor`.")


GATEWAYS: dict[str, tuple[tuple[bytes, ...], str]] = {
    "breaks off": ((b"",), "closed connection"),
    "no LiteLLM": ((http(200, "hello"),), "answers 200 to /v1/models; is the address right?"),
    "in trouble": ((http(500, "{}"),), "answers 500 to /v1/models; is the address right?"),
    "closed": ((http(401, "{}"),), "does not take a request without master key"),
}


@pytest.mark.parametrize("name", GATEWAYS)
def test_gateways_that_tell_no_models(cli: Cli, tmp_path: Path, name: str):
    answers, message = GATEWAYS[name]
    with gateway(*answers) as url:
        done = cli(tmp_path, "probe", "--url", url, "--dry-run")
    assert done.code == 1
    assert f"{url}" in done.err
    assert message in done.err


LINES: dict[str, tuple[str, Event | None]] = {
    "a request": (
        'INFO:     127.0.0.1:1 - "GET /v1/models HTTP/1.1" 200 OK',
        Event("request", "GET /v1/models: 200 OK"),
    ),
    "a request as JSON": (
        json.dumps({"message": '127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK', "level": "INFO"}),
        Event("request", "GET /health: 200 OK"),
    ),
    "an error as JSON": (
        json.dumps({"message": "no\n  model", "level": "ERROR"}),
        Event("error", "no model"),
    ),
    "a warning": ("LiteLLM Proxy:WARNING: x.py:1 - careful", Event("warning", "careful")),
    "JSON without a message": ('{"level": "ERROR"}', None),
    "half a document": ('{"message": "no', None),
    "a banner": ("   ##  LiteLLM  ##", None),
}


@pytest.mark.parametrize("name", LINES)
def test_lines_of_the_log(name: str):
    line, event = LINES[name]
    assert log.events([line]) == ([event] if event else [])
