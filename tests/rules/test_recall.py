"""Every silent mistake, planted at random places of valid projects, is found where it stands.

Each planter changes one thing in a valid document and says where the finding has to be: the text
of the token, which stands nowhere else in the file. The search for the token is the test's own, so
that line and column are checked against the file and not against nixcfg.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rules_support import TODAY, by_itself, in_project

from nixcfg import check
from nixcfg.project.find import read_project

Data = dict[str, Any]
Planted = tuple[str, str]
Planter = Callable[[random.Random, Data], Planted]

CHAT = [
    "openai/gpt-4o",
    "openai/gpt-4o-mini",
    "anthropic/claude-opus-4-6",
    "gemini/gemini-2.5-flash",
    "mistral/mistral-large-latest",
    "groq/openai/gpt-oss-120b",
    "deepinfra/meta-llama/Llama-3.3-70B-Instruct",
    "openrouter/some/model",
]


def valid(rng: random.Random) -> Data:
    """A provider file with nothing wrong, of random size."""
    models = []
    for number in range(rng.randint(2, 12)):
        entry: Data = {
            "model_name": f"model-{number}",
            "litellm_params": {"model": rng.choice(CHAT)},
        }
        if rng.random() < 0.5:
            entry["litellm_params"]["rpm"] = rng.randint(1, 100)
        if rng.random() < 0.3:
            entry["model_info"] = {"team": f"team-{number}"}
        models.append(entry)
    data: Data = {"model_list": models}
    sections = {
        "litellm_settings": {"drop_params": True, "request_timeout": 600},
        "router_settings": {"num_retries": 2, "fallbacks": [{"model-0": ["model-1"]}]},
        "general_settings": {"background_health_checks": False},
    }
    for name in rng.sample(list(sections), 3):
        data[name] = sections[name]
    return data


def _params(rng: random.Random, data: Data) -> Data:
    params: Data = rng.choice(data["model_list"])["litellm_params"]
    return params


def _set(section: str, key: str, value: Any) -> Callable[[random.Random, Data], None]:
    def put(rng: random.Random, data: Data) -> None:
        items = list(data.setdefault(section, {}).items())
        items.insert(rng.randint(0, len(items)), (key, value))
        data[section] = dict(items)

    return put


def setting(code: str, section: str, key: str, value: Any, token: str = "") -> Planter:
    def plant(rng: random.Random, data: Data) -> Planted:
        data.get(section, {}).pop(key, None)
        _set(section, key, value)(rng, data)
        return code, token or key

    return plant


def param(code: str, key: str, value: Any, token: str = "", model: str = "") -> Planter:
    def plant(rng: random.Random, data: Data) -> Planted:
        params = _params(rng, data)
        if model:
            params["model"] = model
        params[key] = value
        return code, token or str(value)

    return plant


def environment(code: str, key: str, value: Any, token: str = "") -> Planter:
    def plant(_rng: random.Random, data: Data) -> Planted:
        data["environment_variables"] = {"LITELLM_LOG": "ERROR", key: value}
        return code, token or key

    return plant


def late_variable(rng: random.Random, data: Data) -> Planted:
    data["environment_variables"] = {"MY_KEY": "dummy"}
    _params(rng, data)["api_key"] = "os.environ/MY_KEY"
    return "NX308", "os.environ/MY_KEY"


def unset_variable(rng: random.Random, data: Data) -> Planted:
    _params(rng, data)["api_key"] = "os.environ/OPENAI_API_KY"
    return "NX311", "os.environ/OPENAI_API_KY"


def dropped_base(rng: random.Random, data: Data) -> Planted:
    params = _params(rng, data)
    params.clear()
    params.update({"model": "hosted_vllm/only-here"})
    return "NX416", params["model"]


def misspelt_provider(rng: random.Random, data: Data) -> Planted:
    params = _params(rng, data)
    params["model"] = "antrhopic/claude-opus-4-6"
    return "NX402", params["model"]


def redirected(rng: random.Random, data: Data) -> Planted:
    _params(rng, data)["model"] = "openai/gpt-4o"
    data["environment_variables"] = {"OPENAI_BASE_URL": "http://10.0.0.5:8000/v1"}
    return "NX313", "OPENAI_BASE_URL"


def same_twice(_rng: random.Random, data: Data) -> Planted:
    twin = {"model_name": "twin", "litellm_params": {"model": "openai/gpt-4o"}}
    data["model_list"] += [twin, {**twin, "model_info": {"second": 1}}]
    return "NX406", "model_name: twin"


def nothing(_rng: random.Random, data: Data) -> Planted:
    data["model_list"] = []
    return "NX401", "model_list"


def unknown_fallback(rng: random.Random, data: Data) -> Planted:
    name = f"model-{rng.randint(0, 1)}"
    data["router_settings"]["fallbacks"].append({"model-1": ["no-such-model", name]})
    return "NX421", "no-such-model"


def text_fallback(_rng: random.Random, data: Data) -> Planted:
    data["router_settings"]["fallbacks"].append({"model-1": "model-0-text"})
    data["model_list"][0]["model_name"] = "model-0-text"
    data["router_settings"]["fallbacks"][0] = {"model-0-text": ["model-1"]}
    return "NX423", "model-1: |model-0-text"


MISTAKES: dict[str, list[Planter]] = {
    "1 ${VAR}": [
        param("NX301", "api_key", "${OPENAI_API_KEY}"),
        param("NX301", "api_base", "http://${HOST}:8000/v1", model="openrouter/x/y"),
    ],
    "2 unset variable": [unset_variable],
    "3 variable set too late": [late_variable],
    "4 null becomes None": [environment("NX309", "OPENAI_ORGANIZATION", None, "null")],
    "5 reference in a text, in a list": [
        param("NX306", "api_base", "http://os.environ/HOST/v1", model="openrouter/x/y"),
        setting("NX307", "general_settings", "public_routes", ["os.environ/A"], "os.environ/A"),
    ],
    "7 misspelt parameter": [
        param("NX403", "aip_key", "dummy", "aip_key"),
        param("NX403", "temprature", 0.2, "temprature"),
    ],
    "8 unknown litellm_settings": [
        setting("NX203", "litellm_settings", "acompletion", 1),
        setting("NX203", "litellm_settings", "frobnicate", 1),
        setting("NX320", "litellm_settings", "api_key", "dummy"),
    ],
    "9 unknown general_settings, section": [
        setting("NX203", "general_settings", "mastr_key", "dummy"),
        setting("NX205", "litellm_setting", "drop_params", True, "litellm_setting"),
    ],
    "10 unknown router_settings": [setting("NX203", "router_settings", "routing_strategie", "x")],
    "11 misplaced": [
        setting("NX201", "litellm_settings", "routing_strategy", "least-busy"),
        setting("NX201", "litellm_settings", "allowed_fails", 1),
        setting("NX201", "router_settings", "drop_params", True),
        setting("NX201", "general_settings", "drop_params", True),
        setting("NX207", "router_settings", "allowed_fails", 3, "3"),
    ],
    "12 unknown provider": [
        misspelt_provider,
        param("NX402", "model", "claude-unknown-bare"),
    ],
    "13 unknown or retired model": [
        param("NX411", "model", "anthropic/claude-opsu-4-6"),
        param("NX412", "model", "openai/gpt-5-codex"),
    ],
    "14 wrong type in litellm_params": [
        param("NX404", "rpm", "ten"),
        param("NX404", "api_key", 12345),
        param("NX404", "tags", "just-a-text"),
    ],
    "15 numbers as text": [
        setting("NX204", "router_settings", "num_retries", "3", "'3'"),
        setting("NX204", "router_settings", "timeout", "30s", "30s"),
        setting("NX204", "litellm_settings", "request_timeout", "abc", "abc"),
        setting("NX204", "router_settings", "num_retries", "os.environ/N", "os.environ/N"),
    ],
    "16 cache as text": [setting("NX204", "litellm_settings", "cache", "yes", "'yes'")],
    "17 callbacks": [
        setting("NX204", "litellm_settings", "success_callback", "langfuse", "langfuse"),
        setting("NX212", "litellm_settings", "success_callback", ["lunarry"], "lunarry"),
        setting("NX213", "litellm_settings", "callbacks", ["nosuch"], "nosuch"),
    ],
    "18 fallbacks": [
        unknown_fallback,
        text_fallback,
        setting("NX421", "router_settings", "model_group_alias", {"a": "no-such"}, "no-such"),
    ],
    "19 shape of api_base": [
        param(
            "NX414", "api_base", "https://api.anthropic.com/v1", model="anthropic/claude-opus-4-6"
        ),
        param("NX414", "api_base", "https://api.anthropic.com/", model="anthropic/claude-opus-4-6"),
        param(
            "NX414",
            "api_base",
            "https://generativelanguage.googleapis.com",
            model="gemini/gemini-2.5-flash",
        ),
        param("NX414", "api_base", "https://api.openai.com", model="openai/gpt-4o"),
        param("NX415", "api_base", "10.0.0.5:8000/v1", model="openrouter/x/y"),
    ],
    "20 no api_base": [dropped_base],
    "21 two keys, redirected": [redirected],
    "22 unknown credential": [param("NX318", "litellm_credential_name", "nobody")],
    "23 twice": [same_twice],
    "24 Redis without port": [setting("NX210", "router_settings", "redis_host", "10.0.0.5")],
    "25 master key": [
        setting("NX314", "general_settings", "master_key", "sk-1234", "sk-1234"),
        setting("NX314", "general_settings", "master_key", None, "master_key"),
        setting("NX315", "general_settings", "master_key", "hunter2", "hunter2"),
    ],
    "26 CONFIG_FILE_PATH": [environment("NX511", "CONFIG_FILE_PATH", "/app/x.yaml")],
    "28 no model": [nothing],
}
"""By number in the list of silent mistakes. 6 (what a key file holds) and 27 (a port that is taken)
are seen on the machine only: the NixOS module and `nixcfg doctor` look for them."""

CASES = [(name, planter) for name, planters in MISTAKES.items() for planter in planters]
STYLES: list[dict[str, Any]] = [{}, {"indent": 4}, {"default_flow_style": None}, {"width": 60}]


def place(text: str, token: str) -> list[tuple[int, int]]:
    """Every line and column at which the token starts, or its quotes; after `|`, if it has one."""
    before, bar, rest = token.partition("|")
    token, skip = (before + rest, len(before)) if bar else (token, 0)
    return [
        (number, column + skip + 1 - (column > 0 and line[column - 1] in "'\""))
        for number, line in enumerate(text.split("\n"), start=1)
        for column in range(len(line))
        if line.startswith(token, column)
    ]


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)]
)
def test_a_planted_mistake_is_found_where_it_is(number: int, tmp_path: Path):
    _, plant = CASES[number]
    rng = random.Random(number)
    for attempt in range(5):
        data = valid(rng)
        style = {"sort_keys": False, **rng.choice(STYLES)}
        before = yaml.safe_dump(data, **style)
        code, token = plant(rng, data)
        text = yaml.safe_dump(data, **style)
        spots = place(text, token)
        folder = tmp_path / str(attempt)
        for name, clean, report in (
            (
                "project",
                in_project(folder / "clean", _files(before)),
                in_project(folder / "planted", _files(text)),
            ),
            (
                "alone",
                by_itself(folder / "clean-alone", {"config.yaml": before}),
                by_itself(folder / "planted-alone", {"config.yaml": text}),
            ),
        ):
            if name == "alone" and code == "NX311":
                continue  # no one knows the environment of a file on its own
            assert {p.code for p in clean.problems} <= {"NX316", "NX317"}, (name, before)
            found = [p for p in report.problems if p.code == code]
            assert found, (name, code, text, report.problems)
            assert any((p.span.line, p.span.column) in spots for p in found), (found, spots, text)


def _files(provider: str) -> dict[str, str]:
    return {"nixcfg.yaml": "model_config: all\n", "providers/some.yaml": provider}


def test_competing_variables_across_a_project(tmp_path: Path):
    """Mistake 21: both variables reach the container, one from each place."""
    report = in_project(
        tmp_path,
        {
            "nixcfg.yaml": "environment:\n  GOOGLE_API_KEY: dummy\n",
            "providers/gemini.yaml": (
                "model_list:\n  - model_name: g\n"
                "    litellm_params: {model: gemini/gemini-2.5-flash}\n"
                "environment_variables:\n  GEMINI_API_KEY: ${GEMINI_API_KEY}\n"
            ),
        },
    )
    [problem] = [p for p in report.problems if p.code == "NX312"]
    assert (problem.file, problem.span.line, problem.span.column) == ("providers/gemini.yaml", 5, 3)


def test_duplicate_section(tmp_path: Path):
    """Mistake 23: of two sections the last one wins."""
    rng = random.Random(23)
    text = yaml.safe_dump(valid(rng), sort_keys=False)
    line = len(text.splitlines()) + 1
    again = text + "model_list:\n- model_name: x\n  litellm_params: {model: openai/gpt-4o}\n"
    report = in_project(tmp_path, _files(again))
    assert ("NX004", line, 1) in [(p.code, p.span.line, p.span.column) for p in report.problems]


def test_today_is_given_from_outside(tmp_path: Path):
    files = _files("model_list:\n- model_name: x\n  litellm_params: {model: openai/gpt-5-codex}\n")
    assert [p.code for p in in_project(tmp_path, files).problems] == ["NX412"]
    assert check.validate(read_project(tmp_path)).problems == ()
    assert TODAY.year == 2026
