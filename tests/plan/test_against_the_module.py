"""What `nixcfg plan` predicts, beside what the NixOS module makes of the same two projects.

Whether a container restarts is decided by the module's `revision` of it (revision.nix): two that
are equal are not restarted. The prediction is made from the sources alone.
"""

import json
from dataclasses import fields, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from deployments import DEPLOYED
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


DATABASE = "database: {host: db.example.org, password_file: /run/keys/database}\n"
REDIS = "redis: {host: redis.example.org}\n"
TWO = "instances: 2\nredis: local\n"
KEYS = """\
database: local
teams: {research: {models: [gpt]}}
keys: {web: {team: research}}
"""


def secret(settings: str) -> str:
    return f"secrets: {{OPENAI_API_KEY: {{file: /run/keys/openai, {settings}}}}}\n"


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
    "key-required": base(secret("required: true")),
    "key-optional": base(secret("optional: true")),
    "key-encrypted": base(secret("encrypted: true")),
    "key-mounted": base(secret("kind: file")),
    "two-keys": base("secrets: {GEMINI_API_KEY: {file: /run/keys/g, required: true}}\n",
                     gemini=GEMINI),
    "secrets-dir": base("secrets_dir: /srv/keys\n"),
    "master-key": base("master_key_file: /run/keys/master\n"),
    "salt-key": base(f"{DATABASE}salt_key_file: /run/keys/salt\n"),
    "port": base("port: 4001\n"),
    "address": base("listen_address: 127.0.0.2\n"),
    "open": base("auth: open\n"),
    "open-host-ports": base("auth: open\nhost_ports: [11434]\n"),
    "environment": base("environment: {LITELLM_LOG: DEBUG}\n"),
    "workers": base("workers: 2\n"),
    "workers-redis": base("workers: 2\nredis: local\n"),
    "host-ports": base("host_ports: [11434]\n"),
    "more-host-ports": base("host_ports: [11434, 8000]\n"),
    "metrics": base("metrics: true\n"),
    "counted": base("litellm_settings: {callbacks: [prometheus]}\n"),
    "docker": base("backend: docker\n"),
    "database": base("database: local\n"),
    "database-ignored": base("database: local\ndatabase_config: ignored\n"),
    "database-elsewhere": base(DATABASE),
    "database-moved": base(DATABASE.replace("db.", "db2.")),
    "database-renamed": base(DATABASE.replace("host:", "name: gateway, host:")),
    "database-of-another": base(DATABASE.replace("host:", "user: gateway, host:")),
    "database-encrypted": base(DATABASE.replace("host:", "ssl_mode: require, host:")),
    "database-port": base(DATABASE.replace("host:", "port: 6432, host:")),
    "database-password": base(DATABASE.replace("keys/database", "keys/another")),
    "database-url": base('environment: {DATABASE_URL: "postgresql://db.example.org/litellm"}\n'),
    "redis": base("redis: local\n"),
    "redis-elsewhere": base(REDIS),
    "redis-moved": base(REDIS.replace("redis.example", "redis2.example")),
    "redis-password": base(REDIS.replace("host:", "password_file: /run/keys/redis, host:")),
    "keys": base(KEYS),
    "keys-other-team": base(KEYS.replace("[gpt]", "[]")),
    "keys-other-file": base(KEYS.replace("web: {", "web: {file: /run/keys/web, ")),
    "keys-gone": base(KEYS.replace("keys: {web: {team: research}}", "keys: {}")),
    "two": base(TWO),
    "two-other-model": base(TWO, openai=OPENAI.replace("gpt-5.6", "gpt-5.6-mini")),
    "two-other-port": base(f"{TWO}port: 4001\n"),
    "two-other-address": base(f"{TWO}listen_address: 127.0.0.2\n"),
    "two-database": base(f"{TWO}database: local\n"),
    "ten-database": base(f"{TWO.replace('2', '10')}database: local\n"),
    "three": base(TWO.replace("2", "3")),
}  # fmt: skip


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
        access = each["deployed"]["access"]
        each["facts"] = facts.facts(each["deployed"], text, access and Path(access).read_text())
    return found


def really(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """What becomes of the units, by the module."""
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
        **others(old["others"], new["others"]),
    }


AGAIN = {"nginx.service": "reloads", "litellm-proxy-access.service": "runs"}
BEGINS = {"litellm-proxy-access.service": "runs"}


def others(before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    return {
        **dict.fromkeys(before.keys() - after.keys(), "stops"),
        **{name: BEGINS.get(name, "starts") for name in after.keys() - before.keys()},
        **{
            name: AGAIN.get(name, "restarts")
            for name in before.keys() & after.keys()
            if before[name] != after[name]
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


def test_the_two_ways_to_the_facts_agree(evaluated: dict[str, Any]):
    """What the module deploys, and what the sources say before it does."""
    wrong = {}
    for name, each in evaluated.items():
        of_machine = {"backend", "config_file", "published", "sharing"}
        for one in fields(facts.Facts):
            deployed, wanted = (getattr(each[side], one.name) for side in ("facts", "wanted"))
            if one.name not in of_machine and deployed != wanted:
                wrong[f"{name}: {one.name}"] = deployed, wanted
    assert wrong == {}


@pytest.mark.parametrize(
    ("old", "new", "costs", "refused"),
    [
        ("base", "the-same", [], False),
        ("base", "model-changed", ["Requests are refused"], True),
        ("base", "two", ["Requests are refused"], True),
        ("two", "base", ["Requests are refused", "nginx stops"], True),
        ("two", "two-other-model", [], False),
        ("two", "two-other-port", ["nginx closes the connections"], False),
        ("two", "three", ["nginx closes the connections"], False),
        (
            "two-database",
            "ten-database",
            ["nginx closes", "Requests that need"],
            False,
        ),
        ("keys", "keys-gone", [], False),
    ],
)
def test_what_it_costs(
    evaluated: dict[str, Any], old: str, new: str, costs: list[str], refused: bool
):
    found = plan(evaluated[old]["facts"], evaluated[new]["wanted"])
    assert [said.startswith(cost) for said, cost in zip(found.costs, costs, strict=True)] == [
        True for _ in costs
    ]
    assert found.loses == bool(costs)
    assert found.refused == ((5, 40) if refused else None)


def test_the_version_of_the_module_is_that_of_nix(evaluated: dict[str, Any]):
    assert facts.module_version() == evaluated["base"]["deployed"]["module"]


def test_nothing_secret_is_deployed(evaluated: dict[str, Any]):
    assert set(evaluated["base"]["deployed"]) == {
        "access", "auth", "backend", "config", "database", "environment", "hasSettings",
        "hostPorts", "image", "instances", "keyFiles", "listenAddress", "metrics", "modelConfig",
        "module", "port", "published", "redis", "revisions", "valueFiles", "workers",
    }  # fmt: skip


def test_a_missing_key_file_is_named(tmp_path: Path):
    here = tmp_path / "here.txt"
    here.write_text("x")
    gateway = replace(
        facts.facts(DEPLOYED, ""),
        key_files={
            "HERE_KEY": facts.Key(str(here)),
            "GONE_KEY": facts.Key(str(tmp_path / "gone.txt")),
        },
    )
    assert facts.absent_keys(gateway) == ("GONE_KEY",)
