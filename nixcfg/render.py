"""The project as files. Pure: a function of the project alone, nothing is read but templates.

In docker.nix every `{{ value }}` is encoded as a Nix literal by Jinja's finalize hook, unless it
is a nix.Expression; in the LiteLLM files the `yaml` filter writes the data.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2

from nixcfg import emit, nix, resources, wiring
from nixcfg.model import MODELS, Config, Project


def files(project: Project) -> dict[str, bytes]:
    """Every file of the output folder: its path there, and its content (UTF-8)."""
    # `all` and the profiles hold what the providers' own files hold: it is written once.
    models = {each.name: _models(each.deployments) for each in project.providers}
    return {
        wiring.DOCKER_NIX: docker_nix(project).encode(),
        **{
            f"{wiring.MODULE}/{name}": text.encode()
            for name, text in resources.module_texts().items()
        },
        **{
            wiring.config_path(config.name): b"".join(
                piece.encode()
                for piece in _litellm(config, map(models.__getitem__, config.providers))
            )
            for config in project.configs
        },
    }


def docker_nix(project: Project) -> str:
    """The NixOS module that sets the options of services.litellm-proxy."""
    secrets = [
        {
            "variable": nix.attribute(key.variable),
            "file": key.expression,
            "kind": key.kind,
            "optional": key.optional,
            "encrypted": key.encrypted,
            "is_plain": key.kind == "env" and not key.optional and not key.encrypted,
        }
        for key in project.key_files.values()
    ]
    master = project.master_key_file
    master_key_file = wiring.file_expression(master) if master else None
    expressions = [master_key_file, *(secret["file"] for secret in secrets)]
    return _template("docker.nix.j2").render(
        project=project,
        module=nix.Expression(wiring.MODULE),
        needs_config=any(isinstance(each, nix.Expression) for each in expressions),
        master_key_file=master_key_file,
        configs=[
            {
                "name": nix.attribute(config.name),
                "path": nix.Expression(wiring.config_path(config.name)),
                "secrets": list(config.secrets),
            }
            for config in project.configs
        ],
        secrets=secrets,
        environment=[
            (nix.attribute(name), project.environment[name]) for name in sorted(project.environment)
        ],
    )


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
