"""The real LiteLLM on real PostgreSQL, and the unit that brings teams, users and keys into it."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import services
import toolchain
from gateway import Gateway, gateway
from reconciler import MASTER_KEY, Unit
from services import Postgres
from vendors import OpenAI

from nixcfg.access.rows import ADMIN

UNITS_NIX = Path(__file__).parents[1] / "nix" / "units.nix"
PRICE = 0.01
"""US dollars a token; an answer of the stand-in has 21."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if not find_spec("litellm"):
        pytest.skip("litellm[proxy] is not installed here")
    if reason := services.absent("postgresql"):
        pytest.skip(reason)
    with services.postgres() as running:
        yield running


@pytest.fixture(scope="session")
def live(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway, with three models of one vendor."""
    try:
        prisma = toolchain.installed()
    except toolchain.AbsentError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("live")
    with OpenAI(f"sk-proj-{secrets.token_hex(24)}") as vendor:
        behind = {
            "model": "openai/plain",
            "api_base": f"{vendor.url}/v1",
            "api_key": vendor.key,
            "input_cost_per_token": PRICE,
            "output_cost_per_token": PRICE,
        }
        models = [
            {"model_name": name, "litellm_params": behind} for name in ("plain", "gpt", "claude")
        ]
        config = folder / "config.yaml"
        config.write_text(json.dumps({"model_list": models}))
        environment = prisma.environment(folder / "migrations") | {
            "DATABASE_URL": postgres.socket_url,
            "LITELLM_SALT_KEY": f"sk-{secrets.token_hex(24)}",
        }
        with gateway(config, environment, MASTER_KEY, folder / "gateway.log") as running:
            yield running


@pytest.fixture
def unit(live: Gateway, tmp_path: Path) -> Iterator[Unit]:
    """A unit in front of an empty database."""
    made = Unit(live, tmp_path)
    rows = made.rows()
    keys = [row["token"] for row in rows.keys]
    for first in range(0, len(keys), 20):
        made.api.post("/key/delete", {"keys": keys[first : first + 20]})
    if teams := [row["team_id"] for row in rows.teams]:
        made.api.post("/team/delete", {"team_ids": teams})
    if users := [row["user_id"] for row in rows.users if row["user_id"] != ADMIN]:
        made.api.post("/user/delete", {"user_ids": users})
    return made


@pytest.fixture
def nix_units() -> Callable[[Path], Any]:
    """The units of a NixOS system, from a file with its settings."""
    if shutil.which("nix-instantiate") is None:
        pytest.skip("nix is not installed")

    def evaluate(settings: Path) -> Any:
        command = ["nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode"]
        command += [str(UNITS_NIX), "--arg", "settings", str(settings)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0 and "<nixpkgs>" in done.stderr:
            pytest.skip("<nixpkgs> has no NixOS modules")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return evaluate
