"""Golden projects: what is rendered, what is said, and that nix and LiteLLM's YAML read it so.

`pytest --update-golden` writes what the program does today; read the difference before committing.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from in_process import Done, call

from nixcfg import check
from nixcfg.project import model, wiring
from nixcfg.project.find import read_project
from nixcfg.yamltext import reader
from program import HERE, ROOT, Run

CASES = sorted((HERE / "cases").iterdir())
INVALID = sorted((HERE / "invalid").iterdir())
EXPECTED = "expected"


@pytest.fixture
def nixcfg(nixcfg: Run) -> Run:
    """The program in this process, which saves its start; that of NIXCFG in one of its own."""

    def run(*arguments: str | Path) -> Done:
        return call(*map(str, arguments), cwd=Path.cwd())

    return nixcfg if "NIXCFG" in os.environ else run


def copy_project(case: Path, to: Path) -> Path:
    folder = to / case.name
    shutil.copytree(case, folder, ignore=shutil.ignore_patterns(EXPECTED, "report.txt"))
    return folder


def built(case: Path) -> model.Project:
    report = check.validate(read_project(case))
    assert report.project is not None
    return report.project


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_renders_what_is_expected(
    case: Path, nixcfg: Run, tmp_path: Path, update_golden: bool
) -> None:
    folder = copy_project(case, tmp_path)
    done = nixcfg("-C", folder, "render")
    assert done.returncode == 0, done.stderr
    report = nixcfg("-C", folder, "validate").stdout
    # The module is a copy, and the manifest depends on it: both have tests of their own.
    shown = {
        str(path.relative_to(folder / "rendered")): path.read_text()
        for path in sorted((folder / "rendered").rglob("*"))
        if path.is_file() and path.name != "manifest.json" and path.parent.name != wiring.MODULE
    } | {"report.txt": report}
    golden = case / EXPECTED
    if update_golden:
        shutil.rmtree(golden, ignore_errors=True)
        for path, text in shown.items():
            (golden / path).parent.mkdir(parents=True, exist_ok=True)
            (golden / path).write_text(text)
    expected = {
        str(path.relative_to(golden)): path.read_text()
        for path in sorted(golden.rglob("*"))
        if path.is_file()
    }
    assert shown == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_litellm_reads_back_what_was_meant(case: Path, nixcfg: Run, tmp_path: Path) -> None:
    folder = copy_project(case, tmp_path)
    nixcfg("-C", folder, "render")
    for machine in built(case).machines:
        for config in (machine.loaded,) if machine.name else machine.configs:
            text = (place(folder, machine) / "litellm" / f"{config.name}.yaml").read_text()
            assert yaml.safe_load(text) == config.litellm
            assert model.ENVIRONMENT not in config.litellm or not any(
                "${" in str(value) for value in config.litellm[model.ENVIRONMENT].values()
            )


def place(folder: Path, machine: model.Machine) -> Path:
    return folder / "rendered" / wiring.host_folder(machine.name)


def test_nix_reads_back_what_was_meant(nixcfg: Run, nix: Run, tmp_path: Path) -> None:
    machines = []
    for case in CASES:
        folder = copy_project(case, tmp_path)
        nixcfg("-C", folder, "render")
        for machine in built(case).machines:
            machines.append((machine, place(folder, machine)))
            parsed = nix("--parse", place(folder, machine) / "docker.nix")
            assert parsed.returncode == 0, parsed.stderr
    listed = " ".join(json.dumps(str(folder)) for _, folder in machines)
    done = nix(
        "--eval", "--strict", "--json", HERE / "evaluate.nix", "--arg", "folders", f"[ {listed} ]"
    )
    assert done.returncode == 0, done.stderr
    evaluated = json.loads(done.stdout)
    for (machine, folder), values in zip(machines, evaluated, strict=True):
        assert values == meant(machine, folder), folder


def meant(machine: model.Machine, folder: Path) -> dict[str, Any]:
    """The option values that a machine stands for, by the stand-ins of evaluate.nix."""
    configs = (machine.loaded,) if machine.name else machine.configs
    needed = {variable for config in configs for variable in config.secrets}
    return {
        "enable": True,
        "backend": machine.backend or "podman",
        "image": machine.image,
        "listenAddress": machine.listen_address,
        "port": machine.port,
        "auth": machine.auth,
        "modelConfig": machine.model_config,
        "masterKeyFile": managed(machine.master_key_file),
        "environment": dict(machine.environment),
        "instances": machine.instances,
        "workers": machine.workers,
        "saltKeyFile": managed(machine.salt_key_file),
        "database": {
            **server(machine.database, 5432),
            "name": (machine.database and machine.database.name) or "litellm",
            "user": (machine.database and machine.database.user) or "litellm",
            "sslMode": machine.database and machine.database.ssl_mode,
        },
        "redis": server(machine.redis, 6379),
        "metrics": machine.metrics,
        "configs": {
            config.name: {
                "file": str(folder / "litellm" / f"{config.name}.yaml"),
                "secrets": list(config.secrets),
            }
            for config in configs
        },
        "secrets": {
            variable: {
                "file": managed(key.file),
                "kind": key.kind,
                "optional": key.optional,
                "encrypted": key.encrypted,
            }
            for variable, key in machine.key_files.items()
            if variable in needed
        },
    }


def server(given: model.Server | None, port: int) -> dict[str, Any]:
    return {
        "createLocally": given is not None and not given.host,
        "host": (given and given.host) or None,
        "port": (given and given.port) or port,
        "passwordFile": managed(given.password_file if given else None),
    }


def managed(file: str | None) -> str | None:
    """`config.sops.secrets.NAME.path` as evaluate.nix defines it."""
    if file is None or file.startswith("/"):
        return file
    name = file.split(".", 3)[3].removesuffix(".path").strip('"')
    return f"/run/secrets/{name}" if file.startswith("config.sops") else f"/run/agenix/{name}"


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_reports_what_is_wrong(
    case: Path, nixcfg: Run, tmp_path: Path, update_golden: bool
) -> None:
    folder = copy_project(case, tmp_path)
    done = nixcfg("-C", folder, "validate")
    assert done.returncode == 1
    assert done.stderr == ""
    if update_golden:
        (case / "report.txt").write_text(done.stdout)
    assert done.stdout == (case / "report.txt").read_text()
    refused = nixcfg("-C", folder, "render")
    assert refused.returncode == 1
    assert "Nothing was rendered" in refused.stderr
    assert not (folder / "rendered").exists()


@pytest.mark.parametrize("case", [*CASES, *INVALID], ids=lambda case: case.name)
def test_json_and_text_tell_the_same(case: Path, nixcfg: Run) -> None:
    told = json.loads(nixcfg("-C", case, "validate", "--format", "json").stdout)
    report = check.validate(read_project(case))
    assert told["files"] == report.files
    assert [
        (p["code"], p["severity"], p["file"], p["line"], p["column"]) for p in told["problems"]
    ] == [(p.code, p.severity, p.file, p.span.line, p.span.column) for p in report.problems]


def test_every_position_is_the_token_itself() -> None:
    """A caret that is one off is worse than none: check some against the text."""
    document = reader.parse("a:\n  - b: 1\n    long: [x, yy]\n", "x.yaml")
    text = document.text.split("\n")
    for path, key, token in [
        (("a",), True, "a"),
        (("a", 0, "b"), True, "b"),
        (("a", 0, "b"), False, "1"),
        (("a", 0, "long"), True, "long"),
        (("a", 0, "long", 1), False, "yy"),
    ]:
        span = document.span(path, key=key)
        assert text[span.line - 1][span.column - 1 :][: span.length] == token


def test_the_project_itself_is_rendered(nixcfg: Run) -> None:
    """rendered/ is committed; it must be what render would write today."""
    done = nixcfg("-C", ROOT, "render", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
