"""What is wrong with a project that has hosts: found once, at the key that says it."""

import shutil
from pathlib import Path

import pytest

from nixcfg import check
from nixcfg.problems.problem import Severity
from nixcfg.project.find import read_project

OPENAI = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""


def problems(tmp_path: Path, text: str) -> list[tuple[str, int, int]]:
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "openai.yaml").write_text(OPENAI)
    (tmp_path / "nixcfg.yaml").write_text(text)
    found = check.validate(read_project(tmp_path)).problems
    return [(p.code, p.span.line, p.span.column) for p in found]


def test_a_problem_of_one_host_is_told_at_its_own_key(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
model_config: opnai
hosts:
  alpha: {model_config: openai}
  beta: {model_config: openai, listen_address: 10.0.0, auth: open}
  gamma:
    model_config: clade
    instances: 2
    environment:
      OPENAI_BASE_URL: http://127.0.0.1:1
    secrets: {UNUSED_KEY: /keys/x}
  delta: {}
  epsilon: {model_config: openai, prot: 1}
""",
    )
    of_hosts = [
        ("NX305", 10, 15),
        ("NX313", 9, 7),
        ("NX427", 9, 24),
        ("NX501", 1, 15),
        ("NX501", 6, 19),
        ("NX506", 4, 48),
        ("NX513", 7, 16),
    ]
    # Beside the misspelt key is what is wrong whichever key was meant.
    assert sorted(found) == [("NX101", 12, 35), *of_hosts]
    shutil.rmtree(tmp_path / "providers")
    text = (tmp_path / "nixcfg.yaml").read_text().replace(", prot: 1", "")
    assert sorted(problems(tmp_path, text)) == of_hosts


def test_what_all_hosts_say_is_told_once(tmp_path: Path) -> None:
    good = f"x/litellm:v1.106.2@sha256:{'0' * 64}"
    hosts = f"{{a: {{}}, b: {{}}, c: {{image: '{good}'}}}}"
    text = f"image: ghcr.io/berriai/litellm:v1.82.8\nhosts: {hosts}\n"
    assert problems(tmp_path, text) == [("NX510", 1, 8)]


@pytest.mark.parametrize("image", ["x.io/mirror/llm:v1.107.0", "gateway:1.82.7"])
def test_a_compromised_number_under_another_name_is_a_warning(tmp_path: Path, image: str) -> None:
    """That alone, until a digest says which image it is."""
    problems(tmp_path, f"image: {image}\n")
    (found,) = check.validate(read_project(tmp_path)).problems
    assert (found.code, found.severity) == ("NX510", Severity.WARNING)
    assert "1.107.0" in found.message or "1.82.7" in found.message
    assert "nixcfg pin" in found.help
    (tmp_path / "nixcfg.yaml").write_text(f"image: {image}@sha256:{'0' * 64}\n")
    assert "NX510" not in {p.code for p in check.validate(read_project(tmp_path)).problems}


def test_secrets_and_variables_are_replaced_one_by_one(tmp_path: Path) -> None:
    problems(
        tmp_path,
        """\
environment: {A: base, B: base}
secrets: {OPENAI_API_KEY: /base}
hosts:
  one: {environment: {B: own}}
  two: {environment: {OPENAI_API_KEY: none}, secrets_dir: /own}
  three: {secrets: {OPENAI_API_KEY: /own}}
""",
    )
    whole = check.validate(read_project(tmp_path))
    assert [p.code for p in whole.problems] == ["NX304"], whole.problems
    (tmp_path / "nixcfg.yaml").write_text(
        (tmp_path / "nixcfg.yaml").read_text().replace("{OPENAI_API_KEY: none}", "{}")
    )
    built = check.validate(read_project(tmp_path)).project
    assert built is not None
    assert [dict(each.environment) for each in built.machines] == [
        {"A": "base", "B": "own"},
        {"A": "base", "B": "base"},
        {"A": "base", "B": "base"},
    ]
    assert [each.key_files["OPENAI_API_KEY"].file for each in built.machines] == [
        "/base",
        "/base",
        "/own",
    ]
