"""Whether a database needs a salt key that is not here: the question, put to a real PostgreSQL."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import services

MODULE = Path(__file__).parents[2] / "modules/litellm-proxy"
COLUMNS = json.loads((MODULE / "encrypted-columns.json").read_text())
SETTINGS = f"""{{
  services.litellm-proxy = {{
    enable = true; modelConfig = "a"; configs.a.file = {__file__};
    database = {{
      host = "db.example"; port = 6543; passwordFile = "/keys/database"; sslMode = "verify-full";
    }};
  }}; }}"""


def test_the_columns_are_those_that_litellm_encrypts():
    """LiteLLM lists them for a change of its master key."""
    package = find_spec("litellm")
    if package is None or package.origin is None:
        pytest.skip("litellm is not installed")
    source = Path(package.origin).with_name("proxy") / "db/master_key_migration.py"
    listed = re.findall(
        r'_SecretColumn\("(\w+)", "\w+", "(\w+)"(.*)\),', source.read_text(encoding="utf-8")
    )
    assert {(table, column, "marked" in rest) for table, column, rest in listed} == {
        (each["table"], each["column"], each.get("marked", False)) for each in COLUMNS
    }


def test_the_columns_are_in_the_schema():
    found = find_spec("litellm_proxy_extras")
    if found is None or found.origin is None:
        pytest.skip("litellm_proxy_extras is not installed")
    schema = Path(found.origin).with_name("schema.prisma").read_text()
    models = dict(re.findall(r"^model (\w+) \{(.*?)^\}", schema, re.MULTILINE | re.DOTALL))
    for each in COLUMNS:
        assert re.search(rf"^\s+{each['column']}\s", models[each["table"]], re.MULTILINE), each


Done = subprocess.CompletedProcess[str]
Look = Callable[..., Done]


@pytest.fixture(scope="module")
def server() -> Iterator[services.Postgres]:
    if reason := services.absent("postgresql"):
        pytest.skip(reason)
    with services.postgres() as running:
        key, certificate = running.folder / "server.key", running.folder / "server.crt"
        made = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=localhost",
        ]
        made += ["-addext", "subjectAltName=DNS:localhost", "-days", "2"]
        subprocess.run(
            [*made, "-keyout", key, "-out", certificate], check=True, capture_output=True
        )
        for file in (key, certificate):
            owner = running.folder.stat()
            os.chown(file, owner.st_uid, owner.st_gid)
            file.chmod(0o600)
        psql = ["psql", "-Xq", "-U", "postgres", "-h", running.folder, "-p", str(running.port)]
        settings = {"ssl_key_file": key, "ssl_cert_file": certificate, "ssl": "on"}
        for name, value in settings.items():
            subprocess.run([*psql, "-c", f"alter system set {name} = '{value}'"], check=True)
        subprocess.run([*psql, "-c", "select pg_reload_conf()"], check=True, capture_output=True)
        yield running


@pytest.fixture(scope="module")
def script(nix) -> str:
    """What litellm-proxy-salt-key.service runs."""
    scripts = nix("units.nix", settings=SETTINGS)["scripts"]
    (text,) = (text for path, text in scripts.items() if "litellm-proxy-salt-key" in path)
    return str(text)


@pytest.fixture
def look(server: services.Postgres, script: str, tmp_path: Path) -> Look:
    """Run it, on the server of the test; what it found is in `found`."""

    def run(mode: str = "verify-full", host: str = "localhost", password: str = "") -> Done:
        changed = script
        for old, new in {
            "PGHOST=db.example": f"PGHOST={host}",
            "PGPORT=6543": f"PGPORT={server.port}",
            "PGSSLMODE=verify-full": f"PGSSLMODE={mode}",
            "/run/litellm-proxy-salt-key/encrypted": str(tmp_path / "found"),
            "/etc/ssl/certs/ca-certificates.crt": str(server.folder / "server.crt"),
            "sleep 10": "exit 7",
        }.items():
            assert old in changed
            changed = changed.replace(old, new)
        (tmp_path / "DATABASE_PASSWORD").write_text(password or services.PASSWORD)
        return subprocess.run(
            ["bash", "-e", "-c", changed],
            env={"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["verify-full", "require", "disable"])
def test_it_is_asked_of_a_database_elsewhere(look: Look, mode: str, tmp_path: Path):
    done = look(mode)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "found").exists()


@pytest.mark.slow
def test_a_server_of_another_name_is_not_believed(look: Look):
    done = look(host="127.0.0.1")
    assert done.returncode == 7
    assert "does not match host name" in done.stderr
    assert "Waiting for the database" in done.stderr


@pytest.mark.slow
def test_a_missing_password_is_left_to_the_wiring_to_name(look: Look):
    done = look(password="nixcfg-missing-key")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("each", COLUMNS, ids=lambda each: f"{each['table']}-{each['column']}")
def test_what_is_encrypted_is_found_in_each_table(
    server: services.Postgres, look: Look, each: dict[str, str], tmp_path: Path
):
    table, column = f'"{each["table"]}"', each["column"]
    server.ask(f"create table {table} ({column} text)")
    try:
        server.ask(f"insert into {table} values (null), ('{{}}'), ('')")
        if each.get("marked"):
            server.ask(f'insert into {table} values (\'{{"team": "a"}}\')')
        assert look().returncode == 0
        assert not (tmp_path / "found").exists()
        server.ask(f'insert into {table} values (\'{{"k": "litellm_enc::AbCd"}}\')')
        assert look().returncode == 0
        assert (tmp_path / "found").read_text() == each["table"] + "\n"
    finally:
        server.ask(f"drop table {table}")
