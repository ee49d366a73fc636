"""The wizard at a real pseudo-terminal: the questions of somebody's first hour, in two widths."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from terminal import Terminal

WIDTHS = pytest.mark.parametrize("columns", [60, 100])
Talk = Sequence[tuple[str, str]]


@pytest.fixture
def talk(project: Path, program: list[str]) -> Callable[..., Terminal]:
    """A whole session: questions with answers, then what was shown."""

    def go(*arguments: str, says: Talk = (), columns: int = 60, code: int = 0) -> Terminal:
        with Terminal([*program, *arguments], project, columns=columns) as person:
            for question, answer in says:
                person.reads(question)
                person.reads(": ")
                person.types(answer)
            assert person.ends() == code, person.screen
        return person

    return go


def made(project: Path, name: str) -> list[dict[str, Any]]:
    loaded = yaml.safe_load((project / "providers" / f"{name}.yaml").read_text())
    entries: list[dict[str, Any]] = loaded["model_list"]
    return entries


def models(project: Path, name: str) -> list[str]:
    return [entry["litellm_params"]["model"] for entry in made(project, name)]


class Models(http.server.BaseHTTPRequestHandler):
    """A server of one's own: /v1/models with or without a key, slow, or nothing of the kind."""

    kind = "open"

    def do_GET(self) -> None:
        if self.kind == "slow":
            time.sleep(30)
        status, body = 200, json.dumps({"data": [{"id": "qwen3:8b"}, {"id": "phi4"}]})
        if self.path != "/v1/models" or self.kind == "other":
            status, body = 404, "<html>"
        elif self.kind == "closed":
            status, body = 401, "{}"
        elif self.kind == "number":
            body = '{"data": 5}'
        elif self.kind == "odd":
            body = '{"data": [1, {"id": 2}, {"id": "\\u001b[31m"}, {"id": "a b"}]}'
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = type("Handler", (Models,), {"kind": getattr(request, "param", "open")})
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listening.daemon_threads = True
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://localhost:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()


@WIDTHS
def test_a_name_with_two_meanings_is_asked_about(
    columns: int, project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Provider", "google"), ("Which", "2"), ("Models", "1"), ("PROJECT", ""), ("LOC", "")]
    person = talk("add-provider", says=says, columns=columns)
    assert max(map(len, person.lines)) <= columns, person.screen
    (model,) = models(project, "vertex_ai")
    assert model.startswith("vertex_ai/")


def test_a_model_with_two_homes_is_asked_about(
    project: Path, talk: Callable[..., Terminal]
) -> None:
    person = talk("add-provider", "google/gemini-2.5-flash", says=[("Which", "9"), ("Which", "1")])
    assert "a number from 1 to 2" in person.screen
    assert models(project, "gemini") == ["gemini/gemini-2.5-flash"]


def test_a_model_that_the_chosen_home_lacks_is_asked_about(
    project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Which", "1"), ("anyway", "n"), ("Models", "1")]
    person = talk("add-provider", "kimi-k2", says=says)
    assert "kimi-k2 is not in LiteLLM's list for moonshot" in " ".join(person.lines)
    assert models(project, "moonshot") == ["moonshot/kimi-k3"]


def test_a_program_is_no_provider(project: Path, talk: Callable[..., Terminal]) -> None:
    person = talk("add-provider", "claude-code", says=[("Add anthropic", "n")], code=1)
    assert "is a program that uses a gateway" in " ".join(person.lines)
    assert "is a program" in talk("add-provider", "aider", code=1).screen
    says = [("Which (number", "1"), ("Models", "gpt-4o")]
    person = talk("add-provider", "copilot", says=says)
    assert "a login in a browser" in " ".join(person.lines)
    assert models(project, "github") == ["github/gpt-4o"]


@WIDTHS
def test_models_are_numbers_ranges_and_names(
    columns: int, project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [
        ("Models", "?"),
        ("Models", "0"),
        ("Models", "2-99"),
        ("Models", "3-1"),
        ("Models", "1-"),
        ("Models", "claude-sonet-9 1"),
        ("anyway", "n"),
        ("Models", "2-3, 1 claude-new-9"),
        ("anyway", "y"),
    ]
    (project / "providers" / "claude.yaml").rename(project / "kept")
    person = talk("add-provider", "anthropic", says=says, columns=columns)
    text = " ".join(person.lines)
    for wrong in (
        "Numbers and ranges",
        "no number 0",
        "no number 99",
        "goes backwards",
        "no number, range",
    ):
        assert wrong in text, person.screen
    assert "claude-sonet-9 is not in LiteLLM's list" in text
    assert "Nearest: claude-" in text
    # A finding is one line, and what is typed wraps by itself.
    lines = [line for line in person.lines if "NX411" not in line and "[1-3]: " not in line]
    assert max(map(len, lines)) <= columns, person.screen
    chosen = models(project, "anthropic")
    assert len(chosen) == 4
    assert chosen[-1] == "anthropic/claude-new-9"
    assert not any(name.removeprefix("anthropic/")[0].isdigit() for name in chosen)


def test_all_is_every_number_on_the_screen(project: Path, talk: Callable[..., Terminal]) -> None:
    person = talk("add-provider", "groq", says=[("Models", "all")])
    shown = [line for line in person.lines if line[:3].strip().isdigit()]
    assert len(models(project, "groq")) == len(shown) > 2


@WIDTHS
def test_an_unknown_name_is_a_server_of_ones_own(
    columns: int, server: str, project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Its address", ""), ("Its address", server), ("Models", "1-2"), ("key?", "n")]
    person = talk("add-provider", "mybox", says=says, columns=columns)
    assert "It serves 2" in person.screen
    assert "qwen3:8b" in person.screen
    port = server.rpartition(":")[2]
    base = f"http://host.containers.internal:{port}/v1"
    params = made(project, "mybox")[0]["litellm_params"]
    assert params == {"model": "openai/qwen3:8b", "api_base": base, "api_key": "none"}
    text = " ".join(" ".join(person.lines).split())
    assert f"the gateway calls {base}" in text
    assert f"host_ports: [{port}]" in text
    assert max(map(len, person.lines)) <= columns, person.screen


@pytest.mark.parametrize("typed", ["localhost", "127.0.0.1", "0.0.0.0"])
def test_this_machine_needs_no_scheme(
    typed: str, server: str, project: Path, talk: Callable[..., Terminal]
) -> None:
    port = server.rpartition(":")[2]
    says = [("Its address", f"{typed}:{port}"), ("Models", "2"), ("key?", "n")]
    talk("add-provider", "lmstudio", says=says)
    params = made(project, "lmstudio")[0]["litellm_params"]
    assert params["model"] == "lm_studio/phi4"
    assert params["api_base"] == f"http://host.containers.internal:{port}/v1"


def test_a_name_of_ones_own_for_openai_asks_where(
    server: str, project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Its address", f"{server}/v1"), ("Models", "all"), ("key?", "y")]
    talk("add-provider", "box", "--provider", "openai", says=says)
    loaded = yaml.safe_load((project / "providers" / "box.yaml").read_text())
    assert loaded["environment_variables"] == {"BOX_API_KEY": "${BOX_API_KEY}"}
    assert {e["litellm_params"]["api_key"] for e in loaded["model_list"]} == {
        "os.environ/BOX_API_KEY"
    }


@pytest.mark.parametrize("server", ["closed"], indirect=True)
def test_a_server_that_wants_a_key_gets_one(
    server: str, project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Its address", server), ("Models", "qwen3")]
    person = talk("add-provider", "vllm", says=says)
    assert "It asks for a key" in person.screen
    params = made(project, "vllm")[0]["litellm_params"]
    assert params["model"] == "hosted_vllm/qwen3"
    assert params["api_key"] == "os.environ/HOSTED_VLLM_API_KEY"


SLOW = pytest.param("slow", marks=pytest.mark.slow)  # as long as a person is asked to wait


@pytest.mark.parametrize("server", ["other", "odd", "number", SLOW], indirect=True)
def test_a_server_that_lists_nothing_is_no_obstacle(
    server: str, project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Its address", server), ("Models", "1-2"), ("Models", "phi4"), ("key?", "n")]
    person = talk("add-provider", "vllm", says=says)
    assert "lists no models" in person.screen
    assert "there is no list to choose from" in person.screen
    assert "\x1b[31m" not in person.screen
    assert "Traceback" not in person.screen
    assert models(project, "vllm") == ["hosted_vllm/phi4"]


@WIDTHS
def test_a_region_is_asked_and_its_absence_warned_of(
    columns: int, project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Models", "1"), ("AWS_REGION (empty: us-west-2)", "")]
    person = talk("add-provider", "bedrock", says=says, columns=columns)
    assert "every prompt to us-west-2" in " ".join(" ".join(person.lines).split())
    says = [("Models", "1"), ("VERTEXAI_PROJECT", "p-1"), ("VERTEXAI_LOCATION", "europe-west4")]
    talk("add-provider", "vertex", says=says, columns=columns)
    params = made(project, "vertex")[0]["litellm_params"]
    assert params["vertex_project"] == "p-1"
    assert params["vertex_location"] == "europe-west4"


def test_the_name_of_an_azure_resource_is_enough(
    project: Path, talk: Callable[..., Terminal]
) -> None:
    says = [("Azure resource", "my.res"), ("Azure resource", "myres"), ("Deployments", "prod")]
    talk("add-provider", "azure", says=says)
    params = made(project, "azure")[0]["litellm_params"]
    assert params == {"model": "azure/prod", "api_base": "https://myres.openai.azure.com"}


BESIDE = {
    "1": ("claude", None),
    "2": ("anthropic", "SECOND_ANTHROPIC_API_KEY"),
    "3": ("anthropic", None),
}


@pytest.mark.parametrize("answer", BESIDE)
def test_a_second_provider_of_a_vendor_is_asked_about(
    answer: str, project: Path, talk: Callable[..., Terminal]
) -> None:
    file, variable = BESIDE[answer]
    says = [("Which is meant", "4"), ("Which is meant", answer), ("Models", "1")]
    person = talk("add-provider", "anthropic", says=says)
    assert "claude reaches anthropic already" in person.screen
    assert len(made(project, file)) == (2 if file == "claude" else 1)
    assert made(project, file)[-1]["litellm_params"].get("api_key") == (
        f"os.environ/{variable}" if variable else None
    )


def test_a_second_account_of_several_keys_is_not_offered(
    project: Path, talk: Callable[..., Terminal]
) -> None:
    talk("add-provider", "aws", says=[("Models", "1"), ("AWS_REGION", "eu-central-1")])
    says = [("Which is meant", "3"), ("Which is meant", "2"), ("Models", "2"), ("AWS_REGION", "")]
    person = talk("add-provider", "bedrock", says=says)
    assert "Another account" not in person.screen
    loaded = yaml.safe_load((project / "providers" / "bedrock.yaml").read_text())
    assert set(loaded["environment_variables"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_add_model_offers_what_is_not_there_yet(
    project: Path, talk: Callable[..., Terminal]
) -> None:
    have = models(project, "claude")
    person = talk("add-model", "claude", says=[("Models", ""), ("Models", "1")])
    assert "name at least one model" in person.screen
    assert have[0].removeprefix("anthropic/") not in [
        line[4:].split(" ")[0] for line in person.lines
    ]
    assert len(models(project, "claude")) == len(have) + 1


def test_several_providers_become_a_profile(project: Path, talk: Callable[..., Terminal]) -> None:
    talk("add-provider", "groq", says=[("Models", "")])
    talk("use", "claude", "groq", says=[("Its name", "claude"), ("Its name", "both")])
    data = yaml.safe_load((project / "nixcfg.yaml").read_text())
    assert data["profiles"] == {"both": ["claude", "groq"]}
    assert data["model_config"] == "both"
    talk("use", "all")
    talk("use", "claude", "groq")  # it is there, so there is nothing to ask
    assert yaml.safe_load((project / "nixcfg.yaml").read_text())["model_config"] == "both"
