"""Whatever somebody writes: an answer, soon, and no traceback.

10,000 documents in the four tests together: valid ones with values swapped for anything, random
trees over LiteLLM's own words, mangled text of real files, and random text.
"""

import datetime as dt
import functools
import random
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rules_support import TODAY

from nixcfg import check, knowledge
from nixcfg.problems import FORMATS, report
from nixcfg.project.find import Sources, read_project
from nixcfg.project.standalone import Configuration, Part
from nixcfg.yamltext import reader

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WORDS = sorted(
    {key for section in knowledge.sections().values() for key in section.keys}
    | set(knowledge.sections())
    | {"model_list", "model_name", "model", "os.environ/X", "${X}", "all", "*", "include", "<<"}
)
MODELS = ["openai/gpt-4o", "x/y", "claude", "*", "openai/*", "", "os.environ/M", "ollama/x", "/"]
ODD = ["http://[", "http://x:99999999", "//", "a@b:c", "postgres://u:p@h/d", "\u2028", "\x85", "é"]
TEXTS = st.one_of(st.sampled_from(WORDS + MODELS + ODD), st.text(max_size=12))


def tree(rng: random.Random, depth: int = 0) -> object:
    """Any value that YAML can hold. Made from a seed: hypothesis takes ten times as long for it."""
    kind = rng.randint(0, 9 if depth < 4 else 6)
    match kind:
        case 0:
            return rng.choice([None, True, False])
        case 1:
            return rng.choice([0, 1, -1, 2**70, rng.randint(-99, 99)])
        case 2:
            return rng.choice([0.5, float("inf"), float("nan"), -1e300])
        case 3:
            return dt.date(2026, 1, rng.randint(1, 28))
        case 4 | 5 | 6:
            return word(rng)
        case 7:
            return [tree(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    return {word(rng): tree(rng, depth + 1) for _ in range(rng.randint(0, 4))}


def word(rng: random.Random) -> str:
    made = "".join(chr(rng.randint(32, 0x2FF)) for _ in range(rng.randint(0, 9)))
    return rng.choice([rng.choice(WORDS), rng.choice(MODELS), rng.choice(ODD), made])


SOURCES = [
    path.read_text(encoding="utf-8")
    for path in [*sorted((ROOT / "providers").glob("*.yaml")), ROOT / "nixcfg.yaml"]
]


@functools.cache
def pace() -> float:
    """CPU seconds that PyYAML's own loader takes for 500 deployments, here and now.

    A limit in seconds would judge the machine, which may pause or be slow.
    """
    text = "".join(f"- {{model_name: m{n}, litellm_params: {{rpm: {n}}}}}\n" for n in range(500))
    start = time.process_time()
    yaml.load(text, yaml.SafeLoader)
    return time.process_time() - start


def looks(text: str, *, limit: float = 40) -> None:
    """Nothing raises, in a project and alone, in any format, and every place is in the file.

    All of it costs at most `limit` times `pace()`.
    """
    start = time.process_time()
    document = reader.parse(text, "providers/x.yaml")
    own = reader.parse("model_config: x\nprofiles: {p: [x]}\n", "nixcfg.yaml")
    reports = [
        check.validate(Sources(Path(), own, {"x": document}, ()), TODAY),
        check.validate(Sources(Path(), document, {"x": document}, ()), TODAY),
        check.standalone([Configuration((Part(document),))], TODAY),
    ]
    lines = len(document.lines())
    for told in reports:
        for problem in told.problems:
            assert 1 <= problem.span.line <= max(lines, 2)
            assert problem.span.column >= 1
            assert problem.message
    form = FORMATS[len(text) % len(FORMATS)]
    assert [report(form, told.problems, told.files) is not None for told in reports]
    assert time.process_time() - start < limit * pace()


def chunk(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )


@chunk(3000)
@given(st.integers(0, 2**32))
def test_valid_documents_with_one_value_swapped(seed: int):
    rng = random.Random(seed)
    data = yaml.safe_load(rng.choice(SOURCES))
    here, step = data, rng.choice(list(data))
    while isinstance(here[step], dict | list) and here[step] and rng.random() < 0.8:
        here = here[step]
        step = rng.choice(list(here) if isinstance(here, dict) else range(len(here)))
    here[step] = tree(rng)
    looks(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))


@chunk(3000)
@given(st.integers(0, 2**32))
def test_random_trees(seed: int):
    rng = random.Random(seed)
    sections = {rng.choice(WORDS): tree(rng) for _ in range(rng.randint(0, 5))}
    entry = {"model_name": tree(rng, 3), "litellm_params": tree(rng), "model_info": tree(rng, 2)}
    models = [entry] * rng.randint(1, 2) if rng.random() < 0.7 else tree(rng)
    looks(yaml.safe_dump({**sections, "model_list": models}, allow_unicode=True))


@chunk(3000)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.floats(0, 1), TEXTS), max_size=6))
def test_mangled_text(seed: int, cuts: list[tuple[float, str]]):
    rng = random.Random(seed)
    text = rng.choice(SOURCES)
    for where, piece in cuts:
        at = int(where * len(text))
        text = text[:at] + piece + text[at + rng.randint(0, 5) :]
    looks(text)


@chunk(1000)
@given(st.text(max_size=200))
def test_random_text(text: str):
    looks(text)


def test_many_problems_take_no_longer_a_piece():
    """2,000 deployments with three faults each, in one file: no search is made twice."""
    entries = [
        f"- model_name: m{n}\n  litellm_params: {{model: antropic/m{n}, temprature_{n % 7}: 1, "
        f"rpm: ten}}\n  unknown_{n}: 1\n"
        for n in range(2000)
    ]
    looks("model_list:\n" + "".join(entries), limit=120)


def test_a_thousand_providers(tmp_path: Path):
    """Validation of a large project takes seconds: 1,000 files of 10 models."""
    (tmp_path / "providers").mkdir()
    (tmp_path / "nixcfg.yaml").write_text("model_config: all\n", encoding="utf-8")
    for number in range(1000):
        models = "".join(
            f"  - model_name: m{number}-{n}\n"
            f"    litellm_params: {{model: openai/gpt-4o, rpm: {n + 1}}}\n"
            for n in range(10)
        )
        text = (
            f"model_list:\n{models}environment_variables:\n  OPENAI_API_KEY: ${{OPENAI_API_KEY}}\n"
        )
        (tmp_path / "providers" / f"p{number}.yaml").write_text(text, encoding="utf-8")
    sources = read_project(tmp_path)
    start = time.process_time()
    told = check.validate(sources, TODAY)
    assert told.is_valid
    assert told.problems == ()
    assert time.process_time() - start < 60 * pace()
