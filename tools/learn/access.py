"""What a team, a user and a key may be given, as LiteLLM's own admin API takes it.

A field counts where the request that makes the thing and the request that changes it both have it:
what cannot be changed later is of no use in a file that is edited.
"""

from collections.abc import Collection
from typing import Any

from learn.annotations import of_model
from learn.reviewed import ACCESS_LICENCE, ACCESS_OWN


def access() -> dict[str, dict[str, Any]]:
    """By kind (`team`, `user`, `key`) the fields, each with its type and choices."""
    from litellm.proxy import _types as api

    licensed = {*api.LiteLLM_ManagementEndpoint_MetadataFields_Premium, *ACCESS_LICENCE}
    # /user/update hands every field to the table, and fails where that has no such column. It asks
    # for no licence for what is in the list.
    columns = api.LiteLLM_UserTable.model_fields
    return {
        "team": fields("team", licensed, api.NewTeamRequest, api.UpdateTeamRequest),
        "user": {
            name: facts
            for name, facts in fields(
                "user", ACCESS_LICENCE, api.NewUserRequest, api.UpdateUserRequest
            ).items()
            if name in columns or name == "object_permission"
        },
        "key": fields("key", licensed, api.GenerateKeyRequest, api.UpdateKeyRequest),
    }


def fields(kind: str, licensed: Collection[str], made: Any, changed: Any) -> dict[str, Any]:
    found = {
        name: facts
        for name, facts in of_model(made).items()
        if name in changed.model_fields and name not in ACCESS_OWN[kind]
    }
    for name, facts in found.items():
        facts.pop("required", None)
        if "values" in facts:
            facts["type"] = "str"
        if name in licensed:
            facts["licence"] = True
    return dict(sorted(found.items()))
