"""What the providers of a project offer and need. Pure."""

from typing import Any

from nixcfg.project import wiring
from nixcfg.project.model import Project
from nixcfg.project.nearest import nearest
from nixcfg.project.wiring import KeyFile
from nixcfg.providers.amendment import AmendError


def overview(whole: Project) -> list[dict[str, Any]]:
    """A row for each provider: `{name, models, secrets: [{variable, file}], configs}`."""
    secrets_of = {config.name: config.secrets for config in whole.machine.configs}
    return [
        {
            "name": each.name,
            "models": list(each.model_names),
            "secrets": [
                {"variable": variable, "file": whole.machine.key_files[variable].file}
                for variable in secrets_of[each.name]
            ],
            "configs": [
                config.name for config in whole.machine.configs if each.name in config.providers
            ],
        }
        for each in whole.providers
    ]


def keys_of(whole: Project, what: str) -> list[KeyFile]:
    """The key files of a provider, or that of a variable. Raises AmendError where there is none."""
    if what in whole.machine.key_files:
        return [whole.machine.key_files[what]]
    if what == wiring.MASTER_KEY_VARIABLE and whole.machine.master_key_file:
        return [KeyFile(what, whole.machine.master_key_file)]
    found = next((each for each in whole.machine.configs if each.providers == (what,)), None)
    if found is None or found.name != what:
        known = [*(each.name for each in whole.providers), *whole.machine.key_files]
        guess = nearest(what, known)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(known)}"
        raise AmendError(f"no provider and no secret is called {what}; {hint}")
    if not found.secrets:
        raise AmendError(f"{what} needs no key")
    return [whole.machine.key_files[variable] for variable in found.secrets]
