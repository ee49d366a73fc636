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
    _, problems = read(reader.parse(HEAD + text, "tests/a.yaml"))
    (problem,) = problems
    assert (problem.span.line, problem.span.column) == where
    assert wrong in problem.message
    assert problem.help


def test_a_bad_case_hides_none_beside_it():
    text = f"cases:\n- name: bad\n- name: good\n{ANSWERED}- name: good\n{ANSWERED}"
    _, problems = read(reader.parse(text, "tests/a.yaml"))
    assert [(each.span.line, each.message) for each in problems] == [
        (2, "'bad' has no request"),
        (6, "another case of this file is called 'good'"),
    ]


def said(text: str) -> list[str]:
    _, problems = read(reader.parse(HEAD + text, "tests/a.yaml"))
    return [each.message for each in problems]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("  vendors: {o: {down: true, status: 500, says: 5}}\n" + ANSWERED, "beside down"),
        ("  vendors: {o: [{down: true, status: 500}, 5]}\n" + ANSWERED, "beside down"),
        ("  stpes: []\n  request: {model: m}\n  expect: {status: 503, tool: t}\n", "has no tool"),
        ("  request: {}\n  steps: [{request: {}, expect: {staus: 1}}]\n", "both a request and"),
        ("  request: {body: {x: .inf}}\n  expect: {staus: 1}\n", "no number for JSON"),
        (
            "  vendors: {o: {down: true}}\n  request: {}\n  expect: {answered_by: o, cost: x}\n",
            "o fails in this case whenever it is asked",
        ),
        (
            "  steps: [{request: {}}, {request: {}, expect: {cached: true, asked: {o: 1}}}, 5]\n",
            "no vendor is asked",
        ),
    ],
)
def test_a_mistake_of_shape_hides_no_other_one(text: str, wrong: str):
    assert len([each for each in said(text) if wrong in each]) == 1, said(text)
    assert len(said(text)) >= 2


@pytest.mark.parametrize(
    "text",
    [
        # `status` may be meant, `expect`, `request`, `repeat`, `times`.
        "  vendors: {o: {stauts: 429, retry_after: 5}}\n" + ANSWERED,
        "  vendors: {o: {status: '429', retry_after: 5}}\n" + ANSWERED,
        "  request: {model: m}\n  expcet: {status: 200}\n",
        "  requst: {model: m}\n  expect: {status: 200}\n",
        "  steps: [{request: {model: m}, expcet: {status: 200}}]\n",
        "  request: {model: m}\n  expect: 200\n",
        "  steps: [{request: {model: m}, repaet: 2, expect: {cached: true}}]\n",
        "  steps: [{request: {model: m}, repeat: two, expect: {cached: true, asked: {o: 1}}}]\n",
        "  vendors: {o: {down: true, tmies: 1}}\n  request: {}\n  expect: {answered_by: o}\n",
        "  vendors: {o: {status: 50}}\n  request: {}\n  expect: {answered_by: o}\n",
        "  request: {model: m}\n  expect: {answered_by: o, asked: {o: '0'}}\n",
        "  request: {model: m}\n  expect: {status: '503', content: Hello}\n",
        "- {request: {model: m}, expect: {status: 200}}\n- {name: c, request: {}, expect: 5}\n",
        "- 5\n",
    ],
)
def test_nothing_is_concluded_from_a_key_that_may_be_misspelt(text: str):
    problems = said(text if text.startswith(" ") else ANSWERED + text)
    allowed = ("unknown key", "must be", "cannot be", "is missing", "another case")
    assert problems
    assert [each for each in problems if not any(word in each for word in allowed)] == []


def test_a_vendor_that_fails_so_many_times_answers_then():
    text = "  vendors: {o: {down: true, times: 1}}\n  request: {}\n  expect: {answered_by: o}\n"
    assert said(text) == []


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
  vendors: {opanai: {down: true}}
  request: {model: gpt-mni, prompt: Hello}
  expect: {stauts: 200, asked: {claude: 1}, content: Hi}
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
    "tests/wrong.yaml": """\
cases:
- name: shape and names
  vendors: {opanai: {stauts: 500}, claude: [], openai: {status: 500, says: no}}
  request: {model: gpt-mni, promt: Hello}
  expect: {answered_by: openai/gpt-4, asked: {claud: one}, cost: 1 USD}
- name: perhaps an error, or a configuration
  cofnig: openai
  steps:
  - request: {model: nothing, prompt: Hello}
    expect: {status: "400"}
  - request: {model: nothing, prompt: Hello}
    expect: {asked: {opnai: 1}}
    repaet: 2
- vendors: {openia: {down: true}}
  request: {model: gpt-mini}
  expect: {status: 200}
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


NO_VENDOR = "{}: error[NX104]: the configuration has no provider file and no model {}"


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
        NO_VENDOR.format("tests/one.yaml:7:13", "opanai"),
        "tests/one.yaml:8:20: error[NX104]: the configuration offers no model gpt-mni",
        "tests/one.yaml:9:12: error[NX101]: unknown key stauts",
        NO_VENDOR.format("tests/one.yaml:9:33", "claude"),
        NO_VENDOR.format("tests/two.yml:3:13", "opanai"),
        "tests/two.yml:4:20: error[NX104]: the configuration offers no model gpt-mni",
        NO_VENDOR.format("tests/two.yml:5:25", "openai/gpt-4"),
        NO_VENDOR.format("tests/two.yml:5:66", "claude"),
        NO_VENDOR.format("tests/wrong.yaml:3:13", "opanai"),
        "tests/wrong.yaml:3:22: error[NX101]: unknown key stauts",
        NO_VENDOR.format("tests/wrong.yaml:3:36", "claude"),
        "tests/wrong.yaml:3:44: error[NX104]: claude is empty",
        "tests/wrong.yaml:3:76: error[NX103]: says must be text or a list, not false",
        "tests/wrong.yaml:4:20: error[NX104]: the configuration offers no model gpt-mni",
        "tests/wrong.yaml:4:29: error[NX101]: unknown key promt",
        NO_VENDOR.format("tests/wrong.yaml:5:25", "openai/gpt-4"),
        NO_VENDOR.format("tests/wrong.yaml:5:47", "claud"),
        'tests/wrong.yaml:5:54: error[NX103]: claud must be a whole number, not the text "one"',
        'tests/wrong.yaml:5:66: error[NX103]: cost must be a number, not the text "1 USD"',
        "tests/wrong.yaml:7:3: error[NX101]: unknown key cofnig",
        'tests/wrong.yaml:10:22: error[NX103]: status must be a whole number, not the text "400"',
        NO_VENDOR.format("tests/wrong.yaml:12:22", "opnai"),
        "tests/wrong.yaml:13:5: error[NX101]: unknown key repaet",
        "tests/wrong.yaml:14:3: error[NX102]: name is missing",
        NO_VENDOR.format("tests/wrong.yaml:14:13", "openia"),
    ]
    helps = ["all", "status", "openai", "gpt-mini", "openai/gpt-4o"]
    assert all(f"Did you mean {each}?" in printed for each in helps)
