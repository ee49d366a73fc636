"""Complete JSON Schemas (draft-07) of provider files, LiteLLM files and nixcfg.yaml, for editors.

They say what each setting of one LiteLLM release means and takes. What is wrong with a file is for
the rules to say: a schema here refuses nothing that LiteLLM takes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from nixcfg.disk import shipped
from nixcfg.knowledge import Key, Knowledge, Section
from nixcfg.project.merge import honouring_section
from nixcfg.project.model import SETTINGS
from nixcfg.settings.places import ENTRIES, NESTED, TOP

KINDS = ("provider", "project", "litellm")
_Schema = dict[str, Any]

_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "list[str]": "array",
    "map": "object",
}
_REFERENCE = {"$ref": "#/definitions/reference"}
_DEFINITIONS: _Schema = {
    "reference": {
        "description": "os.environ/NAME: the value of an environment variable.",
        "type": "string",
        "pattern": "^os\\.environ/.",
    }
}
_CALLBACKS = ("callbacks", "success_callback", "failure_callback")
_BY_NAME = "model_group_alias"


def complete(kind: str, knowledge: Knowledge) -> _Schema:
    """The schema of one of KINDS, for the release of `knowledge`."""
    own = _draft_07(shipped.schema("project" if kind == "project" else "provider"))
    head: _Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:nixcfg:schema:{kind}:litellm-{knowledge.version}",
        "title": "LiteLLM configuration" if kind == "litellm" else own["title"],
        "description": f"{own['description']} Settings of LiteLLM {knowledge.version}.",
    }
    renders = kind != "litellm"
    sections = {
        name: _section(section, knowledge, renders=renders)
        for name, section in knowledge.sections().items()
    }
    if kind == "litellm":
        head["description"] = f"A configuration of the LiteLLM proxy {knowledge.version}."
    if kind == "project":
        for name in SETTINGS:
            about = own["properties"][name]["description"]
            own["properties"][name] = {"description": about, "$ref": f"#/definitions/{name}"}
        own["properties"]["severities"]["properties"] = dict(_severities())
        body = _draft_07({key: own[key] for key in own if key not in head})
        used = _reached(sections, SETTINGS)
    else:
        body = sections.pop(TOP)
        if kind == "provider":
            body["required"] = own.get("required", [])
            for key, each in own["properties"].items():
                body["properties"][key]["description"] = each["description"]
        used = set(sections)
    definitions = {**_DEFINITIONS, **own.get("definitions", {})} if kind == "project" else {}
    definitions |= _DEFINITIONS | {name: sections[name] for name in sorted(used)}
    return {**head, **body, "definitions": definitions}


def _reached(sections: Mapping[str, _Schema], names: tuple[str, ...]) -> set[str]:
    """The sections of these names, and those inside them."""
    found = set(names)
    for (outer, _), inner in [*NESTED.items(), *ENTRIES.items()]:
        if outer in found and inner in sections:
            found.add(inner)
    return found


def _section(section: Section, knowledge: Knowledge, *, renders: bool) -> _Schema:
    properties = {
        key: _key(section, facts, knowledge) for key, facts in sorted(section.keys.items())
    }
    for key in _strays(section.name, knowledge):
        properties.setdefault(key, _stray(section.name, key, knowledge, renders=renders))
    required = [key for key, facts in section.keys.items() if facts.required]
    # LiteLLM reads an empty section as one that is not there.
    found: _Schema = {"type": ["object", "null"] if section.name in SETTINGS else "object"}
    found["properties"] = properties
    if required:
        found["required"] = sorted(required)
    return found


def _strays(section: str, knowledge: Knowledge) -> Iterator[str]:
    """Settings that people look for here, and that LiteLLM reads in another section."""
    if section in SETTINGS:
        for other in SETTINGS:
            for key in knowledge.keys(other):
                if not knowledge.honoured(section, key) and not knowledge.is_internal(other, key):
                    yield key


def _stray(section: str, key: str, knowledge: Knowledge, *, renders: bool) -> _Schema:
    home = honouring_section(knowledge, section, key)
    homes = [home] if home else [name for name in SETTINGS if knowledge.honoured(name, key)]
    message = f"No effect in {section}: LiteLLM reads it in {' and '.join(homes)}."
    if renders and home:
        message += " nixcfg renders it there."
    return {
        "description": message,
        "deprecated": True,
        "deprecationMessage": message,
        "doNotSuggest": True,
    }


def _key(section: Section, facts: Key, knowledge: Knowledge) -> _Schema:
    key = facts.name
    about = [knowledge.description(section.name, key)]
    if facts.secret:
        about.append("A secret: write os.environ/NAME.")
    if facts.database:
        about.append("Needs a PostgreSQL database.")
    found: _Schema = {"description": " ".join(about)}
    instead = knowledge.deprecated(section.name, key)
    if instead:
        found |= {"deprecated": True, "deprecationMessage": instead}
    if knowledge.is_internal(section.name, key):
        found["doNotSuggest"] = True
    default = knowledge.defaults(section.name).get(key)
    if default is not None:
        found["default"] = default
    return found | _value(section, facts, knowledge)


def _value(section: Section, facts: Key, knowledge: Knowledge) -> _Schema:
    """What a key takes."""
    place = (section.name, facts.name)
    if place in ENTRIES:
        entry = {"$ref": f"#/definitions/{ENTRIES[place]}"}
        if facts.types <= {"list", "any"} and section.name == TOP:
            return {"type": ["array", "null"], "items": entry}
        other = {"anyOf": [{"type": "string"}, entry]} if facts.name == _BY_NAME else entry
        return {"type": ["object", "null"], "additionalProperties": other}
    if place in NESTED:
        nested = {"$ref": f"#/definitions/{NESTED[place]}"}
        return {"anyOf": [nested, {"type": "null"}]} if not facts.required else {"allOf": [nested]}
    if section.name == TOP and facts.name == "environment_variables":
        return {"type": ["object", "null"]}
    if section.name == TOP and facts.name == "include":
        return {"type": "array", "items": {"type": "string"}}
    types = _types(section, facts)
    if not types:
        return {}
    if facts.values:
        choices = {"enum": list(facts.values)}
        others = [name for name in types if name != "string"]
        return {"anyOf": [choices, _REFERENCE, {"type": others}]}
    found: _Schema = {"type": types}
    if section.name == "litellm_settings" and facts.name in _CALLBACKS:
        known = sorted(knowledge.callbacks(facts.name))
        found["items"] = {"anyOf": [{"enum": known}, {}]}
    if "string" in types:
        return found
    return {"anyOf": [found, _REFERENCE]}


def _types(section: Section, facts: Key) -> list[str]:
    """JSON's types for a key, [] for any."""
    if "any" in facts.types:
        return []
    types = {_TYPES[name] for name in facts.types}
    if section.coerced and types & {"integer", "number", "boolean"}:
        types |= {"string", "number"}  # "100" counts as 100, and 1 as true
    if section.unknown == "kept" and "string" in types:
        types.add("number")  # `port: 6379` in cache_params
    if "number" in types:
        types.discard("integer")
    if not facts.required:
        types.add("null")
    return sorted(types)


def _severities() -> Iterator[tuple[str, _Schema]]:
    from nixcfg.problems import pages
    from nixcfg.rules import policy, registry

    for code, rule in registry.RULES.items():
        if not policy.is_fixed(rule):
            choices = ["error", "warning", "note", "off", False]
            about = f"{pages.read(code).title} ({rule.severity})"
            yield code, {"description": about, "enum": choices}


def _draft_07(value: Any) -> Any:
    """A schema of 2020-12 in draft-07, where what is beside a $ref does not count."""
    if isinstance(value, list):
        return [_draft_07(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {
        "definitions" if key == "$defs" else key: _draft_07(inner)
        for key, inner in value.items()
        if key != "x-accepted"
    }
    reference = found.get("$ref")
    if isinstance(reference, str):
        target = {"$ref": reference.replace("#/$defs/", "#/definitions/")}
        beside = {key: inner for key, inner in found.items() if key != "$ref"}
        return {**beside, "allOf": [target]} if beside else target
    return found
