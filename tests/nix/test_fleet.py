"""examples/fleet: three hosts of one project, under the real NixOS modules and as deployed.

The Nix code of colmena and deploy-rs is theirs: NIXCFG_COLMENA and NIXCFG_DEPLOY_RS, or <colmena>
and <deploy-rs> on NIX_PATH, name their source trees.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from program import ROOT, Run

FLEET = ROOT / "examples" / "fleet"
HOSTS = {"alpha": 4000, "beta": 4100, "gamma": 4000}

Evaluate = Callable[..., Any]


@pytest.fixture(scope="module")
def evaluate(nix: Any) -> Evaluate:
    """What one of the tools that deploy would see of a fleet."""

    def of(fleet: Path, by: str = "nixos-rebuild", source: Path | None = None) -> Any:
        given = {"source": str(source)} if source else {}
        return nix("fleet.nix", fleet=str(fleet), by=f'"{by}"', **given)

    return of


@pytest.fixture(scope="module")
def evaluated(evaluate: Evaluate) -> Any:
    return evaluate(FLEET)


def source_of(name: str) -> Path:
    """The source tree of a tool that deploys; skips where no one says where it is."""
    variable = f"NIXCFG_{name.upper().replace('-', '_')}"
    found = os.environ.get(variable, "")
    if not found:
        done = subprocess.run(
            ["nix-instantiate", "--eval", "-E", f"toString <{name}>"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        found = json.loads(done.stdout) if done.returncode == 0 else ""
    if not found:
        pytest.skip(f"neither {variable} nor <{name}> names the source of {name}")
    return Path(found)


def test_it_is_rendered(nixcfg: Run):
    done = nixcfg("-C", FLEET, "render", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_host_evaluates(evaluated: Any):
    assert set(evaluated) == set(HOSTS)
    for name, port in HOSTS.items():
        host = evaluated[name]
        assert host["failed"] == []
        assert host["unit"]
        assert host["host"] == name
        assert host["firewall"] == [port]
        assert host["container"]["ports"] == [f"0.0.0.0:{port}:4040"]


def test_the_hosts_share_database_and_redis(evaluated: Any):
    for host in evaluated.values():
        assert host["container"]["environment"]["REDIS_HOST"] == "redis.example.org"
        wiring = host["units"]["litellm-proxy-secrets.service"]
        for key in ("database_password", "redis_password", "master_key", "salt_key"):
            assert f"/etc/nixcfg/secrets/{key}.txt" in wiring


def test_a_host_is_given_the_keys_that_it_needs_and_no_others(evaluated: Any):
    keys = {
        name: {
            variable
            for variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
            if f"LoadCredential={variable}:" in host["units"]["litellm-proxy-secrets.service"]
        }
        for name, host in evaluated.items()
    }
    both = {"ANTHROPIC_API_KEY", "OPENAI_API_KEY"}
    assert keys == {"alpha": both, "beta": both, "gamma": set()}


def rendered(folder: Path) -> dict[str, bytes]:
    top = folder / "rendered"
    return {
        str(path.relative_to(top)): path.read_bytes()
        for path in top.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.mark.parametrize(
    ("provider", "old", "new", "hosts"),
    [
        ("ollama", "llama3.1", "llama3.2", {"gamma"}),
        ("openai", "model_name: gpt", "model_name: gpt-5", {"alpha", "beta"}),
        ("claude", "ANTHROPIC_API_KEY: ", "WORK_API_KEY: ${WORK_API_KEY}\n  ANTHROPIC_API_KEY: ", {
            "alpha",
            "beta",
        }),
    ],
    ids=["a-model", "a-name", "a-key"],
)  # fmt: skip
def test_a_change_to_a_provider_changes_only_the_hosts_that_use_it(  # noqa: PLR0917
    provider: str,
    old: str,
    new: str,
    hosts: set[str],
    nixcfg: Run,
    evaluate: Evaluate,
    evaluated: Any,
    tmp_path: Path,
):
    fleet = tmp_path / "fleet"
    shutil.copytree(FLEET, fleet)
    before = rendered(fleet)
    file = fleet / "providers" / f"{provider}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    done = nixcfg("-C", fleet, "render")
    assert done.returncode == 0, done.stdout + done.stderr
    after = rendered(fleet)
    assert set(after) == set(before)
    changed = {path for path in after if after[path] != before[path]}
    assert changed
    assert {path.split("/")[1] for path in changed if path.startswith("hosts/")} == hosts
    assert all(path.startswith("hosts/") for path in changed)
    now = evaluate(fleet)
    assert {name for name in HOSTS if now[name] != evaluated[name]} == hosts


def test_a_provider_that_nobody_loads_changes_nothing(nixcfg: Run, tmp_path: Path):
    fleet = tmp_path / "fleet"
    shutil.copytree(FLEET, fleet)
    text = (fleet / "providers" / "openai.yaml").read_text()
    (fleet / "providers" / "other.yaml").write_text(
        text.replace("model_name: gpt", "model_name: x")
    )
    assert nixcfg("-C", fleet, "render", "--check").returncode == 0


def test_colmena_sees_the_same_machines(evaluate: Evaluate, evaluated: Any):
    hive = evaluate(FLEET, "colmena", source_of("colmena"))
    targets = {name: node["targetHost"] for name, node in hive["deploymentConfig"].items()}
    assert targets == {name: f"{name}.example.org" for name in HOSTS}
    assert hive["nodes"] == evaluated


def test_deploy_rs_activates_each_machine(evaluate: Evaluate):
    source = source_of("deploy-rs")
    nodes = evaluate(FLEET, "deploy-rs", source)
    assert {name: node["hostname"] for name, node in nodes.items()} == {
        name: f"{name}.example.org" for name in HOSTS
    }
    told = {}
    for name, node in nodes.items():
        system = node["profiles"]["system"]
        assert any("switch-to-configuration switch" in path["text"] for path in system["paths"])
        profile = {"user": system["user"], "path": system["paths"][0]["name"]}
        told[name] = {**node, "profiles": {"system": profile}}
    schema = json.loads((source / "interface.json").read_text())
    jsonschema.Draft201909Validator(schema).validate({"nodes": told})
