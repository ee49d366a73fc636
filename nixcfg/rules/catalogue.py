"""Models: known to LiteLLM's catalogue, and not retired."""

import datetime as dt
import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nixcfg.knowledge import Knowledge, ModelFacts
from nixcfg.knowledge.listing import Listing
from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.project.nearest import closest, nearest
from nixcfg.rules import endpoints
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import ModelFile

_OWN_ENDPOINTS = ("sagemaker",)  # what is called there is an endpoint of one's own account
_SOON = dt.timedelta(days=90)
# Names that only the account knows: fine-tunes, ARNs, endpoint numbers, inference profiles.
_OWN = re.compile(r"ft:.*|.*arn:aws.*|\d+|.*:\d{6,}.*|projects/.*|.*/projects/.*")


@ModelFile
def _models(config: Config) -> Iterator[Problem]:
    """Each model once, wherever it is: the same words for every deployment would hide others."""
    groups: dict[tuple[str | None, str | None], list[Deployment]] = {}
    for deployment in config.deployments:
        if _is_nameless(deployment):
            yield _nameless(config, deployment)
        elif _is_the_vendors(config.knowledge, deployment):
            groups.setdefault((deployment.provider, deployment.model), []).append(deployment)
    for first, *others in groups.values():
        for problem in _model(config, first):
            yield _also(config, problem, others)


def _is_nameless(deployment: Deployment) -> bool:
    """Whether a vendor is asked for no model; a server of one's own may have only one."""
    named = deployment.bare or not (deployment.model or "").endswith("/")
    return bool(deployment.facts) and not named and deployment.api_base is None


def _nameless(config: Config, deployment: Deployment) -> Problem:
    return config.document.problem(
        UNKNOWN_MODEL,
        (*deployment.params_path, "model"),
        f"no model is named behind {deployment.model}",
        help="Write the name of one.",
    )


def _also(config: Config, problem: Problem, others: Sequence[Deployment]) -> Problem:
    """A problem of one deployment that others share, each of which its fix is for, too."""
    paths = [(*each.params_path, "model") for each in others]
    related = [config.document.related(path, "here too", key=False) for path in paths]
    fix = problem.fix
    if fix and isinstance(edit := fix.edits[0], SetValue):
        fix = fix._replace(edits=(edit, *(replace(edit, path=path) for path in paths)))
    return replace(problem, related=(*problem.related, *related), fix=fix)


def _model(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """The model, as far as LiteLLM can know it; looked up once, which is the costly part."""
    listing = config.knowledge.listing(str(deployment.provider))
    facts, today = _entry(config.knowledge, deployment), config.context.today
    if facts is None and listing is Listing.CLOSED:
        yield from _unknown(config, deployment)
    elif facts is None and listing is Listing.PARTIAL:
        yield from _unlisted(config, deployment)
    elif facts and facts.deprecation_date and today and listing is not Listing.OPEN:
        yield from _retirement(config, deployment, facts.deprecation_date, today)


def _is_the_vendors(known: Knowledge, deployment: Deployment) -> bool:
    """Whether the vendor itself answers, under a name that is the same for everyone."""
    facts, model = deployment.facts, deployment.model
    return not (
        facts is None
        or facts.name.startswith(_OWN_ENDPOINTS)
        or not model
        or "*" in model
        or "mock_response" in deployment.params
        or not known.models(facts.name)
        or bool(_OWN.fullmatch(deployment.bare))
        or _has_own_endpoint(deployment)
    )


def _has_own_endpoint(deployment: Deployment) -> bool:
    """Whether a server other than the vendor's answers, under names of its own."""
    info = deployment.entry.get("model_info")
    if isinstance(info, dict) and "base_model" in info:
        return True
    base, facts = deployment.api_base, deployment.facts
    own = endpoints.host((facts.api_base.default if facts else None) or "")
    return base is not None and not (isinstance(base, str) and own and endpoints.host(base) == own)


def _entry(known: Knowledge, deployment: Deployment) -> ModelFacts | None:
    """The catalogue entry, also behind a route such as `responses/` or `converse/`."""
    if deployment.facts is None or deployment.model is None:
        return None
    custom = deployment.params.get("custom_llm_provider")
    found = known.find_model(deployment.model, custom if isinstance(custom, str) else None)
    name = deployment.bare
    while found is None and "/" in name:
        name = name.partition("/")[2]
        found = known.models(deployment.facts.name).get(name)
    return found


UNLISTED = Rule("NX434", Severity.NOTE)


def _unlisted(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """A model of a vendor that hosts more than LiteLLM lists."""
    provider, bare = str(deployment.provider), deployment.bare
    listed = config.knowledge.models(provider)
    folded = bare.casefold()
    if any(each.casefold() == folded or each.casefold().endswith(f"/{folded}") for each in listed):
        return
    guess = nearest(bare, listed)
    yield config.document.problem(
        UNLISTED,
        (*deployment.params_path, "model"),
        f"{bare or 'a model without name'} is not in {config.litellm}'s list of {provider} models:"
        " gone, misspelt, or not listed; its cost counts as 0",
        help=f"The nearest in the list is {guess}." if guess else "See what the vendor serves.",
    )


UNKNOWN_MODEL = Rule("NX411", Severity.WARNING)


def _unknown(config: Config, deployment: Deployment) -> Iterator[Problem]:
    provider, model = deployment.facts, str(deployment.model)
    if provider is None:
        return
    there = _geography(deployment.bare)
    guess = nearest(deployment.bare, _within(there, _names(config.knowledge, provider.name)))
    near: tuple[str, ...] = (guess,) if guess else ()
    if not guess or _is_other_version(deployment.bare, guess):
        in_use = _in_use(config.knowledge, provider.name, config.context.today)
        near = closest(deployment.bare, _within(there, in_use)) or near
    path = (*deployment.params_path, "model")
    prefix = model.removesuffix(deployment.bare) if deployment.bare else ""
    better = f"{prefix}{near[0]}" if guess and deployment.bare else ""
    named = f"no {provider.name} model {deployment.bare}"
    are = "are" if len(near) > 1 else "is"
    yield config.document.problem(
        UNKNOWN_MODEL,
        path,
        f"{config.litellm} knows {named}: misspelt, retired, or newer",
        help=f"The nearest that it knows {are} {', '.join(prefix + each for each in near)}."
        if near
        else f"See what it knows: nixcfg models --provider {provider.name}",
        fix=Fix((SetValue(path, better),), safe=False) if better else None,
    )


def _geography(name: str) -> str:
    """`apac`: where a profile of Bedrock's may send prompts, "" where its region decides."""
    found = _PROFILE.search(name)
    return found[1] if found else ""


_PROFILE = re.compile(r"(?:^|/)(us|us-gov|eu|apac|au|jp|ca|global)\.")


@functools.lru_cache(maxsize=64)
def _within(geography: str, names: frozenset[str]) -> frozenset[str]:
    """Names that keep prompts where they are: no advice leads to another part of the world."""
    return frozenset(name for name in names if _geography(name) == geography)


def _is_other_version(name: str, guess: str) -> bool:
    """Whether two names differ in a version alone, where the newest is meant, not the nearest."""
    return name != guess and re.sub(r"\b\d{1,2}\b", "", name) == re.sub(r"\b\d{1,2}\b", "", guess)


@functools.lru_cache(maxsize=64)
def _names(known: Knowledge, provider: str) -> frozenset[str]:
    return frozenset(known.models(provider))


@functools.lru_cache(maxsize=64)
def _in_use(known: Knowledge, provider: str, today: dt.date | None) -> frozenset[str]:
    """The chat models that no vendor has switched off: those that are worth naming."""
    day = today.isoformat() if today else ""
    return frozenset(
        name
        for name, facts in known.models(provider).items()
        if facts.mode == "chat" and not (facts.deprecation_date and facts.deprecation_date <= day)
    )


RETIRED = Rule("NX412", Severity.WARNING)
RETIRES_SOON = Rule("NX413", Severity.WARNING)


def _retirement(
    config: Config, deployment: Deployment, date: str, today: dt.date
) -> Iterator[Problem]:
    try:
        end = dt.date.fromisoformat(date)
    except ValueError:
        return
    if end > today + _SOON:
        return
    path = (*deployment.params_path, "model")
    if end <= today:
        wrong = f"the vendor has retired {deployment.bare} on {date}"
        yield config.document.problem(RETIRED, path, wrong, help="Choose another model.")
    else:
        wrong = f"the vendor will retire {deployment.bare} on {date}"
        yield config.document.problem(RETIRES_SOON, path, wrong, help="Choose another model.")
