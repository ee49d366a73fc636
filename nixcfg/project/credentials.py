"""How a deployment authenticates: the variables that it needs beyond what it names itself. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nixcfg.keys.shapes import names_secret
from nixcfg.knowledge import Credential, Knowledge, ProviderFacts


def credentials(
    params: Mapping[str, Any], declared: Iterable[str], knowledge: Knowledge
) -> tuple[Credential, ...]:
    """What a deployment still needs to authenticate, beyond what its litellm_params give.

    `declared` are the variables that are wired anyway; where a provider can authenticate in
    several ways, they decide which. Nothing is added to a deployment that names a key itself,
    shares a named credential, or never calls a provider.
    """
    if "mock_response" in params or "litellm_credential_name" in params:
        return ()
    name, _ = knowledge.split_model(params["model"], params.get("custom_llm_provider"))
    facts = knowledge.provider(name) if name else None
    if facts is None or any(c.secret and c.param in params for c in facts.credentials):
        return ()
    if any(c.param == "aws_access_key_id" for c in facts.credentials) and _AWS & params.keys():
        return ()
    known = set(declared)
    whole = (way for way in _other_ways(facts) if known.issuperset(c.variable for c in way))
    wanted = next(whole, _usual_way(facts))
    return tuple(c for c in wanted if c.param is None or c.param not in params)


_AWS = frozenset({"api_key", "aws_role_name", "aws_profile_name", "aws_web_identity_token"})
"""What authenticates to AWS without an access key: a bearer token, which is sent even where an
access key is set; a role of the machine or of a web identity; a profile. Measured on 1.106.2."""


def chosen_way(facts: ProviderFacts, named: Collection[str]) -> tuple[Credential, ...]:
    """The credentials that a provider is reached with.

    Where there are several ways, the variables that a user has `named` decide: one is enough.
    """
    usual, wanted = _usual_way(facts), set(named)
    if wanted & {c.variable for c in usual}:
        return usual
    meant = (way for way in _other_ways(facts) if wanted & {c.variable for c in way})
    return next(meant, usual)


def _usual_way(facts: ProviderFacts) -> tuple[Credential, ...]:
    return tuple(credential for credential in facts.credentials if credential.required)


def _other_ways(facts: ProviderFacts) -> Iterable[tuple[Credential, ...]]:
    """The other ways to authenticate; LiteLLM reads what it has no parameter for by itself."""
    known = {credential.variable: credential for credential in facts.credentials}
    for variables in facts.alternatives:
        yield tuple(
            known.get(v) or Credential(v, None, names_secret(v.removesuffix("_FILE")), False, True)
            for v in variables
        )
