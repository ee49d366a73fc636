"""Every field of the admin API that is known, asked of the real one: which need a licence?"""

import secrets
from typing import Any

import pytest
from reconciler import Unit

from nixcfg import knowledge
from nixcfg.access.api import ApiError

pytestmark = pytest.mark.scale

_ROUTES = {"team": "/team/new", "user": "/user/new", "key": "/key/generate"}
_USUAL: dict[str, Any] = {
    "bool": True,
    "int": 7,
    "float": 7.0,
    "str": "1d",
    "list[str]": ["x"],
    "list": ["x"],
    "map": {"x": 1},
}
_OWN: dict[str, Any] = {
    "allowed_vector_store_indexes": [{"index_name": "x", "index_permissions": ["read"]}],
    "budget_limits": [{"budget_duration": "1d", "max_budget": 3}],
    "object_permission": {"models": ["gpt"]},
    "model_max_budget": {"gpt": {"max_budget": 1, "budget_duration": "1d"}},
    "router_settings": {"num_retries": 2},
    "enforced_batch_output_expires_after": {"anchor": "created_at", "seconds": 3600},
    "enforced_file_expires_after": {"anchor": "created_at", "seconds": 3600},
    "allowed_routes": ["llm_api_routes"],
    "user_email": "x@example.org",
}


@pytest.mark.parametrize("kind", ["team", "user", "key"])
def test_a_licence_is_asked_for_where_it_is_known_to_be(unit: Unit, kind: str):
    name = {"team": "team_id", "user": "user_id", "key": "key_alias"}[kind]
    wrong = {}
    for field, facts in knowledge.default().access(kind).items():
        value = _OWN.get(field) or (facts.values[:1] or [_USUAL[facts.type.split("|")[0]]])[0]
        body = {name: secrets.token_hex(8), field: value}
        if kind == "user":
            body["auto_create_key"] = False
        said = asked(unit, _ROUTES[kind], body)
        if kind != "key":
            said += asked(unit, f"/{kind}/update", body)
        wants = "enterprise" in said.lower() or "premium" in said.lower()
        # What no one can make without a licence cannot be named either.
        wants = wants or (field == "organization_id" and "rganization" in said)
        if wants is not facts.licence:
            wrong[field] = said
    assert wrong == {}


def asked(unit: Unit, path: str, body: dict[str, Any]) -> str:
    """What the API has against a request, "" for nothing."""
    try:
        unit.api.post(path, body)
    except ApiError as error:
        return str(error)
    return ""


def test_an_organisation_needs_a_licence(unit: Unit):
    assert "Enterprise" in asked(unit, "/organization/new", {"organization_alias": "x"})
