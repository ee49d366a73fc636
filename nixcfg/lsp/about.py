"""What a key, a model, a variable or a code means: the text that an editor shows beside it. Pure.

Markdown, without a secret: it names where keys are, and quotes no value but models and choices.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nixcfg.disk import shipped
from nixcfg.knowledge import Key, Knowledge
from nixcfg.lsp import place as places
from nixcfg.lsp.files import Look
from nixcfg.lsp.place import Place
from nixcfg.problems.problem import Steps
from nixcfg.project.merge import honouring_section
from nixcfg.project.model import MODELS, SETTINGS
from nixcfg.settings.names import CONFIG, MODEL, VARIABLE, Name
from nixcfg.yamltext.data import at
from nixcfg.yamltext.document import Map

_CODE = re.compile(r"\bNX\d{3}\b")
_TYPES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "list": "list",
    "list[str]": "list of texts",
    "map": "mapping",
}


def about(look: Look, line: int, column: int) -> tuple[str, Place | None]:
    """The text for a place, "" where there is nothing to say."""
    document = look.document
    text = document.line(line + 1)
    for found in _CODE.finditer(text) if "nixcfg:" in text else ():
        if found.start() <= column <= found.end():
            return _rule(found[0]), None
    here = places.at(document, line, column)
    if here is None:
        return "", None
    name = name_at(look, here)
    if name is not None:
        parts = list(_of_name(look, name))
    elif here.is_key:
        parts = list(_of_key(look, here))
    else:
        parts = list(_of_value(look, here))
    return "\n\n".join(filter(None, parts)), here


def name_at(look: Look, here: Place) -> Name | None:
    """The name that is written at a place."""
    for document, name in look.names:
        if document is look.document and (name.path, name.is_key) == (here.path, here.is_key):
            return name
    return None


def key(facts: Key, section: str, knowledge: Knowledge) -> str:
    """What a setting means, takes and is by default."""
    lines = [knowledge.description(section, facts.name)]
    takes = ", ".join(facts.values) or " or ".join(
        _TYPES[name] for name in facts.type.split("|") if name in _TYPES
    )
    default = knowledge.defaults(section).get(facts.name)
    notes = [f"Takes {takes}." if takes else ""]
    notes.append(f"By default {_shown(default)}." if default is not None else "")
    notes.append("Needs a PostgreSQL database." if facts.database else "")
    notes.append("A secret: write `os.environ/NAME`." if facts.secret else "")
    notes.append(
        f"For old files only. {knowledge.deprecated(section, facts.name)}".strip()
        if knowledge.deprecated(section, facts.name)
        else ""
    )
    lines.append(" ".join(filter(None, notes)))
    return "\n\n".join(filter(None, lines))


def own_key(path: Steps) -> str:
    """What a key of nixcfg.yaml means, from its schema; "" for one that it does not have."""
    resolved = resolved_schema(shipped.schema("project"), path)
    default = resolved.get("default")
    text = str(resolved.get("description", ""))
    return text + (f" By default {_shown(default)}." if default is not None else "")


def resolved_schema(whole: Mapping[str, Any], path: Steps) -> Mapping[str, Any]:
    """What a schema says about a path, {} where it says nothing."""
    here: Any = whole
    for step in path:
        inner = _inner(_resolved(whole, here))
        if isinstance(step, str) and step in inner.get("properties", {}):
            here = inner["properties"][step]
        else:
            here = inner.get("additionalProperties" if isinstance(step, str) else "items")
        if not isinstance(here, dict):
            return {}
    return _inner(_resolved(whole, here))


def _inner(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What counts for a mapping, where a schema has that apart."""
    return {**schema, **schema["then"]} if "then" in schema else schema


def model(knowledge: Knowledge, written: str, provider: str | None = None) -> str:
    """What LiteLLM makes of `provider/model`: who answers, the window, the price, the end."""
    found, bare = knowledge.split_model(written, provider)
    if found is None:
        return f"LiteLLM {knowledge.version} finds no provider for {written}."
    lines = [f"**{bare}** at {found}"]
    facts = knowledge.find_model(written, provider)
    if facts is None:
        open_ = (known := knowledge.provider(found)) and known.open_catalogue
        lines.append(
            "LiteLLM lists no models of this provider."
            if open_
            else "Not in LiteLLM's list of models."
        )
        return "\n\n".join(lines)
    notes = [facts.mode or ""]
    if facts.max_input_tokens:
        notes.append(f"{facts.max_input_tokens:,} tokens in")
    if facts.max_output_tokens:
        notes.append(f"{facts.max_output_tokens:,} out")
    if facts.input_cost_per_token is not None and facts.output_cost_per_token is not None:
        into, out = facts.input_cost_per_token * 1e6, facts.output_cost_per_token * 1e6
        notes.append(f"${into:g} and ${out:g} for a million tokens in and out")
    lines.append(", ".join(filter(None, notes)))
    if facts.deprecation_date:
        lines.append(f"Retired on {facts.deprecation_date}.")
    return "\n\n".join(filter(None, lines))


def _of_name(look: Look, name: Name) -> Iterator[str]:
    if name.kind == MODEL:
        yield f"**{name.text}**, a name that clients ask for"
        answering = list(_deployments(look, name.text))
        yield "\n".join(f"- {each}" for each in answering)
        if name.path[0] in SETTINGS and name.is_key and len(name.path) == 2:
            yield from _of_key(look, Place(name.path, is_key=True, range=places.Range(0, 0, 0, 0)))
    elif name.kind == VARIABLE:
        yield variable(look, name.text)
    elif name.kind == CONFIG:
        yield _configuration(look, name.text)
    else:
        yield f"**{name.text}**, credentials that deployments share"


def _deployments(look: Look, name: str) -> Iterator[str]:
    for document in look.documents.values():
        entries = document.data.get(MODELS) if isinstance(document.data, Map) else None
        for entry in entries if isinstance(entries, list) else ():
            params = entry.get("litellm_params") if isinstance(entry, Map) else None
            if isinstance(params, Map) and entry.get("model_name") == name:
                yield f"{params.get('model')} ({document.name})"


def variable(look: Look, name: str) -> str:
    """Where the value of a variable is from."""
    machine = look.machine
    lines = [f"**{name}**"]
    wired = machine.key_files.get(name) if machine else None
    if machine and wired:
        lines.append(f"Its key file is `{wired.file}`, read when the service starts.")
        lines.append(f"`nixcfg set-key {name}` stores it.")
    elif machine and name in machine.environment:
        lines.append("A plain variable of nixcfg.yaml.")
    elif look.sources:
        lines.append(f"Nothing gives it: write `{name}: ${{{name}}}` under environment_variables.")
    else:
        lines.append("LiteLLM reads it from its environment.")
    users = [p for p, f in look.knowledge.providers().items() if f.key and f.key.variable == name]
    if users:
        lines.append(f"The key of {', '.join(users[:5])}.")
    return "\n\n".join(lines)


def _configuration(look: Look, name: str) -> str:
    project = look.project
    if project and name in project.profiles:
        return f"**{name}**, a profile of {', '.join(project.profiles[name])}"
    if look.sources and name in look.sources.providers:
        names = [n for n, *_ in _given(look, name)]
        return f"**{name}**, `{look.sources.providers[name].name}`: {', '.join(names)}"
    return f"**{name}**" + (", every provider" if name == "all" else "")


def _given(look: Look, provider: str) -> Iterator[tuple[str, Any, bool]]:
    from nixcfg.settings.names import given_models

    assert look.sources is not None  # noqa: S101 (asked before)
    yield from given_models(look.sources.providers[provider])


def _of_key(look: Look, here: Place) -> Iterator[str]:
    name, section = str(here.path[-1]), here.section
    if look.is_project_file and here.path[0] not in SETTINGS:
        yield own_key(here.path)
        return
    if not section:
        return
    knowledge = look.knowledge
    facts = knowledge.keys(section).get(name)
    if facts:
        yield f"**{name}** ({section})"
        yield key(facts, section, knowledge)
        return
    home = honouring_section(knowledge, section, name)
    if home:
        yield f"**{name}** has no effect in {section}: LiteLLM reads it in {home}."
        yield key(knowledge.keys(home)[name], home, knowledge)
        if look.sources:
            yield f"nixcfg renders it in {home}."


def _of_value(look: Look, here: Place) -> Iterator[str]:
    if here.path[-1] == "model" and here.section == "litellm_params":
        params = at(look.document.data, here.path[:-1])
        provider = params.get("custom_llm_provider")
        yield model(
            look.knowledge, str(params["model"]), provider if isinstance(provider, str) else None
        )
    elif isinstance(here.path[-1], str):
        yield from _of_key(look, here)


def _rule(code: str) -> str:
    from nixcfg.problems import pages
    from nixcfg.rules import registry

    if code not in registry.RULES:
        return f"There is no rule {code}."
    page = pages.read(code)
    return f"**{code}**: {page.title}\n\n{page.explanation}"


def _resolved(whole: Any, here: Any) -> Any:
    while isinstance(here, dict) and "$ref" in here:
        target: Any = whole
        for step in here["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        here = {**target, **{k: v for k, v in here.items() if k != "$ref"}}
    return here


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value[:6])) + (" ..." if len(value) > 6 else "")
    return f"{value:g}" if isinstance(value, float) else str(value)
