"""What a gateway is made of, in one shape for what runs and for what the sources say."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from nixcfg import knowledge
from nixcfg.access.desired import desired, reconcilers, value_files
from nixcfg.disk import shipped
from nixcfg.gateway import machine
from nixcfg.gateway.host import HERE, Host
from nixcfg.project import wiring
from nixcfg.project.model import Machine, Project, Server
from nixcfg.render.litellm import litellm_yaml

DEPLOYED = "/etc/nixcfg/litellm-proxy.json"
"""Where the module writes what the machine runs (modules/litellm-proxy/deployed.nix)."""
LOCAL = "local"
"""A database or a Redis on the gateway's own machine."""


class UnknownDeploymentError(Exception):
    """What runs cannot be found out; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is read when the service starts: its file, and how it is read (KeyFile).

    `kind` is "part" for what becomes a part of another variable.
    """

    file: str
    kind: str = "env"
    optional: bool = False
    encrypted: bool = False

    @property
    def how(self) -> str:
        """How it is read, in words."""
        words = ("optional" if self.optional else "required", "encrypted" * self.encrypted)
        return ", ".join(filter(None, (*words, "as a file" * (self.kind == "file"))))


@dataclass(frozen=True, slots=True)
class Facts:
    """One gateway. `text` is its LiteLLM configuration, `key_files` each key by its variable;
    `has_settings` where Nix changed the configuration after it was rendered. `backend` is "" where
    the machine decides. `database` and `redis` are LOCAL, where the server is, or "". `config_file`
    and `published`, ADDRESS:PORT by container, are of what is deployed alone. `access` are its
    teams, users and keys as in access.json, {} where nixcfg looks after none, and `value_files` the
    files of these keys. `sharing` are the other hosts of the sources on the same database."""

    image: str
    model_config: str
    text: str = field(repr=False)
    key_files: Mapping[str, Key]
    backend: str
    instances: int
    workers: int
    listen_address: str
    port: int
    auth: str
    metrics: bool
    host_ports: tuple[int, ...]
    environment: Mapping[str, str]
    module: str
    database: str = ""
    redis: str = ""
    has_settings: bool = False
    config_file: str = ""
    published: Mapping[str, str] = field(default_factory=dict)
    access: Mapping[str, Any] = field(default_factory=dict, repr=False)
    value_files: Mapping[str, str] = field(default_factory=dict)
    sharing: tuple[str, ...] = ()

    @property
    def config(self) -> Mapping[str, Any]:
        """Its LiteLLM configuration as data."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        data = yaml.load(self.text, loader)  # noqa: S506 (a safe one)
        return data if isinstance(data, dict) else {}

    @property
    def release(self) -> str:
        """The release in its image's tag, "" where that names none."""
        return knowledge.of_image(self.image)

    @property
    def has_database(self) -> bool:
        """Whether LiteLLM has a database, also where its URL is a key or a variable."""
        return bool(self.database) or "DATABASE_URL" in {*self.key_files, *self.environment}


def wanted(project: Project) -> Facts:
    """What the sources say, as it would be rendered."""
    here = project.machine
    is_reconciler = here in reconcilers(project)
    return Facts(
        image=here.image,
        model_config=here.model_config,
        text=litellm_yaml(here.loaded),
        key_files=_keys(here),
        backend=here.backend,
        instances=here.instances,
        workers=here.workers,
        listen_address=here.listen_address,
        port=here.port,
        auth=here.auth,
        metrics=here.metrics,
        host_ports=here.host_ports,
        environment=here.environment,
        module=module_version() if here.module == wiring.BUNDLED else "",
        database=_database(here.database),
        redis=_redis(here.redis),
        access=desired(project) if is_reconciler else {},
        value_files={each.name: wiring.place(each.file) for each in value_files(project)}
        if is_reconciler
        else {},
        sharing=tuple(each.name for each in project.machines if _shares(here, each)),
    )


def _shares(one: Machine, other: Machine) -> bool:
    """Whether two hosts have one database."""
    where = _database(one.database)
    return (
        one.name != other.name and where not in ("", LOCAL) and where == _database(other.database)
    )


def _keys(here: Machine) -> dict[str, Key]:
    """Every key that the service reads: those of providers, and those of the gateway itself."""
    found = {}
    for variable in here.loaded.secrets:
        given = here.key_files[variable]
        found[variable] = Key(
            wiring.place(given.file),
            given.kind,
            optional=not here.requires(here.loaded, variable),
            encrypted=given.encrypted,
        )
    others = {
        wiring.MASTER_KEY_VARIABLE: here.auth == "master-key" and here.master_key_file,
        wiring.SALT_KEY_VARIABLE: here.salt_key_file,
        "DATABASE_PASSWORD": here.database and here.database.password_file,
        "REDIS_PASSWORD": here.redis and here.redis.password_file,
    }
    for variable, file in others.items():
        if file:
            kind = "part" if variable == "DATABASE_PASSWORD" else "env"
            found[variable] = Key(wiring.place(file), kind)
    return found


def _database(server: Server | None) -> str:
    if server is None or not server.host:
        return LOCAL if server else ""
    where = f"{server.user or 'litellm'}@{server.host}:{server.port or 5432}"
    encryption = f" {server.ssl_mode}" if server.ssl_mode else ""
    return f"{where}/{server.name or 'litellm'}{encryption}"


def _redis(server: Server | None) -> str:
    if server is None or not server.host:
        return LOCAL if server else ""
    return f"{server.host}:{server.port or 6379}"


def module_version() -> str:
    """What version.nix says of the copy of the module that ships with this nixcfg."""
    from nixcfg import __version__

    folder = shipped.folder("modules") / "litellm-proxy"
    lines = [
        f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.is_file()
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return f"{__version__} ({digest[:12]})"


def absent_keys(facts: Facts, host: Host = HERE) -> tuple[str, ...]:
    """The variables whose key file is not on a machine, as far as this user may look.

    Raises UnknownError.
    """
    absent = host.absent(key.file for key in facts.key_files.values())
    return tuple(name for name, key in facts.key_files.items() if key.file in absent)


def deployed(host: Host = HERE) -> Facts:
    """What a machine runs. Raises UnknownDeploymentError."""
    try:
        data = json.loads(host.read(DEPLOYED))
        access = host.read(data["access"]) if data["access"] else ""
        return facts(data, host.read(data["config"]), access)
    except FileNotFoundError as error:
        where = f"on {host.name}" if host.name else "here"
        raise UnknownDeploymentError(
            f"there is no {error.filename} {where}: no gateway runs {where}, or one of an older "
            "nixcfg. Name the machine that runs it (nixcfg plan HOST), or switch once with this "
            "nixcfg."
        ) from None
    except KeyError as error:
        raise UnknownDeploymentError(
            f"{DEPLOYED} has no {error}: another nixcfg wrote it. Switch once with this one, or "
            "use the one that the machine runs."
        ) from None
    except machine.UnknownError as error:
        raise UnknownDeploymentError(f"{error}") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UnknownDeploymentError(f"{DEPLOYED} cannot be understood: {error}") from None


def facts(data: Mapping[str, Any], text: str, access: str = "") -> Facts:
    """Those of what the module wrote to DEPLOYED, and the texts of the files that it names.

    Raises KeyError and TypeError for what another module wrote, and ValueError for what is no JSON.
    """
    return Facts(
        image=data["image"],
        model_config=data["modelConfig"],
        text=text,
        key_files={name: Key(**key) for name, key in data["keyFiles"].items()},
        backend=data["backend"],
        instances=data["instances"],
        workers=data["workers"],
        listen_address=data["listenAddress"],
        port=data["port"],
        auth=data["auth"],
        metrics=data["metrics"],
        host_ports=tuple(data["hostPorts"]),
        environment=data["environment"],
        module=data["module"],
        database=data["database"],
        redis=data["redis"],
        has_settings=data["hasSettings"],
        config_file=data["config"],
        published=data["published"],
        access=json.loads(access) if access.strip() else {},
        value_files=data["valueFiles"],
    )
