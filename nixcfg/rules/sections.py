"""Where settings are: in a section that LiteLLM reads, under a name that it knows there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nixcfg.knowledge import Section
from nixcfg.problems.problem import Fix, MoveKey, Problem, RenameKey, Rule, Severity, Steps
from nixcfg.project.merge import honouring_section
from nixcfg.project.model import SETTINGS
from nixcfg.project.nearest import nearest
from nixcfg.rules import values
from nixcfg.rules.context import Config
from nixcfg.rules.scope import EveryDocument, ModelFile
from nixcfg.yamltext.data import at
from nixcfg.yamltext.document import Map

_REFUSED_IN_ROUTER = ("health_check_interval", "health_check_concurrency")
_NESTED: tuple[tuple[str, str, str], ...] = (
    ("litellm_settings", "cache_params", "cache_params"),
    ("router_settings", "retry_policy", "retry_policy"),
    ("router_settings", "allowed_fails_policy", "allowed_fails_policy"),
    ("general_settings", "coordination_redis", "coordination_redis"),
)
"""(section, key, name of the nested section in the knowledge)."""


NO_EFFECT = Rule("NX207", Severity.WARNING)


@EveryDocument
def _allowed_fails(config: Config) -> Iterator[Problem]:
    """LiteLLM compares the router's number with that of litellm_settings, by default 3."""
    given, does = config.section("router_settings").get("allowed_fails"), config.knowledge.behaviour
    path = ("router_settings", "allowed_fails")
    default = next(iter(config.values("litellm_settings", "allowed_fails")), None)
    default = 3 if default is None else default
    if given == default and not isinstance(given, bool) and not does["allowed_fails_three"]:
        yield config.document.problem(
            NO_EFFECT,
            path,
            f"{config.litellm} takes allowed_fails: {given} for not set, and cools down by its own"
            " rules",
            help="Write another number, or an allowed_fails_policy.",
        )
    elif given is not None and not does["allowed_fails_alone"] and _is_all_single(config):
        yield config.document.problem(
            NO_EFFECT,
            path,
            f"{config.litellm} cools down no deployment that is the only one of its name",
            help="Give a model_name a second deployment, or remove the line.",
        )


def _is_all_single(config: Config) -> bool:
    """Whether every name in a whole LiteLLM file has one deployment."""
    names = [each.name for each in config.deployments]
    whole = config.standalone and config.context.complete and "include" not in config.data
    return whole and bool(names) and len(set(names)) == len(names) and not config.context.included


@EveryDocument
def _settings(config: Config) -> Iterator[Problem]:
    """Every setting that has no effect where it is written."""
    for given in config.settings:
        if given.section == "router_settings" and given.key in _REFUSED_IN_ROUTER:
            yield _refused(config, given.key)
        elif not config.knowledge.honoured(given.section, given.key):
            yield _not_honoured(config, given.path)
    for place, key, name in _NESTED:
        nested = config.section(place).get(key)
        if name in config.knowledge.sections() and isinstance(nested, Map):
            yield from _nested(config, (place, key), name, nested)


def _client_arguments(config: Config, params: Mapping[str, Any]) -> frozenset[str] | None:
    """What the client of a cache takes, where LiteLLM does not start with anything else.

    A client that has a URL or nodes, also from the environment, is given only what it knows.
    """
    settings = config.section("litellm_settings")
    if settings.get("cache") is not True or not params.get("host"):
        return None
    if any(params.get(key) for key in ("url", "redis_startup_nodes", "sentinel_nodes")):
        return None
    if any(config.variable_is_wired(name) for name in ("REDIS_URL", "REDIS_CLUSTER_NODES")):
        return None
    return config.knowledge.entries.caches.get(str(params.get("type")))


UNKNOWN_SECTION = Rule("NX205", Severity.WARNING)


@ModelFile
def _top_level(config: Config) -> Iterator[Problem]:
    known = config.knowledge.keys("top_level")
    for key, value in config.data.items():
        if key in known or key[:1] in "_." or key.startswith("x-") or _is_anchor(config, key):
            continue
        home = next((home for home in config.knowledge.homes(key) if home in SETTINGS), None)
        if home:
            yield _misplaced(config, (key,), home)
            continue
        guess = nearest(key, known)
        if isinstance(value, Map) and not known.keys().isdisjoint(value):
            yield config.document.problem(
                UNKNOWN_SECTION,
                (key,),
                f"LiteLLM has no section {key}, and ignores all sections in it",
                help=f"Remove the line {key}: and move what is below it to the top level.",
                key=True,
            )
        elif guess or isinstance(value, dict | list) or not config.knowledge.homes(key):
            yield config.document.problem(
                UNKNOWN_SECTION,
                (key,),
                f"LiteLLM has no section {key}, and ignores it",
                help=f"Did you mean {guess}?" if guess else "Remove it.",
                key=True,
                fix=_rename(config, (key,), guess),
            )
        else:
            yield _not_honoured(config, (key,))


def _is_anchor(config: Config, key: str) -> bool:
    """`defaults: &defaults`: a mapping that is only there to be merged elsewhere."""
    span = config.document.span((key,), key=True)
    rest = config.document.line(span.line)[span.column - 1 + span.length :]
    return bool(re.match(r"\s*:\s*&\S", rest))


def _homes(config: Config, key: str) -> tuple[str, ...]:
    """The sections where a setting has an effect, the likeliest first."""
    known = config.knowledge.homes(key)
    params = config.knowledge.params
    if not known and params.are_kept(key):
        return ("litellm_params",)
    return tuple(
        home for home in known if home != "litellm_params" or key not in params.without_effect
    )


STOPS_HERE = Rule("NX206", Severity.ERROR)


def _refused(config: Config, key: str) -> Problem:
    return config.document.problem(
        STOPS_HERE,
        ("router_settings", key),
        f"LiteLLM does not start with {key} in router_settings",
        help="Move it to general_settings.",
        key=True,
        fix=_move(config, ("router_settings", key), "general_settings"),
    )


MISPLACED = Rule("NX201", Severity.WARNING)


def _not_honoured(config: Config, path: Steps) -> Problem:
    """A setting that this section does not know: at home elsewhere, or nowhere."""
    *above, key = map(str, path)
    section = above[0] if above else "top_level"
    homes = [name for name in _homes(config, key) if name != section]
    home = honouring_section(config.knowledge, section, key) or next(
        (h for h in homes if h in SETTINGS), None
    )
    if home:
        return _misplaced(config, path, home)
    where = section if above else "the top level"
    facts = config.knowledge.sections()[section]
    # What litellm_settings does not know becomes an attribute of the module, with whatever effect.
    if homes and facts.unknown != "attribute":
        places = " or ".join(_PLACES.get(name, name) for name in homes[:2])
        return config.document.problem(
            MISPLACED,
            path,
            f"{key} has no effect in {where}",
            help=f"LiteLLM honours it in {places}.",
            key=True,
        )
    return _unknown(config, path, facts)


def _misplaced(config: Config, path: Steps, home: str) -> Problem:
    where = str(path[0]) if len(path) > 1 else "the top level"
    renders = (
        not config.standalone
        and len(path) == 2
        and honouring_section(config.knowledge, where, str(path[1]))
    )
    return config.document.problem(
        MISPLACED,
        path,
        f"{path[-1]} has no effect in {where}",
        help=_home(config, path, home, renders=bool(renders)),
        key=True,
        fix=_move(config, path, home),
    )


def _home(config: Config, path: Steps, home: str, *, renders: bool) -> str:
    """Where a setting belongs, and what it has to be there, where it is something else here."""
    if _works(config, path, home):
        return f"LiteLLM honours it in {home}" + ("; nixcfg renders it there." if renders else ".")
    known = config.knowledge.keys(home).get(str(path[-1]))
    words = (
        sorted(values.WORDS[name] for name in known.types & values.WORDS.keys()) if known else []
    )
    return f"LiteLLM honours it in {home}" + (f", as {' or '.join(words)}." if words else ".")


def _move(config: Config, path: Steps, home: str) -> Fix | None:
    """A move to a place that is free, of a value that works there: here it harms no one."""
    target = config.data.get(home)
    blocked = target is not None and (not isinstance(target, Map) or path[-1] in target)
    return None if blocked or not _works(config, path, home) else Fix((MoveKey(path, home),))


def _works(config: Config, path: Steps, home: str) -> bool:
    """Whether LiteLLM could work with this value in the section where it honours the key."""
    key, value = str(path[-1]), at(config.data, path)
    known = config.knowledge.keys(home).get(key)
    if known is None or values.refuses(config.knowledge, home, key, value):
        return False
    return value is None or values.fits(known, value) or values.coerced(known, value)


UNKNOWN_SETTING = Rule("NX203", Severity.WARNING)


def _unknown(config: Config, path: Steps, section: Section, *, stops: bool = False) -> Problem:
    key = str(path[-1])
    homes = _homes(config, key)
    guess = "" if homes else _meant(key, section)
    where = ".".join(map(str, path[:-1]))
    what = {
        "attribute": f"it sets litellm.{key}, which it never reads or which breaks it",
        "warned": "it ignores this with one line in the log",
    }.get(section.unknown, "it ignores this")
    elsewhere = f"It has an effect in {_PLACES.get(homes[0], homes[0])}." if homes else ""
    if not guess and not homes:
        for other in SETTINGS:
            near = nearest(key, config.knowledge.keys(other))
            if near:
                elsewhere = f"Did you mean {near} in {other}?"
                break
    breaks = section.unknown == "attribute" and key in _REPLACED
    if stops:
        what = "LiteLLM does not start"
    if breaks:
        what = "it replaces its own function of that name, and every request fails"
        guess, elsewhere = "", "Remove it."
    value = at(config.data, path)
    takes_no_such = bool(guess) and values.refuses(config.knowledge, section.name, guess, value)
    problem = config.document.problem(
        UNKNOWN_SETTING,
        path,
        f"{config.litellm} knows no {key} in {where}: {what}",
        help=f"Did you mean {guess}?" if guess else elsewhere or INSTEAD.get(key, "Remove it."),
        key=True,
        fix=None if takes_no_such else _rename(config, path, guess),
    )
    is_error = breaks or (stops and not config.standalone)
    return replace(problem, level=Severity.ERROR) if is_error else problem


_REPLACED = frozenset(
    {"Chat", "LiteLLMProxyChatConfig", "ModelResponse", "OpenAIConfig", "OpenAIGPT5Config"}
    | {"OpenAIGPTConfig", "ProviderConfigManager", "Usage", "VertexAIAnthropicConfig"}
    | {"acompletion", "get_llm_provider", "register_model", "utils"}
)
"""Functions, classes and modules of the litellm module without which no chat request is answered.

Measured on LiteLLM 1.106.2: each of its names was set to 1, and a model of OpenAI's was asked.
"""


def _meant(key: str, section: Section) -> str:
    """The setting that was meant: also set_verbose by verbose."""
    return nearest(key, section.keys) or (f"set_{key}" if f"set_{key}" in section.keys else "")


INSTEAD = {
    "rust": "Remove it, and set LITELLM_RUST=1 in the environment if it is meant.",
    "stream_response": "Remove it: each request says whether it is to be streamed.",
}
"""What to do about a setting that has no effect anywhere."""


def _rename(config: Config, path: Steps, guess: str) -> Fix | None:
    """A rename, where the better name is not taken yet."""
    here: Any = config.data
    for step in path[:-1]:
        here = here[step]
    return Fix((RenameKey(path, guess),), safe=False) if guess and guess not in here else None


def _nested(config: Config, path: Steps, name: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    section = config.knowledge.sections()[name]
    taken = _client_arguments(config, values) if name == "cache_params" else None
    for key in values:
        if key in section.keys or key in (taken or ()):
            continue
        if taken is not None:
            yield _unknown(config, (*path, key), section, stops=True)
        # A free-form section swallows any name, so only what looks like a typo is reported.
        elif section.unknown != "kept" or nearest(key, section.keys):
            yield _unknown(config, (*path, key), section)


_PLACES = {
    "litellm_params": "litellm_params of a deployment",
    "model_info": "model_info of a deployment",
    "deployment": "an entry of model_list",
    "top_level": "the top level of the file",
}
