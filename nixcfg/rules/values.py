"""Values of settings: the type that LiteLLM works with, and the words that it knows."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nixcfg.knowledge import Key, Knowledge
from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity, Steps
from nixcfg.project.model import ENVIRONMENT, SETTINGS
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config
from nixcfg.rules.scope import EveryDocument, ModelFile
from nixcfg.rules.walk import scalars
from nixcfg.yamltext.document import Map
from nixcfg.yamltext.scalars import describe

_STOPPING_CHOICES = (
    ("router_settings", "routing_strategy"),
    ("litellm_settings", "cache_params", "type"),
)
_ANY_CASE = frozenset({"true", "false", "yes", "no", "on", "off"})
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "bool"),
    ((int, float), "number"),
    (str, "text"),
    (list, "list"),
    (dict, "map"),
    (type(None), "null"),
)
WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "list": "a list",
    "list[str]": "a list of texts",
    "map": "a mapping",
}


def needs_licence(known: Knowledge, section: str, key: str) -> bool:
    """Whether LiteLLM does not start with this setting unless it has an enterprise licence."""
    return key in known.refused["licence"].get(section, ())


def licensed_callbacks(known: Knowledge) -> frozenset[str]:
    """The callbacks with which LiteLLM does not start unless it has an enterprise licence."""
    return frozenset(known.refused.get("licensed_callbacks", ()))


def refuses(known: Knowledge, section: str, key: str, value: Any) -> bool:
    """Whether LiteLLM does not start with a value of this kind in this setting."""
    given = kind(value)
    given = given if value or value is None else f"no {given}"
    if given not in known.refused["refused"].get(section, {}).get(key, ()):
        return False
    number = given == "text" and _is_number(value, "float")
    return not (given == "text" and (number or referenced(value)))


def kind(value: Any) -> str:
    """The kind of a value in words of the knowledge, "" for a date."""
    return next((kind for types, kind in _KINDS if isinstance(value, types)), "")


@EveryDocument
def _settings(config: Config) -> Iterator[Problem]:
    """Every setting whose value LiteLLM cannot work with."""
    for given in config.settings:
        known = config.knowledge.keys(given.section).get(given.key)
        if given.key in _CHAINS and isinstance(given.value, Map | str):
            continue  # the rules on fallbacks say more
        if known and not refuses(config.knowledge, given.section, given.key, given.value):
            yield from setting(config, given.path, known, given.value)
        elif known:
            yield _stops(config, given.path, known)


@ModelFile
def _top_level(config: Config) -> Iterator[Problem]:
    for key, value in config.data.items():
        # The schema knows the shape of the sections that it describes.
        if key not in _SHAPED and refuses(config.knowledge, "top_level", key, value):
            yield _stops(config, (key,), config.knowledge.keys("top_level").get(key))


_SHAPED = frozenset(
    {"model_list", "environment_variables", "credential_list", "include", "litellm_settings"}
    | {"router_settings", "general_settings"}
)


STOPS = Rule("NX209", Severity.ERROR)


@EveryDocument
def _dates(config: Config) -> Iterator[Problem]:
    """LiteLLM holds these sections against what JSON can say, which knows no dates."""
    for section in (*SETTINGS, ENVIRONMENT):
        if config.is_project_file and section == ENVIRONMENT:
            continue
        for path, value in scalars(config.section(section), (section,)):
            if isinstance(value, dt.date):
                yield config.document.problem(
                    STOPS,
                    path,
                    f"LiteLLM does not start with {describe(value)} in {section}",
                    help=f'Quote it: "{config.document.source(path)}".',
                    fix=Fix((SetValue(path, config.document.source(path)),)),
                )


WRONG_TYPE = Rule("NX204", Severity.ERROR, standalone=Severity.WARNING)


def setting(config: Config, path: Steps, known: Key, value: Any) -> Iterator[Problem]:
    """One setting that LiteLLM uses as it is written, without turning text into numbers."""
    if (
        value is None
        or isinstance(value, dt.date)
        or fits(known, value)
        or _is_turned_into_number(config, path, known, value)
        or _is_taken_anyway(path, value)
    ):
        yield from _choice(config, path, known, value)
        return
    words = " or ".join(WORDS[name] for name in sorted(known.types) if name in WORDS)
    fix, advice = how_to_fix(config, path, known, value)
    what = "a variable, which is always text" if referenced(value) else describe(value)
    if known.secret:
        what = what if not isinstance(value, str | int | float) else type(value).__name__
    problem = config.document.problem(
        WRONG_TYPE, path, f"{path[-1]} must be {words}, not {what}", help=advice, fix=fix
    )
    # Most switches are asked whether they are true, which the text "true" is; the cache is not.
    edit = fix.edits[0] if fix else None
    harmless = isinstance(edit, SetValue) and edit.value is True and path[-1] != "cache"
    yield replace(problem, level=Severity.WARNING) if harmless else problem


def _is_turned_into_number(config: Config, path: Steps, known: Key, value: Any) -> bool:
    """Whether this release makes a number of `num_retries: "3"`."""
    return (
        path == ("router_settings", "num_retries")
        and config.knowledge.behaviour["retries_as_text"] == "coerced"
        and coerced(known, value)
    )


def fits(known: Key, value: Any) -> bool:
    """Whether LiteLLM can use the value as it is."""
    types = known.types
    if "any" in types:
        return True
    match value:
        case bool():
            return "bool" in types
        case int():
            return bool(types & {"int", "float"})
        case float():
            return "float" in types or ("int" in types and value.is_integer())
        case str():
            # LiteLLM turns a variable that holds true or false into a boolean.
            return "str" in types or ("bool" in types and bool(referenced(value)))
        case list():
            return "list" in types or (
                "list[str]" in types and all(isinstance(item, str) for item in value)
            )
        case dict():
            return "map" in types
    return False


def coerced(known: Key, value: Any) -> bool:
    """Whether pydantic would take the value in its lax mode, as it does for litellm_params."""
    if fits(known, value) or value is None or referenced(value):
        return True
    types = known.types
    match value:
        case bool():
            return bool(types & {"int", "float"})
        case int() | float():
            return "bool" in types and value in (0, 1)
        case str():
            text = value.strip()
            numbers = [name for name in ("int", "float") if name in types]
            return any(_is_number(text, name) for name in numbers) or (
                "bool" in types and text.lower() in {*_ANY_CASE, "t", "f", "y", "n", "0", "1"}
            )
    return False


def _is_number(text: str, kind: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return kind == "float" or number.is_integer()


def _is_taken_anyway(path: Steps, value: Any) -> bool:
    """Ports and what LiteLLM passes through float() work as text too; days work as a number."""
    key = str(path[-1])
    if key.endswith("_retention_period"):
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str | int):
        return False
    if key == "alerting":
        return isinstance(value, str)  # LiteLLM asks whether `slack` is in it, which a text answers
    if key.endswith("port"):
        return isinstance(value, int) or bool(referenced(value)) or value.isdigit()
    is_text = isinstance(value, str) and (_is_number(value, "float") or bool(referenced(value)))
    return key in _FLOATED and is_text


_CHAINS = ("default_fallbacks", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
_FLOATED = frozenset(
    {
        "max_budget",
        "max_internal_user_budget",
        "default_max_internal_user_budget",
        "max_ui_session_budget",
        "user_api_key_cache_ttl",
        "health_check_staleness_threshold",
    }
)
"""What LiteLLM passes through float() before it uses it; source: proxy_server.py, load_config."""


def how_to_fix(config: Config, path: Steps, known: Key, value: Any) -> tuple[Fix | None, str]:
    if isinstance(value, str) and not referenced(value):
        for name in ("int", "float"):
            if name in known.types and _is_number(value, name):
                number = float(value)
                number = int(number) if number.is_integer() else number
                return Fix((SetValue(path, number),)), f"Remove the quotes: {path[-1]}: {number}."
        if "bool" in known.types and value.lower() in _ANY_CASE:
            truth = value.lower() in ("true", "yes", "on")
            word = "true" if truth else "false"
            return Fix((SetValue(path, truth),)), f"Remove the quotes: {path[-1]}: {word}."
        seconds = re.fullmatch(r"(\d+) ?s(ec(onds?)?)?", value)
        if seconds and known.types & {"int", "float"}:
            number = int(seconds[1])
            return Fix((SetValue(path, number),)), f"Write the seconds alone: {number}."
        if known.types & {"list", "list[str]"}:
            return None, f"Write a list: {path[-1]}: [{value}]."
    if "str" in known.types and isinstance(value, int | float):
        source = config.document.source(path)
        if str(path[-1]).endswith("duration"):
            return None, "Write a number and a unit: 30s, 12h, 7d or 1mo."
        return Fix((SetValue(path, source),)), "Quote it." if known.secret else f'"{source}".'
    if referenced(value):
        return None, "Write the value itself."
    return None, "See the documentation of LiteLLM for its form."


WRONG_CHOICE = Rule("NX208", Severity.ERROR, standalone=Severity.WARNING)


def _choice(config: Config, path: Steps, known: Key, value: Any) -> Iterator[Problem]:
    if not known.values or not isinstance(value, str) or value in known.values:
        return
    if referenced(value):
        return
    guess = nearest(value, known.values)
    problem = config.document.problem(
        WRONG_CHOICE,
        path,
        f"{path[-1]} cannot be {value}",
        help=f"Did you mean {guess}?" if guess else f"Use {' or '.join(known.values)}.",
        fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
    )
    # LiteLLM names the words it knows and stops; elsewhere it goes on as if nothing were set.
    yield replace(problem, level=Severity.ERROR) if path in _STOPPING_CHOICES else problem


def _stops(config: Config, path: Steps, known: Key | None) -> Problem:
    value: Any = config.data
    for step in path:
        value = value[step]
    types = sorted(known.types & WORDS.keys()) if known else []
    words = " or ".join(WORDS[name] for name in types)
    fix, advice = how_to_fix(config, path, known, value) if known else (None, "")
    shown = "this value" if known and known.secret else describe(value)
    return config.document.problem(
        STOPS,
        path,
        f"LiteLLM does not start with {shown} as {path[-1]}",
        help=f"It must be {words}. {advice}".rstrip()
        if words and value is not None
        else "Remove it.",
        fix=fix,
    )


@EveryDocument
def _cache_params(config: Config) -> Iterator[Problem]:
    section, path = config.section("litellm_settings"), ("litellm_settings", "cache_params")
    nested = section.get("cache_params")
    # Without `cache: true` LiteLLM does not look at them.
    if not isinstance(nested, Map) or section.get("cache") is not True:
        return
    for key, value in nested.items():
        known = config.knowledge.keys("cache_params").get(key)
        if known is None or value is None:
            continue
        if coerced(known, value) or _is_taken_anyway((*path, key), value):
            yield from _choice(config, (*path, key), known, value)
        else:
            yield from setting(config, (*path, key), known, value)
