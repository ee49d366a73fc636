"""What `add-provider` has to know: from the catalogue, or from the person at the terminal."""

import datetime as dt
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from nixcfg import knowledge
from nixcfg.commands.output import width_of
from nixcfg.knowledge import Credential, ProviderFacts
from nixcfg.project.credentials import chosen_way
from nixcfg.project.find import Sources
from nixcfg.project.model import MODELS
from nixcfg.providers import ask, offers, pick, request, serving
from nixcfg.providers.add import model_names
from nixcfg.providers.amendment import AmendError
from nixcfg.providers.more_models import Way
from nixcfg.providers.request import NewProvider

_REGIONS = ("region", "region_name", "location")
_PLACES = (*_REGIONS, "project")
_FROM_KEY_FILE = "vertex_project"
"""A place that the document in the key file names too."""


def fill(new: NewProvider, today: dt.date) -> NewProvider:
    """The new provider with what the catalogue knows, without a question. Raises AmendError."""
    facts = request.provider_facts(new.prefix)
    models = new.models or tuple(f.name for f in offers.recommended(new.prefix, today))
    missing = [] if models else [f"--model {'DEPLOYMENT' if _is_azure(facts) else 'MODEL'}"]
    if facts.api_base.required and not new.base(facts):
        missing.append(f"--api-base {'RESOURCE' if _is_azure(facts) else 'URL'}")
    if missing:
        lost = facts.api_base.sent_to
        else_ = f" (without an address LiteLLM would send prompts to {lost})" if lost else ""
        raise AmendError(f"{new.prefix} needs {' and '.join(missing)}{else_}")
    return replace(new, models=tuple(request.bare(new.prefix, model) for model in models))


def complete(new: NewProvider, sources: Sources, today: dt.date) -> NewProvider:
    """The new provider with the answers of the person at the terminal. Raises AmendError."""
    facts = request.provider_facts(new.prefix)
    new = _address(new, facts)
    served = _served(new, facts)
    new = _models(new, facts, served, today)
    new = _key(_settings(new, facts), facts, wants_key=served.wants_key)
    return replace(new, aliases=_aliases(new, sources))


def siblings(new: NewProvider, sources: Sources) -> list[str]:
    """The providers of the project that reach the same vendor with its usual key already."""
    facts = request.provider_facts(new.prefix)
    if offers.is_own_server(facts) or new.named or new.keyless or new.api_base:
        return []
    return [
        name
        for name, document in sources.providers.items()
        if any(
            knowledge.split_model(model)[0] == new.prefix
            and not {"api_base", "api_key"}.intersection(given)
            for model, given in _deployments(document.data)
        )
    ]


def _deployments(data: object) -> Iterable[tuple[str, Collection[str]]]:
    entries = data.get(MODELS) if isinstance(data, Mapping) else None
    for entry in entries if isinstance(entries, list) else ():
        params = entry.get("litellm_params") if isinstance(entry, Mapping) else None
        if isinstance(params, Mapping) and isinstance(params.get("model"), str):
            yield params["model"], params.keys()


def beside(new: NewProvider, other: str) -> NewProvider | None:
    """What is meant by a second provider of a vendor; None for more models of the first."""
    facts = request.provider_facts(new.prefix)
    taken = request.main_credential(chosen_way(facts, ()))
    kinds = [f"More models for {other}, with its key.", "Another file, with the same key."]
    if taken:  # several keys have no other names that LiteLLM would read
        kinds.insert(1, "Another account, with a key of its own.")
    ask.say(f"{other} reaches {new.prefix} already.")
    for number, kind in enumerate(kinds, start=1):
        ask.say(f"  {number}  {kind}")

    def check(answer: str) -> str:
        if not answer.isdigit() or not 1 <= int(answer) <= len(kinds):
            raise ValueError(f"answer a number from 1 to {len(kinds)}")
        return answer

    number = int(ask.ask("Which is meant (number)", check=check))
    if number == 1:
        return None
    if number == len(kinds) or not taken:
        return new
    variable = request.own_variable(new.name)
    if variable == taken.variable:  # `add-provider anthropic` beside claude.yaml
        variable = f"SECOND_{variable}"
    return replace(new, named=(*new.named, variable))


def _is_azure(facts: ProviderFacts) -> bool:
    return facts.name in request.RESOURCES


def _address(new: NewProvider, facts: ProviderFacts) -> NewProvider:
    """Where a server of one's own is; for a name of one's own, where an OpenAI-like one is."""
    if new.base(facts):
        return new
    is_other = facts.name == "openai" and new.name != facts.name
    if not offers.is_own_server(facts) and not is_other:
        return new
    usual = facts.api_base.default
    default = usual or ""
    question = "Azure resource (its name, or its URL)" if _is_azure(facts) else "Its address"
    answer = ask.ask(question, default=default, check=lambda a: checked_address(a, facts))
    is_vendors = is_other and answer == default
    return new if is_vendors else replace(new, api_base=answer)


def checked_address(answer: str, facts: ProviderFacts) -> str:
    """An address as it was given. Raises ValueError for what is none."""
    if not answer:
        raise ValueError("write it as http://host:8000/v1; Ctrl-C leaves everything as it is")
    try:
        request.reachable(answer, facts)
    except AmendError as error:
        raise ValueError(str(error).replace("--api-base ", "")) from None
    return answer


def _served(new: NewProvider, facts: ProviderFacts) -> serving.Served:
    """What a server of one's own lists; nothing of a vendor, who lists to customers only."""
    base = new.base(facts)
    has_keys = any(c.secret and c.required for c in facts.credentials) and facts.name != "openai"
    if new.models or not base or has_keys:
        return serving.Served()
    url = request.reachable(base, facts)
    found = serving.served(url)
    if found.models:
        ask.say(f"It serves {len(found.models)}:")
    else:
        ask.say(f"It lists no models ({found.reason}), so name them as it calls them.")
    return found


def _models(
    new: NewProvider, facts: ProviderFacts, served: serving.Served, today: dt.date
) -> NewProvider:
    if new.models:
        named = [request.bare(new.prefix, model) for model in new.models]
        known = {} if new.api_base else knowledge.models(new.prefix)
        try:
            pick.confirm(named, pick.List((), known, f"LiteLLM's list for {new.prefix}"))
        except ValueError:
            new = replace(new, models=())  # so what there is is shown
        else:
            return replace(new, models=tuple(named))
    return replace(new, models=models(new.prefix, facts, served, today, is_own=bool(new.api_base)))


def models(
    prefix: str,
    facts: ProviderFacts,
    served: serving.Served,
    today: dt.date,
    *,
    is_own: bool,
    without: Collection[str] | None = None,
) -> tuple[str, ...]:
    """The models that a person chooses from what is known of a provider.

    `is_own`: another server than the vendor's, with models of its own. `without` are those that
    the project has, where it has any of this provider: then there is no usual choice.
    """

    def bare(model: str) -> str:
        return request.bare(prefix, model)

    width = width_of(sys.stderr)
    if served.models:
        names = [name for name in served.models if name not in (without or ())]
        pick.print_names(names, width)
        offered = pick.List(names, served.models, "what it serves", bare)
        default = "1" if len(served.models) == 1 else ""
        return pick.pick("Models (numbers, names or all)", offered, default)
    if is_own or offers.is_own_server(facts) or offers.names_own_models(facts):
        question = "Models it serves (names)"
        if any(credential.secret and credential.required for credential in facts.credentials):
            question = "Models (names)"
        if _is_azure(facts):
            question = "Deployments (their names in Azure)"
        elif offers.names_own_models(facts):
            question = "Endpoints (their names at the vendor)"
        return pick.pick(question, pick.List(bare=bare))
    every = [each for each in offers.offers(prefix, today) if each.name not in (without or ())]
    best = [each for each in offers.recommended(prefix, today) if each in every]
    listed = [*best, *(each for each in every if each not in best)][: pick.SHOWN]
    if not listed:
        return pick.pick("Models (names)", pick.List(bare=bare))
    pick.print_models(listed, width)
    if len(every) > len(listed):
        ask.say(f"{len(every) - len(listed)} more: Tab completes their names.")
    known = (*(each.name for each in every), *knowledge.models(prefix))
    names = [each.name for each in listed]
    offered = pick.List(names, known, f"LiteLLM's list for {prefix}", bare)
    default = "" if without or not best else f"1-{len(best)}" if len(best) > 1 else "1"
    return pick.pick("Models (numbers, names or ?)", offered, default)


def more(way: Way, without: Collection[str], today: dt.date) -> tuple[str, ...]:
    """Models for a provider file that is there, from what its vendor or its server has.

    `without` are those of the file, without prefix.
    """
    facts = knowledge.provider(way.prefix)
    if facts is None:
        return pick.pick("Models (names)", pick.List())
    base = str(way.params.get("api_base", way.params.get("base_url", "")))
    new = NewProvider(name=way.prefix, prefix=way.prefix, models=(), api_base=base)
    is_own = bool(base) and not base.startswith("os.environ/")
    served = _served(new, facts) if is_own else serving.Served()
    return models(way.prefix, facts, served, today, is_own=is_own, without=without)


def _settings(new: NewProvider, facts: ProviderFacts) -> NewProvider:
    """Accounts, regions and the like: no secrets, and only the user knows them."""
    answers = dict(new.settings)
    required = chosen_way(facts, new.variables)
    asked = {"api_base"}
    for credential in (*required, *facts.credentials):
        what = credential.param or credential.variable
        if credential.secret or what in asked or credential.variable in answers:
            continue
        if credential in required and credential.variable != facts.api_base.variable:
            hint = "from a key file"
        elif what.endswith(_PLACES):
            hint = _otherwise(credential, facts)
        else:
            continue
        asked.add(what)
        answer = ask.ask(f"{credential.variable} (empty: {hint})", check=_plain(credential))
        if answer:
            answers[credential.variable] = answer
        elif hint == _region(facts):
            ask.say(f"Warning: without a region LiteLLM sends every prompt to {hint}.")
    return replace(new, settings=answers)


def _otherwise(credential: Credential, facts: ProviderFacts) -> str:
    """What LiteLLM takes for a place that no one names."""
    param = credential.param or ""
    if param == _FROM_KEY_FILE:
        return "that of the key file"
    return (_region(facts) if param.endswith(_REGIONS) else "") or "none"


def _region(facts: ProviderFacts) -> str:
    """Where LiteLLM sends prompts when no region is named, "" for a vendor without regions."""
    return knowledge.current().params.regions.get(facts.name, "")


def _plain(credential: Credential) -> ask.Check:
    def check(answer: str) -> str:
        try:
            request.refuse_key(credential.variable, answer)
        except AmendError as error:
            raise ValueError(str(error)) from None
        return answer

    return check


def _key(new: NewProvider, facts: ProviderFacts, *, wants_key: bool) -> NewProvider:
    """Servers of one's own ask for a key or not; vendors always do."""
    is_other = bool(new.api_base) and request.is_elsewhere(new, facts)
    if new.named or not (offers.is_own_server(facts) or is_other):
        return new
    if not is_other and any(c.secret and c.required for c in facts.credentials):
        return new
    if not wants_key and not ask.confirm("Does it ask for a key?"):
        return replace(new, keyless=True) if is_other else new
    if wants_key:
        ask.say("It asks for a key: set-key stores that, in the next step.")
    usual = facts.key.variable if facts.key and not is_other else request.own_variable(new.name)
    return replace(new, named=(*new.named, usual))


def _aliases(new: NewProvider, sources: Sources) -> tuple[str, ...]:
    taken = model_names(sources, new.name)
    return tuple(_free(alias, new, taken) for alias in request.aliases(new))


def _free(alias: str, new: NewProvider, taken: Mapping[str, str]) -> str:
    if alias not in taken:
        return alias

    def check(answer: str) -> str:
        if answer in taken:
            raise ValueError(f"{taken[answer]} offers {answer} too")
        return answer

    ask.say(f"{taken[alias]} offers {alias} already.")
    return ask.ask("What clients ask for", default=f"{new.name}-{alias}", check=check)
