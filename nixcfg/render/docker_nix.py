"""docker.nix: the NixOS module that sets the options of services.litellm-proxy. Pure."""

from collections.abc import Iterator, Sequence

from nixcfg.access.desired import VALUES_DIR, ValueFile
from nixcfg.project import wiring
from nixcfg.project.model import Config, Machine, Server
from nixcfg.render import nix
from nixcfg.render.templates import template


def written_configs(machine: Machine) -> Sequence[Config]:
    """All of them to choose from; for a host what it loads, so that no other change concerns it."""
    return [machine.loaded] if machine.name else machine.configs


def docker_nix(machine: Machine, values: Sequence[ValueFile] | None = None) -> str:
    """The NixOS module that sets the options of services.litellm-proxy.

    `values` are the files of virtual keys, None where this machine looks after none.
    """
    configs = written_configs(machine)
    needed = {variable for config in configs for variable in config.secrets}
    secrets = [
        {
            "variable": nix.attribute(key.variable),
            "file": file_expression(key.file),
            "kind": key.kind,
            "required": key.required,
            "optional": key.optional,
            "encrypted": key.encrypted,
            "is_plain": key.kind == "env" and not (key.required or key.optional or key.encrypted),
        }
        for key in machine.key_files.values()
        if key.variable in needed
    ]
    master = machine.master_key_file
    master_key_file = file_expression(master) if master else None
    shared = list(_shared(machine))
    virtual = [
        {"name": nix.attribute(each.name), "options": list(_value_file(each))}
        for each in values or ()
    ]
    expressions = [
        master_key_file,
        *(value for _, value in shared),
        *(secret["file"] for secret in secrets),
        *(value for each in virtual for _, value in each["options"]),
    ]
    return template("docker.nix.j2").render(
        machine=machine,
        module=_module(machine),
        needs_config=any(isinstance(each, nix.Expression) for each in expressions),
        master_key_file=master_key_file,
        shared=[(nix.Expression(option), value) for option, value in shared],
        configs=[
            {
                "name": nix.attribute(config.name),
                "path": nix.Expression(wiring.config_path(config.name)),
                "secrets": list(config.secrets),
                "required": _required(config),
            }
            for config in configs
        ],
        secrets=secrets,
        access=None if values is None else nix.Expression(wiring.ACCESS),
        virtual=virtual,
        environment=[
            (nix.attribute(name), machine.environment[name]) for name in sorted(machine.environment)
        ],
    )


def _value_file(value: ValueFile) -> Iterator[tuple[nix.Expression, nix.Value]]:
    """The options of a virtual key's file, those that are not the module's own default."""
    given: dict[str, nix.Value | None] = {
        "file": None if value.file.startswith(f"{VALUES_DIR}/") else file_expression(value.file),
        "owner": value.owner,
        "group": value.group,
        "mode": value.mode,
    }
    for option, each in given.items():
        if each is not None:
            yield nix.Expression(option), each


def _required(config: Config) -> list[str] | None:
    """Its `requiredSecrets`; None where that is what the module takes for granted."""
    usual = config.secrets if len(config.secrets) == 1 else ()
    return None if config.required == usual else list(config.required)


def _module(machine: Machine) -> nix.Expression | None:
    """The path of the module from docker.nix; None where the user imports it."""
    up = "../" * wiring.host_folder(machine.name).count("/")
    if machine.module == wiring.FLAKE:
        return None
    if machine.module == wiring.BUNDLED:
        return nix.Expression(f"{up or './'}{wiring.MODULE}")
    if machine.module.startswith("/"):
        return nix.Expression(machine.module)
    return nix.Expression(f"{up}../{machine.module.removeprefix('./')}")


def _shared(machine: Machine) -> Iterator[tuple[str, nix.Value]]:
    """The options for more than one process or machine, those that are given."""
    if machine.instances > 1:
        yield "instances", machine.instances
    if machine.workers > 1:
        yield "workers", machine.workers
    yield from _server("database", machine.database)
    if machine.salt_key_file:
        yield "saltKeyFile", file_expression(machine.salt_key_file)
    yield from _server("redis", machine.redis)
    if machine.metrics:
        yield "metrics.enable", True


def _server(option: str, server: Server | None) -> Iterator[tuple[str, nix.Value]]:
    if server is None:
        return
    if not server.host:
        yield f"{option}.createLocally", True
        return
    given = {
        "host": server.host,
        "port": server.port,
        "name": server.name,
        "user": server.user,
        "passwordFile": server.password_file and file_expression(server.password_file),
        "sslMode": server.ssl_mode,
    }
    for name, value in given.items():
        if value is not None:
            yield f"{option}.{name}", value


def file_expression(file: str) -> str | nix.Expression:
    """A path as it is, `config.sops.secrets.NAME.path` as the Nix expression that it names."""
    managed = wiring.MANAGED.fullmatch(file)
    if not managed:
        return file
    manager, quoted, bare = managed.groups()
    return nix.Expression(f"config.{manager}.secrets.{nix.attribute(quoted or bare)}.path")
