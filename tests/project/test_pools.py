"""Workers that share a PostgreSQL elsewhere open no more connections than it takes."""

from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

from nixcfg import check
from nixcfg.project.find import read_project
from nixcfg.project.pools import LEAST, POOL

PROVIDER = """\
model_list:
- model_name: gpt-4o
  litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
"""
SHARED = """\
model_config: all
master_key_file: /keys/master.txt
salt_key_file: /keys/salt.txt
redis: {host: redis.example.org}
database: {host: db.example.org, password_file: /keys/database.txt}
"""


def limits(folder: Path, text: str) -> list[int | None]:
    """Of each machine, what its LiteLLM is told to open at most in a worker."""
    (folder / "providers").mkdir()
    (folder / "providers" / "openai.yaml").write_text(PROVIDER)
    (folder / "nixcfg.yaml").write_text(text)
    report = check.validate(read_project(folder), date(2026, 11, 29))
    assert report.project is not None, report.problems
    loaded = [machine.loaded.litellm for machine in report.project.machines]
    return [
        (litellm.get("general_settings") or {}).get("database_connection_pool_limit")
        for litellm in loaded
    ]


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("workers: 9\n", None),  # 90 of 90
        ("workers: 10\n", 9),
        ("instances: 5\nworkers: 4\n", 4),
        ("workers: 100\n", LEAST),
        ("workers: 20\ngeneral_settings: {database_connection_pool_limit: 7}\n", 7),
    ],
)
def test_processes_of_one_machine(tmp_path, said, limit):
    assert limits(tmp_path, SHARED + said) == [limit]


def test_hosts_that_share_it_are_counted_together(tmp_path):
    said = """\
hosts:
  alpha: {instances: 2, workers: 4}
  beta: {instances: 2, workers: 4}
  gamma: {workers: 9, database: {host: other.example.org, password_file: /keys/other.txt}}
"""
    assert limits(tmp_path, SHARED + said) == [5, 5, None]


def test_a_server_on_the_machine_itself_is_made_large_enough_instead(tmp_path):
    said = SHARED.replace("{host: db.example.org, password_file: /keys/database.txt}", "local")
    assert limits(tmp_path, said + "workers: 50\n") == [None]


def test_the_pool_that_is_reckoned_with_is_that_of_litellm():
    found = find_spec("litellm")
    if not (found and found.origin):
        pytest.skip("litellm is not installed here")
    text = (Path(found.origin).parent / "proxy" / "proxy_cli.py").read_text()
    assert f"    database_connection_pool_limit = {POOL}\n" in text
