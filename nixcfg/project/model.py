"""The project as nixcfg understands it: frozen values, which build.py makes of the documents."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from nixcfg.knowledge import Choice, Knowledge, judge
from nixcfg.problems.problem import Steps
from nixcfg.project import wiring
from nixcfg.project.values import references
from nixcfg.project.wiring import KeyFile
from nixcfg.yamltext.document import Document

SETTINGS = ("litellm_settings", "router_settings", "general_settings")
ENVIRONMENT = "environment_variables"
MODELS = "model_list"

INFRASTRUCTURE = ("DATABASE_URL", "DIRECT_URL", "LITELLM_SALT_KEY", "REDIS_PASSWORD", "REDIS_URL")
"""Without these LiteLLM does not start, whatever its models need."""

BY_VARIABLE = ("secrets", "environment")
"""What a host replaces variable by variable, not as a whole."""


class Setting(NamedTuple):
    """A value and the place where a user wrote it."""

    value: Any
    document: Document
    path: Steps


Settings = Mapping[Steps, tuple[Setting, ...]]
"""By the place where LiteLLM honours them: (section, key), or (section,) for a whole section."""


class Move(NamedTuple):
    """A setting that LiteLLM ignores where it was written, and the one section that honours it."""

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

    @property
    def required(self) -> tuple[str, ...]:
        """The secrets that every model needs, or that LiteLLM needs to start.

        One that only some models need is not among them: the others answer without it.
        """
        needed = {*INFRASTRUCTURE}
        for section in SETTINGS:
            needed |= references(self.litellm.get(section))
        every: set[str] | None = None
        for deployment in self.litellm.get(MODELS) or ():
            read = references(deployment)
            every = read if every is None else every & read
            if not every:
                break
        return tuple(variable for variable in self.secrets if variable in needed | (every or set()))


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

    `said` is what nixcfg.yaml says about this host alone. `backend` is "" where it names none and
    the gateway runs with what the machine has. `configs` are the project's, with the variables that
    have to be wired here.
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
    database_config: str
    salt_key_file: str | None
    redis: Server | None
    metrics: bool
    module: str
    host_ports: tuple[int, ...]
    secrets_dir: str
    secrets: Mapping[str, Any]
    environment: Mapping[str, str]
    configs: tuple[Config, ...]
    key_files: Mapping[str, KeyFile]

    @property
    def chosen(self) -> Choice:
        """The knowledge of the release in its image's tag."""
        return judge(self.image)

    @property
    def knowledge(self) -> Knowledge:
        return self.chosen.knowledge

    def place(self, key: str, *steps: str) -> Steps:
        """Where nixcfg.yaml gives a key for this machine: under its host, or for all of them."""
        own = self.said.get(key)
        is_own = steps[0] in (own or ()) if steps and key in BY_VARIABLE else key in self.said
        return ("hosts", self.name, key, *steps) if is_own else (key, *steps)

    @property
    def served(self) -> Mapping[str, str]:
        """The variables that its database and its Redis are given by, and the key of each."""
        return served(self.database, self.redis, self.salt_key_file)

    def requires(self, config: Config, variable: str) -> bool:
        """Whether nothing starts with `config` when the key file of `variable` is missing."""
        key = self.key_files[variable]
        return key.required or (variable in config.required and not key.optional)

    @property
    def loaded(self) -> Config:
        """The configuration that the container loads; in a valid project there is one."""
        return next(each for each in self.configs if each.name == self.model_config)


@dataclass(frozen=True, slots=True)
class Project:
    """A whole project; `providers` in the order in which they are shown.

    `knowledge` is that of its own image's release: hosts share what is rendered. `machine` is the
    one that is looked at; where there are `hosts`, it is what they have in common until one of
    them is chosen.
    """

    document: Document
    knowledge: Knowledge
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


def served(
    database: Server | None, redis: Server | None, salt_key_file: str | None
) -> Mapping[str, str]:
    """The variables that give a database and a Redis, and the key of nixcfg.yaml for each."""
    return {
        **(wiring.DATABASE_VARIABLES if database else {}),
        **({wiring.SALT_KEY_VARIABLE: "salt_key_file"} if database or salt_key_file else {}),
        **(wiring.REDIS_VARIABLES if redis else {}),
    }
