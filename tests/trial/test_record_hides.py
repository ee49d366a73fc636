"""What `nixcfg test --record` keeps to itself of a gateway that hides nothing: keys, its answers.

No LiteLLM, which hides some of it already.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from tested import run

MASTER = "sk-the-master-key-of-a-test-0123456789abcdef"
VENDORS = "sk-proj-Zx81mQpLr72sTvWy93uKcDfGhJ"
PROJECT = """\
model_list:
  - {model_name: gpt, litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}}
  - {model_name: wrong, litellm_params: {model: openai/gpt-5, api_key: os.environ/OPENAI_API_KEY}}
environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}
"""


class Gateway(BaseHTTPRequestHandler):
    """As open as one can be."""

    def do_GET(self) -> None:
        params = {"model": "openai/gpt-4o", "api_key": VENDORS}
        entry = {"model_name": "gpt", "litellm_params": params, "model_info": {"id": "one"}}
        is_list = self.path == "/v1/models"
        data = [{"id": name} for name in ("gpt", "wrong")] if is_list else [entry]
        self.reply(200, {"data": data})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked["model"] == "wrong":
            said = f"Incorrect API key: {VENDORS}, asked with {self.headers['authorization']}"
            self.reply(401, {"error": {"message": said}})
            return
        message = {"role": "assistant", "content": "Quokka", "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "numbat", "arguments": "{}"}},
        ]}  # fmt: skip
        self.reply(200, {"choices": [{"message": message, "finish_reason": "stop"}]})

    def reply(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "content-length": f"{len(text)}",
            "x-litellm-model-id": "one",
            "x-litellm-response-cost": "0.0625",
            "x-litellm-applied-guardrails": "bilby",
            "x-litellm-key": MASTER,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.fixture
def recorded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator["CompletedProcess[str]"]:
    for path, text in {
        "nixcfg.yaml": "model_config: all\n",
        "providers/openai.yaml": PROJECT,
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield run(tmp_path, "--record", url, *getattr(request, "param", ()), key=MASTER)
        server.shutdown()


def test_only_what_stays_true_is_in_a_case(recorded: "CompletedProcess[str]"):
    assert recorded.returncode == 1
    assert yaml.safe_load(recorded.stdout) == {
        "cases": [
            {
                "name": "gpt answers",
                "request": {"model": "gpt", "prompt": "Say hello in one word."},
                "expect": {"status": 200, "answered_by": "openai/gpt-4o"},
            }
        ]
    }


def test_no_key_and_no_word_of_an_answer_is_in_any_output(recorded: "CompletedProcess[str]"):
    printed = recorded.stdout + recorded.stderr
    assert "wrong: 401 Incorrect API key: " in printed  # so that something can be hidden
    for secret in (MASTER, VENDORS, "Bearer sk-", "Quokka", "numbat", "0.0625", "bilby"):
        assert secret not in printed, printed
    assert not any(key[start : start + 12] in printed
                   for key in (MASTER, VENDORS) for start in range(len(key) - 12))  # fmt: skip


@pytest.mark.parametrize("recorded", [["--prompt", "What is a potoroo?"]], indirect=True)
def test_a_prompt_that_is_asked_for_is_in_the_cases_alone(recorded: "CompletedProcess[str]"):
    assert yaml.safe_load(recorded.stdout)["cases"][0]["request"]["prompt"] == "What is a potoroo?"
    assert "potoroo" not in recorded.stderr
    assert MASTER not in recorded.stdout + recorded.stderr
