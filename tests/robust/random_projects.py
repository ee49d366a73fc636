"""Random projects for Hypothesis, the model of each, and values compared with their types."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from nixcfg import check
from nixcfg.project.find import Sources
from nixcfg.project.model import Project
from nixcfg.yamltext import reader

some = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    max_examples=120,
)

HOSTILE = [
    *("'", '"', "''", "'''", "${", "${HOME}", "$", "$$", "\\", "\\n", "\\${x}", "''${x}", "`id`"),
    *("# no comment", "a # b", "a: b", "- a", "? a", "{a", "[a", "&a", "*a", "!a", "|", ">", "%a"),
    *("on", "yes", "no", "y", "null", "~", "true", "1e3", "010", "0x1f", "12:30", "1_000", ".inf"),
    *("2024-10-21", "=", "<<", "---", "...", "@a", "\ta", " a ", "a\nb", "\n", "a\r\nb", "a\tb"),
    *("é", "漢字", "😀", "\u2028", "\x85", "\xa0", "\ufeff", "e\u0301", "x" * 3000, "a b " * 500),
    *("let", "with", "inherit", "or", "{{ x }}", "{% x %}", "/* x", "*/", "os.environ", "<a>"),
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=4).map("".join),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)
plain_values = st.one_of(
    texts,
    st.booleans(),
    st.none(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.dates(),
)
values = st.recursive(
    plain_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["a", "let", "null", "on", "B-2", "x_y", "1e3", "with", "inherit", "z9"])
variables = st.sampled_from(["REGION", "_A", "PATH_2", "let", "True", "NULL", "X1"])


@st.composite
def providers(draw: st.DrawFn, name: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "model_list": [
            {
                "model_name": draw(texts.filter(str.strip)),
                "litellm_params": {
                    "model": draw(st.sampled_from(["openai/gpt-4o", "anthropic/claude-opus-4-1"])),
                    **draw(st.fixed_dictionaries({}, optional={"temperature": st.floats(0, 2)})),
                },
                **draw(st.fixed_dictionaries({}, optional={"model_info": info})),
            }
            for _ in range(draw(st.integers(1, 3)))
        ]
    }
    if draw(st.booleans()):
        data["environment_variables"] = {f"OWN_{name.upper().replace('-', '_')}": draw(texts)}
    settings_of = {
        "litellm_settings": {"drop_params": st.booleans(), "set_verbose": st.booleans()},
        "router_settings": {"num_retries": st.integers(0, 9), "timeout": st.floats(1, 600)},
        "general_settings": {"max_parallel_requests": st.integers(1, 99)},
    }
    for section, keys in settings_of.items():
        if found := draw(st.fixed_dictionaries({}, optional=keys)):
            data[section] = found
    return data


info = st.dictionaries(texts.filter(lambda text: text not in ("<<", "=")), values, max_size=3)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, str]:
    """The files of a project by path."""
    used = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    own: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "port": st.integers(1024, 65535),
                "backend": st.sampled_from(["docker", "podman"]),
                "environment": st.dictionaries(variables, texts, max_size=3),
                "secrets_dir": texts.map(lambda text: "/keys/" + re.sub(r"\s", "", text)),
                "profiles": st.dictionaries(
                    st.sampled_from(["rec", "p1", "off"]),
                    st.lists(st.sampled_from(used), min_size=1, unique=True),
                    max_size=2,
                ),
                "model_config": st.sampled_from([*used, "all"]),
            },
        )
    )
    files = {f"providers/{name}.yaml": draw(providers(name)) for name in used}
    dumped = {path: yaml.safe_dump(data, allow_unicode=True) for path, data in files.items()}
    return {"nixcfg.yaml": yaml.safe_dump(own) if own else "port: 4000\n", **dumped}


def model(files: Mapping[str, str]) -> Project | None:
    """The project of these files, None where it has errors."""
    documents = {Path(path).stem: reader.parse(text, path) for path, text in files.items()}
    own = documents.pop("nixcfg")
    sources = Sources(Path("/nowhere"), own, documents, ())
    return check.validate(sources).project


def exact(value: Any) -> Any:
    """A value that equals another only if both have the same types all through, NaN included."""
    match value:
        case Mapping():
            return [(key, exact(inner)) for key, inner in value.items()]
        case list() | tuple():
            return [exact(inner) for inner in value]
        case float() if math.isnan(value):
            return "float", "nan"
        case dt.datetime() | dt.date():
            return type(value).__name__, str(value)
    return type(value).__name__, value
