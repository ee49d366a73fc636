"""What may be written where someone types. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from nixcfg.disk import shipped
from nixcfg.knowledge import Key
from nixcfg.lsp import about
from nixcfg.lsp.files import Look
from nixcfg.lsp.typed import Typed, beside, typed
from nixcfg.project import wiring
from nixcfg.project.model import ENVIRONMENT, SETTINGS
from nixcfg.settings.names import CONFIG, CREDENTIAL, VARIABLE, names_models
from nixcfg.settings.places import section_at
from nixcfg.yamltext.document import split_lines

_REFERENCE = "os.environ/"
_CHAINS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
_CALLBACKS = ("callbacks", "success_callback", "failure_callback")
MOST = 400
"""Offers at once; more than that no one looks at, and the next letter asks again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to write: `text` replaces what is typed from `column` to the cursor.

    `kind` is key, value, model or variable; `key` says in which section `about` has more of it.
    """

    label: str
    text: str
    column: int
    kind: str
    detail: str = ""
    about: str = ""


def offers(look: Look, text: str, line: int, column: int) -> list[Offer]:
    """The offers for a place in a text, which need not be YAML yet, the likeliest first."""
    lines = split_lines(text)
    here = typed(lines, line, column)
    if here is None:
        return []
    if here.is_key and not _is_item(here):
        found = _keys(look, here, beside(lines, line, here))
    else:
        found = _values(look, here)
    low = here.prefix.lower()
    fitting = [each for each in found if low in each.label.lower()]
    fitting.sort(key=lambda each: not each.label.lower().startswith(low))
    return fitting[:MOST]


def _is_item(here: Typed) -> bool:
    """Whether a word alone in a list is an item as it is: no colon will follow it."""
    if not here.path or not isinstance(here.path[-1], int) or section_at(here.path):
        return False
    return len(here.path) < 2 or here.path[-2] not in _CHAINS


def _keys(look: Look, here: Typed, there: set[str]) -> Iterator[Offer]:
    if look.is_project_file and (not here.path or here.path[0] not in SETTINGS):
        yield from _own_keys(here, there)
        return
    if here.path == (ENVIRONMENT,):
        yield from _variables_to_declare(look, here, there)
        return
    section = section_at(here.path)
    if not section:
        if here.path and names_models((*here.path, "")):
            yield from _models(look, here, ": ")
        return
    knowledge = look.knowledge
    for name, facts in knowledge.keys(section).items():
        if name not in there and not knowledge.is_internal(section, name):
            yield Offer(
                name,
                name + _after(facts),
                here.column,
                "key",
                facts.type,
                about.key(facts, section, knowledge),
            )


def _after(facts: Key) -> str:
    return ": " if not facts.types & {"map", "list", "list[str]"} else ":"


def _own_keys(here: Typed, there: set[str]) -> Iterator[Offer]:
    if here.path == ("severities",):
        yield from _codes(here, there)
        return
    known = about.resolved_schema(shipped.schema("project"), here.path)
    for name in known.get("properties", {}):
        if name not in there:
            text = about.own_key((*here.path, name))
            yield Offer(name, f"{name}: ", here.column, "key", "nixcfg", text)


def _codes(here: Typed, there: set[str]) -> Iterator[Offer]:
    from nixcfg.problems import pages
    from nixcfg.rules import policy, registry

    for code, rule in registry.RULES.items():
        if code not in there and not policy.is_fixed(rule):
            title = pages.read(code).title
            yield Offer(code, f"{code}: ", here.column, "key", rule.severity, title)


def _variables_to_declare(look: Look, here: Typed, there: set[str]) -> Iterator[Offer]:
    for variable in _variables(look):
        if variable not in there:
            text = f"{variable}: ${{{variable}}}"
            yield Offer(variable, text, here.column, "variable", "secret")


def _values(look: Look, here: Typed) -> Iterator[Offer]:
    if here.prefix.startswith(_REFERENCE):
        yield from _references(look, here)
    elif here.path:
        if look.is_project_file and here.path[0] not in SETTINGS:
            yield from _own_values(look, here)
        else:
            yield from _named(look, here)
        section, last = section_at(here.path[:-1]), _last(here)
        facts = look.knowledge.keys(section).get(last) if section else None
        if facts:
            yield from _choices(facts, here)
        if facts and facts.secret:
            yield from _references(look, here)


def _last(here: Typed) -> str:
    return next((step for step in reversed(here.path) if isinstance(step, str)), "")


def _named(look: Look, here: Typed) -> Iterator[Offer]:
    """What a value of a LiteLLM file may name."""
    last = _last(here)
    if last == "model" and section_at(here.path[:-1]) == "litellm_params":
        yield from _catalogue(look, here)
    elif last == "litellm_credential_name":
        for name in sorted({n.text for _, n in look.names if n.kind == CREDENTIAL and n.is_given}):
            yield Offer(name, name, here.column, "value", "credentials")
    elif last in _CALLBACKS:
        for name in sorted(look.knowledge.callbacks(last)):
            yield Offer(name, name, here.column, "value", "callback")
    elif names_models(here.path) and last != "model_name":
        yield from _models(look, here, "")


def _references(look: Look, here: Typed) -> Iterator[Offer]:
    for variable in _variables(look):
        text = _REFERENCE + variable
        yield Offer(text, text, here.column, "variable", "", about.variable(look, variable))


def _choices(facts: Key, here: Typed) -> Iterator[Offer]:
    choices = facts.values or (("true", "false") if facts.type == "bool" else ())
    for choice in choices:
        yield Offer(choice, choice, here.column, "value", facts.name)


def _own_values(look: Look, here: Typed) -> Iterator[Offer]:
    path, last = here.path, _last(here)
    if last == "model_config" or path[0] == "profiles":
        names = [*(look.sources.providers if look.sources else ())]
        if last == "model_config":
            names += [wiring.ALL]
            names += [each.text for _, each in look.names if each.kind == CONFIG and each.is_given]
        for name in names:
            yield Offer(name, name, here.column, "value", "configuration")
    elif names_models(path):
        yield from _models(look, here, "")
    known = about.resolved_schema(shipped.schema("project"), path)
    choices = known.get("enum") or known.get("else", {}).get("enum") or ()
    if known.get("type") == "boolean":
        choices = ("true", "false")
    for choice in choices:
        if isinstance(choice, str):
            yield Offer(choice, choice, here.column, "value", last)


def _models(look: Look, here: Typed, after: str) -> Iterator[Offer]:
    for name in sorted(look.models):
        yield Offer(name, name + after, here.column, "model", "model")


def _catalogue(look: Look, here: Typed) -> Iterator[Offer]:
    """Providers, then the models of the one that is typed."""
    knowledge = look.knowledge
    prefix, slash, _ = here.prefix.partition("/")
    if not slash:
        for name, facts in knowledge.providers().items():
            if facts.chat:
                yield Offer(f"{name}/", f"{name}/", here.column, "value", "provider")
        return
    for bare, found in knowledge.models(prefix).items():
        name = bare if bare.startswith(f"{prefix}/") else f"{prefix}/{bare}"
        detail = found.mode or ""
        yield Offer(name, name, here.column, "model", detail, about.model(knowledge, name))


def _variables(look: Look) -> list[str]:
    """Variables that the files name, then the keys of the providers that they use."""
    named = {name.text: None for _, name in look.names if name.kind == VARIABLE}
    knowledge = look.knowledge
    for document in look.documents.values():
        entries = document.data.get("model_list") if isinstance(document.data, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            params = entry.get("litellm_params") if isinstance(entry, dict) else None
            model = params.get("model") if isinstance(params, dict) else None
            provider = knowledge.split_model(model)[0] if isinstance(model, str) else None
            facts = knowledge.provider(provider) if provider else None
            named |= {each.variable: None for each in (facts.credentials if facts else ())}
    return list(named)
