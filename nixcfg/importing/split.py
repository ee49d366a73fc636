"""The provider files that configurations become. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from nixcfg.importing import Kind
from nixcfg.importing.litellm import Litellm
from nixcfg.importing.rest import Rest, without
from nixcfg.problems.problem import Steps
from nixcfg.project import wiring
from nixcfg.project.model import ENVIRONMENT, MODELS, SETTINGS

_GENERIC = re.compile("config|litellm|proxy|settings|models|compose|docker")


@dataclass(slots=True)
class ProviderFile:
    """A provider file in the making; `of` is the source that its lines come from."""

    of: Litellm
    rest: Rest
    added: str = ""

    @property
    def text(self) -> str:
        return self.rest.text + (f"\n{self.added}" if self.added else "")


def each_as_provider(sources: Sequence[Litellm]) -> dict[str, ProviderFile]:
    """Each configuration as one provider file, by a name made of the file's."""
    providers: dict[str, ProviderFile] = {}
    for each in sources:
        if each.groups:
            name = _unused(_file_name(each), providers)
            providers[name] = ProviderFile(each, without(each.document, each.gone))
        else:
            each.note(Kind.LEFT_OUT, (), "no model is left of this file")
    return providers


def split(sources: Sequence[Litellm]) -> tuple[dict[str, ProviderFile], Rest | None]:
    """One configuration as a provider file for each LiteLLM provider, and the settings of all."""
    (whole,) = sources
    data = whole.document.data
    if len(whole.groups) == 1:
        (group,) = whole.groups
        stem = _file_name(whole)
        is_generic = whole.is_inline or _GENERIC.search(stem)
        name = _unused(group if is_generic else stem, {})
        return {name: ProviderFile(whole, without(whole.document, whole.gone))}, None
    settings: set[Steps] = {(section,) for section in SETTINGS if section in data}
    moved = {*settings, *({(ENVIRONMENT,)} if ENVIRONMENT in data else ())}
    providers: dict[str, ProviderFile] = {}
    for group, indices in whole.groups.items():
        others = {(MODELS, n) for n in range(len(data[MODELS])) if n not in indices}
        gone = {*whole.gone, *moved, *others, *_unused_credentials(data, indices)}
        name = _unused(group, providers)
        providers[name] = ProviderFile(whole, without(whole.document, gone, header=False))
    kept = {(section,) for section in data} - settings
    blocks = without(whole.document, {*whole.gone, *kept})
    return providers, blocks if blocks.text else None


def _unused_credentials(data: Mapping[str, Any], indices: Sequence[int]) -> set[Steps]:
    used = {
        data[MODELS][index]["litellm_params"].get("litellm_credential_name") for index in indices
    }
    return {
        ("credential_list", number)
        for number, credential in enumerate(data.get("credential_list") or ())
        if credential["credential_name"] not in used
    }


def _file_name(each: Litellm) -> str:
    return PurePosixPath(each.file_name).stem


def _unused(wanted: str, taken: Iterable[str]) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-_")[:60] or "provider"
    taken = {*taken, wiring.ALL}
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)
