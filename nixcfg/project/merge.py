"""Settings of several files as those of one LiteLLM configuration. Pure.

Each is taken to the section where LiteLLM honours it. Nothing is decided in silence: the rules
report what was moved, and a conflict that cannot be merged is part of the result.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nixcfg.knowledge import Knowledge
from nixcfg.problems.problem import Steps
from nixcfg.project.model import (
    ENVIRONMENT,
    MODELS,
    SETTINGS,
    Conflict,
    Move,
    Setting,
    Settings,
)
from nixcfg.project.values import declared_secrets, header_variables, resolve
from nixcfg.yamltext.document import Document


def settings_of(
    document: Document, sections: Iterable[str], knowledge: Knowledge
) -> tuple[Settings, tuple[Move, ...], set[str]]:
    """Every one of the top-level `sections` but the models, each setting where LiteLLM honours it.

    With them the settings that were moved, and the variables that are read.
    """
    settings: dict[Steps, list[Setting]] = {}
    moves = []
    read: set[str] = set()
    for section in sections:
        value = document.data[section]
        if section == MODELS or value is None:
            continue
        if section not in (*SETTINGS, ENVIRONMENT):
            settings[(section,)] = [Setting(resolve(value, read), document, (section,))]
            continue
        secrets = declared_secrets(value) if section == ENVIRONMENT else ()
        for key, inner in value.items():
            if key in secrets:
                continue
            if key == "pass_through_endpoints":
                read |= header_variables(inner)
            setting = Setting(resolve(inner, read), document, (section, key))
            home = section if section == ENVIRONMENT else honouring_section(knowledge, section, key)
            if home and home != section:
                moves.append(Move(setting, home))
            settings.setdefault((home or section, key), []).append(setting)
    return {place: tuple(given) for place, given in settings.items()}, tuple(moves), read


def honouring_section(knowledge: Knowledge, section: str, key: str) -> str | None:
    """The section in which LiteLLM honours `key`: this one, the only other one, or None."""
    if knowledge.honoured(section, key):
        return section
    homes = [home for home in knowledge.homes(key) if home in SETTINGS]
    return homes[0] if len(homes) == 1 else None


def merged(
    place: Steps, own: Sequence[Setting], given: Sequence[Setting], conflicts: list[Conflict]
) -> Any:
    """One value out of several. What nixcfg.yaml says (`own`) wins over what providers say.

    Mappings are merged key by key; lists of one-entry mappings (fallbacks) like the mappings they
    mean; lists of mappings (credential_list) are joined. Whatever else differs is a
    conflict, also within one file.
    """
    settings = [*own, *given]
    values = [setting.value for setting in settings]
    alike = (value == values[0] and type(value) is type(values[0]) for value in values)
    if len(values) == 1 or all(alike):  # .nan is not even equal to itself
        return values[0]
    if all(isinstance(value, Mapping) for value in values):
        keys = {key: None for value in values for key in value}
        return {
            key: merged((*place, key), _under(own, key), _under(given, key), conflicts)
            for key in keys
        }
    if all(_is_chain(value) for value in values):
        chains = [_chain(setting) for setting in own], [_chain(setting) for setting in given]
        return [{key: value} for key, value in merged(place, *chains, conflicts).items()]
    if own and given:
        return merged(place, own, (), conflicts)
    if len(place) == 1 and all(isinstance(value, list) for value in values):
        joined: list[Any] = []
        for value in values:
            joined += [item for item in value if item not in joined]
        return joined
    conflicts.append(Conflict(place, tuple(settings)))
    return values[-1]


def _under(settings: Iterable[Setting], key: str) -> list[Setting]:
    return [Setting(s.value[key], s.document, (*s.path, key)) for s in settings if key in s.value]


def _is_chain(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, Mapping) and len(item) == 1 for item in value
    )


def _chain(setting: Setting) -> Setting:
    merged = {key: value for item in setting.value for key, value in item.items()}
    return Setting(merged, setting.document, setting.path)
