"""A gateway on a new machine: what a dump of the database, the master key and the salt key bring
back, and what LiteLLM and the module's start script make of a salt key that is another one."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import services
import toolchain
from gateway import Gateway, gateway
from pair import MASTER_KEY
from services import Postgres
from vendors import OpenAI

START = Path(__file__).parents[2] / "modules/litellm-proxy/start.py"
SALT = f"sk-{secrets.token_hex(24)}"


@dataclass(frozen=True)
class Backup:
    """What was saved, and what clients had: a virtual key."""

    dump: str
    key: str


@pytest.fixture(scope="module")
def prisma() -> toolchain.Toolchain:
    try:
        return toolchain.installed()
    except toolchain.AbsentError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def config(vendor: OpenAI, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model in the file; the others are in the database."""
    params = {"model": "openai/plain", "api_base": f"{vendor.url}/v1", "api_key": vendor.key}
    file = tmp_path_factory.mktemp("config") / "config.yaml"
    file.write_text(
        json.dumps(
            {
                "model_list": [{"model_name": "in-the-file", "litellm_params": params}],
                "general_settings": {"store_model_in_db": True},
            }
        )
    )
    return file


@pytest.fixture(scope="module")
def backup(
    postgres: Postgres,
    prisma: toolchain.Toolchain,
    config: Path,
    vendor: OpenAI,
    tmp_path_factory: pytest.TempPathFactory,
) -> Backup:
    """Of an old machine, which is gone."""
    postgres.empty()
    folder = tmp_path_factory.mktemp("old")
    environment = on(postgres, prisma, folder) | {"LITELLM_SALT_KEY": SALT}
    with gateway(config, environment, MASTER_KEY, folder / "log") as proxy:
        key = asked(proxy, "/key/generate", {})["key"]
        credential = {"credential_name": "shared", "credential_info": {}}
        asked(proxy, "/credentials", credential | {"credential_values": {"api_key": vendor.key}})
        base = {"model": "openai/x", "api_base": f"{vendor.url}/v1"}
        for name, params in {
            "with-its-key": base | {"api_key": vendor.key},
            "with-a-credential": base | {"litellm_credential_name": "shared"},
        }.items():
            asked(proxy, "/model/new", {"model_name": name, "litellm_params": params})
    return Backup(postgres.dump(), str(key))


@pytest.fixture(scope="module")
def restored(backup: Backup) -> Iterator[Postgres]:
    """A PostgreSQL that has never seen the old one, with the dump in it."""
    with services.postgres() as new:
        new.restore(backup.dump)
        yield new


def on(postgres: Postgres, prisma: toolchain.Toolchain, folder: Path) -> dict[str, str]:
    return prisma.environment(folder / "migrations") | {"DATABASE_URL": postgres.socket_url}


def asked(proxy: Gateway, path: str, body: Mapping[str, Any]) -> Any:
    answer = proxy.request("POST", path, body)
    assert answer.status == 200, answer.body
    return answer.json()


@contextmanager
def new_machine(
    restored: Postgres, prisma: toolchain.Toolchain, config: Path, folder: Path, **keys: str
) -> Iterator[Gateway]:
    """LiteLLM alone, asked with the client's old key."""
    environment = on(restored, prisma, folder) | keys
    with gateway(config, environment, MASTER_KEY, folder / "log") as proxy:
        yield proxy


def log(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")


def statuses(proxy: Gateway, key: str) -> dict[str, int]:
    client = Gateway(proxy.port, key, proxy.log)
    models = ("in-the-file", "with-its-key", "with-a-credential")
    return {model: client.chat(model, "Are you there?").status for model in models}


def test_with_both_keys_everything_is_there_again(
    restored: Postgres, prisma: toolchain.Toolchain, config: Path, backup: Backup, tmp_path: Path
):
    with new_machine(restored, prisma, config, tmp_path, LITELLM_SALT_KEY=SALT) as proxy:
        assert set(statuses(proxy, backup.key).values()) == {200}


def test_with_another_salt_key_litellm_starts_and_lacks_what_was_stored(
    restored: Postgres, prisma: toolchain.Toolchain, config: Path, backup: Backup, tmp_path: Path
):
    """Why the start script has to refuse: LiteLLM does not."""
    other = f"sk-{secrets.token_hex(24)}"
    with new_machine(restored, prisma, config, tmp_path, LITELLM_SALT_KEY=other) as proxy:
        found = statuses(proxy, backup.key)
    assert "Did your master_key/salt key change recently?" in log(tmp_path)
    assert found["in-the-file"] == 200
    assert 200 not in (found["with-its-key"], found["with-a-credential"])


def started(restored: Postgres, folder: Path, **keys: str) -> subprocess.CompletedProcess[str]:
    """What the start script does in the place of LiteLLM's container."""
    (folder / "keys").write_text("".join(f"{name}={key}\n" for name, key in keys.items()))
    program = folder / "litellm"
    program.write_text("#!/bin/sh\necho LiteLLM runs\n")
    program.chmod(0o755)
    return subprocess.run(
        [sys.executable, "-I", str(START), str(folder / "keys"), str(program)],
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": restored.socket_url + "&connection_limit=3"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "keys",
    [{"LITELLM_SALT_KEY": f"sk-{secrets.token_hex(24)}"}, {"LITELLM_MASTER_KEY": MASTER_KEY}],
    ids=["another", "none"],
)
def test_the_start_script_refuses_another_salt_key_and_none(
    restored: Postgres, tmp_path: Path, keys: dict[str, str]
):
    done = started(restored, tmp_path, **keys)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "is not the salt key of this database" in done.stderr
    assert "Restore the database's salt key from its backup" in done.stderr
    assert not any(key in done.stderr for key in keys.values())


def test_the_start_script_lets_the_right_one_pass(restored: Postgres, tmp_path: Path):
    done = started(restored, tmp_path, LITELLM_SALT_KEY=SALT, LITELLM_MASTER_KEY=MASTER_KEY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "LiteLLM runs\n", "")


def test_a_database_without_tables_takes_any_salt_key(restored: Postgres, tmp_path: Path):
    del restored
    with services.postgres() as empty:
        done = started(empty, tmp_path, LITELLM_SALT_KEY="sk-new")
    assert (done.returncode, done.stdout, done.stderr) == (0, "LiteLLM runs\n", "")
