"""The project as files. Pure: a function of the project alone, nothing is read but templates."""

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
    for machine in project.machines:
        folder = wiring.host_folder(machine.name)
        rendered[f"{folder}{wiring.DOCKER_NIX}"] = docker_nix(machine).encode()
        for config in written_configs(machine):
            rendered[folder + wiring.config_path(config.name)] = litellm(config)
    return rendered
