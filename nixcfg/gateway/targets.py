"""Which models of a configuration are asked for, who is behind each, and what an answer costs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nixcfg import knowledge
from nixcfg.gateway.compare import covers
from nixcfg.knowledge import ModelFacts
from nixcfg.project import values, wiring
from nixcfg.project.model import MODELS, Config, Project

_CHAT = (None, "chat", "responses", "completion")


@dataclass(frozen=True, slots=True)
class Target:
    """A model to ask for: who is behind it, and the key files that it depends on."""

    name: str
    deployments: tuple[str, ...] = ()
    key_files: tuple[tuple[str, str], ...] = ()
    facts: ModelFacts | None = None
    skipped: str = ""

    def cost(self, prompt: int, completion: int) -> float | None:
        """US dollars, None where the price is not known."""
        facts = self.facts
        if facts is None or facts.input_cost_per_token is None:
            return None
        return prompt * facts.input_cost_per_token + completion * (facts.output_cost_per_token or 0)


def wanted(
    project: Project, config: Config, names: Sequence[str], *, everything: bool
) -> list[Target]:
    """All models of a configuration, each once; or those in `names`; or one for each provider."""
    if everything:
        every = dict.fromkeys(entry["model_name"] for entry in config.litellm[MODELS])
        return [_target(project, config, name) for name in every]
    names = names or _one_for_each_provider(project, config)
    return [_behind(project, config, name) for name in names]


def unknown(names: Iterable[str]) -> list[Target]:
    """Models of a gateway of which nothing but the name is known."""
    return [Target(name) for name in names]


def _one_for_each_provider(project: Project, config: Config) -> list[str]:
    """The first model of each provider that can be asked: enough to try every key."""
    found = []
    for provider in project.providers:
        if provider.name in config.providers:
            asked = (_target(project, config, name) for name in provider.model_names)
            found += [target.name for target in asked if not target.skipped][:1]
    return found


def _target(project: Project, config: Config, name: str) -> Target:
    entries = [e["litellm_params"] for e in config.litellm[MODELS] if e["model_name"] == name]
    facts = [knowledge.find_model(p["model"], p.get("custom_llm_provider")) for p in entries]
    variables = dict.fromkeys(v for params in entries for v in values.references(params))
    if not variables:  # LiteLLM reads them by itself
        own = (each.variables for each in project.providers if name in each.model_names)
        variables = dict.fromkeys(sorted(v for each in own for v in each))
    mode = facts[0].mode if facts and facts[0] else None
    skipped = ""
    if "*" in name:
        skipped = "a wildcard; name a model of it with --model"
    elif mode not in _CHAT:
        skipped = f"answers no chat ({mode})"
    return Target(
        name=name,
        deployments=tuple(params["model"] for params in entries),
        key_files=tuple(
            (v, wiring.place(project.machine.key_files[v].file))
            for v in variables
            if v in project.machine.key_files
        ),
        facts=facts[0] if facts and all(each == facts[0] for each in facts) else None,
        skipped=skipped,
    )


def _behind(project: Project, config: Config, name: str) -> Target:
    """What is asked for by `name`: a model of the configuration, or one that a wildcard covers."""
    known = [entry["model_name"] for entry in config.litellm[MODELS]]
    if name in known:
        return _target(project, config, name)
    pattern = next((each for each in known if "*" in each and covers(each, name)), None)
    if pattern is None:
        return Target(name)
    found = _target(project, config, pattern)
    return Target(name, (name,), found.key_files, knowledge.find_model(name))
