"""A provider that is to be added: what its file has to hold. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from nixcfg import knowledge
from nixcfg.keys.shapes import looks_like_key, names_secret
from nixcfg.knowledge import Credential, ProviderFacts
from nixcfg.project import wiring
from nixcfg.project.credentials import chosen_way
from nixcfg.project.model import ENVIRONMENT, MODELS
from nixcfg.project.values import reference, references
from nixcfg.providers.amendment import AmendError

NO_KEY = "none"
"""What a server that asks for no key gets: with nothing, LiteLLM would send another vendor's."""


RESOURCES = {
    "azure": "https://{}.openai.azure.com",
    "azure_text": "https://{}.openai.azure.com",
}
"""Where a resource is of which the name is enough. Its models are deployments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProvider:
    """A provider to add. `models` without prefix, `aliases` one for each or none.

    `settings` are variables that are no secrets, with their values. `named` are variables that
    hold secrets: one of the provider's own chooses that way to authenticate, another takes the
    place of its usual key. `key_files` are files for variables, "" means the provider's key.
    `keyless`: the server asks for no key.
    """

    name: str
    prefix: str
    models: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    api_base: str = ""
    named: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    key_files: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    keyless: bool = False

    def base(self, facts: ProviderFacts) -> str:
        """The address, also where it was given by the name of its variable; "" for none."""
        named = (c.variable for c in facts.credentials if is_address(c, facts))
        return self.api_base or next((self.settings[n] for n in named if n in self.settings), "")

    @property
    def variables(self) -> frozenset[str]:
        """Every variable that was named: they decide between several ways to authenticate."""
        return frozenset({*self.settings, *self.key_files, *self.named} - {""})


def provider_data(new: NewProvider, facts: ProviderFacts) -> dict[str, Any]:
    """What the provider's file holds. Raises AmendError where something is missing or unsafe."""
    base = _base(new, facts)
    key = key_variable(new, facts)
    wanted = wanted_credentials(new, facts)
    params: dict[str, Any] = {"api_base": base} if base else {}
    variables: dict[str, Any] = {}
    for credential in wanted:
        name = credential.variable
        if name in new.settings or (base and is_address(credential, facts)):
            continue
        if credential is main_credential(wanted) and key != name:
            params[credential.param or "api_key"] = reference(key) if key else NO_KEY
        elif credential.param and credential.secret and not credential.required:
            params[credential.param] = reference(name)  # rendered for required ones only
        else:
            variables[name] = f"${{{name}}}"
    if not any(credential.secret for credential in wanted):
        if key:
            params["api_key"] = reference(key)
        elif facts.falls_back_to or new.keyless:
            params["api_key"] = NO_KEY
    _add_settings(new, facts, params, variables)
    for name in sorted(references(params)):
        variables.setdefault(name, f"${{{name}}}")  # what a file reads, it declares
    return {
        MODELS: [
            {"model_name": alias, "litellm_params": {"model": f"{new.prefix}/{model}", **params}}
            for model, alias in zip(new.models, aliases(new), strict=True)
        ],
        ENVIRONMENT: variables,
    }


def _add_settings(
    new: NewProvider, facts: ProviderFacts, params: dict[str, Any], variables: dict[str, Any]
) -> None:
    """What is no secret: as a parameter where LiteLLM has one, so that providers cannot clash."""
    known = {c.variable: c for c in (*facts.credentials, *wanted_credentials(new, facts))}
    for name, value in new.settings.items():
        param = known[name].param if name in known else None
        if name in known and is_address(known[name], facts):
            continue
        if (name in known and known[name].secret) or names_secret(name):
            raise AmendError(
                f"{name} is a secret, and a command line is no place for one: write --env {name} "
                "alone, and store it with nixcfg set-key"
            )
        refuse_key(name, value)
        (params if param else variables)[param or name] = value


def key_variable(new: NewProvider, facts: ProviderFacts) -> str:
    """The variable that holds the provider's key, "" for a server without one.

    At another address than the vendor's own the key is another too: the usual one must not go
    there. Raises AmendError.
    """
    wanted = wanted_credentials(new, facts)
    main = main_credential(wanted)
    if new.keyless:
        if main is None and any(credential.secret for credential in wanted):
            raise AmendError(f"{new.prefix} cannot do without its keys")
        return ""
    known = {credential.variable for credential in (*facts.credentials, *wanted)}
    others = [name for name in new.named if name not in known]
    if len(others) > 1:
        raise AmendError(f"{others[0]} and {others[1]} cannot both hold the key of {new.name}")
    if others:
        return others[0]
    if main is None:
        return ""
    is_named = main.variable in new.variables
    return main.variable if is_named or not is_elsewhere(new, facts) else own_variable(new.name)


def wanted_credentials(new: NewProvider, facts: ProviderFacts) -> tuple[Credential, ...]:
    """The credentials that the provider's file declares: what is needed, and what was named."""
    named = (credential for credential in facts.credentials if credential.variable in new.named)
    return tuple(dict.fromkeys((*chosen_way(facts, new.variables), *named)))


def main_credential(required: Iterable[Credential]) -> Credential | None:
    """The secret that can be read from another variable: a provider's only one."""
    secret = [credential for credential in required if credential.secret]
    return secret[0] if len(secret) == 1 else None


def aliases(new: NewProvider) -> tuple[str, ...]:
    """What clients ask for. Raises AmendError."""
    return tuple(alias for _, alias in named_models(new.prefix, new.models, new.aliases))


def named_models(
    prefix: str, models: Sequence[str], given: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Each model, without its prefix, with what clients ask for: as given, or its last part.

    Raises AmendError.
    """
    models = tuple(bare(prefix, model) for model in models)
    if given:
        if len(given) != len(models):
            raise AmendError("give as many --alias as --model, in the same order")
        chosen = tuple(given)
    else:
        short = tuple(model.rpartition("/")[2] for model in models)
        plain = "*" not in "".join(models) and len(set(short)) == len(short)
        full = tuple(f"{prefix}/{model}" if "*" in model else model for model in models)
        chosen = short if plain else full
    twice = next((alias for alias in chosen if chosen.count(alias) > 1), None)
    if twice is not None:
        raise AmendError(f"{twice} would mean two models; give each an --alias of its own")
    return tuple(zip(models, chosen, strict=True))


def bare(prefix: str, model: str) -> str:
    """A model as a user may write it, with the provider's prefix or without, without it."""
    return model.removeprefix(f"{prefix}/")


def reachable(base: str, facts: ProviderFacts) -> str:
    """A base URL as the container has to call it.

    The name of an Azure resource is enough. localhost would be the container itself, and an
    OpenAI-compatible address without its /v1 is a mistake that LiteLLM takes in silence (404s).
    Raises AmendError for what is no such URL.
    """
    if facts.name in RESOURCES and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{1,62}", base):
        base = RESOURCES[facts.name].format(base)
    if re.match(r"(localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\])(:\d+)?(/|$)", base):
        base = f"http://{base}"
    url = urlsplit(base)
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"\s", base):
        raise AmendError(f"--api-base {base} is no address; write it as https://host/v1")
    if url.username or url.password:
        raise AmendError("--api-base holds a password; a key belongs in a key file")
    path = url.path.rstrip("/")
    usual = facts.api_base.path or ""
    if not path and "{" not in usual:
        path = usual.rstrip("/")
    host = url.netloc
    if wiring.is_loopback(base) or url.hostname in ("0.0.0.0", "::"):  # noqa: S104 (compared)
        host = wiring.HOST + (f":{url.port}" if url.port else "")
    return url._replace(netloc=host, path=path).geturl()


def _base(new: NewProvider, facts: ProviderFacts) -> str:
    given = new.base(facts)
    if given:
        return reachable(given, facts)
    default = facts.api_base.default
    if default and wiring.is_loopback(default):
        return reachable(default, facts)
    if facts.api_base.required:
        raise AmendError(_no_base(new, facts))
    return ""


def is_address(credential: Credential, facts: ProviderFacts) -> bool:
    return credential.param == "api_base" or credential.variable == facts.api_base.variable


def _no_base(new: NewProvider, facts: ProviderFacts) -> str:
    lost = facts.api_base.sent_to
    why = f"; without one LiteLLM would send prompts to {lost}" if lost else ""
    return f"{new.prefix} needs an address{why}: --api-base https://host/v1"


def is_elsewhere(new: NewProvider, facts: ProviderFacts) -> bool:
    """Whether the vendor's usual key would go to somebody else's host."""
    usual = facts.api_base.default
    base = new.base(facts)
    if not base or not usual or wiring.is_loopback(usual):
        return False
    return urlsplit(base).hostname != urlsplit(usual).hostname


def own_variable(name: str) -> str:
    """The variable for the key of a server of one's own: `box` has BOX_API_KEY."""
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    return f"{variable if variable[0].isalpha() else f'KEY_{variable}'}_API_KEY"


def refuse_key(name: str, value: str) -> None:
    """Raises AmendError, without the value, for a setting that has the shape of a key."""
    if looks_like_key(value) and "://" not in value and "/" not in value:
        raise AmendError(
            f"the value of {name} looks like a key, and files of this project are no place for "
            f"one: write --env {name} alone, and store it with nixcfg set-key"
        )


def provider_facts(prefix: str) -> ProviderFacts:
    """What is known of a provider that can be added. Raises AmendError."""
    facts = knowledge.provider(prefix)
    if facts is None:
        raise AmendError(f"LiteLLM has no provider {prefix}")
    if facts.interactive_login:
        raise AmendError(f"{prefix} asks for a login in a browser, which a service cannot do")
    return facts
