"""The project as nixcfg understands it: frozen values, built once from the documents.

This is where a provider file becomes what LiteLLM has to be given: settings in the section where
LiteLLM honours them, `${KEY}` as `os.environ/KEY`, an explicit credential for every deployment,
several providers merged into one configuration. Nothing is decided in silence: rules.py reports
every such change, and a conflict that cannot be merged is part of the result.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from nixcfg import knowledge, wiring
from nixcfg.problem import Steps
from nixcfg.source import Document
from nixcfg.wiring import KeyFile

SETTINGS = ("litellm_settings", "router_settings", "general_settings")
ENVIRONMENT = "environment_variables"
MODELS = "model_list"
PROMETHEUS = "prometheus"
"""The callback with which LiteLLM answers on /metrics."""
_BY_VARIABLE = ("secrets", "environment")

_ORDER = {section: index for index, section in enumerate((*SETTINGS, ENVIRONMENT))}


class Setting(NamedTuple):
    """A value and the place where a user wrote it."""

    value: Any
    document: Document
    path: Steps


Settings = Mapping[Steps, tuple[Setting, ...]]
"""By the place where LiteLLM honours them: (section, key), or (section,) for a whole section."""


class Move(NamedTuple):
    """A setting that LiteLLM ignores where it stands, and the one section that honours it."""

    setting: Setting
    section: str

    @property
    def key(self) -> str:
        return str(self.setting.path[-1])


class Conflict(NamedTuple):
    """One setting of one configuration, given differently in several places."""

    place: Steps
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider file. `variables` are all that its configuration reads from the environment."""

    name: str
    document: Document
    deployments: tuple[Mapping[str, Any], ...]
    settings: Settings
    moves: tuple[Move, ...]
    variables: frozenset[str]

    @property
    def model_names(self) -> tuple[str, ...]:
        return tuple(entry["model_name"] for entry in self.deployments)


@dataclass(frozen=True, slots=True)
class Config:
    """What one rendered LiteLLM file holds, and the variables that must be wired for it."""

    name: str
    providers: tuple[str, ...]
    litellm: Mapping[str, Any]
    secrets: tuple[str, ...]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """A database or a Redis: on the machine itself where `host` is None. None: not said."""

    host: str | None = None
    port: int | None = None
    name: str | None = None
    user: str | None = None
    password_file: str | None = None
    ssl_mode: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What belongs to one machine: what runs there, and where its keys lie.

    `name` is that of an entry in hosts, or "" for what nixcfg.yaml itself says; `given` are the
    places of the host's own values. `configs` are all of the project, as this machine has them.
    """

    name: str
    given: frozenset[Steps]
    model_config: str
    backend: str
    image: str
    listen_address: str
    port: int
    auth: str
    master_key_file: str | None
    secrets_dir: str
    environment: Mapping[str, str]
    secrets: Mapping[str, Any]
    instances: int
    workers: int
    database: Server | None
    salt_key_file: str | None
    redis: Server | None
    metrics: bool
    configs: tuple[Config, ...]
    key_files: Mapping[str, KeyFile] = field(default_factory=dict)

    @property
    def loaded(self) -> Config | None:
        """What the container loads; None where model_config names nothing."""
        return next((each for each in self.configs if each.name == self.model_config), None)

    def at(self, *path: str) -> Steps:
        """Where a key, or an entry of `secrets` or `environment`, stands in nixcfg.yaml."""
        own = path[:2] in self.given or path[:1] in self.given
        return ("hosts", self.name, *path) if own else path


@dataclass(frozen=True, slots=True)
class Project:
    """A whole project; `providers` in the order in which they are shown.

    `machine` is the one that is asked about: the only one, or, in a project with `hosts`, what
    they have in common, until one of them is chosen by `on`.
    """

    document: Document
    profiles: Mapping[str, tuple[str, ...]]
    providers: tuple[Provider, ...]
    moves: tuple[Move, ...]
    machine: Machine
    hosts: Mapping[str, Machine]

    @property
    def configs(self) -> tuple[Config, ...]:
        """Every configuration, in the order in which they are shown."""
        return self.machine.configs

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Those that are rendered."""
        return tuple(self.hosts.values()) or (self.machine,)

    def on(self, host: str) -> "Project":
        """The same project, asked about one of its hosts."""
        return replace(self, machine=self.hosts[host])


def build(document: Document, provider_documents: Mapping[str, Document]) -> Project:
    """The project of a nixcfg.yaml and its provider files, by provider name.

    The documents have passed their schemas; what else may be wrong with them is still there.
    """
    data: Mapping[str, Any] = document.data
    hosts: Mapping[str, Mapping[str, Any]] = {
        name: given or {} for name, given in data.get("hosts", {}).items()
    }
    declared = {
        variable
        for given in (data, *hosts.values())
        for section in ("secrets", "environment")
        for variable in given.get(section, {})
    }
    providers = tuple(
        provider(name, provider_documents[name], declared) for name in sorted(provider_documents)
    )
    own, moves, read = _settings(document)
    profiles = {name: tuple(members) for name, members in data.get("profiles", {}).items()}
    by_name = {each.name: each for each in providers}
    groups = {
        **{each.name: (each.name,) for each in providers},
        **{name: profiles[name] for name in sorted(profiles)},
        wiring.ALL: tuple(by_name),
    }

    @functools.cache  # hosts with nothing of their own in it share what they load
    def configs(environment: frozenset[str], metrics: bool) -> tuple[Config, ...]:
        return tuple(
            _config(
                name,
                [by_name[m] for m in members if m in by_name],
                own,
                read,
                environment,
                metrics=metrics,
            )
            for name, members in groups.items()
        )

    return Project(
        document=document,
        profiles=profiles,
        providers=providers,
        moves=moves,
        machine=_machine("", data, {}, configs),
        hosts={name: _machine(name, data, hosts[name], configs) for name in sorted(hosts)},
    )


def _machine(
    name: str,
    base: Mapping[str, Any],
    given: Mapping[str, Any],
    configs: Callable[[frozenset[str], bool], tuple[Config, ...]],
) -> Machine:
    """One machine: what nixcfg.yaml says, and over it what is `given` under its name.

    `secrets` and `environment` are merged variable by variable; any other key is replaced.
    """
    data = {**base, **given}
    merged = {key: {**base.get(key, {}), **given.get(key, {})} for key in _BY_VARIABLE}
    secrets_dir = data.get("secrets_dir", wiring.DEFAULT_SECRETS_DIR)
    metrics = data.get("metrics", False)
    its_configs = configs(frozenset(merged["environment"]), metrics)
    return Machine(
        name=name,
        given=frozenset(
            place
            for key, value in given.items()
            for place in ([(key, v) for v in value] if key in _BY_VARIABLE else [(key,)])
        ),
        model_config=data.get("model_config", wiring.ALL),
        backend=data.get("backend", "docker"),
        image=data.get("image", wiring.DEFAULT_IMAGE),
        listen_address=data.get("listen_address", "127.0.0.1"),
        port=data.get("port", 4000),
        auth=data.get("auth", "master-key"),
        master_key_file=data.get("master_key_file"),
        secrets_dir=secrets_dir,
        environment=merged["environment"],
        secrets=merged["secrets"],
        instances=data.get("instances", 1),
        workers=data.get("workers", 1),
        database=_server(data.get("database")),
        salt_key_file=data.get("salt_key_file"),
        redis=_server(data.get("redis")),
        metrics=metrics,
        configs=its_configs,
        key_files={
            variable: _key_file(variable, merged["secrets"].get(variable), secrets_dir)
            for variable in sorted({secret for each in its_configs for secret in each.secrets})
        },
    )


def _server(given: Any) -> Server | None:
    if given is None:
        return None
    return Server() if given == "local" else Server(**given)


def provider(name: str, document: Document, declared: Iterable[str] = ()) -> Provider:
    """One provider file. `declared`: variables that the project wires for everyone."""
    data: Mapping[str, Any] = document.data
    secrets = declared_secrets(data.get(ENVIRONMENT) or {})
    settings, moves, read = _settings(document)
    wired = {*declared, *secrets}
    deployments = []
    for entry in data.get(MODELS) or ():
        needed = credentials(entry["litellm_params"], wired)
        deployments.append(_deployment(_resolve(entry, read), needed))
        read.update(c.variable for c in needed)
    return Provider(
        name, document, tuple(deployments), settings, moves, frozenset({*secrets, *read})
    )


def declared_secrets(section: Mapping[str, Any]) -> set[str]:
    """The secrets that an `environment_variables` section declares: `KEY: ${KEY}`.

    `KEY: os.environ/KEY` means the same. Neither is rendered: LiteLLM would overwrite the real
    variable, with the literal text in the first case, with "None" in the second when it is unset.
    """
    return {
        key
        for key, value in section.items()
        if key in (wiring.dollar(value), wiring.referenced(value))
    }


def credentials(
    params: Mapping[str, Any], declared: Iterable[str]
) -> tuple[knowledge.Credential, ...]:
    """What a deployment still needs to authenticate, beyond what its litellm_params give.

    `declared` are the variables that are wired anyway; where a provider can authenticate in
    several ways, they decide which. Nothing is added to a deployment that names a key itself,
    shares a named credential, or never calls a provider.
    """
    if "mock_response" in params or "litellm_credential_name" in params:
        return ()
    name, _ = knowledge.split_model(params["model"], params.get("custom_llm_provider"))
    facts = knowledge.provider(name) if name else None
    if facts is None or any(c.secret and c.param in params for c in facts.credentials):
        return ()
    known = set(declared)
    by_variable = {credential.variable: credential for credential in facts.credentials}
    wanted = tuple(c for c in facts.credentials if c.required)
    for variables in facts.alternatives:
        if known.issuperset(variables):
            wanted = tuple(by_variable.get(v) or _read_by_itself(v) for v in variables)
            break
    return tuple(c for c in wanted if c.param is None or c.param not in params)


def _read_by_itself(variable: str) -> knowledge.Credential:
    """A variable that LiteLLM looks for although no litellm_params key takes its value."""
    return knowledge.Credential(variable, param=None, secret=True, file=False, required=True)


def _deployment(entry: Mapping[str, Any], needed: Iterable[knowledge.Credential]) -> dict[str, Any]:
    params = entry["litellm_params"]
    added = {c.param: wiring.reference(c.variable) for c in needed if c.param}
    return {**entry, "litellm_params": {"model": params["model"], **added, **params}}


def _settings(document: Document) -> tuple[Settings, tuple[Move, ...], set[str]]:
    """Every top-level section but the models, each setting where LiteLLM honours it.

    With them the settings that were moved, and the variables that are read.
    """
    settings: dict[Steps, list[Setting]] = {}
    moves = []
    read: set[str] = set()
    for section, value in document.data.items():
        if section == MODELS or section in _PROJECT_KEYS or value is None:
            continue
        if section not in (*SETTINGS, ENVIRONMENT):
            settings[(section,)] = [Setting(_resolve(value, read), document, (section,))]
            continue
        secrets = declared_secrets(value) if section == ENVIRONMENT else ()
        for key, inner in value.items():
            if key in secrets:
                continue
            setting = Setting(_resolve(inner, read), document, (section, key))
            home = section if section == ENVIRONMENT else honouring_section(section, key)
            if home and home != section:
                moves.append(Move(setting, home))
            settings.setdefault((home or section, key), []).append(setting)
    return {place: tuple(given) for place, given in settings.items()}, tuple(moves), read


def honouring_section(section: str, key: str) -> str | None:
    """The section in which LiteLLM honours `key`: this one, the only other one, or None."""
    if knowledge.honoured(section, key):
        return section
    homes = [home for home in knowledge.homes(key) if home in SETTINGS]
    return homes[0] if len(homes) == 1 else None


def _config(
    name: str,
    providers: Sequence[Provider],
    own: Settings,
    read: set[str],
    environment: frozenset[str],
    *,
    metrics: bool,
) -> Config:
    """`read` are the variables that `own`, the settings of nixcfg.yaml, read."""
    conflicts: list[Conflict] = []
    sections: dict[str, Any] = {}
    for place in sorted({*own, *(place for p in providers for place in p.settings)}):
        given = [setting for p in providers for setting in p.settings.get(place, ())]
        value = _merge(place, own.get(place, ()), given, conflicts)
        if len(place) == 1:
            sections[str(place[0])] = value
        else:
            sections.setdefault(str(place[0]), {})[place[1]] = value
    if metrics:
        settings = sections.setdefault("litellm_settings", {})
        settings |= _prometheus(settings)
    ordered = sorted(sections, key=lambda section: (_ORDER.get(section, len(_ORDER)), section))
    variables = read.union(*(p.variables for p in providers))
    return Config(
        name=name,
        providers=tuple(p.name for p in providers),
        litellm={
            MODELS: [entry for p in providers for entry in p.deployments],
            **{section: sections[section] for section in ordered},
        },
        secrets=tuple(sorted(variables.difference(environment, {wiring.MASTER_KEY_VARIABLE}))),
        conflicts=tuple(conflicts),
    )


def _prometheus(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A user's own callbacks with the one that gives metrics, unless it is there in either way."""
    callbacks, others = settings.get("callbacks"), settings.get("success_callback")
    listed = callbacks if isinstance(callbacks, list) else [callbacks] if callbacks else []
    if PROMETHEUS in listed or (isinstance(others, list) and PROMETHEUS in others):
        return {}
    return {"callbacks": [*listed, PROMETHEUS]}


def _merge(
    place: Steps, own: Sequence[Setting], given: Sequence[Setting], conflicts: list[Conflict]
) -> Any:
    """One value out of several. What nixcfg.yaml says (`own`) wins over what providers say.

    Mappings are merged key by key; lists of one-entry mappings (fallbacks) like the mappings they
    stand for; lists of mappings (credential_list) are joined. Whatever else differs is a conflict.
    """
    settings = [*own, *given]
    values = [setting.value for setting in settings]
    alike = (value == values[0] and type(value) is type(values[0]) for value in values)
    if len(values) == 1 or all(alike):  # .nan is not even equal to itself
        return values[0]
    if all(isinstance(value, Mapping) for value in values):
        keys = {key: None for value in values for key in value}
        return {
            key: _merge((*place, key), _under(own, key), _under(given, key), conflicts)
            for key in keys
        }
    if all(_is_chain(value) for value in values):
        chains = [_chain(setting) for setting in own], [_chain(setting) for setting in given]
        return [{key: value} for key, value in _merge(place, *chains, conflicts).items()]
    if own:
        return _merge(place, own, (), conflicts)
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


def references(value: Any) -> set[str]:
    """The variables that LiteLLM reads for `os.environ/` references anywhere in a value."""
    found: set[str] = set()
    _resolve(value, found)
    return found


def _resolve(value: Any, read: set[str]) -> Any:
    """The value with each `${KEY}` as LiteLLM understands it; itself where there is none.

    `read` gains the variables that LiteLLM then reads. It resolves no strings that are items of
    a list, so rewriting them would only hide that.
    """
    if isinstance(value, str):
        variable = wiring.dollar(value)
        resolved = wiring.reference(variable) if variable else value
        variable = variable or wiring.referenced(value)
        if variable:
            read.add(variable)
        return resolved
    if isinstance(value, dict):
        changed = {}
        for key, old in value.items():
            if isinstance(old, str | dict | list):
                new = _resolve(old, read)
                if new is not old:
                    changed[key] = new
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [_resolve(item, read) if isinstance(item, dict) else item for item in value]
        is_same = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_same else items
    return value


def _key_file(variable: str, given: Any, secrets_dir: str) -> KeyFile:
    entry: Mapping[str, Any] = {"file": given} if isinstance(given, str) else given or {}
    return KeyFile(
        variable=variable,
        file=entry.get("file") or wiring.key_file(variable, secrets_dir),
        kind=entry.get("kind", "file" if variable in knowledge.file_variables() else "env"),
        optional=entry.get("optional", False),
        encrypted=entry.get("encrypted", False),
    )


MACHINE_KEYS = (
    "model_config",
    "backend",
    "image",
    "listen_address",
    "port",
    "auth",
    "master_key_file",
    "secrets_dir",
    "secrets",
    "environment",
    "instances",
    "workers",
    "database",
    "salt_key_file",
    "redis",
    "metrics",
)
"""What nixcfg.yaml says for every machine, and a host for itself."""
_PROJECT_KEYS = frozenset({*MACHINE_KEYS, "hosts", "profiles", "severities"})
