"""What holds for every project: texts full of quotes, words that YAML and Nix take for others.

Examples are those of every run (`derandomize`): a failure here is one that everybody has.
"""

import datetime as dt
import json
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
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_projects import exact, model, names, projects, some, texts

from nixcfg.project import wiring
from nixcfg.project.model import Machine
from nixcfg.render import nix
from nixcfg.render.docker_nix import docker_nix
from nixcfg.render.files import rendered_files
from nixcfg.yamltext import reader


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
