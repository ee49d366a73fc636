"""Mistakes in tests/*.yaml: all at once, each at its place, with a way to fix it. No LiteLLM."""

import subprocess
import sys
from pathlib import Path

import pytest

from nixcfg.trial.case import read
from nixcfg.yamltext import reader

HEAD = "cases:\n- name: c\n"
ANSWERED = "  request: {model: m}\n  expect: {status: 200}\n"


@pytest.mark.parametrize(
    ("text", "where", "wrong"),
    [
        (
            "  vendors: {o: {status: 500, says: hello}}\n" + ANSWERED,
            (3, 30),
            "says has no effect beside status",
        ),
        (
            "  vendors: {o: {down: true, retry_after: 5}}\n" + ANSWERED,
            (3, 29),
            "retry_after has no effect beside down",
        ),
        (
            "  vendors: {o: [{retry_after: 5}]}\n" + ANSWERED,
            (3, 18),
            "retry_after belongs to an error",
        ),
        ("  vendors: {o: {stauts: 500}}\n" + ANSWERED, (3, 17), "unknown key stauts"),
        ("  vendors: {o: [{stauts: 500}]}\n" + ANSWERED, (3, 18), "unknown key stauts"),
        ("  vendors: {o: []}\n" + ANSWERED, (3, 16), "is empty"),
        ("  vendors: {o: down}\n" + ANSWERED, (3, 16), "must be a mapping or a list"),
        (
            "  vendors: {o: {status: 500}}\n  request: {model: m}\n  expect: {answered_by: o}\n",
            (5, 12),
            "o fails in this case whenever it is asked",
        ),
        (
            "  request: {model: m}\n  expect: {answered_by: o, asked: {o: 0}}\n",
            (4, 12),
            "o cannot answer without being asked",
        ),
        (
            "  request: {model: m}\n  expect: {status: 503, content: Hello}\n",
            (4, 25),
            "an error (status 503) has no content",
        ),
        (
            "  request: {model: m}\n  expect: {cached: true}\n",
            (4, 12),
            "the cache is empty before the first request",
        ),
        (
            (
                "  steps:\n  - {request: {model: m}}\n"
                "  - {request: {model: m}, expect: {cached: true, asked: {o: 1}}}\n"
            ),
            (5, 50),
            "with an answer from the cache no vendor is asked",
        ),
        (
            "  request: {model: m}\n  expect: {content: Hello, contains: you}\n",
            (4, 28),
            "content has no such part",
        ),
        (
            "  request: {model: m, body: {top_p: .nan}}\n  expect: {status: 200}\n",
            (3, 37),
            "no number for JSON",
        ),
        (
            "  request: {model: m, path: /v1/ü}\n  expect: {status: 200}\n",
            (3, 29),
            "path cannot be",
        ),
        (
            '  request: {model: m, headers: {x-a: "1\\n2"}}\n  expect: {status: 200}\n',
            (3, 38),
            "x-a cannot be",
        ),
    ],
)
def test_a_contradiction_has_a_place(text: str, where: tuple[int, int], wrong: str):
    cases, problems = read(reader.parse(HEAD + text, "tests/a.yaml"))
    assert cases == []
    (problem,) = problems
    assert (problem.span.line, problem.span.column) == where
    assert wrong in problem.message
    assert problem.help


def test_a_bad_case_hides_none_beside_it():
    text = f"cases:\n- name: bad\n- name: good\n{ANSWERED}- name: good\n{ANSWERED}"
    cases, problems = read(reader.parse(text, "tests/a.yaml"))
    assert [each.name for each in cases] == ["good", "good"]
    assert [(each.span.line, each.message) for each in problems] == [
        (2, "'bad' has no request"),
        (6, "another case of this file is called 'good'"),
    ]


PROJECT = {
    "nixcfg.yaml": "model_config: all\n",
    "providers/openai.yaml": """\
model_list:
  - model_name: gpt-mini
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
  - {model_name: "any/*", litellm_params: {model: "openai/*", api_key: os.environ/OPENAI_API_KEY}}
environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}
router_settings: {model_group_alias: {best: gpt-mini}}
""",
    "tests/one.yaml": """\
config: al
cases:
- name: a
  request: {model: gpt-mini, prompt: Hello}
  expect: {status: 200}
- name: b
  request: {model: gpt-mini, prompt: Hello}
  expect: {stauts: 200}
""",
    "tests/two.yml": """\
cases:
- name: names
  vendors: {opanai: {down: true}, api.example.org: {status: 500}}
  request: {model: gpt-mni, prompt: Hello}
  expect: {answered_by: openai/gpt-4, asked: {OPENAI_API_KEY: 1, claude: 0}}
- name: right
  vendors: {OPENAI_API_KEY: {status: 500}}
  steps:
  - request: {model: best, prompt: Hello}
  - request: {model: any/thing, prompt: Hello}
  - request: {model: openai/gpt-4o, prompt: Hello}
  - request: {model: nothing, prompt: Hello}
    expect: {status: 400}
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_all_mistakes_of_all_files_are_reported_at_once(project: Path):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "nixcfg", "-C", str(project), "test"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    printed = done.stdout + done.stderr
    assert [line for line in printed.splitlines() if ": error[" in line] == [
        "tests/one.yaml:1:9: error[NX104]: no configuration is called al",
        "tests/one.yaml:8:12: error[NX101]: unknown key stauts",
        (
            "tests/two.yml:3:13: error[NX104]: the configuration has no provider file and no model "
            "opanai"
        ),
        "tests/two.yml:4:20: error[NX104]: the configuration offers no model gpt-mni",
        (
            "tests/two.yml:5:25: error[NX104]: the configuration has no provider file and no model "
            "openai/gpt-4"
        ),
        (
            "tests/two.yml:5:66: error[NX104]: the configuration has no provider file and no model "
            "claude"
        ),
    ]
    helps = ["all", "status", "openai", "gpt-mini", "openai/gpt-4o"]
    assert all(f"Did you mean {each}?" in printed for each in helps)
