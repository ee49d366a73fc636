"""add-provider, remove-provider and set-key with a person at a real pseudo-terminal."""

import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from terminal import Terminal

Snapshot = Callable[[Path], dict[str, bytes]]

#: What is asked, in order, and an answer to each.
SESSIONS: dict[str, tuple[Sequence[str], Sequence[tuple[str, str]]]] = {
    "no name": (("add-provider",), (("Provider", "groq"), ("Models", ""))),
    "cloud": (("add-provider", "bedrock"), (("Models", "1"), ("AWS_REGION", "eu-central-1"))),
    "account": (("add-provider", "cloudflare"), (("Models", "2, 1"), ("ACCOUNT_ID", "a1b2"))),
    "own server": (
        ("add-provider", "hosted_vllm"),
        (("address", "http://localhost:8000"), ("Models", "qwen3"), ("key?", "y")),
    ),
    "taken name": (
        ("add-provider", "second", "--provider", "anthropic"),
        (("Models", "2 1"), ("clients ask for", "other")),
    ),
}


@pytest.fixture
def crowded(project: Path) -> Path:
    """A project that offers claude-sonnet-5-5 by that name already."""
    file = project / "providers" / "claude.yaml"
    file.write_text(file.read_text().replace("claude-sonnet #", "claude-sonnet-5-5 #"))
    return project


def answer(person: Terminal, questions: Sequence[tuple[str, str]]) -> None:
    for question, reply in questions:
        person.reads(question)
        person.reads(": ")
        person.types(reply)


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_adds_a_provider(name: str, crowded: Path, program: list[str]) -> None:
    columns = 60
    arguments, questions = SESSIONS[name]
    with Terminal([*program, *arguments], crowded, columns=columns) as person:
        answer(person, questions)
        assert person.ends() == 0, person.screen
    made = next(p for p in (crowded / "providers").iterdir() if p.name != "claude.yaml")
    data = yaml.safe_load(made.read_text())
    assert data["model_list"]
    assert "Next: " in person.screen
    assert f"create providers/{made.name}" in person.screen
    assert max(map(len, person.lines)) <= columns, person.screen
    if name == "cloud":
        assert data["model_list"][0]["litellm_params"]["aws_region_name"] == "eu-central-1"
    if name == "account":
        assert data["environment_variables"]["CLOUDFLARE_ACCOUNT_ID"] == "a1b2"
        assert "cloudflare_account_id.txt" not in person.screen  # or set-key would ask for it
        assert len(data["model_list"]) == 2
    if name == "own server":
        params = data["model_list"][0]["litellm_params"]
        assert params["api_base"] == "http://host.containers.internal:8000/v1"
        assert params["api_key"] == "os.environ/HOSTED_VLLM_API_KEY"
    if name == "taken name":
        names = [entry["model_name"] for entry in data["model_list"]]
        assert names == ["other", "claude-opus-5-5"]


QUESTIONS = [(name, n) for name, (_, asked) in SESSIONS.items() for n in range(len(asked))]


@pytest.mark.parametrize(
    ("name", "number", "key"),
    [
        *((name, number, "\x03") for name, number in QUESTIONS),
        *((name, number, "\x04") for name, number in QUESTIONS if name == "own server"),
    ],
)
def test_leaving_at_a_question_leaves_nothing(  # noqa: PLR0917 (fixtures)
    name: str, number: int, key: str, crowded: Path, program: list[str], snapshot: Snapshot
) -> None:
    arguments, questions = SESSIONS[name]
    before = snapshot(crowded)
    with Terminal([*program, *arguments], crowded) as person:
        answer(person, questions[:number])
        person.reads(questions[number][0])
        person.reads(": ")
        person.press(key)
        assert person.ends() == 1, person.screen
    assert "Aborted." in person.screen
    assert "Traceback" not in person.screen
    assert snapshot(crowded) == before


def test_an_answer_that_cannot_be_is_asked_again(project: Path, program: list[str]) -> None:
    with Terminal([*program, "add-provider"], project) as person:
        person.reads("Provider")
        person.types("antropic")
        person.reads("Did you mean anthropic?")
        person.reads("Provider")
        person.types("mistral")
        person.reads("Models")
        person.types("99")
        person.reads("there is no number 99")
        person.reads("Models")
        person.types("1")
        assert person.ends() == 0


#: A question, what is answered first, why that cannot be, and what is answered then.
AGAIN: dict[str, tuple[Sequence[str], Sequence[tuple[str, ...]]]] = {
    "an address": (
        ("add-provider", "hosted_vllm"),
        (
            ("address", "box:8000", "box:8000 is no address", "http://box:8000"),
            ("Models", " , ", "name at least one model", "qwen3 qwen3"),
            ("key?", "n"),
        ),
    ),
    "a key": (
        ("add-provider", "bedrock"),
        (
            ("Models", "1"),
            ("AWS_REGION", "sk-proj-Abcdefghij0123456789klmnopqrst", "looks like a key", ""),
        ),
    ),
    "a name": (
        ("add-provider", "second", "--provider", "anthropic"),
        (("Models", "2"), ("clients ask for", "claude-sonnet-5-5", "offers claude", "other")),
    ),
}


@pytest.mark.parametrize("name", AGAIN)
def test_answers_that_cannot_be_are_asked_again(
    name: str, crowded: Path, program: list[str]
) -> None:
    arguments, questions = AGAIN[name]
    with Terminal([*program, *arguments], crowded) as person:
        for question, reply, *again in questions:
            answer(person, [(question, reply)])
            if again:
                person.reads(again[0])
                answer(person, [(question, again[1])])
        assert person.ends() == 0, person.screen
    made = next(p for p in (crowded / "providers").iterdir() if p.name != "claude.yaml")
    (entry,) = yaml.safe_load(made.read_text())["model_list"]
    if name == "an address":
        params = {"model": "hosted_vllm/qwen3", "api_base": "http://box:8000/v1"}
        assert entry["litellm_params"] == params
    if name == "a name":
        assert entry["model_name"] == "other"
    assert "sk-proj" not in made.read_text()


def test_a_name_that_is_taken_is_told_before_anything_is_asked(
    project: Path, program: list[str]
) -> None:
    with Terminal([*program, "add-provider", "claude"], project) as person:
        assert person.ends() == 1
    assert "exists already" in person.screen
    assert "Models" not in person.screen


def test_tab_completes_providers_and_models(project: Path, program: list[str]) -> None:
    with Terminal([*program, "add-provider"], project) as person:
        person.reads("Provider")
        person.press("mistr\t\r")
        person.reads("Models")
        person.press("mistral-large-4-\t\r")
        assert person.ends() == 0, person.screen
    data = yaml.safe_load((project / "providers" / "mistral.yaml").read_text())
    assert [e["model_name"] for e in data["model_list"]] == ["mistral-large-4-0"]


def test_flags_leave_nothing_to_ask(project: Path, program: list[str]) -> None:
    command = [*program, "add-provider", "groq", "--model", "openai/gpt-oss-20b"]
    with Terminal(command, project) as person:
        assert person.ends() == 0
    assert "?" not in person.screen
    assert "[1" not in person.screen


@pytest.mark.parametrize("reply", ["", "no", "\x03"])
def test_remove_provider_asks_first(
    reply: str, project: Path, program: list[str], snapshot: Snapshot
) -> None:
    subprocess.run(
        [*program, "-C", project, "add-provider", "groq"], check=True, capture_output=True
    )
    before = snapshot(project)
    with Terminal([*program, "remove-provider", "groq"], project) as person:
        person.reads("remove providers/groq.yaml")
        person.reads("Remove groq? [y/N]: ")
        person.press(reply if reply == "\x03" else f"{reply}\r")
        assert person.ends() == 1
    assert snapshot(project) == before
    with Terminal([*program, "remove-provider", "groq"], project) as person:
        person.reads("Remove groq?")
        person.types("y")
        assert person.ends() == 0
    assert not (project / "providers" / "groq.yaml").exists()


@pytest.mark.parametrize("columns", [60, 200])
def test_tables_fit_the_terminal(columns: int, project: Path, program: list[str]) -> None:
    for name in ("bedrock", "deepinfra", "cloudflare"):
        subprocess.run(
            [*program, "-C", project, "add-provider", name], check=True, capture_output=True
        )
    for command in (("providers",), ("models", "claude-sonnet"), ("models", "fireworks")):
        with Terminal([*program, *command], project, columns=columns) as person:
            assert person.ends() == 0
        # A name alone may be longer: the terminal wraps it, and it can still be copied whole.
        lines = [line for line in person.lines if " " in line.strip()]
        assert max(map(len, lines)) <= columns, person.screen
        assert len(lines) > 3


def test_a_typed_key_is_not_shown(project: Path, tmp_path: Path, program: list[str]) -> None:
    key = "sk-ant-api03-Zm9vYmFyYmF6cXV4"
    target = tmp_path / "keys" / "anthropic_api_key.txt"
    with Terminal([*program, "set-key", "claude", "--file", str(target)], project) as person:
        person.reads("ANTHROPIC_API_KEY")
        person.reads(": ")
        person.types(key)
        assert person.ends() == 0, person.screen
    assert key not in person.screen
    assert target.read_text() == key
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700


def test_leaving_set_key_leaves_nothing(project: Path, tmp_path: Path, program: list[str]) -> None:
    target = tmp_path / "keys" / "anthropic_api_key.txt"
    with Terminal([*program, "set-key", "claude", "--file", str(target)], project) as person:
        person.reads("ANTHROPIC_API_KEY")
        person.reads(": ")
        person.press("sk-ant-api03")
        person.interrupts()
        assert person.ends() == 1
    assert not target.parent.exists()
    assert "sk-ant" not in person.screen


@pytest.mark.parametrize(("reply", "kept"), [("", True), ("n", True), ("y", False)])
def test_a_key_of_another_vendor_does_not_replace_a_good_one_unasked(
    reply: str, kept: bool, project: Path, tmp_path: Path, program: list[str]
) -> None:
    good, other = "sk-ant-api03-Zm9vYmFyYmF6cXV4", "gsk_Zm9vYmFyYmF6cXV4Zm9v1234"
    target = tmp_path / "keys" / "anthropic_api_key.txt"
    command = [*program, "set-key", "claude", "--file", str(target)]
    for key in (good, other):
        with Terminal(command, project) as person:
            person.reads("(not shown): ")
            person.types(key)
            if key == other:
                person.reads("looks like a key for GROQ_API_KEY")
                person.reads("Replace the key")
                person.reads("[y/N]: ")
                person.types(reply)
            assert person.ends() == int(kept and key == other), person.screen
    assert target.read_text() == (good if kept else other)
