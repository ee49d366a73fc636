"""Which teams and keys of nixcfg.yaml may use which models, before a switch and after it. Pure.

As LiteLLM decides it (proxy/auth/auth_checks.py): a request needs the leave of its key, and of the
key's team, or of its user where it has no team. An empty list allows every model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nixcfg.access.desired import KINDS
from nixcfg.gateway.compare import covers
from nixcfg.plan.change import Change, Kind
from nixcfg.plan.facts import Facts
from nixcfg.project.model import MODELS

_EVERYTHING = frozenset({"*", "all-proxy-models", "all-team-models"})
_NOTHING = "no-default-models"
_LEFT = {"team": "is blocked", "user": "stays", "key": "is blocked"}
"""What becomes of what is no longer in nixcfg.yaml, without prune (nixcfg/access/leaving.py)."""


def permitted(old: Facts, new: Facts) -> Iterator[Change]:
    """What becomes of teams, users and keys: the models that they gain and lose, and whatever else
    differs, by its name."""
    if old.access and not new.access:
        yield Change("access", Kind.REMOVED, ", ".join(KINDS), "stay as they are, and unmanaged")
        return
    was, becomes = _Access(old), _Access(new)
    for section, kind in KINDS.items():
        before, after = was.entries(section), becomes.entries(section)
        for name in dict.fromkeys((*before, *after)):
            if name not in before:
                models = ", ".join(becomes.usable(after[name])) or "no model"
                yield Change(kind, Kind.ADDED, name, models)
            elif name not in after:
                left = "is deleted" if new.access.get("prune") else _LEFT[kind]
                yield Change(kind, Kind.REMOVED, name, left)
            else:
                models_of = was.usable(before[name]), becomes.usable(after[name])
                # Those who may use everything have what the gateway has.
                is_all = models_of == (was.models, becomes.models)
                said = () if is_all else _gained(*models_of)
                if kind == "key" and old.value_files.get(name) != new.value_files.get(name):
                    said = (*said, "file")
                if said := (*said, *_differing(before[name], after[name])):
                    yield Change(kind, Kind.CHANGED, name, ", ".join(said))


def _gained(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    return (
        *(f"+{model}" for model in after if model not in before),
        *(f"-{model}" for model in before if model not in after),
    )


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    before, after = ({**each, **each["fields"], "fields": None, "models": None}
                     for each in (one, other))  # fmt: skip
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key


class _Access:
    """One side of a switch: its models in their order, and who may use which."""

    def __init__(self, facts: Facts) -> None:
        self._access = facts.access
        self._groups: dict[str, set[str]] = {}
        for each in facts.config.get(MODELS) or ():
            listed = (each.get("model_info") or {}).get("access_groups") or ()
            self._groups.setdefault(str(each.get("model_name")), set()).update(map(str, listed))
        self.models = [*self._groups]

    def entries(self, section: str) -> Mapping[str, Mapping[str, Any]]:
        """The teams, users or keys, by name."""
        found: Mapping[str, Mapping[str, Any]] = self._access.get(section, {})
        return found

    def usable(self, entry: Mapping[str, Any]) -> list[str]:
        """The models that a team, user or key may use."""
        lists = [_listed(entry)]
        if entry.get("team"):
            lists.append(_listed(self.entries("teams").get(entry["team"])))
        elif entry.get("user"):
            lists.append(_listed(self.entries("users").get(entry["user"])))
        return [
            model
            for model, groups in self._groups.items()
            if all(_allows(allowed, (model, *groups)) for allowed in lists)
        ]


def _listed(entry: Mapping[str, Any] | None) -> list[str]:
    return list(map(str, (entry["fields"].get("models") if entry else None) or ()))


def _allows(allowed: Sequence[str], names: Iterable[str]) -> bool:
    """Whether a list allows a model, of which `names` are its own and those of its groups."""
    if _NOTHING in allowed:
        return False
    if not allowed or not _EVERYTHING.isdisjoint(allowed):
        return True
    return any(covers(each, name) for each in allowed for name in names)
