"""The project as files. Pure: a function of the project alone, nothing is read but templates."""

import json

from nixcfg.access.desired import desired, reconcilers, value_files
from nixcfg.disk import shipped
from nixcfg.project import wiring
from nixcfg.project.model import Config, Project
from nixcfg.render.docker_nix import docker_nix, written_configs
from nixcfg.render.litellm import litellm_pieces, models_yaml


def rendered_files(project: Project) -> dict[str, bytes]:
    """Every file of the output folder: its path there, and its content (UTF-8)."""
    # `all` and the profiles hold what the providers' own files hold: it is written once.
    models = {each.name: models_yaml(each.deployments) for each in project.providers}

    def litellm(config: Config) -> bytes:
        pieces = litellm_pieces(config, map(models.__getitem__, config.providers))
        return b"".join(piece.encode() for piece in pieces)

    rendered = {}
    if project.machine.module == wiring.BUNDLED:
        texts = shipped.module_texts()
        rendered = {f"{wiring.MODULE}/{name}": text.encode() for name, text in texts.items()}
    reconciling = reconcilers(project)
    for machine in project.machines:
        folder = wiring.host_folder(machine.name)
        values = value_files(project) if machine in reconciling else None
        rendered[f"{folder}{wiring.DOCKER_NIX}"] = docker_nix(machine, values).encode()
        if machine in reconciling:
            rendered[f"{folder}{wiring.ACCESS}"] = access_json(project).encode()
        for config in written_configs(machine):
            rendered[folder + wiring.config_path(config.name)] = litellm(config)
    return rendered


def access_json(project: Project) -> str:
    """access.json: the teams, users and keys that LiteLLM's database is to have."""
    return json.dumps(desired(project), indent=2, ensure_ascii=False) + "\n"
