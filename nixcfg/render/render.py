"""The project as files. Pure: a function of the project alone, nothing is read but templates.

In docker.nix every `{{ value }}` is encoded as a Nix literal by Jinja's finalize hook, unless it
is a nix.Expression; in the LiteLLM files the `yaml` filter writes the data.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2

from nixcfg.project import wiring
from nixcfg.project.model import MODELS, Config, Machine, Project, Server
from nixcfg.render import nix, resources
from nixcfg.yamltext import emit


def files(project: Project) -> dict[str, bytes]:
    """Every file of the output folder: its path there, and its content (UTF-8)."""
    # `all` and the profiles hold what the providers' own files hold: it is written once.
    models = {each.name: _models(each.deployments) for each in project.providers}

    def litellm(config: Config) -> bytes:
        pieces = _litellm(config, map(models.__getitem__, config.providers))
        return b"".join(piece.encode() for piece in pieces)

    rendered = {
        f"{wiring.MODULE}/{name}": text.encode() for name, text in resources.module_texts().items()
    }
    for machine in project.machines:
        folder = wiring.host_folder(machine.name)
        rendered[f"{folder}{wiring.DOCKER_NIX}"] = docker_nix(machine).encode()
        for config in _configs(machine):
            rendered[folder + wiring.config_path(config.name)] = litellm(config)
    return rendered


def _configs(machine: Machine) -> Sequence[Config]:
    """All of them to choose from; for a host what it loads, so that no other change concerns it."""
    return [machine.loaded] if machine.name else machine.configs


def docker_nix(machine: Machine) -> str:
    """The NixOS module that sets the options of services.litellm-proxy."""
    configs = _configs(machine)
    needed = {variable for config in configs for variable in config.secrets}
    secrets = [
        {
            "variable": nix.attribute(key.variable),
            "file": key.expression,
            "kind": key.kind,
            "optional": key.optional,
            "encrypted": key.encrypted,
            "is_plain": key.kind == "env" and not key.optional and not key.encrypted,
        }
        for key in machine.key_files.values()
        if key.variable in needed
    ]
    master = machine.master_key_file
    master_key_file = wiring.file_expression(master) if master else None
    shared = list(_shared(machine))
    expressions = [
        master_key_file,
        *(value for _, value in shared),
        *(secret["file"] for secret in secrets),
    ]
    up = "../" * wiring.host_folder(machine.name).count("/")
    return _template("docker.nix.j2").render(
        machine=machine,
        module=nix.Expression(f"{up or './'}{wiring.MODULE}"),
        needs_config=any(isinstance(each, nix.Expression) for each in expressions),
        master_key_file=master_key_file,
        shared=[(nix.Expression(option), value) for option, value in shared],
        configs=[
            {
                "name": nix.attribute(config.name),
                "path": nix.Expression(wiring.config_path(config.name)),
                "secrets": list(config.secrets),
            }
            for config in configs
        ],
        secrets=secrets,
        environment=[
            (nix.attribute(name), machine.environment[name]) for name in sorted(machine.environment)
        ],
    )


def _shared(machine: Machine) -> Iterator[tuple[str, nix.Value]]:
    """The options for more than one process or machine, those that are given."""
    if machine.instances > 1:
        yield "instances", machine.instances
    if machine.workers > 1:
        yield "workers", machine.workers
    yield from _server("database", machine.database)
    if machine.salt_key_file:
        yield "saltKeyFile", wiring.file_expression(machine.salt_key_file)
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
        "passwordFile": server.password_file and wiring.file_expression(server.password_file),
        "sslMode": server.ssl_mode,
    }
    for name, value in given.items():
        if value is not None:
            yield f"{option}.{name}", value


def litellm_yaml(config: Config) -> str:
    """The configuration that LiteLLM loads."""
    return "".join(_litellm(config, [_models(config.litellm[MODELS])]))


def _litellm(config: Config, models: Iterable[str]) -> Iterator[str]:
    """The same in pieces; `models` are the parts of its model_list, empty ones left out."""
    sources = ", ".join(wiring.provider_path(name) for name in config.providers)
    return _template("litellm-config.yaml.j2").generate(
        sources=f"{wiring.PROJECT_FILE} and {sources}",
        models=[*filter(None, models)],
        settings={key: value for key, value in config.litellm.items() if key != MODELS},
    )


def _models(deployments: Sequence[Mapping[str, Any]]) -> str:
    return emit.block(deployments) if deployments else ""


def provider_yaml(data: Mapping[str, Any], schema: str = "") -> str:
    """A provider file for a person to go on with. `schema`: where editors find its JSON Schema."""
    return _template("provider.yaml.j2").render(provider=data, schema=schema)


@functools.cache
def _template(name: str) -> jinja2.Template:
    is_nix = name.endswith(".nix.j2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("templates")),
        undefined=jinja2.StrictUndefined,
        finalize=nix.literal if is_nix else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["yaml"] = emit.block
    return environment.get_template(name)
