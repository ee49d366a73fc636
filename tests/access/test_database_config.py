"""File or database, who wins: with database_config used and ignored, by the real LiteLLM."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import toolchain
from gateway import Gateway, gateway
from reconciler import MASTER_KEY, Unit
from rules_support import TODAY
from services import Postgres

from nixcfg import check
from nixcfg.doctor import database
from nixcfg.gateway import client
from nixcfg.plan import facts, look
from nixcfg.project.find import read_project
from nixcfg.project.machine import CLOSED

pytestmark = pytest.mark.scale

FILE = {"model": "openai/file", "api_key": "sk-none", "api_base": "http://127.0.0.1:9/v1"}
IN_FILE = {"model_name": "in-file", "litellm_params": FILE}


@contextmanager
def started(
    postgres: Postgres, folder: Path, general: Mapping[str, Any], **environment: str
) -> Iterator[Gateway]:
    """A gateway on the database, whose tables are there."""
    folder.mkdir()
    config = {
        "model_list": [IN_FILE],
        "general_settings": dict(general),
        "router_settings": {"num_retries": 1},
        "litellm_settings": {"request_timeout": 77},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    given = toolchain.installed().environment(folder / "migrations") | {
        "DATABASE_URL": postgres.socket_url,
        "LITELLM_SALT_KEY": "sk-the-salt-of-two-gateways",
        "DISABLE_SCHEMA_UPDATE": "true",
        **environment,
    }
    with gateway(folder / "config.yaml", given, MASTER_KEY, folder / "log") as running:
        yield running


def models(running: Gateway) -> set[str]:
    answer = running.request("GET", "/v1/models")
    return {each["id"] for each in answer.json()["data"]}


def allowed_fails(running: Gateway) -> Any:
    return running.request("GET", "/router/settings").json()["current_values"].get("allowed_fails")


def what_doctor_finds(running: Gateway) -> list[tuple[str, str]]:
    """The checks of a machine whose configuration is that of `started`."""
    loaded = SimpleNamespace(litellm={"model_list": [IN_FILE]})
    asked = client.Gateway(f"http://127.0.0.1:{running.port}", MASTER_KEY)
    found = database.checks(SimpleNamespace(loaded=loaded), asked)  # type: ignore[arg-type]
    return [(each.status.value, each.message) for each in found]


def test_what_is_in_the_database_counts_unless_it_is_closed(
    unit: Unit, postgres: Postgres, tmp_path: Path
):
    del unit  # its gateway has made the tables
    with started(postgres, tmp_path / "first", {"store_model_in_db": True}) as first:
        for name in ("in-database", "in-file"):
            body = {"model_name": name, "litellm_params": FILE, "model_info": {}}
            made = first.request("POST", "/model/new", body)
            assert made.status == 200, made.body
        for section in (
            {"general_settings": {"store_model_in_db": True}},
            {"router_settings": {"allowed_fails": 9}},
        ):
            done = first.request("POST", "/config/update", section)
            assert done.status == 200, done.body
        # What the file gives cannot be given in the database, from 1.108 on.
        owned = first.request("POST", "/config/update", {"router_settings": {"num_retries": 5}})
        assert owned.status == 400, owned.body
        assert what_doctor_finds(first) == [
            ("warning", "it has deployments of in-file, with which those of the files take turns"),
            ("warning", "it adds in-database"),
            ("warning", "it sets store_model_in_db of general_settings"),
        ]
        assert b"set in the config file" in owned.body
    try:
        # A row of the database turns on what the file turns off.
        with started(postgres, tmp_path / "off", {"store_model_in_db": False}) as off:
            assert models(off) == {"in-file", "in-database"}
            assert allowed_fails(off) == 9
        with started(postgres, tmp_path / "closed", CLOSED) as closed:
            assert models(closed) == {"in-file"}
            assert allowed_fails(closed) != 9
            assert all("take turns" not in each for _, each in what_doctor_finds(closed))
    finally:
        postgres.ask('delete from "LiteLLM_ProxyModelTable"')
        postgres.ask('delete from "LiteLLM_Config"')


def test_plan_finds_what_was_made_by_hand(
    unit: Unit, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    unit.team("research", models=["plain"])
    for name in ("kept", "changed", "deleted"):
        unit.key(name, "research", rpm_limit=5)
    unit.run()
    monkeypatch.setenv("LITELLM_MASTER_KEY", MASTER_KEY)
    with started(postgres, tmp_path / "open", {"store_model_in_db": True}) as running:
        files = {
            "nixcfg.yaml": "model_config: all\nenvironment: {DATABASE_URL: postgresql:///none}\n",
            "providers/one.yaml": f"model_list: {json.dumps([IN_FILE])}\n",
        }
        for path, text in files.items():
            (tmp_path / "project" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "project" / path).write_text(text)
        project = check.validate(read_project(tmp_path / "project"), TODAY).project
        assert project is not None
        old = replace(
            facts.wanted(project),
            access=unit.desired,
            listen_address="127.0.0.1",
            port=running.port,
        )

        def found() -> set[tuple[str, str, str]]:
            return {
                (each.what, f"{each.kind.value} {each.name}", each.detail)
                for each in look.database(old, project.machine)
            }

        assert found() == set()
        for name in ("in-database", "in-file"):
            made = {"model_name": name, "litellm_params": FILE, "model_info": {}}
            assert running.request("POST", "/model/new", made).status == 200
        unit.api.post("/key/generate", {"key_alias": "by-hand"})
        unit.api.post("/team/new", {"team_id": "0815", "team_alias": "theirs"})
        unit.api.post("/user/new", {"user_id": "eve", "auto_create_key": False})
        unit.api.post("/key/update", {"key": unit.row("keys", "changed")["token"], "rpm_limit": 9})
        unit.api.post("/key/delete", {"keys": [unit.row("keys", "deleted")["token"]]})
        try:
            assert found() == {
                ("model", "+ in-database", "in the database alone"),
                ("model", "~ in-file", "has more deployments in the database"),
                ("key", "+ by-hand", "made by hand"),
                ("team", "+ theirs", "made by hand"),
                ("user", "+ eve", "made by hand"),
                ("key", "~ changed", "rpm_limit changed by hand"),
                ("key", "- deleted", "deleted by hand"),
            }
        finally:
            postgres.ask('delete from "LiteLLM_ProxyModelTable"')
            postgres.ask('delete from "LiteLLM_Config"')


def test_keys_teams_and_spend_are_there_with_a_closed_database(
    unit: Unit, postgres: Postgres, tmp_path: Path
):
    with started(postgres, tmp_path / "closed", CLOSED) as closed:
        value = f"sk-{secrets.token_hex(24)}"
        unit.api.post("/key/generate", {"key": value, "models": ["other"]})
        asked = Gateway(closed.port, value, closed.log)
        assert asked.request("GET", "/v1/models").status == 200
        assert asked.chat("in-file", "hello").status in (401, 403)
