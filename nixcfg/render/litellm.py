"""LiteLLM configurations and provider files as YAML. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nixcfg.project import wiring
from nixcfg.project.model import MODELS, Config
from nixcfg.render.templates import template
from nixcfg.yamltext import emit


def litellm_yaml(config: Config) -> str:
    """The configuration that LiteLLM loads."""
    return "".join(litellm_pieces(config, [models_yaml(config.litellm[MODELS])]))


def litellm_pieces(config: Config, models: Iterable[str]) -> Iterator[str]:
    """The same in pieces; `models` are the parts of its model_list, empty ones left out."""
    sources = ", ".join(wiring.provider_path(name) for name in config.providers)
    return template("litellm-config.yaml.j2").generate(
        sources=f"{wiring.PROJECT_FILE} and {sources}",
        models=[*filter(None, models)],
        settings={key: value for key, value in config.litellm.items() if key != MODELS},
    )


def models_yaml(deployments: Sequence[Mapping[str, Any]]) -> str:
    return emit.block(deployments) if deployments else ""


def provider_yaml(data: Mapping[str, Any], schema: str = "") -> str:
    """A provider file for a person to go on with. `schema`: where editors find its JSON Schema."""
    return template("provider.yaml.j2").render(provider=data, schema=schema)
