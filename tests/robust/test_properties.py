"""What holds for every project: texts full of quotes, words that YAML and Nix take for others.

Examples are those of every run (`derandomize`): a failure here is one that everybody has.
"""

import datetime as dt
import json
import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli import Cli, snapshot
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nixcfg import check
from nixcfg.project import wiring
from nixcfg.project.find import Sources
from nixcfg.project.model import Machine, Project
from nixcfg.render import nix
from nixcfg.render.docker_nix import docker_nix
from nixcfg.render.files import rendered_files
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


@some
@given(projects())
def test_every_litellm_file_reads_back_as_the_model(files: dict[str, str]):
    project = model(files)
    assume(project is not None)
    assert project is not None
    rendered = rendered_files(project)
    for config in project.machine.configs:
        text = rendered[wiring.config_path(config.name)].decode()
        assert exact(yaml.safe_load(text)) == exact(config.litellm)
        assert exact(reader.parse(text, "rendered").data) == exact(config.litellm)


NIX = """\
let
  values = file: (import file {
    lib.mkDefault = value: value;
    config = { };
    pkgs = { };
  }).services.litellm-proxy;
  told = file: let all = values file; in all // {
    configs = builtins.mapAttrs (_: each: each // { file = baseNameOf each.file; }) all.configs;
  };
in map told [ %s ]
"""


@pytest.fixture(scope="module")
def nix_instantiate(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    program = shutil.which("nix-instantiate")
    if not program:
        pytest.skip("nix-instantiate is not installed (Debian: nix-bin)")
    state = tmp_path_factory.mktemp("nix")
    return ["env", f"NIX_STATE_DIR={state}", program, "--eval", "--strict", "--json"]


def test_docker_nix_reads_back_as_the_model(nix_instantiate: list[str], tmp_path: Path):
    """Nix itself reads what was rendered: all projects in one evaluation."""
    found: list[Machine] = []

    @settings(some, max_examples=60)
    @given(projects())
    def collect(files: dict[str, str]):
        project = model(files)
        if project is not None:
            (tmp_path / f"{len(found)}.nix").write_text(docker_nix(project.machine))
            found.append(project.machine)

    collect()
    assert len(found) > 15
    expression = NIX % " ".join(f"{tmp_path}/{number}.nix" for number in range(len(found)))
    done = subprocess.run(
        [*nix_instantiate, "-E", expression], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for machine, told in zip(found, json.loads(done.stdout), strict=True):
        assert told["port"] == machine.port
        assert told.get("backend", "") == machine.backend
        assert told["image"] == machine.image
        assert told["listenAddress"] == machine.listen_address
        assert told["auth"] == machine.auth
        assert told["modelConfig"] == machine.model_config
        assert told.get("environment", {}) == machine.environment
        assert {
            name: (each["file"], each.get("secrets", [])) for name, each in told["configs"].items()
        } == {each.name: (f"{each.name}.yaml", list(each.secrets)) for each in machine.configs}
        assert {
            name: each if isinstance(each, str) else each["file"]
            for name, each in told.get("secrets", {}).items()
        } == {each.variable: each.file for each in machine.key_files.values()}


mistakes = st.sampled_from(
    [
        lambda lines, at: lines[:at] + lines[at + 1 :],
        lambda lines, at: lines[: at + 1] + lines[at:],
        lambda lines, at: [*lines[:at], lines[at].replace(":", "", 1), *lines[at + 1 :]],
        lambda lines, at: [*lines[:at], lines[at].replace("o", "0", 1), *lines[at + 1 :]],
        lambda lines, at: [*lines[:at], lines[at] + "'", *lines[at + 1 :]],
        lambda lines, at: [*lines[:at], "  " + lines[at], *lines[at + 1 :]],
        lambda lines, at: [*lines[:at], "unknown: 1", *lines[at:]],
        lambda lines, at: [*lines[:at], re.sub(r": .*", ": [1]", lines[at]), *lines[at + 1 :]],
    ]
)


@st.composite
def broken(draw: st.DrawFn) -> dict[str, str]:
    files = draw(projects())
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(sorted(files)))
        lines = files[path].splitlines()
        if lines:
            changed = draw(mistakes)(lines, draw(st.integers(0, len(lines) - 1)))
            files[path] = "\n".join(changed) + "\n"
    return files


def put(files: Mapping[str, str], folder: Path) -> Path:
    (folder / "providers").mkdir(parents=True)
    for path, text in files.items():
        (folder / path).write_bytes(text.encode())
    return folder


@settings(some, max_examples=25)
@given(files=broken())
def test_validate_and_render_agree_on_what_is_an_error(files: dict[str, str], cli: Cli):
    with tempfile.TemporaryDirectory() as folder:
        root = put(files, Path(folder) / "project")
        checked, rendered = cli.each(
            ["-C", root, "validate", "--format", "json"], ["-C", root, "render"]
        )
        assert checked.code == rendered.code, checked.said + rendered.said
        assert (checked.code == 0) == (root / "rendered").exists()
        assert checked.code in (0, 1)
        for each in json.loads(checked.out)["problems"]:
            place = f"{each['file']}:{each['line']}:{each['column']}: "
            assert f"{place}{each['severity']}[{each['code']}]: " in rendered.err
        found = sum(each["severity"] == "error" for each in json.loads(checked.out)["problems"])
        assert bool(found) == (checked.code == 1)


@dataclass(frozen=True)
class Around:
    """What must not matter: the environment, and where the command is run."""

    environment: Mapping[str, str]
    folder: str = "/"


AROUND = [
    Around({"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}),
    Around({"PYTHONHASHSEED": "2", "SOURCE_DATE_EPOCH": "4102444800", "HOME": "/nowhere"}, "/tmp"),
    Around({"PYTHONHASHSEED": "3", "OPENAI_API_KEY": "sk-x", "PORT": "1", "LANG": "tr_TR.UTF-8"}),
    Around({"PYTHONHASHSEED": "4", "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-16", "TERM": ""}),
]


@settings(some, max_examples=5)
@given(files=projects().filter(lambda files: model(files) is not None), order=st.randoms())
def test_render_is_a_function_of_the_project_alone(files: dict[str, str], order: Any, cli: Cli):
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for number, around in enumerate(AROUND):
            # The same project: files made in another order, sections in another order.
            paths = sorted(files)
            order.shuffle(paths)
            mixed = {path: _shuffled(files[path], order) if number else files[path]
                     for path in paths}  # fmt: skip
            root = put(mixed, Path(folder) / f"{number}" / "project")
            done = subprocess.run(
                cli.line("-C", root, "render"),
                cwd=around.folder,
                env={"PATH": os.defpath, **_kept(), **around.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            found.append(snapshot(root / "rendered"))
        assert all(each == found[0] for each in found[1:])


def _kept() -> dict[str, str]:
    """What says where the program is, and nothing about how it works."""
    return {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


def _shuffled(text: str, order: Any) -> str:
    """The same mapping with its sections in another order."""
    data = list(yaml.safe_load(text).items())
    order.shuffle(data)
    return yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False)


nix_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | names, inner, max_size=4),
    max_leaves=12,
)


def test_every_nix_literal_reads_back(nix_instantiate: list[str], tmp_path: Path):
    found: list[Any] = []

    @some
    @given(nix_values)
    def collect(value: Any):
        found.append(value)

    collect()
    file = tmp_path / "literals.nix"
    file.write_text(f"[ {' '.join(f'({nix.literal(value)})' for value in found)} ]")
    done = subprocess.run([*nix_instantiate, str(file)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == found


@pytest.mark.parametrize("value", ["a\0", "\x07", "\x1b[31m", "a\x0cb"])
def test_what_nix_cannot_write_is_no_literal(value: str):
    with pytest.raises(ValueError, match="no escape"):
        nix.literal(value)


@pytest.mark.parametrize("value", [1.5, dt.date(2026, 1, 1), {1}])
def test_what_nix_does_not_know_is_no_literal(value: Any):
    with pytest.raises(TypeError, match="no Nix literal"):
        nix.literal(value)
