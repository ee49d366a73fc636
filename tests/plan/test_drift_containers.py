"""Containers that are not as the last switch deployed them, in the real podman and docker."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import engines
import pytest
from deployments import DEPLOYED
from engines import IMAGE, Engine

from nixcfg.gateway.container import Listed
from nixcfg.plan import drift as pure
from nixcfg.plan import facts, look

pytestmark = pytest.mark.slow

OTHER = "localhost/other:2"
LITELLM = "localhost/berriai/litellm:v1.108.14"
ENVIRONMENT = {"LITELLM_LOG": "DEBUG"}


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One with a container's image in it, which `machine.run` finds under its name."""
    if os.geteuid() != 0:
        pytest.skip("containers take root here")
    archive = engines.stub_image(tmp_path_factory.mktemp("image") / "root")
    make = {"podman": engines.podman, "docker": engines.docker}[request.param]
    short = tempfile.TemporaryDirectory(prefix=request.param, ignore_cleanup_errors=True)
    with short as folder, make(Path(folder)) as made, pytest.MonkeyPatch.context() as patch:
        made("import", str(archive), IMAGE)
        for name in (OTHER, LITELLM):
            made("tag", IMAGE, name)
        program = Path(folder) / "bin" / made.name
        program.parent.mkdir()
        made.command = [shutil.which(word) or word for word in made.command]
        program.write_text(f'#!/bin/sh\nexec {" ".join(made.command)} "$@"\n')
        program.chmod(0o755)
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "deployed.yaml"
    file.write_text("model_list: []\n")
    return file


def deployed(engine: Engine, config: Path) -> facts.Facts:
    """IMAGE with this configuration."""
    said = {"backend": engine.name, "image": IMAGE, "config": str(config)}
    return facts.facts({**DEPLOYED, **said, "environment": ENVIRONMENT}, "")


def drift(engine: Engine, config: Path) -> list[str]:
    return [f"{each.name} {each.detail}" for each in look.containers(deployed(engine, config))]


def run(engine: Engine, config: Path, *, name: str = "litellm-proxy", image: str = IMAGE,
        level: str = "DEBUG") -> None:  # fmt: skip
    try:
        engine.start(
            *(name, "-v", f"{config}:/app/config.yaml:ro", "-e", f"LITELLM_LOG={level}"),
            *("--entrypoint=sleep", image, "600"),
        )
    except AssertionError as reason:
        engine("rm", "-f", name, check=False)
        pytest.skip(f"{engine.name} starts no container here: {str(reason)[-200:]}")


@pytest.fixture
def running(engine: Engine, config: Path) -> Iterator[Engine]:
    """The engine with the container that was deployed, and any other gone in the end."""
    run(engine, config)
    try:
        yield engine
    finally:
        for name in engine("ps", "-a", "--format", "{{.Names}}").split():
            engine("rm", "-f", name, check=False)


def test_none(engine: Engine, config: Path):
    assert drift(engine, config) == ["litellm-proxy is absent"]


def test_as_deployed(running: Engine, config: Path):
    assert drift(running, config) == []


def test_another_configuration(running: Engine, config: Path, tmp_path: Path):
    other = tmp_path / "other.yaml"
    assert drift(running, other) == [f"litellm-proxy loads {config}, and not {other}"]


def test_stopped(running: Engine, config: Path):
    running("stop", "-t", "0", "litellm-proxy")
    assert drift(running, config) == ["litellm-proxy is exited"]


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"image": OTHER}, f"runs {OTHER}, and not {IMAGE}"),
        ({"level": "INFO"}, "has another LITELLM_LOG"),
    ],
)
def test_another_by_hand_in_its_place(
    running: Engine, config: Path, how: dict[str, str], found: str
):
    running("kill", "litellm-proxy")
    running("rm", "-f", "litellm-proxy")
    run(running, config, **how)
    assert drift(running, config) == [f"litellm-proxy {found}"]


@pytest.mark.parametrize(
    ("name", "image", "is_found"),
    [
        ("litellm-proxy-2", OTHER, True),
        ("trying-it", LITELLM, True),
        ("litellm-proxy-trial", LITELLM, False),
        ("litellm-proxy-bytecode", LITELLM, False),
        ("something-else", OTHER, False),
    ],
)
def test_another_beside_it(running: Engine, config: Path, name: str, image: str, *, is_found: bool):
    run(running, config, name=name, image=image)
    said = f"{name} {running.name} has it, of {image}"
    assert drift(running, config) == [said] * is_found


def test_one_of_nixos_is_explained():
    """Another LiteLLM of the machine's own configuration has a unit that leads into the store."""
    listed = [Listed("second", LITELLM), Listed("by-hand", LITELLM)]
    old = facts.facts({**DEPLOYED, "backend": "docker"}, "")
    found = pure.strangers(old, listed, "docker")
    real = {"docker-second.service": "/nix/store/abc-unit/docker-second.service",
            "docker-by-hand.service": ""}  # fmt: skip
    assert [each.name for each in pure.of_strangers(found, "docker", real)] == ["by-hand"]


def test_the_other_engine_has_one(config: Path):
    """What is deployed with podman is a stranger where docker has it."""
    old = facts.facts({**DEPLOYED, "backend": "podman", "config": str(config)}, "")
    listed = [Listed("litellm-proxy", IMAGE)]
    assert pure.strangers(old, listed, "docker") == listed
    assert pure.strangers(old, listed, "podman") == []


def test_published_elsewhere():
    """As both engines report it: HostConfig.PortBindings, an empty address being every one."""

    def found(address: str, port: str) -> list[str]:
        data = {
            "State": {"Status": "running"},
            "HostConfig": {"PortBindings": {"4040/tcp": [{"HostIp": address, "HostPort": port}]}},
        }
        said = {"published": {"litellm-proxy": "127.0.0.1:4000"}, "config": "None"}
        old = facts.facts({**DEPLOYED, **said}, "")
        return [each.detail for each in pure.of_container(old, "litellm-proxy", data, None)]

    assert found("127.0.0.1", "4000") == []
    assert found("", "4000") == ["is published on 0.0.0.0:4000, and not 127.0.0.1:4000"]
    assert found("127.0.0.1", "4001") == ["is published on 127.0.0.1:4001, and not 127.0.0.1:4000"]
