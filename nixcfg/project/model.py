"""The project as nixcfg understands it: frozen values, built once from the documents.

This is where a provider file becomes what LiteLLM has to be given: settings in the section where
LiteLLM honours them, `${KEY}` as `os.environ/KEY`, an explicit credential for every deployment,
several providers merged into one configuration. Nothing is decided in silence: rules.py reports
every such change, and a conflict that cannot be merged is part of the result.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from nixcfg import knowledge
from nixcfg.problems.problem import Steps
from nixcfg.project import wiring
from nixcfg.project.wiring import KeyFile
from nixcfg.yamltext.source import Document

SETTINGS = ("litellm_settings", "router_settings", "general_settings")
ENVIRONMENT = "environment_variables"
MODELS = "model_list"

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
    """PostgreSQL or Redis: `host` is "" on the gateway's own machine, else where it is.

    What nixcfg.yaml does not say is None; only a database has `name`, `user` and `ssl_mode`.
    """

    host: str = ""
    port: int | None = None
    name: str | None = None
    user: str | None = None
    password_file: str | None = None
    ssl_mode: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine that runs the gateway. `name` is that of a host, "" where there are no hosts.

    `said` is what nixcfg.yaml says about this host alone. `configs` are the project's, with the
    variables that have to be wired here.
    """

    name: str
    said: Mapping[str, Any]
    model_config: str
    backend: str
    image: str
    listen_address: str
    port: int
    auth: str
    master_key_file: str | None
    instances: int
    workers: int
    database: Server | None
    salt_key_file: str | None
    redis: Server | None
    metrics: bool
    secrets_dir: str
    secrets: Mapping[str, Any]
    environment: Mapping[str, str]
    configs: tuple[Config, ...]
    key_files: Mapping[str, KeyFile]

    def place(self, key: str, *steps: str) -> Steps:
        """Where nixcfg.yaml gives a key for this machine: under its host, or for all of them."""
        own = self.said.get(key)
        is_own = steps[0] in (own or ()) if steps and key in _BY_VARIABLE else key in self.said
        return ("hosts", self.name, key, *steps) if is_own else (key, *steps)

    @property
    def served(self) -> Mapping[str, str]:
        """The variables that its database and its Redis are given by, and the key of each."""
        return _served(self.database, self.redis, self.salt_key_file)

    @property
    def loaded(self) -> Config:
        """The configuration that the container loads; in a valid project there is one."""
        return next(each for each in self.configs if each.name == self.model_config)


@dataclass(frozen=True, slots=True)
class Project:
    """A whole project; `providers` in the order in which they are shown.

    `machine` is the one that is looked at; where there are `hosts`, it is what they have in common
    until one of them is chosen.
    """

    document: Document
    machine: Machine
    hosts: Mapping[str, Machine]
    profiles: Mapping[str, tuple[str, ...]]
    providers: tuple[Provider, ...]
    moves: tuple[Move, ...]

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Every machine that there is."""
        return tuple(self.hosts.values()) or (self.machine,)

    def at(self, host: str) -> "Project":
        """The project as it is looked at from one of its hosts."""
        return replace(self, machine=self.hosts[host])


def build(document: Document, provider_documents: Mapping[str, Document]) -> Project:
    """The project of a nixcfg.yaml and its provider files, by provider name.

    The documents have passed their schemas; what else may be wrong with them is still there.
    """
    data: Mapping[str, Any] = document.data
    said = {name: dict(host) for name, host in data.get("hosts", {}).items()}
    # One provider authenticates in one way, wherever it is loaded.
    declared = {
        variable
        for given in (data, *said.values())
        for section in _BY_VARIABLE
        for variable in given.get(section, ())
    }
    providers = tuple(
        provider(name, provider_documents[name], declared) for name in sorted(provider_documents)
    )
    own, moves, read = _settings(document, [key for key in data if key in SETTINGS])
    profiles = {name: tuple(members) for name, members in data.get("profiles", {}).items()}
    by_name = {each.name: each for each in providers}
    groups = {
        **{each.name: (each.name,) for each in providers},
        **{name: profiles[name] for name in sorted(profiles)},
        wiring.ALL: tuple(by_name),
    }
    configs = tuple(
        _config(name, [by_name[m] for m in members if m in by_name], own, read)
        for name, members in groups.items()
    )
    return Project(
        document=document,
        machine=_machine("", data, {}, configs),
        hosts={name: _machine(name, data, host, configs) for name, host in said.items()},
        profiles=profiles,
        providers=providers,
        moves=moves,
    )


def _machine(
    name: str, data: Mapping[str, Any], said: Mapping[str, Any], configs: tuple[Config, ...]
) -> Machine:
    """What nixcfg.yaml says for all machines, with what it says for this one in its place.

    Secrets and variables are replaced one by one, everything else as a whole.
    """
    given = {**data, **said}
    given |= {key: {**data.get(key, {}), **said.get(key, {})} for key in _BY_VARIABLE}
    secrets, environment = (given[key] for key in _BY_VARIABLE)
    secrets_dir = given.get("secrets_dir", wiring.DEFAULT_SECRETS_DIR)
    database, redis, metrics = (given.get(key) for key in ("database", "redis", "metrics"))
    servers = _server(database), _server(redis)
    wired = {*environment, *_served(*servers, given.get("salt_key_file"))}
    here = tuple(_configured(each, wired, servers[1], metrics=bool(metrics)) for each in configs)
    return Machine(
        name=name,
        said=said,
        model_config=given.get("model_config", wiring.ALL),
        backend=given.get("backend", "docker"),
        image=given.get("image", wiring.DEFAULT_IMAGE),
        listen_address=given.get("listen_address", "127.0.0.1"),
        port=int(given.get("port", 4000)),
        auth=given.get("auth", "master-key"),
        master_key_file=given.get("master_key_file"),
        instances=int(given.get("instances", 1)),
        workers=int(given.get("workers", 1)),
        database=servers[0],
        salt_key_file=given.get("salt_key_file"),
        redis=servers[1],
        metrics=bool(metrics),
        secrets_dir=secrets_dir,
        secrets=secrets,
        environment=environment,
        configs=here,
        key_files={
            variable: _key_file(variable, secrets.get(variable), secrets_dir)
            for variable in sorted({secret for config in here for secret in config.secrets})
        },
    )


def _server(given: Any) -> Server | None:
    """`local`, a mapping, or None."""
    if isinstance(given, Mapping):
        return Server(**{**given, **({"port": int(given["port"])} if "port" in given else {})})
    return Server() if given else None


def _served(
    database: Server | None, redis: Server | None, salt_key_file: str | None
) -> Mapping[str, str]:
    return {
        **(wiring.DATABASE_VARIABLES if database else {}),
        **({wiring.SALT_KEY_VARIABLE: "salt_key_file"} if database or salt_key_file else {}),
        **(wiring.REDIS_VARIABLES if redis else {}),
    }


def _configured(
    config: Config, wired: Collection[str], redis: Server | None, *, metrics: bool
) -> Config:
    """The configuration on a machine that has wired some of its variables in another way."""
    if metrics:
        config = replace(config, litellm=_counted(config.litellm))
    if redis:
        config = replace(config, litellm=_coordinated(config.litellm, redis))
    if not any(variable in wired for variable in config.secrets):
        return config
    return replace(config, secrets=tuple(v for v in config.secrets if v not in wired))


def _counted(litellm: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with Prometheus among its callbacks: the user's own, and once."""
    settings = litellm.get("litellm_settings") or {}
    given = settings.get("callbacks") or []
    callbacks = list(given) if isinstance(given, list) else [given]
    if "prometheus" not in callbacks:
        callbacks.append("prometheus")
    return _with_section(litellm, "litellm_settings", {**settings, "callbacks": callbacks})


def _coordinated(litellm: Mapping[str, Any], redis: Server) -> dict[str, Any]:
    """The same, with the Redis that the module's variables name, unless the user names one.

    LiteLLM reads the variables by itself; but only when its configuration names Redis does it go
    on looking for one that did not answer at its start (tests/proxy/test_late_redis.py).
    """
    variables = {"host": "REDIS_HOST", "port": "REDIS_PORT"} if redis.host else {"url": "REDIS_URL"}
    if redis.password_file:
        variables["password"] = "REDIS_PASSWORD"  # noqa: S105 (a variable's name)
    named = {key: wiring.reference(variable) for key, variable in variables.items()}
    settings = litellm.get("general_settings") or {}
    return _with_section(litellm, "general_settings", {"coordination_redis": named, **settings})


def _with_section(
    litellm: Mapping[str, Any], section: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    changed = {**litellm, section: settings}
    ordered = sorted(changed, key=lambda each: (each != MODELS, *_rank(each)))
    return {each: changed[each] for each in ordered}


def _rank(section: str) -> tuple[int, str]:
    """Where a section stands in a LiteLLM file."""
    return _ORDER.get(section, len(_ORDER)), section


def provider(name: str, document: Document, declared: Iterable[str] = ()) -> Provider:
    """One provider file. `declared`: variables that the project wires for everyone."""
    data: Mapping[str, Any] = document.data
    secrets = declared_secrets(data.get(ENVIRONMENT) or {})
    settings, moves, read = _settings(document, data)
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


def _settings(
    document: Document, sections: Iterable[str]
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
    ordered = sorted(sections, key=_rank)
    variables = read.union(*(p.variables for p in providers))
    return Config(
        name=name,
        providers=tuple(p.name for p in providers),
        litellm={
            MODELS: [entry for p in providers for entry in p.deployments],
            **{section: sections[section] for section in ordered},
        },
        secrets=tuple(sorted(variables - {wiring.MASTER_KEY_VARIABLE})),
        conflicts=tuple(conflicts),
    )


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
