"""A project with hosts: which machine a command looks at, and what each machine is given."""

import json
import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from nixcfg import check
from nixcfg.project import model
from nixcfg.project.build import build
from nixcfg.project.find import read_project
from nixcfg.render.docker_nix import docker_nix
from nixcfg.render.files import rendered_files
from nixcfg.yamltext import reader
from program import HERE, ROOT, Run

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
    documents = {name: reader.parse(given, f"{name}.yaml") for name, given in providers.items()}
    return build(reader.parse(text, "nixcfg.yaml"), documents)


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
    text = docker_nix(built("instances: 3\nworkers: 2\nredis: local\n", a=provider).machine)
    assert "    instances = lib.mkDefault 3;\n    workers = lib.mkDefault 2;\n" in text
    plain = docker_nix(built("instances: 1\n", a=provider).machine)
    assert "instances" not in plain
    assert "workers" not in plain


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has the gateway's units, at rest."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState=inactive\\n'\n")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def test_commands_look_at_the_host_of_this_name(
    nixcfg: Run, project: Path, here: str, machine: dict[str, str]
):
    checks = json.loads(nixcfg("-C", project, "doctor", "--json", env=machine).stdout)["checks"]
    assert any(check["name"] == "port 4100" for check in checks)
    done = nixcfg("-C", project, "doctor", "--json", "--host", "other", env=machine)
    other = json.loads(done.stdout)
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
    file.write_text(before)
    assert nixcfg("-C", project, "use", "all", "--host", "other").returncode == 0
    own = before.replace("  other:\n", "  other:\n    model_config: all\n")
    assert file.read_text() == own
    refused = nixcfg("-C", project, "use", "all", "--host", "elsewhere")
    assert refused.returncode == 1
    assert f"no host elsewhere; there are {here}, other" in refused.stderr


def test_a_key_is_stored_where_the_host_reads_it(nixcfg: Run, project: Path, tmp_path: Path):
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    text = (project / "nixcfg.yaml").read_text().replace("/run/other", str(folder))
    (project / "nixcfg.yaml").write_text(text)
    key = "sk-proj-0123456789abcdef"
    done = nixcfg("-C", project, "set-key", "A_KEY", "--host", "other", input=key)
    assert done.returncode == 0, done.stderr
    assert (folder / "a_key.txt").read_text().strip() == key


PAGE = (ROOT / "docs" / "scale.md").read_text()


@pytest.mark.parametrize("text", re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_the_projects_of_the_page_have_no_problems(text: str, nixcfg: Run, tmp_path: Path):
    shutil.copytree(ROOT / "examples" / "fleet" / "providers", tmp_path / "providers")
    # One of the fleet's providers is a server on the machine itself.
    (tmp_path / "nixcfg.yaml").write_text(f"{text}host_ports: [11434]\n")
    done = nixcfg("-C", tmp_path, "validate")
    assert done.stdout == "4 files: no problems\n", done.stderr


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    shutil.copytree(HERE / "cases" / "fleet", folder, ignore=shutil.ignore_patterns("expected"))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    report = check.validate(read_project(folder))
    assert report.project is not None, report.problems
    return rendered_files(report.project)


@pytest.mark.parametrize(
    ("provider", "hosts"), [("claude", {"alpha", "beta"}), ("openai", {"alpha", "gamma-3"})]
)
def test_a_changed_provider_changes_the_hosts_that_use_it(
    fleet: Path, provider: str, hosts: set[str]
) -> None:
    before = files(fleet)
    path = fleet / "providers" / f"{provider}.yaml"
    path.write_text(
        path.read_text() + "  - model_name: another\n    litellm_params:\n"
        "      model: groq/llama-3.3-70b-versatile\n"
    )
    after = files(fleet)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert {path.split("/")[1] for path in changed} == hosts
    assert {path.split("/")[0] for path in changed} == {"hosts"}
    for host in hosts:  # with its key, and the model that needs it
        assert b"GROQ_API_KEY" in after[f"hosts/{host}/docker.nix"]


def test_a_new_provider_changes_nothing_where_nobody_loads_it(fleet: Path) -> None:
    before = files(fleet)
    (fleet / "providers" / "groq.yaml").write_text(
        "model_list:\n- model_name: llama\n  litellm_params: {model: groq/llama-3.1-8b-instant}\n"
    )
    assert files(fleet) == before


def test_use_changes_one_host(fleet: Path, nixcfg: Run) -> None:
    before = files(fleet)
    for host, old, new in (
        ("alpha", "alpha: {}", "alpha: {model_config: openai}"),
        ("beta", "    model_config: claude", "    model_config: openai"),
    ):
        text = (fleet / "nixcfg.yaml").read_text()
        done = nixcfg("-C", fleet, "use", "openai", "--host", host)
        assert done.returncode == 0, done.stderr
        assert (fleet / "nixcfg.yaml").read_text() == text.replace(old, new)
    after = files(fleet)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert {path.split("/")[1] for path in changed} == {"alpha", "beta"}


def test_a_provider_goes_from_every_host(fleet: Path, nixcfg: Run) -> None:
    done = nixcfg("-C", fleet, "remove-provider", "claude", "--yes")
    assert done.returncode == 0, done.stderr
    assert "claude" not in (fleet / "nixcfg.yaml").read_text()
    built = check.validate(read_project(fleet)).project
    assert built is not None
    assert [each.model_config for each in built.machines] == ["work", "all", "openai"]


def test_doctor_looks_at_every_instance(fleet: Path, nixcfg: Run, machine: dict[str, str]) -> None:
    nixcfg("-C", fleet, "render")
    done = nixcfg("-C", fleet, "doctor", "--host", "beta", "--json", env=machine)
    told = json.loads(done.stdout)
    checks = {check["name"]: check for check in told["checks"]}
    assert checks["rendered"]["status"] == "ok"
    assert "port 4100" in checks
    assert not any(
        "OPENAI" in name and check["status"] == "error" for name, check in checks.items()
    )
