"""A real gateway for the day's commands: `nixcfg try` in front of stand-ins for the vendors."""

import os
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from day import Cli, Done, Trying, clean_environment, make_project, start_trying
from examined import checks, unit
from gateway import free_port
from vendor import Vendor
from vendors import Anthropic, Gemini, OpenAI

from program import ROOT


@pytest.fixture(scope="session")
def program() -> list[str]:
    """The command line of nixcfg: as it is installed ($NIXCFG), or in this interpreter."""
    return shlex.split(os.environ.get("NIXCFG", "")) or [sys.executable, "-P", "-m", "nixcfg"]


@pytest.fixture(scope="session")
def litellm() -> None:
    absent = [m for m in ("litellm", "fastapi", "uvicorn", "apscheduler") if not find_spec(m)]
    if absent:
        pytest.skip(f"litellm[proxy] is not installed here: no {', '.join(absent)}")


@pytest.fixture(scope="session")
def bare_packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PYTHONPATH on which nixcfg finds itself, what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("packages")
    needed = ["click", "jinja2", "markupsafe", "jsonschema", "jsonschema_specifications"]
    needed += ["referencing", "rpds", "attr", "attrs", "yaml", "_yaml", "typing_extensions"]
    known = packages_distributions()
    for name in needed:
        for package in known.get(name, ()):
            for file in distribution(package).files or ():
                top = file.parts[0]
                place = Path(str(distribution(package).locate_file(top)))
                if ".." not in top and place.exists() and not (folder / top).exists():
                    (folder / top).symlink_to(place)
    return f"{ROOT}{os.pathsep}{folder}"


@pytest.fixture(scope="session")
def cli(program: list[str]) -> Cli:
    """`cli(project, "probe", "--yes", LITELLM_MASTER_KEY="sk-...")`."""

    def run(project: Path, *arguments: str, **environment: str) -> Done:
        done = subprocess.run(
            [*program, "-C", str(project), *arguments],
            env={**clean_environment(), **environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def vendors() -> Iterator[dict[str, Vendor]]:
    """The stand-ins by provider file; groq speaks as OpenAI does, and its key file is missing."""
    token = secrets.token_hex
    with (
        Anthropic(f"sk-ant-api03-{token(24)}") as claude,
        OpenAI(f"sk-proj-{token(24)}") as openai,
        Gemini(f"AIza{token(18)}") as gemini,
        OpenAI(f"gsk_{token(24)}") as groq,
    ):
        yield {"claude": claude, "openai": openai, "gemini": gemini, "groq": groq}


@pytest.fixture
def fresh(vendors: dict[str, Vendor]) -> dict[str, Vendor]:
    """The stand-ins with an empty record and no script."""
    for vendor in vendors.values():
        vendor.forget()
    return vendors


@pytest.fixture(scope="session")
def trying(
    litellm: None,  # noqa: ARG001
    program: list[str],
    vendors: dict[str, Vendor],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Trying]:
    """One real gateway for all that only look at it, on a port of its own choice: the project's
    is taken by another program when it starts, as it would be by the container."""
    folder = tmp_path_factory.mktemp("day")
    with OpenAI("sk-occupant") as occupant:
        port = int(occupant.url.rpartition(":")[2])
        project = make_project(folder / "project", vendors, port)
        running = start_trying(program, project, folder, "holed")
    try:
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(60)


@pytest.fixture
def project(tmp_path: Path, vendors: dict[str, Vendor]) -> Path:
    """A project of one's own, for a gateway that does not run."""
    return make_project(tmp_path / "project", vendors, free_port())


@pytest.fixture
def doctor(cli: Cli, project: Path, stand_in):
    """`doctor()` examines the project on a machine whose gateway is installed and stopped, unless
    PATH says otherwise; gives the checks by name."""
    installed = stand_in("systemctl", unit("inactive"))

    def run(*, code: int | None = None, **environment: str) -> dict[str, dict[str, Any]]:
        environment = {"PATH": installed, **environment}
        done = cli(project, "doctor", "--json", **environment)
        found = checks(done)
        has_error = any(check["status"] == "error" for check in found.values())
        assert done.code == (1 if has_error else 0)
        assert code is None or done.code == code
        return found

    return run


@pytest.fixture
def stand_in(tmp_path: Path):
    """`stand_in("systemctl", text)` puts a program on PATH, a shell script; gives that PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name: str, script: str) -> str:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return f"{folder}{os.pathsep}{os.environ['PATH']}"

    return put
