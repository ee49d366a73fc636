"""What `nixcfg plan` predicts, beside what the NixOS module makes of the same two projects.

Whether a container restarts is decided by the module's `revision` of it (revision.nix): two that
are equal are not restarted. The prediction is made from the sources alone.
"""

import json
import shutil
import subprocess
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from rules_support import TODAY

from nixcfg import check
from nixcfg.plan import facts
from nixcfg.plan.compare import plan
from nixcfg.project.find import read_project
from program import Run

OPENAI = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-5.6}
environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}
"""
GEMINI = """\
model_list:
  - model_name: gemini
    litellm_params: {model: gemini/gemini-2.5-flash}
environment_variables: {GEMINI_API_KEY: "${GEMINI_API_KEY}"}
"""
BASE = {"nixcfg.yaml": "model_config: all\n", "providers/openai.yaml": OPENAI}


def base(settings: str = "", **providers: str) -> dict[str, str]:
    files = {**BASE, "nixcfg.yaml": f"model_config: all\n{settings}"}
    return files | {f"providers/{name}.yaml": text for name, text in providers.items()}


PROJECTS = {
    "base": base(),
    "the-same": base(),
    "comment": base("# said otherwise\n"),
    "provider-added": base(gemini=GEMINI),
    "provider-not-loaded": {**base(gemini=GEMINI), "nixcfg.yaml": "model_config: openai\n"},
    "model-changed": base(openai=OPENAI.replace("gpt-5.6", "gpt-5.6-mini")),
    "renamed": base(openai=OPENAI.replace("name: gpt", "name: best")),
    "setting": base(openai=OPENAI + "litellm_settings: {drop_params: true}\n"),
    "image": base("image: ghcr.io/berriai/litellm:v1.110.2\n"),
    "key-elsewhere": base("secrets: {OPENAI_API_KEY: /run/keys/openai}\n"),
    "secrets-dir": base("secrets_dir: /srv/keys\n"),
    "port": base("port: 4001\n"),
    "address": base("listen_address: 127.0.0.2\n"),
    "open": base("auth: open\n"),
    "environment": base("environment: {LITELLM_LOG: DEBUG}\n"),
    "workers": base("workers: 2\n"),
    "host-ports": base("host_ports: [11434]\n"),
    "metrics": base("metrics: true\n"),
    "docker": base("backend: docker\n"),
    "two": base("instances: 2\nredis: local\n"),
    "two-other-model": base(
        "instances: 2\nredis: local\n", openai=OPENAI.replace("gpt-5.6", "gpt-5.6-mini")
    ),
    "two-other-port": base("instances: 2\nredis: local\nport: 4001\n"),
    "three": base("instances: 3\nredis: local\n"),
}


@pytest.fixture(scope="module")
def evaluated(nix: Run, nixcfg: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """For each project its folder, what the module deploys for it, and its containers' units."""
    folder = tmp_path_factory.mktemp("projects")
    for name, files in PROJECTS.items():
        for path, text in files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text)
        done = nixcfg("-C", folder / name, "render")
        assert done.returncode == 0, done.stderr
    projects = " ".join(f'"{name}" = {folder / name}/rendered;' for name in PROJECTS)
    done = nix(
        *("--eval", "--strict", "--json", "--read-write-mode"),
        Path(__file__).parent / "deployed.nix",
        *("--arg", "projects", f"{{ {projects} }}"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name, each in found.items():
        each["deployed"] = json.loads(each["deployed"])
        project = check.validate(read_project(folder / name), TODAY).project
        assert project is not None
        each["wanted"] = facts.wanted(project)
        text = Path(each["deployed"]["config"]).read_text()
        each["facts"] = facts.facts(each["deployed"], text)
    return found


def really(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """What becomes of the containers' units, by the module."""
    before, after = old["deployed"]["revisions"], new["deployed"]["revisions"]
    units = {f"{name}.service" for name in old["units"]}, {f"{n}.service" for n in new["units"]}
    backend = new["deployed"]["backend"]
    return {
        **dict.fromkeys(units[0] - units[1], "stops"),
        **dict.fromkeys(units[1] - units[0], "starts"),
        **{
            f"{backend}-{name}.service": "restarts"
            for name in before.keys() & after.keys()
            if before[name] != after[name] and f"{backend}-{name}.service" in units[0] & units[1]
        },
    }


def test_restarts_are_those_of_the_module(evaluated: dict[str, Any]):
    wrong = {}
    for one, other in permutations(PROJECTS, 2):
        if one == "docker":
            continue  # where the other names no engine, it is the machine that decides
        old, new = evaluated[one], evaluated[other]
        effects = plan(old["facts"], new["wanted"]).effects
        predicted = {each.unit: each.verb.partition(",")[0] for each in effects}
        if predicted != really(old, new):
            wrong[f"{one} to {other}"] = predicted, really(old, new)
    assert wrong == {}


def test_what_it_costs(evaluated: dict[str, Any]):
    def loses(old: str, new: str) -> bool:
        return plan(evaluated[old]["facts"], evaluated[new]["wanted"]).loses

    assert not loses("base", "the-same")
    assert loses("base", "model-changed")
    assert loses("base", "two")
    assert not loses("two", "two-other-model")
    assert not loses("two", "two-other-port")
    assert not loses("two", "three")


def test_the_version_of_the_module_is_that_of_nix(evaluated: dict[str, Any]):
    assert facts.module_version() == evaluated["base"]["deployed"]["module"]


def test_nothing_secret_is_deployed(evaluated: dict[str, Any]):
    assert set(evaluated["base"]["deployed"]) == {
        "access", "auth", "backend", "config", "environment", "hasSettings", "hostPorts", "image",
        "instances", "keyFiles", "listenAddress", "metrics", "modelConfig", "module", "port",
        "revisions", "workers",
    }  # fmt: skip


def test_ssh_brings_the_same(evaluated: dict[str, Any], tmp_path: Path, monkeypatch: Any):
    """A stand-in for ssh that runs the command here: what it asks is answered by a real shell."""
    deployed = tmp_path / "litellm-proxy.json"
    deployed.write_text(json.dumps(evaluated["base"]["deployed"], separators=(",", ":")))
    program = tmp_path / "ssh"
    program.write_text(
        "#!/bin/sh\nshift 4\n"
        f'exec sh -c "$(printf %s "$1" | sed s,{facts.DEPLOYED},{deployed},g)"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{shutil.os.environ['PATH']}")
    assert facts.deployed("gateway.example.org") == evaluated["base"]["facts"]


def test_without_a_gateway_it_cannot_know(nixcfg: Run, tmp_path: Path):
    for path, text in BASE.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    if Path(facts.DEPLOYED).exists():
        pytest.skip("a gateway runs here")
    done: subprocess.CompletedProcess[str] = nixcfg("-C", tmp_path, "plan")
    assert done.returncode == 1
    assert "nixcfg plan HOST" in done.stderr


def test_a_missing_key_file_is_named(tmp_path: Path):
    here = tmp_path / "here.txt"
    here.write_text("x")
    gateway = replace(
        facts.facts(DEPLOYED, ""),
        key_files={"HERE_KEY": str(here), "GONE_KEY": str(tmp_path / "gone.txt")},
    )
    assert facts.absent_keys(gateway) == ("GONE_KEY",)


DEPLOYED = {
    "auth": "open", "backend": "podman", "config": "", "environment": {}, "hasSettings": False,
    "hostPorts": [], "image": "", "instances": 1, "keyFiles": {}, "listenAddress": "::1",
    "metrics": False, "modelConfig": "all", "module": "", "port": 1, "revisions": {}, "workers": 1,
}  # fmt: skip
