"""Every known release: its set, what is judged by it, and that no set denies its own names."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nixcfg import check, knowledge
from nixcfg.knowledge import Choice, Knowledge, store
from nixcfg.project.standalone import read_configuration

KNOWN = knowledge.known()
UNKNOWN = {"NX203", "NX205", "NX402", "NX403", "NX405", "NX411"}
"""What a rule says about a name that a release does not have: a key, a provider, a model."""
UNKNOWN_WORDS = {"NX208", "NX212", "NX213", "NX219", "NX221"}
"""The same for a word as a value: a choice, a callback, a kind of guardrail, its mode."""
VALUES = {"bool": True, "int": 1, "float": 1.5, "str": "x", "list[str]": [], "list": [], "map": {}}


def value(kind: str) -> Any:
    return VALUES.get(kind.split("|", maxsplit=1)[0], "x")


def entries(known: Knowledge, step: int) -> Iterator[dict[str, Any]]:
    """A deployment for every provider, and for one in so many of its models."""
    for name, facts in known.providers().items():
        models = sorted(known.models(name))[::step] or ["some-model"]
        for model in models:
            full = f"{name}/{model}"
            if known.split_model(full)[0] == name and not facts.interactive_login:
                params = {"model": full, "api_key": "os.environ/KEY"}
                params["api_base"] = facts.api_base.default or "https://llm.example.test"
                yield {"model_name": full, "litellm_params": params}


@cache
def everything(release: str, step: int) -> str:
    """A LiteLLM file with every key, provider and many models of a release."""
    known = knowledge.of(release)
    file: dict[str, Any] = {"model_list": list(entries(known, step))}
    for section in ("litellm_settings", "router_settings", "general_settings"):
        file[section] = {name: value(key.type) for name, key in known.keys(section).items()}
    params = known.keys("litellm_params")
    names = params.keys() - {"model", "custom_llm_provider"}  # which say where the others go
    given = {name: value(params[name].type) for name in names}
    deployment = {name: value(key.type) for name, key in known.keys("deployment").items()}
    info = {name: value(key.type) for name, key in known.keys("model_info").items()}
    file["model_list"].append(
        {
            **deployment,
            "model_name": "all",
            "litellm_params": {"model": "openai/gpt-4o", **given},
            "model_info": info,
        }
    )
    return yaml.safe_dump(file)


def guardrails(known: Knowledge) -> Iterator[dict[str, Any]]:
    """One of every kind in every mode, with what it needs."""
    for name, kind in known.entries.guardrails.items():
        for mode in kind.modes or ("pre_call",):
            params = {"guardrail": name, "mode": mode}
            for choice in kind.needs:
                own = [each for each in choice if not each.isupper()]
                params |= dict.fromkeys(own[:1], "x")
            yield {"guardrail_name": f"{name} {mode}", "litellm_params": params}


def choices(known: Knowledge, section: str) -> Iterator[dict[str, str]]:
    """A section with every key that has choices, until each has had all of its own."""
    keys = {name: key.values for name, key in known.keys(section).items() if key.values}
    for number in range(max(map(len, keys.values()), default=0)):
        yield {name: values[number % len(values)] for name, values in keys.items()}


@cache
def words(release: str) -> tuple[str, ...]:
    """LiteLLM files with every choice, callback, kind of guardrail and mode of a release."""
    known = knowledge.of(release)
    callbacks = {
        name: sorted(known.callbacks(name))
        for name in ("callbacks", "success_callback", "failure_callback")
    }
    files: list[dict[str, Any]] = [
        {"litellm_settings": callbacks, "guardrails": list(guardrails(known))}
    ]
    for section in ("litellm_settings", "router_settings", "general_settings"):
        files += [{section: values} for values in choices(known, section)]
    needed = {"similarity_threshold": 0.8, "qdrant_collection_name": "answers"}
    for values in choices(known, "cache_params"):
        files.append({"litellm_settings": {"cache": True, "cache_params": {**needed, **values}}})
    return tuple(map(yaml.safe_dump, files))


def problems(path: Path, text: str, chosen: Choice, codes: set[str]) -> list[Any]:
    path.write_text(text, encoding="utf-8")
    found = check.standalone([read_configuration(path, path.name)], None, chosen).problems
    return [problem for problem in found if problem.code in codes]


def unknown(path: Path, release: str, chosen: Choice, step: int = 60) -> list[Any]:
    return problems(path, everything(release, step), chosen, UNKNOWN)


def unknown_words(path: Path, release: str, chosen: Choice) -> list[Any]:
    return [
        problem
        for text in words(release)
        for problem in problems(path, text, chosen, UNKNOWN_WORDS)
    ]


def test_at_least_six_lines_are_known():
    assert len({release.rpartition(".")[0] for release in KNOWN}) >= 6


@pytest.mark.parametrize("release", KNOWN)
def test_a_release_knows_all_of_its_own(tmp_path: Path, release: str):
    found = unknown(tmp_path / "config.yaml", release, knowledge.choose(release), step=7)
    assert [str(problem.message) for problem in found] == []


@pytest.mark.parametrize("release", KNOWN)
def test_a_release_knows_all_words_of_its_own(tmp_path: Path, release: str):
    found = unknown_words(tmp_path / "config.yaml", release, knowledge.choose(release))
    assert [str(problem.message) for problem in found] == []


def test_words_differ_between_releases(tmp_path: Path):
    """The files above hold what they are for."""
    chosen = knowledge.choose("1.104.9")
    found = unknown_words(tmp_path / "config.yaml", "1.110.2", chosen)
    said = "\n".join(problem.message for problem in found)
    for word in ("callback ternary", "no kind reco", "runs at no post_mcp_call"):
        assert word in said
    older = unknown_words(tmp_path / "config.yaml", "1.104.9", knowledge.choose("1.110.2"))
    assert [problem.message for problem in older] == ["type cannot be disk"]


@pytest.mark.parametrize("release", KNOWN)
def test_age_never_keeps_anyone_from_rendering(tmp_path: Path, release: str):
    """Each release as if nixcfg did not know it, judged by every other set."""
    for other in KNOWN:
        chosen = Choice(knowledge.of(other), "9.9.9", is_known=False)
        found = unknown(tmp_path / "config.yaml", release, chosen)
        assert not [problem for problem in found if problem.is_error], other


@pytest.mark.parametrize(("release", "other"), [(KNOWN[0], KNOWN[-1]), (KNOWN[-1], KNOWN[0])])
def test_nor_do_the_words_of_another_age(tmp_path: Path, release: str, other: str):
    chosen = Choice(knowledge.of(other), "9.9.9", is_known=False)
    found = unknown_words(tmp_path / "config.yaml", release, chosen)
    assert found
    assert not [problem for problem in found if problem.is_error]


@pytest.mark.parametrize("release", KNOWN)
def test_another_set_calls_unknown_only_what_it_does_not_have(tmp_path: Path, release: str):
    own = knowledge.of(release)
    for other in KNOWN:
        judge = knowledge.of(other)
        gone = {
            name
            for section in own.sections()
            for name in own.keys(section)
            if section not in judge.sections() or name not in judge.keys(section)
        }
        # Of a provider that had no catalogue yet, the model is made up.
        gone |= {"some-model", *(own.providers().keys() - judge.providers().keys())}
        gone |= {
            model
            for name in own.providers()
            for model in own.models(name)
            if judge.find_model(f"{name}/{model}") is None
        }
        for problem in unknown(tmp_path / "config.yaml", release, knowledge.choose(other)):
            assert any(name in problem.message for name in gone), (other, problem.message)


@pytest.mark.parametrize(
    ("asked", "judged_by", "is_known"),
    [
        ("", knowledge.LITELLM_VERSION, True),
        ("main-latest", knowledge.LITELLM_VERSION, True),
        *((release, release, True) for release in KNOWN),
        ("v1.110.2", "1.110.2", True),
        ("main-v1.108.7-stable", "1.108.7", True),
        ("1.108.9", "1.108.7", True),
        ("1.108.3", "1.108.7", True),
        ("1.108.99", "1.108.14", True),
        ("1.106.5", "1.106.2", True),
        ("1.111.0", "1.110.2", False),
        ("2.0.0", "1.110.2", False),
        ("1.107.1", "1.106.12", False),
        ("1.50.0", KNOWN[0], False),
    ],
)
def test_choice(asked: str, judged_by: str, is_known: bool):
    chosen = knowledge.choose(asked)
    assert (chosen.knowledge.version, chosen.is_known) == (judged_by, is_known)


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("ghcr.io/berriai/litellm:v1.110.2", "1.110.2"),
        ("localhost:5000/litellm:main-v1.108.7-stable@sha256:" + "0" * 64, "1.108.7"),
        ("ghcr.io/berriai/litellm-database:v1.108.14", "1.108.14"),
        ("ghcr.io/berriai/litellm@sha256:" + "0" * 64, ""),
        ("ghcr.io/berriai/litellm", ""),
        ("litellm:latest", ""),
    ],
)
def test_release_of_an_image(image: str, release: str):
    assert knowledge.of_image(image) == release


def test_an_unknown_release_has_no_set():
    with pytest.raises(KeyError):
        knowledge.of("9.9.9")


json_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)


@given(json_values, json_values)
def test_a_patch_gives_the_other_value_back(before: Any, after: Any):
    kept = json.dumps(before)
    assert store.patched(before, store.difference(before, after)) == after
    assert json.dumps(before) == kept


def test_a_patch_cannot_hold_null():
    with pytest.raises(ValueError, match="null"):
        store.difference({}, {"a": None})


def test_a_set_is_read_without_the_others(monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []
    original = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path)
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    Knowledge("1.110.2").keys("router_settings")
    others = [path for path in read if "releases" in path.parts and "1.110.2" not in path.parts]
    assert others == []


def facts(release: str) -> Mapping[str, Any]:
    return knowledge.of(release).behaviour


def test_what_changed_between_releases():
    """As measured by hand on 2026-11-28, before there was a program for it."""
    old, middle, new = facts("1.106.2"), facts("1.108.7"), facts("1.110.2")
    told = [each["fallback_text"] for each in (old, middle, new)]
    assert told == ["ignored", "stops", "stops"]
    assert [e["fallback_null"] for e in (old, middle, new)] == ["ignored", "stops", "stops"]
    assert [e["fallback_mapping"] for e in (old, new)] == ["stops", "ignored"]
    assert [e["allowed_fails_alone"] for e in (old, middle, new)] == [True, False, False]
    assert [e["allowed_fails_three"] for e in (old, new)] == [False, True]
    assert [e["number_as_name"] for e in (old, new)] == [False, True]
    assert [e["retries_as_text"] for e in (old, new)] == ["breaks", "coerced"]
    logins = {r: facts(r)["login_github_copilot"] for r in KNOWN}
    assert (logins["1.106.2"], logins["1.106.12"]) == (False, True)
    assert (logins["1.108.7"], logins["1.110.2"]) == (False, True)
