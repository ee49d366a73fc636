"""uv.lock, as far as no registry is needed to judge it; `uv lock --check` judges the rest."""

import tomllib
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from program import ROOT

LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))


def urls(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(urls, value.values()))
    if isinstance(value, list):
        return set().union(*map(urls, value))
    return {value} if isinstance(value, str) and "://" in value else set()


def test_it_was_written_for_the_requirements_of_today() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = {
        (canonicalize_name(each.name), str(each.specifier))
        for each in map(Requirement, sum(extras, project["dependencies"]))
    }
    [own] = [each for each in LOCK["package"] if each["name"] == project["name"]]
    locked = {
        (each["name"], str(Requirement(f"x{each.get('specifier', '')}").specifier))
        for each in own["metadata"]["requires-dist"]
    }
    assert locked == wanted, "run `uv lock`"


def test_it_names_no_registry_but_the_public_one() -> None:
    assert {urlsplit(url).hostname for url in urls(LOCK)} == {"pypi.org", "files.pythonhosted.org"}
