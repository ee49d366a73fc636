"""What changes between two gateways, for whom, and what a switch does about it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg import knowledge
from nixcfg.knowledge import Knowledge
from nixcfg.plan.change import Change, Kind
from nixcfg.plan.database import Migrations, migrations
from nixcfg.plan.effects import SECONDS, Effect, effects, refuses
from nixcfg.plan.facts import Facts
from nixcfg.plan.permitted import permitted
from nixcfg.project.model import MODELS
from nixcfg.providers import catalogue


@dataclass(frozen=True, slots=True)
class Plan:
    """What a switch changes. `access` is what teams, users and keys may use. `costs` are the ways
    in which requests are lost, a sentence each; `refused` is for how long none is answered, from
    and to in seconds. `drift` is what a switch leaves as it is, and `unsure` what cannot be known
    from here."""

    changes: tuple[Change, ...]
    effects: tuple[Effect, ...]
    costs: tuple[str, ...] = ()
    refused: tuple[int, int] | None = None
    migrations: Migrations | None = None
    unsure: tuple[str, ...] = ()
    access: tuple[Change, ...] = ()
    drift: tuple[Change, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether requests are lost."""
        return bool(self.costs)

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
    "database": "database",
    "redis": "redis",
}
"""Settings of the machine, as nixcfg.yaml calls them."""


def plan(old: Facts, new: Facts) -> Plan:
    """Everything that a switch from `old` to `new` changes."""
    touched, tables = effects(old, new), migrations(old, new)
    refused = SECONDS if refuses(old, new) else None
    return Plan(
        changes=(*_models(old, new), *_keys(old, new), *_settings(old, new)),
        effects=touched,
        costs=tuple(_costs(touched, tables, refused=refused is not None)),
        refused=refused,
        migrations=tables,
        unsure=tuple(_unsure(old, new)),
        access=tuple(permitted(old, new)),
    )


def _costs(
    touched: tuple[Effect, ...], tables: Migrations | None, *, refused: bool
) -> Iterator[str]:
    if refused:
        yield (
            "Requests are refused while LiteLLM starts, which takes {} to {} seconds.".format(
                *SECONDS
            )
        )
    does = {each.unit: each.verb for each in touched}
    if does.get("nginx.service") == "reloads":
        yield (
            "nginx closes the connections that clients keep open: a request that one of them sends "
            "at that moment is lost."
        )
    if does.get("nginx.service") == "stops":
        yield (
            "nginx stops, unless the machine has it for something else: answers that it is passing "
            "on break off."
        )
    if does.get("postgresql.service") == "restarts":
        yield "Requests that need the database are refused while PostgreSQL restarts, for seconds."
    if tables and tables.loses:
        yield tables.meanwhile


def _unsure(old: Facts, new: Facts) -> Iterator[str]:
    if old.has_settings:
        yield (
            "Nix changes this configuration after it is rendered (configs.NAME.settings), which "
            "is not in the sources: what it changes is shown as a difference."
        )
    if new.module and old.module != new.module:
        yield (
            f"The module is another one ({old.module} -> {new.module}): its units may change in "
            "more ways than the sources say, and the containers are taken to restart."
        )


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
            yield Change("key", Kind.ADDED, name, after.file if after else "")
        elif after is None:
            yield Change("key", Kind.REMOVED, name, before.file)
        elif before != after:
            pairs = (before.file, after.file), (before.how, after.how)
            said = [f"{was} -> {becomes}" for was, becomes in pairs if was != becomes]
            yield Change("key", Kind.CHANGED, name, ", ".join(said) or "changed")


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
    return str(value) or "none"


def _sections(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Settings by section and key, without their values."""
    for section in dict.fromkeys((*old, *new)):
        before, after = old.get(section), new.get(section)
        if section == MODELS or before == after:
            continue
        if not all(each is None or isinstance(each, dict) for each in (before, after)):
            kind = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
            yield Change("setting", kind, section)
            continue
        before, after = before or {}, after or {}
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
