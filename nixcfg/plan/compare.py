"""What changes between two gateways, for whom, and what a switch does about it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg import knowledge
from nixcfg.knowledge import Knowledge
from nixcfg.plan.change import Change, Kind
from nixcfg.plan.facts import Facts
from nixcfg.plan.permitted import permitted
from nixcfg.project import wiring
from nixcfg.project.model import MODELS
from nixcfg.providers import catalogue


@dataclass(frozen=True, slots=True)
class Effect:
    """What a switch does to one unit, and why. `verb` is restarts, starts, stops or rolls."""

    unit: str
    verb: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a switch changes. `access` is what teams, users and keys may use; `loses` says whether
    requests are lost; `drift` is what a switch leaves as it is, and `unsure` what cannot be known
    from here."""

    changes: tuple[Change, ...]
    effects: tuple[Effect, ...]
    loses: bool
    unsure: tuple[str, ...] = ()
    access: tuple[Change, ...] = ()
    drift: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.effects or self.access or self.drift)


_OPTIONS = {
    "listen_address": "address",
    "port": "port",
    "auth": "auth",
    "workers": "workers",
    "metrics": "metrics",
    "host_ports": "host_ports",
    "instances": "instances",
}
"""Settings of the machine, as nixcfg.yaml calls them and as a reason is called."""


def plan(old: Facts, new: Facts) -> Plan:
    """Everything that a switch from `old` to `new` changes."""
    changes = [*_models(old, new), *_keys(old, new), *_settings(old, new)]
    why = _why(old, new)
    effects, loses = _effects(old, new, why)
    unsure = []
    if old.has_settings:
        unsure.append(
            "Nix changes this configuration after it is rendered (configs.NAME.settings), which "
            "is not in the sources: what it changes is shown as a difference."
        )
    return Plan(tuple(changes), tuple(effects), loses, tuple(unsure), tuple(permitted(old, new)))


# What changes for the people who use it.


def _by_name(facts: Facts) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in facts.config.get(MODELS) or ():
        found.setdefault(str(entry.get("model_name")), []).append(entry.get("litellm_params") or {})
    return found


def _models(old: Facts, new: Facts) -> Iterator[Change]:
    before, after = _by_name(old), _by_name(new)
    sets = _knowledge(old), _knowledge(new)
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if one is None and other is not None:
            yield Change("model", Kind.ADDED, name, _described(other, sets[1]))
        elif other is None and one is not None:
            yield Change("model", Kind.REMOVED, name, _described(one, sets[0]))
        elif one is not None and other is not None:
            was, becomes = _described(one, sets[0]), _described(other, sets[1])
            if was != becomes:
                yield Change("model", Kind.CHANGED, name, f"{was} -> {becomes}")
            elif one != other:
                yield Change("model", Kind.CHANGED, name, f"{was}: {_differing(one, other)}")


def _knowledge(facts: Facts) -> Knowledge:
    return knowledge.choose(knowledge.of_image(facts.image)).knowledge


def _described(deployments: list[Mapping[str, Any]], known: Knowledge) -> str:
    """`openai/gpt-5, 1.25 in, 10 out, 400k`; several deployments of a name are joined."""
    said = []
    for params in deployments:
        model = str(params.get("model"))
        facts = known.find_model(model, params.get("custom_llm_provider"))
        parts = [model]
        if facts is not None:
            prices = (facts.input_cost_per_token, facts.output_cost_per_token)
            parts += [
                f"{catalogue.price(cost)} {way}"
                for cost, way in zip(prices, ("in", "out"), strict=True)
                if cost is not None
            ]
            parts.append(catalogue.context(facts))
        said.append(", ".join(filter(None, parts)))
    return " and ".join(said)


def _differing(one: list[Mapping[str, Any]], other: list[Mapping[str, Any]]) -> str:
    """The parameters that differ; their values may be secret in a file made by hand."""
    keys = {
        key
        for before, after in zip(one, other, strict=False)
        for key in {*before, *after}
        if before.get(key) != after.get(key)
    }
    if len(one) != len(other):
        return f"{len(one)} -> {len(other)} deployments"
    return f"{', '.join(sorted(keys))} changed" if keys else "changed"


def _keys(old: Facts, new: Facts) -> Iterator[Change]:
    for name in dict.fromkeys((*old.key_files, *new.key_files)):
        before, after = old.key_files.get(name), new.key_files.get(name)
        if before is None:
            yield Change("key", Kind.ADDED, name, after or "")
        elif after is None:
            yield Change("key", Kind.REMOVED, name, before)
        elif before != after:
            yield Change("key", Kind.CHANGED, name, f"{before} -> {after}")


def _settings(old: Facts, new: Facts) -> Iterator[Change]:
    if old.model_config != new.model_config:
        yield Change("configuration", Kind.CHANGED, f"{old.model_config} -> {new.model_config}")
    if old.image != new.image:
        yield Change("image", Kind.CHANGED, f"{old.image} -> {new.image}")
    for attribute, name in _OPTIONS.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            yield Change(name, Kind.CHANGED, f"{_said(before)} -> {_said(after)}")
    for variable in sorted({*old.environment, *new.environment}):
        if old.environment.get(variable) != new.environment.get(variable):
            yield Change("environment", Kind.CHANGED, variable)
    yield from _sections(old.config, new.config)


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _sections(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Settings by section and key, without their values."""
    for section in dict.fromkeys((*old, *new)):
        before, after = old.get(section), new.get(section)
        if section == MODELS or before == after:
            continue
        if not (isinstance(before, dict) and isinstance(after, dict)):
            kind = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
            yield Change("setting", kind, section)
            continue
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                kind = (
                    Kind.ADDED
                    if key not in before
                    else Kind.REMOVED
                    if key not in after
                    else Kind.CHANGED
                )
                yield Change("setting", kind, f"{section}.{key}")


# What a switch does.


def _why(old: Facts, new: Facts) -> tuple[str, ...]:
    """Why a container is not what it would be started with now."""
    reasons = {
        "configuration": old.text != new.text,
        "image": old.image != new.image,
        "keys": old.key_files != new.key_files,
        "environment": old.environment != new.environment,
        "module": bool(new.module) and old.module != new.module,
        "backend": bool(new.backend) and old.backend != new.backend,
        **{name: getattr(old, key) != getattr(new, key) for key, name in _OPTIONS.items()},
    }
    if old.instances > 1 and new.instances > 1:
        # Behind nginx: what it listens on is no matter of the containers, nor is their number.
        for name in ("address", "port", "instances"):
            reasons.pop(name)
    return tuple(name for name, is_true in reasons.items() if is_true)


def _effects(old: Facts, new: Facts, why: tuple[str, ...]) -> tuple[list[Effect], bool]:
    backend = new.backend or old.backend
    before = {wiring.container_unit(old.backend, each) for each in wiring.containers(old.instances)}
    after = {wiring.container_unit(backend, each) for each in wiring.containers(new.instances)}
    effects = [Effect(unit, "stops") for unit in sorted(before - after)]
    effects += [Effect(unit, "starts") for unit in sorted(after - before)]
    stays = sorted(before & after)
    # A container that is gone, or one alone that restarts: no other answers meanwhile.
    loses = not stays
    if why and stays:
        verb = "restarts" if new.instances == 1 else "restarts, one after the other"
        effects += [Effect(unit, verb, why) for unit in stays]
        loses = new.instances == 1
    return effects, loses and bool(effects)
