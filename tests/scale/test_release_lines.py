"""A machine goes from one release line of LiteLLM to the next, and to the one after it, on one
PostgreSQL and under load: nothing is lost, as `nixcfg plan` says.

It needs environments of these releases, each a folder of its version in NIXCFG_RELEASES (in .venvs
otherwise), which tools/learn/environment.py makes; where there are less than two it is skipped.
"""

import itertools
import os
import secrets
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import services
import toolchain
from fleet import DATABASE_FILE, DATABASE_HOST, ROLL, Fleet, Fleets, podman
from gateway import Gateway
from load import load
from patient import PatientOpenAI
from services import Postgres, Redis

from nixcfg import knowledge
from nixcfg.knowledge import lines
from program import ROOT

FOLDER = Path(os.environ.get("NIXCFG_RELEASES") or ROOT / ".venvs")
ENVIRONMENTS = {each.name: each for each in FOLDER.glob("[0-9]*.[0-9]*.[0-9]*")}
ENVIRONMENTS |= {version("litellm"): Path(sys.prefix)} if ENVIRONMENTS else {}
RELEASES = sorted(ENVIRONMENTS, key=lambda each: lines.order(each) or (0,))
STEPS = list(itertools.pairwise(RELEASES))
CLIENTS = "/srv/clients"
MIGRATED = "select count(*) from _prisma_migrations where finished_at is not null"

pytestmark = pytest.mark.skipif(
    not STEPS, reason=f"no environments of two releases of LiteLLM in {FOLDER}"
)


def extras(release: str) -> Path:
    """The package with its tables and migrations."""
    return next(ENVIRONMENTS[release].glob("lib/python*/site-packages/litellm_proxy_extras"))


def stand_in(folder: Path) -> str:
    """podman, which runs the release that is in the image's tag, with its database client. What
    each client needs is put into `folder`, which is CLIENTS on the machine."""
    found = [
        "release=${image##*:v}",
        # Into which LiteLLM copies its migrations.
        "export LITELLM_MIGRATION_DIR=$(mktemp -d)",
        f'cp -a {CLIENTS}/"$release"/. "$LITELLM_MIGRATION_DIR"',
        "case $release in",
    ]
    for release, environment in ENVIRONMENTS.items():
        variables = toolchain.installed(extras(release)).environment(folder / release)
        del variables["LITELLM_MIGRATION_DIR"]
        exported = " ".join(f"{name}={value}" for name, value in variables.items())
        found.append(f"  {release}) python={environment}/bin/python; export {exported} ;;")
    return podman("\n".join([*found, "esac"]))


def options(release: str, postgres: Postgres) -> str:
    return f"""
        image = "ghcr.io/berriai/litellm:v{release}";
        database = {{
          host = "{DATABASE_HOST}";
          port = {postgres.port};
          passwordFile = "/{DATABASE_FILE}";
        }};
    """


@pytest.fixture(scope="module")
def postgres(litellm: None) -> Iterator[Postgres]:  # noqa: ARG001
    """Of its own: its tables are to be those of the first release."""
    if reason := services.absent("postgresql"):
        pytest.skip(reason)
    with services.postgres() as running:
        yield running


@pytest.fixture(scope="module")
def fleet(needs: None, postgres: Postgres, redis: Redis, tmp_path_factory) -> Iterator[Fleet]:  # noqa: ARG001
    """The machine with both instances ready, on the first release."""
    folder = tmp_path_factory.mktemp("fleet")
    clients = folder / "overlay" / CLIENTS.lstrip("/")
    clients.mkdir(parents=True)
    try:
        runs_release = stand_in(clients)
    except toolchain.AbsentError as error:
        pytest.skip(str(error))
    with PatientOpenAI(f"sk-proj-{secrets.token_hex(24)}") as vendor:
        fleets = Fleets(folder, redis, vendor, options(RELEASES[0], postgres), runs_release)
        with fleets.booted() as running:
            yield running


@pytest.fixture(scope="module")
def key(fleet: Fleet) -> str:
    """A virtual key, which the first release has made."""
    through_nginx = Gateway(fleet.port, fleet.master_key, Path(os.devnull))
    answer = through_nginx.request("POST", "/key/generate", {})
    assert answer.status == 200, answer.body
    return str(answer.json()["key"])


def runs(fleet: Fleet, release: str) -> bool:
    """Whether both instances are of this release's environment."""
    processes = [fleet.machine.root / f"proc/{fleet.main_pid(each)}" for each in fleet.instances]
    commands = [(each / "cmdline").read_text() for each in processes]
    return all(str(ENVIRONMENTS[release]) in command for command in commands)


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_an_upgrade_loses_no_request(
    fleet: Fleet, key: str, postgres: Postgres, old: str, new: str
):
    fleet.until_whole()
    before = int(postgres.ask(MIGRATED)[0])
    fleet.fleets.options = options(new, postgres)
    planned = fleet.planned("first")
    with load(fleet.port, key, ["stays"]) as record:
        time.sleep(3)
        begin = time.monotonic()
        switched, went_well = fleet.switch("first")
        seconds = time.monotonic() - begin
        time.sleep(5)
    migrated = int(postgres.ask(MIGRATED)[0]) - before
    what = f"{old} to {new}, {migrated} migrations, {seconds:.0f} s"
    print(f"\n{what}: {record.summary()}")  # noqa: T201 - the figures of docs/endurance.md
    assert went_well
    assert switched == [ROLL]
    assert runs(fleet, new)
    assert planned.loses == bool(record.failed()), record.summary()
    assert record.failed() == [], record.summary()
    known = knowledge.migrations(old, new)
    assert known is None or migrated == known
    assert planned.migrations is not None or not migrated
