"""A project with hosts: which machine a command looks at, and what each machine is given."""

import json
import re
import shutil
import socket
from pathlib import Path

import pytest

from nixcfg import model, render, source
from program import ROOT, Run

PROVIDER = """\
model_list:
  - model_name: {name}
    litellm_params: {{model: openai/{name}, api_key: os.environ/{key}}}
"""
PROJECT = """\
model_config: a # for all
environment: {{ONE: "1", TWO: "2"}}
hosts:
  {here}:
    model_config: b # for one
    port: 4100
    environment: {{TWO: "3"}}
  other:
    secrets_dir: /run/other
"""


@pytest.fixture
def here() -> str:
    name = socket.gethostname().partition(".")[0]
    if not name or not name.replace("-", "").isalnum():
        pytest.skip(f"this machine's name cannot be that of a host: {name!r}")
    return name


@pytest.fixture
def project(tmp_path: Path, here: str) -> Path:
    (tmp_path / "providers").mkdir()
    for name in ("a", "b"):
        text = PROVIDER.format(name=name, key=f"{name.upper()}_KEY")
        (tmp_path / "providers" / f"{name}.yaml").write_text(text)
    (tmp_path / "nixcfg.yaml").write_text(PROJECT.format(here=here))
    return tmp_path


def built(text: str, **providers: str) -> model.Project:
    documents = {name: source.parse(given, f"{name}.yaml") for name, given in providers.items()}
    return model.build(source.parse(text, "nixcfg.yaml"), documents)


def test_a_host_says_only_what_differs():
    whole = built(PROJECT.format(here="one"), a=PROVIDER.format(name="a", key="A_KEY"))
    one, other = whole.hosts["one"], whole.hosts["other"]
    assert (one.model_config, one.port, one.environment) == ("b", 4100, {"ONE": "1", "TWO": "3"})
    assert (other.model_config, other.port) == ("a", 4000)
    assert other.key_files["A_KEY"].file == "/run/other/a_key.txt"
    assert one.place("environment", "TWO") == ("hosts", "one", "environment", "TWO")
    assert one.place("environment", "ONE") == ("environment", "ONE")
    assert one.place("image") == ("image",)


def test_an_environment_variable_of_one_host_is_no_secret_there():
    whole = built(
        "hosts: {one: {environment: {A_KEY: none}}, other: {}}\n",
        a=PROVIDER.format(name="a", key="A_KEY"),
    )
    secrets = {name: machine.configs[0].secrets for name, machine in whole.hosts.items()}
    assert secrets == {"one": (), "other": ("A_KEY",)}


@pytest.mark.parametrize(
    ("callbacks", "rendered"),
    [
        ("", ["prometheus"]),
        ("callbacks: [langsmith]", ["langsmith", "prometheus"]),
        ("callbacks: [prometheus, langsmith]", ["prometheus", "langsmith"]),
        ("callbacks: my.handler", ["my.handler", "prometheus"]),
        ("callbacks: []", ["prometheus"]),
    ],
)
def test_metrics_add_one_callback_to_those_of_the_user(callbacks: str, rendered: list[str]):
    text = PROVIDER.format(name="a", key="A_KEY")
    whole = built("metrics: true\n", a=f"{text}litellm_settings: {{num_retries: 1, {callbacks}}}\n")
    for config in whole.machine.configs:
        assert config.litellm["litellm_settings"]["callbacks"] == rendered
    without = built("{}\n", a=text)
    assert "litellm_settings" not in without.machine.configs[0].litellm


def test_instances_and_workers_are_rendered_where_they_are_several():
    provider = PROVIDER.format(name="a", key="A_KEY")
    text = render.docker_nix(built("instances: 3\nworkers: 2\nredis: local\n", a=provider).machine)
    assert "    instances = lib.mkDefault 3;\n    workers = lib.mkDefault 2;\n" in text
    plain = render.docker_nix(built("instances: 1\n", a=provider).machine)
    assert "instances" not in plain
    assert "workers" not in plain


def test_commands_look_at_the_host_of_this_name(nixcfg: Run, project: Path, here: str):
    checks = json.loads(nixcfg("-C", project, "doctor", "--json").stdout)["checks"]
    assert any(check["name"] == "port 4100" for check in checks)
    other = json.loads(nixcfg("-C", project, "doctor", "--json", "--host", "other").stdout)
    assert any(check["name"] == "port 4000" for check in other["checks"])
    assert any("/run/other/a_key.txt" in check["message"] for check in other["checks"])
    text = (project / "nixcfg.yaml").read_text().replace(f"  {here}:", "  elsewhere:")
    (project / "nixcfg.yaml").write_text(text)
    for command in ("doctor", "rehearse", "try", "probe"):
        lost = nixcfg("-C", project, command)
        assert lost.returncode == 2
        assert f"{here}, this machine, is none of the hosts" in lost.stderr
        assert "elsewhere, other (--host NAME)" in lost.stderr


def test_a_wrong_host_is_named(nixcfg: Run, project: Path):
    done = nixcfg("-C", project, "doctor", "--host", "othr")
    assert done.returncode == 2
    assert "no host is called othr; did you mean other?" in done.stderr
    (project / "nixcfg.yaml").write_text("port: 4001\n")
    done = nixcfg("-C", project, "doctor", "--host", "other")
    assert done.returncode == 2
    assert "nixcfg.yaml has no hosts" in done.stderr


def test_use_changes_what_is_common_or_one_host(nixcfg: Run, project: Path, here: str):
    file = project / "nixcfg.yaml"
    before = file.read_text()
    assert nixcfg("-C", project, "use", "all").returncode == 0
    assert file.read_text() == before.replace("model_config: a #", "model_config: all #")
    file.write_text(before)
    assert nixcfg("-C", project, "use", "all", "--host", here).returncode == 0
    assert file.read_text() == before.replace("model_config: b #", "model_config: all #")
    refused = nixcfg("-C", project, "use", "all", "--host", "other")
    assert refused.returncode == 1
    assert "hosts.other has no model_config of its own" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_key_is_stored_where_the_host_reads_it(nixcfg: Run, project: Path, tmp_path: Path):
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    text = (project / "nixcfg.yaml").read_text().replace("/run/other", str(folder))
    (project / "nixcfg.yaml").write_text(text)
    key = "sk-proj-0123456789abcdef"
    done = nixcfg("-C", project, "set-key", "A_KEY", "--host", "other", input=key)
    assert done.returncode == 0, done.stderr
    assert (folder / "a_key.txt").read_text().strip() == key


def test_the_project_of_the_page_has_no_problems(nixcfg: Run, tmp_path: Path):
    page = (ROOT / "docs" / "scale.md").read_text().partition("## Several machines")[2]
    shutil.copytree(ROOT / "examples" / "fleet" / "providers", tmp_path / "providers")
    (tmp_path / "nixcfg.yaml").write_text(
        re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0]
    )
    done = nixcfg("-C", tmp_path, "validate")
    assert done.stdout == "4 files: no problems\n"
