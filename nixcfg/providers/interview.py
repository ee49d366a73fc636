"""What `add-provider` has to know: from the catalogue, or from the person at the terminal."""

import datetime as dt
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import click

from nixcfg.commands.output import table, width_of
from nixcfg.knowledge import Credential, ModelFacts, ProviderFacts
from nixcfg.project.credentials import chosen_way
from nixcfg.project.find import Sources
from nixcfg.project.nearest import nearest
from nixcfg.providers import ask, catalogue, request
from nixcfg.providers.add import model_names
from nixcfg.providers.amendment import AmendError
from nixcfg.providers.request import NewProvider

SHOWN = 12
"""Models that are listed to choose from; Tab knows the others."""

_PLACES = ("region", "region_name", "location", "project")


def prefix(name: str, given: str) -> str:
    """The LiteLLM provider for a new provider file. Raises AmendError for an unknown one."""
    wanted = given or name
    found = catalogue.prefix_of(wanted)
    if found is None:
        guess = nearest(wanted.lower(), catalogue.providers())
        hint = f" Did you mean {guess}?" if guess else ""
        own = f" For a name of your own: nixcfg add-provider {name} --provider PREFIX"
        raise AmendError(f"LiteLLM has no provider {wanted}.{hint}{'' if given else own}")
    return found


def fill(new: NewProvider, today: dt.date) -> NewProvider:
    """The new provider with what the catalogue knows, without a question. Raises AmendError."""
    facts = request.provider_facts(new.prefix)
    models = new.models or tuple(f.name for f in catalogue.recommended(new.prefix, today))
    missing = [] if models else ["--model MODEL"]
    if facts.api_base.required and not new.base(facts):
        missing.append("--api-base URL")
    if missing:
        lost = facts.api_base.sent_to
        else_ = f" (without an address LiteLLM would send prompts to {lost})" if lost else ""
        raise AmendError(f"{new.prefix} needs {' and '.join(missing)}{else_}")
    return replace(new, models=tuple(request.bare(new.prefix, model) for model in models))


def name() -> str:
    """Which provider to add."""

    def check(answer: str) -> str:
        try:
            prefix(answer, "")
        except AmendError as error:
            raise ValueError(str(error).partition(" For a name")[0]) from None
        return answer

    known = [*catalogue.brands(), *catalogue.providers()]
    return ask.ask("Provider (Tab completes)", choices=known, check=check)


def complete(new: NewProvider, sources: Sources, today: dt.date) -> NewProvider:
    """The new provider with the answers of the person at the terminal. Raises AmendError."""
    if new.name in sources.providers:
        path = sources.providers[new.name].name
        raise AmendError(f"{path} exists already; choose another name, with --provider PREFIX")
    facts = request.provider_facts(new.prefix)
    new = _models(_address(new, facts), facts, today)
    new = _key(_settings(new, facts), facts)
    return replace(new, aliases=_aliases(new, sources))


def _address(new: NewProvider, facts: ProviderFacts) -> NewProvider:
    if not catalogue.is_own_server(facts):
        return new
    usual = facts.api_base.default
    default = request.reachable(usual, facts) if usual else ""
    return replace(
        new, api_base=ask.ask("Its address", default=default, check=lambda a: _url(a, facts))
    )


def _url(answer: str, facts: ProviderFacts) -> str:
    try:
        return request.reachable(answer, facts)
    except AmendError as error:
        raise ValueError(str(error).replace("--api-base ", "")) from None


def _models(new: NewProvider, facts: ProviderFacts, today: dt.date) -> NewProvider:
    offers = [] if catalogue.is_own_server(facts) else catalogue.offers(new.prefix, today)
    best = catalogue.recommended(new.prefix, today)
    listed = [*best, *(each for each in offers if each not in best)][:SHOWN]
    names = [each.name for each in listed]
    if listed:
        click.echo(_listing(listed, width_of(sys.stderr)), err=True)
        if len(offers) > len(listed):
            click.echo(f"{len(offers) - len(listed)} more: Tab completes their names.", err=True)
    default = ",".join(str(number) for number in range(1, len(best) + 1))
    question = "Models (numbers or names)" if listed else "Models it serves (names)"
    answer = ask.ask(
        question,
        default=default,
        choices=[each.name for each in offers],
        check=lambda answer: " ".join(_chosen(answer, names)),
    )
    chosen = _chosen(answer, names)
    return replace(new, models=tuple(request.bare(new.prefix, model) for model in chosen))


def _chosen(answer: str, names: Sequence[str]) -> list[str]:
    """The models of an answer such as `1, 3 gpt-4o`. Raises ValueError."""
    chosen: list[str] = []
    for word in answer.replace(",", " ").split():
        if word.isdigit() and names:
            if not 1 <= int(word) <= len(names):
                raise ValueError(f"there is no number {word}")
            word = names[int(word) - 1]  # noqa: PLW2901 (a number means the model it names)
        if word not in chosen:
            chosen.append(word)
    if not chosen:
        raise ValueError("name at least one model")
    return chosen


def _listing(models: Iterable[ModelFacts], width: int | None) -> str:
    rows = [
        (
            f"{number:>2}  {facts.name}",
            catalogue.context(facts),
            catalogue.price(facts.input_cost_per_token),
            catalogue.price(facts.output_cost_per_token),
            facts.deprecation_date or "-",
        )
        for number, facts in enumerate(models, start=1)
    ]
    if all(row[-1] == "-" for row in rows):
        return table(
            (" #  model", "context", "$/M in", "$/M out"), [row[:-1] for row in rows], width
        )
    return table((" #  model", "context", "$/M in", "$/M out", "retires"), rows, width)


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
            hint = "none"
        else:
            continue
        asked.add(what)
        answer = ask.ask(f"{credential.variable} (empty: {hint})", check=_plain(credential))
        if answer:
            answers[credential.variable] = answer
    return replace(new, settings=answers)


def _plain(credential: Credential) -> ask.Check:
    def check(answer: str) -> str:
        try:
            request.refuse_key(credential.variable, answer)
        except AmendError as error:
            raise ValueError(str(error)) from None
        return answer

    return check


def _key(new: NewProvider, facts: ProviderFacts) -> NewProvider:
    """Servers of one's own ask for a key or not; vendors always do."""
    if not catalogue.is_own_server(facts) or any(
        c.secret and c.required for c in facts.credentials
    ):
        return new
    if not ask.confirm("Does it ask for a key?"):
        return new
    usual = facts.key.variable if facts.key else request.own_variable(new.name)
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

    click.echo(f"{taken[alias]} offers {alias} already.", err=True)
    return ask.ask("What clients ask for", default=f"{new.name}-{alias}", check=check)
