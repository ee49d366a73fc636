"""What users of the OpenAI and Anthropic SDKs meet, by the real SDKs and the real LiteLLM.

That a wrong key is 400 "No connected db." is LiteLLM's own answer where it has no database: README
and docs/troubleshooting.md say so.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Trying, environment

from nixcfg.commands.running import ANSWER
from program import Run

pytestmark = pytest.mark.slow
HELLO: Any = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture
def openai(trying: Trying) -> Any:
    module = pytest.importorskip("openai")
    return lambda key=trying.key: module.OpenAI(
        base_url=f"{trying.url}/v1", api_key=key, max_retries=0
    )


@pytest.fixture
def anthropic(trying: Trying) -> Any:
    module = pytest.importorskip("anthropic")
    return lambda key=trying.key: module.Anthropic(base_url=trying.url, api_key=key, max_retries=0)


def test_openai_plain_and_streamed(openai: Any) -> None:
    chat = openai().chat.completions
    assert chat.create(model="gpt", messages=HELLO).choices[0].message.content == ANSWER
    pieces = [
        chunk.choices[0].delta.content or ""
        for chunk in chat.create(model="claude-sonnet", messages=HELLO, stream=True)
        if chunk.choices
    ]
    assert "".join(pieces) == ANSWER
    assert len(pieces) > 10


def test_openai_responses(openai: Any) -> None:
    responses = openai().responses
    assert responses.create(model="gpt", input="Hello").output_text == ANSWER
    events = list(responses.create(model="gpt", input="Hello", stream=True))
    assert events[-1].type == "response.completed"
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == ANSWER


def test_openai_calls_a_tool_where_it_has_to(openai: Any) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
    chat = openai().chat.completions
    unasked = chat.create(model="gpt", messages=HELLO, tools=[tool])
    assert not unasked.choices[0].message.tool_calls
    forced = chat.create(model="gpt", messages=HELLO, tools=[tool], tool_choice="required")
    (call,) = forced.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "mock"}')


def test_openai_with_a_wrong_key_or_model(openai: Any) -> None:
    from openai import BadRequestError

    with pytest.raises(BadRequestError, match="No connected db"):
        openai("sk-wrong").chat.completions.create(model="gpt", messages=HELLO)
    with pytest.raises(BadRequestError, match="Invalid model name passed in model=nope"):
        openai().chat.completions.create(model="nope", messages=HELLO)


@pytest.mark.parametrize("model", ["claude-sonnet", "gpt", "gemini-flash"])
def test_anthropic_plain_and_streamed(anthropic: Any, model: str) -> None:
    messages = anthropic().messages
    assert messages.create(model=model, max_tokens=99, messages=HELLO).content[0].text == ANSWER
    with messages.stream(model=model, max_tokens=99, messages=HELLO) as stream:
        assert "".join(stream.text_stream) == ANSWER
        assert stream.get_final_message().content[0].text == ANSWER


def test_anthropic_calls_a_tool_where_it_has_to(anthropic: Any) -> None:
    tool: Any = {"name": "weather", "description": "The weather.", "input_schema": SCHEMA}
    choice: Any = {"type": "tool", "name": "weather"}
    asked = {"model": "gpt", "max_tokens": 99, "messages": HELLO, "tools": [tool]}
    answer = anthropic().messages.create(**asked, tool_choice=choice)
    (block,) = [each for each in answer.content if each.type == "tool_use"]
    assert (block.name, block.input) == ("weather", {"city": "mock"})
    assert answer.stop_reason == "tool_use"
    with anthropic().messages.stream(**asked, tool_choice=choice) as stream:
        assert [b.name for b in stream.get_final_message().content if b.type == "tool_use"]


def test_anthropic_with_a_wrong_key_or_model(anthropic: Any) -> None:
    from anthropic import BadRequestError

    with pytest.raises(BadRequestError, match="No connected db"):
        anthropic("sk-wrong").messages.create(model="gpt", max_tokens=9, messages=HELLO)
    with pytest.raises(BadRequestError, match="Invalid model name passed in model=nope"):
        anthropic().messages.create(model="nope", max_tokens=9, messages=HELLO)


@pytest.mark.parametrize(("client", "run"), [("python", [sys.executable]), ("curl", ["bash"])])
def test_what_client_prints_runs(
    client: str, run: list[str], trying: Trying, tmp_path: Path, nixcfg: Run
) -> None:
    more = {"LITELLM_MASTER_KEY": trying.key}
    printed = nixcfg(
        "-C",
        trying.project,
        "client",
        client,
        "--url",
        trying.url,
        env=environment(tmp_path, **more),
    )
    assert printed.returncode == 0, printed.stderr
    assert "Checked: " in printed.stderr
    assert trying.key not in printed.stdout + printed.stderr
    file = tmp_path / "client"
    file.write_text(printed.stdout)
    done = subprocess.run(
        [*run, file],
        env=environment(tmp_path, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "This is a canned answer" in done.stdout, done.stderr


def test_ask_streams_and_counts(trying: Trying, tmp_path: Path, nixcfg: Run) -> None:
    more = environment(tmp_path, LITELLM_MASTER_KEY=trying.key)
    done = nixcfg("-C", trying.project, "ask", "Hello", "--url", trying.url, env=more)
    assert done.returncode == 0
    assert done.stdout == f"{ANSWER}\n"
    assert "claude-sonnet: first token after" in done.stderr
    assert "+ 25 tokens, $" in done.stderr
    wrong = nixcfg(
        "-C", trying.project, "ask", "Hi", "--model", "gppt", "--url", trying.url, env=more
    )
    assert wrong.returncode == 1
    assert "error: gppt: 400" in wrong.stderr
    missing = nixcfg(
        "-C", trying.project, "client", "curl", "--model", "gppt", "--url", trying.url, env=more
    )
    assert missing.returncode == 1
    assert "does not serve gppt; did you mean gpt?" in missing.stderr
