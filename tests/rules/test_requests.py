"""What LiteLLM sends where it needs Google's own library, which is not installed with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle

from nixcfg import knowledge
from nixcfg.problems import pages

pytestmark = pytest.mark.oracle

GOOGLE = {
    "auth/__init__.py": """\
from google.auth.credentials import Credentials


def default(scopes=None):
    return Credentials(), "research"
""",
    "auth/credentials.py": """\
from enum import Enum


class TokenState(Enum):
    FRESH = 1
    STALE = 2
    INVALID = 3


class Credentials:
    token, token_state, expired, quota_project_id = "of-google", TokenState.FRESH, False, None

    def refresh(self, request):
        pass
""",
    "auth/transport/__init__.py": "",
    "auth/transport/requests.py": "class Request:\n    pass\n",
}
"""In place of google-auth, which asks Google for a token: the same names, and a token at once."""

ONE, ANY = "zai-org/glm-5.2-maas", "gemini-2.5-pro"


def asked(model: str, **params: Any) -> dict[str, object]:
    given = {"model": f"vertex_ai/{model}", "vertex_project": "research", **params}
    entry = {"model_name": "m", "litellm_params": given}
    return {"text": json.dumps({"model_list": [entry]}), "ask": "m"}


def test_regions_that_are_replaced(oracle: type[Oracle], tmp_path: Path):
    """The example of NX435 and its neighbours: to which address the prompt goes."""
    for name, text in GOOGLE.items():
        path = tmp_path / "google" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    page = pages.read("NX435")
    questions = [
        {"text": page.bad, "ask": "glm"},
        {"text": page.good, "ask": "glm"},
        asked(ONE),
        asked(ANY, vertex_location="europe-west4"),
    ]
    bad, good, none, free = (
        answer["sent"][-1]["url"] for answer in oracle.ask(questions, modules=tmp_path)
    )
    known = knowledge.default()
    assert known.regions(ONE)[0] == "global"
    assert known.regions(ANY) == ()
    assert "europe-west4" in str(page.bad)
    for url in (bad, good, none):
        assert "/locations/global/" in url
        assert "europe-west4" not in url
    assert free.startswith("https://europe-west4-aiplatform.googleapis.com/")
