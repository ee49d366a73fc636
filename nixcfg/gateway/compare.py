"""What a configuration renders to, against what a gateway serves."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nixcfg import knowledge
from nixcfg.project.model import MODELS, Config


@dataclass(frozen=True, slots=True)
class Comparison:
    """The models of a configuration against those that a gateway serves."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


def compare(config: Config, served: Iterable[str]) -> Comparison:
    """`served` are the ids of /v1/models, where a wildcard is listed as the models it covers."""
    served = list(served)
    names = list(dict.fromkeys(entry["model_name"] for entry in config.litellm[MODELS]))
    aliases = config.litellm.get("router_settings", {}).get("model_group_alias") or {}
    missing = [name for name in names if not _is_served(name, served)]
    unexpected = [
        name
        for name in served
        if name not in aliases and not any(covers(pattern, name) for pattern in names)
    ]
    return Comparison(tuple(missing), tuple(unexpected))


def _is_served(name: str, served: Sequence[str]) -> bool:
    if "*" not in name:
        return name in served
    prefix = name.partition("/")[0]
    known = any(facts.mode == "chat" for facts in knowledge.models(prefix).values())
    # LiteLLM lists what it knows of a provider; for other patterns there is nothing to look for.
    return name != f"{prefix}/*" or not known or any(covers(name, each) for each in served)


def covers(pattern: str, name: str) -> bool:
    """Whether LiteLLM takes a model name for this one of the configuration, which may have *."""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name))
