"""What LiteLLM loads by name: callbacks, guardrails, prompts, and Python modules."""

import re
from collections.abc import Iterable, Iterator, Sequence

from nixcfg.knowledge.entries import Step
from nixcfg.problems.once import once
from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity, Steps
from nixcfg.project.model import SETTINGS
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules import services
from nixcfg.rules.context import Config
from nixcfg.rules.scope import EveryDocument, ModelFile
from nixcfg.rules.walk import reached
from nixcfg.yamltext.document import Map
from nixcfg.yamltext.scalars import describe

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_OLD_GUARDRAIL = {"callbacks", "default_on", "logging_only", "enabled_roles", "callback_args"}
_CALLBACKS = ("callbacks", "success_callback", "failure_callback")


CALLBACK_STOPS = Rule("NX213", Severity.ERROR)


@EveryDocument
def _callbacks(config: Config) -> Iterator[Problem]:
    settings = config.section("litellm_settings")
    own = config.section("callback_settings")
    for key in _CALLBACKS:
        given = settings.get(key)
        listed = given if isinstance(given, list) else [given]
        for index, name in enumerate(listed):
            path: Steps = ("litellm_settings", key, *([index] if given is listed else []))
            if given is listed and not isinstance(name, str):
                yield config.document.problem(
                    CALLBACK_STOPS,
                    path,
                    f"LiteLLM does not start with {describe(name)} among its callbacks",
                    help="Name one of LiteLLM's, or module.attribute.",
                )
                continue
            is_plain = isinstance(name, str) and not referenced(name)
            if not is_plain or "." in name or name in own:
                continue
            # callbacks is imported when it is one text; the other two are taken letter by letter.
            known = given is listed and name in config.knowledge.callbacks(key)
            if not known and (given is listed or key == "callbacks"):
                yield _unknown_callback(config, path, key, name)
    for path, given in services.guardrail_callbacks(settings.get("guardrails")):
        for index, name in enumerate(given if isinstance(given, list) else ()):
            is_plain = isinstance(name, str) and not referenced(name) and "." not in name
            if is_plain and name not in {*config.knowledge.callbacks("callbacks"), *own}:
                yield _unknown_callback(config, (*path, index), "callbacks", name)


UNKNOWN_CALLBACK = Rule("NX212", Severity.WARNING)


def _unknown_callback(config: Config, path: Steps, key: str, name: str) -> Problem:
    known = config.knowledge.callbacks(key)
    stops = key == "callbacks"
    guess = nearest(name, known)
    advice = f"Did you mean {guess}?" if guess else "Known: `nixcfg explain NX212`."
    if stops and name in known:
        advice = f"Write a list: callbacks: [{name}]."
    elif not guess:
        others = [other for other in _CALLBACKS if name in config.knowledge.callbacks(other)]
        advice = (
            f"Put it in {others[0]}." if others else "Name one of LiteLLM's, or module.attribute."
        )
    effect = "LiteLLM does not start" if stops else "nothing is logged"
    return config.document.problem(
        CALLBACK_STOPS if stops else UNKNOWN_CALLBACK,
        path,
        f"LiteLLM has no callback {name}: {effect}",
        help=advice,
        fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
    )


GUARDRAIL_SHAPE = Rule("NX216", Severity.ERROR)


@EveryDocument
def _guardrails(config: Config) -> Iterator[Problem]:
    """The older form, in litellm_settings."""
    old = config.section("litellm_settings").get("guardrails")
    for index, item in enumerate(old if isinstance(old, list) else ()):
        for key, value in item.items() if isinstance(item, Map) else ():
            if not isinstance(value, Map) or not {"callbacks"} <= set(value) <= _OLD_GUARDRAIL:
                yield config.document.problem(
                    GUARDRAIL_SHAPE,
                    ("litellm_settings", "guardrails", index, key),
                    f"LiteLLM does not start: guardrail {key} must be a mapping with callbacks",
                    help="Move entries with guardrail_name to guardrails at the top level.",
                    key=True,
                )
                break


@ModelFile
def _guardrail_entries(config: Config) -> Iterator[Problem]:
    new = config.data.get("guardrails")
    if isinstance(new, Map) and new:
        yield config.document.problem(
            GUARDRAIL_SHAPE,
            ("guardrails",),
            "LiteLLM does not start: guardrails is a list of entries",
            help="Write each guardrail as - guardrail_name: ...",
            key=True,
        )


PROMPT_SHAPE = Rule("NX218", Severity.ERROR)


CUSTOM_CODE = Rule("NX217", Severity.WARNING)


def _absent(config: Config) -> Iterator[Problem]:
    """Every use of a module, or of another file, that is not there."""
    for path, file in (*_imported(config), *_opened(config)):
        first = file.split("/", maxsplit=1)[0]
        if first.removesuffix(".py") != "litellm" and first not in config.context.files:
            where = "beside this file" if config.standalone else "in the container"
            yield config.document.problem(
                CUSTOM_CODE,
                path,
                f"there is no {file} {where}; LiteLLM does not start without it",
                help="Mount it with extraOptions of services.litellm-proxy, or remove this."
                if not config.standalone
                else "Put it beside the configuration.",
            )


@EveryDocument
def _custom_code(config: Config) -> Iterator[Problem]:
    yield from once(_absent(config))


def _imported(config: Config) -> Iterator[tuple[Steps, str]]:
    for path, value in _named(config, config.knowledge.entries.imports):
        if _MODULE.fullmatch(value):
            yield path, value.rpartition(".")[0].replace(".", "/") + ".py"


def _opened(config: Config) -> Iterator[tuple[Steps, str]]:
    """Files that LiteLLM reads at its start. Of a file alone no one knows the machine's."""
    for path, value in _named(config, config.knowledge.entries.files):
        elsewhere = value.startswith(("/", "~")) and config.standalone
        if value and "://" not in value and not referenced(value) and not elsewhere:
            yield path, value.removeprefix("./")


def _named(config: Config, places: Iterable[Sequence[Step]]) -> Iterator[tuple[Steps, str]]:
    """Every text at these places of a document."""
    for steps in places:
        if config.is_project_file and steps[0].name not in SETTINGS:
            continue
        for path, value in reached(config.data, steps):
            if isinstance(value, str):
                yield path, value
