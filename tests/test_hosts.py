"""One project for several machines: whose files change, where problems are, which host is meant."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from nixcfg import project, render, validate
from program import HERE, Run

OPENAI = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    shutil.copytree(HERE / "cases" / "fleet", folder, ignore=shutil.ignore_patterns("expected"))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    report = validate.validate(project.read(folder))
    assert report.project is not None, report.problems
    return render.files(report.project)


def problems(tmp_path: Path, text: str) -> list[tuple[str, int, int]]:
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "openai.yaml").write_text(OPENAI)
    (tmp_path / "nixcfg.yaml").write_text(text)
    found = validate.validate(project.read(tmp_path)).problems
    return [(p.code, p.span.line, p.span.column) for p in found]


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


def test_a_problem_of_one_host_is_told_at_its_own_key(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
model_config: opnai
hosts:
  alpha: {model_config: openai}
  beta: {model_config: openai, listen_address: 10.0.0, auth: open}
  gamma:
    model_config: clade
    instances: 2
    environment:
      OPENAI_BASE_URL: http://127.0.0.1:1
    secrets: {UNUSED_KEY: /keys/x}
  delta: {}
  epsilon: {model_config: openai, prot: 1}
""",
    )
    assert found == [("NX101", 12, 35)]
    shutil.rmtree(tmp_path / "providers")
    text = (tmp_path / "nixcfg.yaml").read_text().replace(", prot: 1", "")
    assert sorted(problems(tmp_path, text)) == [
        ("NX305", 10, 15),
        ("NX313", 9, 7),
        ("NX427", 9, 24),
        ("NX501", 1, 15),
        ("NX501", 6, 19),
        ("NX506", 4, 48),
        ("NX513", 7, 16),
    ]


def test_what_all_hosts_say_is_told_once(tmp_path: Path) -> None:
    text = "image: ghcr.io/berriai/litellm:v1.82.8\nhosts: {a: {}, b: {}, c: {image: 'x:v1.2.3'}}\n"
    assert problems(tmp_path, text) == [("NX510", 1, 8)]


def test_secrets_and_variables_are_replaced_one_by_one(tmp_path: Path) -> None:
    problems(
        tmp_path,
        """\
environment: {A: base, B: base}
secrets: {OPENAI_API_KEY: /base}
hosts:
  one: {environment: {B: own}}
  two: {environment: {OPENAI_API_KEY: none}, secrets_dir: /own}
  three: {secrets: {OPENAI_API_KEY: /own}}
""",
    )
    whole = validate.validate(project.read(tmp_path))
    assert [p.code for p in whole.problems] == ["NX304"], whole.problems
    (tmp_path / "nixcfg.yaml").write_text(
        (tmp_path / "nixcfg.yaml").read_text().replace("{OPENAI_API_KEY: none}", "{}")
    )
    built = validate.validate(project.read(tmp_path)).project
    assert built is not None
    assert [dict(each.environment) for each in built.machines] == [
        {"A": "base", "B": "own"},
        {"A": "base", "B": "base"},
        {"A": "base", "B": "base"},
    ]
    assert [each.key_files["OPENAI_API_KEY"].file for each in built.machines] == [
        "/base",
        "/base",
        "/own",
    ]


@pytest.mark.parametrize(
    ("given", "rendered"),
    [
        ("", ["prometheus"]),
        ("callbacks: [prometheus, langfuse_otel]", ["prometheus", "langfuse_otel"]),
        ("callbacks: [langfuse_otel]", ["langfuse_otel", "prometheus"]),
    ],
)
def test_metrics_are_counted_once(tmp_path: Path, given: str, rendered: list[str]) -> None:
    text = "metrics: true\nhosts: {a: {}, b: {metrics: false}}\n"
    assert problems(tmp_path, f"{text}litellm_settings: {{{given}}}\n") == []
    built = validate.validate(project.read(tmp_path)).project
    assert built is not None
    counting, other = (each.loaded.litellm for each in built.machines)
    assert counting["litellm_settings"]["callbacks"] == rendered
    assert "prometheus" not in given or counting == other
    assert "prometheus" in given or counting != other


COMMANDS = [
    ["doctor"],
    ["providers"],
    ["probe", "--dry-run"],
    ["rehearse"],
    ["set-key", "claude"],
    ["try", "--mock"],
    ["use", "openai"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_machine_that_is_no_host_has_to_be_named(
    command: list[str], fleet: Path, nixcfg: Run
) -> None:
    for named, said in (([], "is no host"), (["--host", "omega"], "no host is called omega")):
        done = nixcfg("-C", fleet, *command, *named)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert "--host alpha or beta or gamma-3" in " ".join(done.stderr.split())


def test_without_hosts_none_can_be_named(nixcfg: Run) -> None:
    done = nixcfg("-C", HERE / "cases" / "minimal", "providers", "--host", "alpha")
    assert done.returncode == 2
    assert "no hosts" in done.stderr


def test_this_machine_is_the_host_that_has_its_name(tmp_path: Path, nixcfg: Run) -> None:
    here = socket.gethostname().partition(".")[0]
    problems(tmp_path, f"hosts: {{other: {{}}, {here}: {{secrets_dir: /of/this/one}}}}\n")
    rows = json.loads(nixcfg("-C", tmp_path, "providers", "--json").stdout)
    assert rows[0]["secrets"][0]["file"] == "/of/this/one/openai_api_key.txt"
    rows = json.loads(nixcfg("-C", tmp_path, "providers", "--json", "--host", "other").stdout)
    assert rows[0]["secrets"][0]["file"] == "/etc/nixcfg/secrets/openai_api_key.txt"


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
    built = validate.validate(project.read(fleet)).project
    assert built is not None
    assert [each.model_config for each in built.machines] == ["work", "all", "openai"]


def test_doctor_looks_at_every_instance(fleet: Path, nixcfg: Run) -> None:
    nixcfg("-C", fleet, "render")
    told = json.loads(nixcfg("-C", fleet, "doctor", "--host", "beta", "--json").stdout)
    checks = {check["name"]: check for check in told["checks"]}
    assert checks["rendered"]["status"] == "ok"
    assert "port 4100" in checks
    assert not any(
        "OPENAI" in name and check["status"] == "error" for name, check in checks.items()
    )
