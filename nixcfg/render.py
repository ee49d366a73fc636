"""The project as files. Pure: a function of the project alone, nothing is read but templates.

In docker.nix every `{{ value }}` is encoded as a Nix literal by Jinja's finalize hook, unless it
is a nix.Expression; in the LiteLLM files the `yaml` filter writes the data.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2

from nixcfg import emit, nix, resources, wiring
from nixcfg.model import MODELS, Config, Machine, Project, Server


def files(project: Project) -> dict[str, bytes]:
    """Every file of the output folder: its path there, and its content (UTF-8).

    Each host has a folder with what it loads and nothing else, so that a change shows in the
    folders of those that it concerns.
    """
    # `all` and the profiles hold what the providers' own files hold: it is written once.
    models = {each.name: _models(each.deployments) for each in project.providers}
    texts: dict[str, bytes] = {
        f"{wiring.MODULE}/{name}": text.encode() for name, text in resources.module_texts().items()
    }
    for machine in project.machines:
        folder = wiring.host_folder(machine.name)
        configs = _configs(machine)
        texts[folder + wiring.DOCKER_NIX] = docker_nix(machine).encode()
        for config in configs:
            texts[folder + wiring.config_path(config.name)] = b"".join(
                piece.encode()
                for piece in _litellm(config, map(models.__getitem__, config.providers))
            )
    return texts


def _configs(machine: Machine) -> list[Config]:
    """What is rendered for a machine: all there is, or the one that a host loads."""
    if not machine.name:
        return [*machine.configs]
    return [each for each in machine.configs if each is machine.loaded]


def docker_nix(machine: Machine) -> str:
    """The NixOS module that sets the options of services.litellm-proxy."""
    configs = _configs(machine)
    used = {variable for config in configs for variable in config.secrets}
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
        if key.variable in used
    ]
    options = _options(machine)
    expressions = [*options.values(), *(secret["file"] for secret in secrets)]
    return _template("docker.nix.j2").render(
        machine=machine,
        module=nix.Expression(wiring.module_from(machine.name)),
        needs_config=any(isinstance(each, nix.Expression) for each in expressions),
        options=[(nix.Expression(name), value) for name, value in options.items()],
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


def _options(machine: Machine) -> dict[str, nix.Value]:
    """The options of what a machine may do without: set where nixcfg.yaml says something."""
    options: dict[str, nix.Value] = {}
    if machine.master_key_file:
        options["masterKeyFile"] = wiring.file_expression(machine.master_key_file)
    if machine.instances != 1:
        options["instances"] = machine.instances
    if machine.workers != 1:
        options["workers"] = machine.workers
    options |= _server("database", machine.database)
    if machine.salt_key_file:
        options["saltKeyFile"] = wiring.file_expression(machine.salt_key_file)
    options |= _server("redis", machine.redis)
    if machine.metrics:
        options["metrics.enable"] = True
    return options


def _server(option: str, server: Server | None) -> dict[str, nix.Value]:
    if server is None:
        return {}
    if server.host is None:
        return {f"{option}.createLocally": True}
    file = server.password_file
    given: dict[str, nix.Value] = {
        "host": server.host,
        "port": server.port,
        "name": server.name,
        "user": server.user,
        "passwordFile": wiring.file_expression(file) if file else None,
        "sslMode": server.ssl_mode,
    }
    return {f"{option}.{name}": value for name, value in given.items() if value is not None}


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
