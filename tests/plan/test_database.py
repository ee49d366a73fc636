"""What becomes of the database's tables when the image is another one."""

from dataclasses import replace
from typing import Any

import pytest
from deployments import DEPLOYED

from nixcfg.plan.compare import plan
from nixcfg.plan.facts import Facts, facts

HERE = {"database": "local", "auth": "master-key"}


def gateway(release: str, **said: Any) -> Facts:
    digest = f"example.org/own@sha256:{'0' * 64}"
    image = f"ghcr.io/berriai/litellm:v{release}" if release else digest
    return facts({**DEPLOYED, **HERE, "image": image, **said}, "")


@pytest.mark.parametrize(
    ("old", "new", "count", "said"),
    [
        ("1.106.12", "1.108.14", 7, "runs 7 migrations of the database: dump it before"),
        ("1.105.7", "1.106.12", 18, "runs 18 migrations"),
        # The build of their migrations is not known exactly.
        ("1.108.14", "1.110.2", None, "migrates the database: dump it before"),
        ("1.108.14", "", None, "migrates the database: dump it before"),
        ("1.108.14", "1.106.12", 0, "finds tables of LiteLLM 1.108.14, and takes nothing back"),
    ],
)
def test_another_release(old: str, new: str, count: int | None, said: str):
    found = plan(gateway(old), gateway(new)).migrations
    assert found is not None
    assert (found.unit, found.count) == ("podman-litellm-proxy.service", count)
    assert found.said.startswith(said)
    # No instance is left that would answer meanwhile.
    assert found.meanwhile == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (gateway("1.108.7"), gateway("1.108.14")),
        (gateway("1.108.14"), gateway("1.108.14", port=2)),
        (gateway("1.106.12", database=""), gateway("1.108.14", database="")),
    ],
)
def test_none(old: Facts, new: Facts):
    assert plan(old, new).migrations is None


@pytest.mark.parametrize("database", ["", "litellm@db.example.org:5432/litellm"])
def test_another_database(database: str):
    found = plan(gateway("1.108.14", database=database), gateway("1.108.14")).migrations
    assert found is not None
    assert found.said.startswith("makes its tables in the database")


@pytest.mark.parametrize(
    "said",
    [
        {"keyFiles": {"DATABASE_URL": {"file": "/run/keys/url"}}},
        {"environment": {"DATABASE_URL": "postgresql:///litellm"}},
    ],
)
def test_a_url_of_the_users_own(said: dict[str, Any]):
    one, other = (gateway(release, database="", **said) for release in ("1.106.12", "1.108.14"))
    found = plan(one, other).migrations
    assert found is not None
    assert found.count == 7


@pytest.mark.parametrize(
    ("old", "loses", "meanwhile"),
    [
        ("1.106.12", False, "the other instances go on answering with 1.106.12"),
        ("1.98.0", False, "the other instances go on answering with 1.98.0"),
        ("1.97.3", True, "the other instances, LiteLLM 1.97.3, may refuse virtual keys: 500"),
        ("", True, "the other instances, a LiteLLM whose release is not known, may refuse"),
    ],
)
def test_what_old_instances_do_meanwhile(old: str, meanwhile: str, *, loses: bool):
    found = plan(gateway(old, instances=2), gateway("1.108.14", instances=2))
    assert found.migrations is not None
    assert found.migrations.unit == "podman-litellm-proxy-1.service"
    assert found.migrations.meanwhile.startswith(f"Until they restart, {meanwhile}")
    assert found.loses == loses
    assert found.refused is None


def test_hosts_that_share_a_database():
    """Those that are switched later run the old release on the new tables."""
    new = replace(gateway("1.108.14"), sharing=("beta", "gamma"))
    found = plan(gateway("1.106.12"), new).migrations
    assert found is not None
    assert found.meanwhile.startswith(
        "Until they restart, beta and gamma, which share the database, go on answering with 1.106"
    )
