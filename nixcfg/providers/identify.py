"""Which provider a person means: by the name alone, or after a question at the terminal."""

import re
from typing import NamedTuple

from nixcfg import knowledge
from nixcfg.project.find import is_name
from nixcfg.project.nearest import nearest
from nixcfg.providers import ask, names, request
from nixcfg.providers.amendment import AmendError
from nixcfg.providers.interview import checked_address
from nixcfg.providers.names import Meaning

OWN = "openai"
"""The prefix for a server of one's own that speaks OpenAI's API (LiteLLM, "OpenAI-Compatible")."""


class Identity(NamedTuple):
    """What a provider is to be called, LiteLLM's prefix, and what a name said besides.

    `model` is "" for a provider alone, `api_base` "" where it was not asked for.
    """

    name: str
    prefix: str
    model: str = ""
    api_base: str = ""


def typed_name() -> str:
    """Asks which provider to add."""

    def check(answer: str) -> str:
        guess = _typo(answer)
        if not answer or (guess and not names.meaning(answer).providers):
            hint = f" Did you mean {guess}?" if guess else ""
            raise ValueError(f"LiteLLM has no provider {answer}.{hint}")
        return answer

    return ask.ask("Provider (Tab completes)", choices=tuple(names.known()), check=check)


def identify(name: str, provider: str, *, asks: bool) -> Identity:
    """The provider that is meant by a name, or by --provider. Raises AmendError.

    Without a terminal (`asks`) only what is sure: a guess would send a key to someone else.
    """
    typed = provider or name
    meaning = names.meaning(typed)
    prefix = meaning.provider
    own = ""
    if prefix is None:
        if not asks:
            raise AmendError(_refusal(typed, meaning, name, given=bool(provider)))
        prefix, own = _asked(typed, meaning, name, given=bool(provider))
    model = meaning.model if prefix in meaning.providers else ""
    is_sure = not meaning.model and meaning.provider is not None
    called = name if provider or own or is_sure else prefix
    if not is_name(called) and not provider:
        called = re.sub(r"[^A-Za-z0-9_-]+", "-", called).strip("-") or prefix
    return Identity(called, prefix, names.spelt(prefix, model) or model, own)


def _asked(typed: str, meaning: Meaning, name: str, *, given: bool) -> tuple[str, str]:
    """The provider that a person chooses, and the address where it is a server of their own."""
    if len(meaning.providers) > 1:
        return _one_of(typed, meaning), ""
    if meaning.providers:
        ask.say(f"{typed} {meaning.why}.")
        if ask.confirm(f"Add {meaning.providers[0]}{_key(meaning.providers[0])}?"):
            return meaning.providers[0], ""
        raise AmendError("nothing was changed")
    guess = "" if meaning.why else _typo(typed)
    if guess and ask.confirm(f"LiteLLM has no provider {typed}. Use {guess}?"):
        return names.meaning(guess).providers[0], ""
    if given or meaning.why:
        raise AmendError(_refusal(typed, meaning, name, given=given))
    if not guess:
        ask.say(f"LiteLLM has no provider {typed}.")
    ask.say("If it is a server that speaks OpenAI's API, where is it? (http://localhost:8000/v1)")
    facts = request.provider_facts(OWN)
    return OWN, ask.ask("Its address", check=lambda answer: checked_address(answer, facts))


def _one_of(typed: str, meaning: Meaning) -> str:
    ask.say(f"{typed} {meaning.why}." if meaning.why else f"{typed} may be one of these:")
    for number, each in enumerate(meaning.providers, start=1):
        ask.say(f"  {number:>2}  {each}{_key(each)}")

    def check(answer: str) -> str:
        if answer.isdigit() and 1 <= int(answer) <= len(meaning.providers):
            return meaning.providers[int(answer) - 1]
        if answer not in meaning.providers:
            raise ValueError(f"answer a number from 1 to {len(meaning.providers)}, or a name")
        return answer

    return ask.ask("Which (number or name)", choices=meaning.providers, check=check)


def _key(provider: str) -> str:
    facts = knowledge.provider(provider)
    key = facts.key if facts else None
    return f", with {key.variable}" if key and key.required else ""


def _typo(typed: str) -> str:
    return nearest(typed.lower(), tuple(names.known()))


def _refusal(typed: str, meaning: Meaning, name: str, *, given: bool) -> str:
    option = f" --model {meaning.model}" if meaning.model else ""
    *first, last = meaning.providers or ("",)
    either = f"{', '.join(first)} or {last}" if first else last
    command = f"nixcfg add-provider {meaning.providers[0] if meaning.providers else ''}{option}"
    if meaning.why:
        return f"{typed} {meaning.why}." + (f" Did you mean {either}? {command}" if last else "")
    if last:
        return f"{typed} may be {either}; name the one that is meant: {command}"
    guess = _typo(typed)
    hint = f" Did you mean {guess}?" if guess else ""
    own = (
        f" For a server of your own: nixcfg add-provider {name} --provider {OWN} "
        "--api-base URL --model MODEL"
    )
    return f"LiteLLM has no provider {typed}.{hint}{'' if given else own}"
