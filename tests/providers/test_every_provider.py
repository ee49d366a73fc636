"""Each chat provider that LiteLLM knows: added without a question, valid, rendered, loaded.

The project is made in this process, one for each provider; one process of the real LiteLLM then
loads all the rendered files.
"""

import datetime as dt
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from nixcfg import check, knowledge
from nixcfg.commands.init import copy_starter
from nixcfg.disk import files
from nixcfg.problems.problem import Severity
from nixcfg.project.find import read_project
from nixcfg.providers import interview, names, offers, request
from nixcfg.providers.add import add
from nixcfg.providers.amendment import Amendment
from nixcfg.providers.request import NewProvider
from nixcfg.render.files import rendered_files
from nixcfg.render.litellm import litellm_yaml

TODAY = dt.date(2026, 11, 23)
HERE = Path(__file__).parent

CHAT = names.addable()

#: Where only the user knows what is served, a model has to be named; some have a form of their own.
MODELS = {"ragflow": "chat/team/some-model"}
ADDRESS = "https://llm.example.org/v1"


def wish(name: str) -> NewProvider:
    facts = knowledge.provider(name)
    assert facts is not None
    models = () if offers.recommended(name, TODAY) else (MODELS.get(name, "some-model"),)
    base = ADDRESS if facts.api_base.required else ""
    base = "our-resource" if name in request.RESOURCES else base
    return interview.fill(NewProvider(name=name, prefix=name, models=models, api_base=base), TODAY)


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Amendment]:
    """A starter project for each provider, with that provider added and written."""
    made = {}
    for name in CHAT:
        root = tmp_path_factory.mktemp("p") / "project"
        root.mkdir()
        copy_starter(root)
        (root / "providers" / "claude.yaml").unlink()
        amendment = add(read_project(root), wish(name), (), TODAY)
        files.apply(root, files.plan(root, amendment.texts))
        made[name] = amendment
        assert (root / "providers" / f"{name}.yaml").read_text()
        again = check.validate(read_project(root), TODAY)
        assert again.is_valid
        assert again.project is not None
        for path, content in rendered_files(again.project).items():
            target = root / "rendered" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return made


@pytest.fixture(scope="module")
def loaded(added: dict[str, Amendment], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the real LiteLLM made of each rendered file, with a value in every wired variable."""
    if not find_spec("litellm"):
        pytest.skip("litellm is not installed here")
    folder = tmp_path_factory.mktemp("configs")
    wanted = {}
    for name, amendment in added.items():
        config = next(c for c in amendment.project.machine.configs if c.name == name)
        file = folder / f"{name}.yaml"
        file.write_text(litellm_yaml(config))
        values = {variable: f"value-of-{variable}" for variable in config.secrets}
        wanted[name] = {"config": str(file), "environment": values}
    done = subprocess.run(
        [sys.executable, str(HERE / "load_all.py")],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CHAT)
def test_a_provider_is_added_clean(name: str, added: dict[str, Amendment]) -> None:
    # NX523: a server on the machine itself needs host_ports, which add-provider prints. NX429: only
    # the user knows the region, and no question is asked here.
    told = [
        p
        for p in added[name].report.problems
        if p.severity is not Severity.NOTE and p.code not in ("NX523", "NX429")
    ]
    assert [(p.code, p.file, p.message) for p in told] == []


@pytest.mark.oracle
@pytest.mark.parametrize("name", CHAT)
def test_litellm_loads_every_deployment(name: str, loaded: dict[str, Any]) -> None:
    found = loaded[name]
    assert "error" not in found, found["error"]
    assert found["written"] >= 1
    assert len(found["loaded"]) == found["written"]


@pytest.mark.parametrize("name", CHAT)
def test_no_variable_is_unresolved(
    name: str, added: dict[str, Amendment], loaded: dict[str, Any]
) -> None:
    text = litellm_yaml(next(c for c in added[name].project.machine.configs if c.name == name))
    wired = set(added[name].project.machine.key_files)
    assert set(re.findall(r"os\.environ/(\w+)", text)) <= wired
    told = json.dumps(loaded[name])
    assert "os.environ" not in told
    assert "${" not in told
    for variable in re.findall(r"os\.environ/(\w+)", text):
        assert f"value-of-{variable}" in told


@pytest.mark.parametrize("name", CHAT)
def test_a_provider_gets_its_own_key_or_none(name: str, loaded: dict[str, Any]) -> None:
    """62 providers take OPENAI_API_KEY where they are given no key: none of them may have to."""
    facts = knowledge.provider(name)
    assert facts is not None
    for deployment in loaded[name]["loaded"]:
        if facts.falls_back_to:
            assert deployment.get("api_key"), deployment
            assert facts.falls_back_to not in deployment["api_key"]


@pytest.mark.parametrize("name", CHAT)
def test_no_retired_model_is_added(name: str, added: dict[str, Amendment]) -> None:
    for provider in added[name].project.providers:
        for deployment in provider.deployments:
            facts = knowledge.find_model(deployment["litellm_params"]["model"])
            date = facts.deprecation_date if facts else None
            assert date is None or date > TODAY.isoformat()
