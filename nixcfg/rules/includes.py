"""`include`: other files that LiteLLM merges into a configuration."""

from collections.abc import Iterator

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.rules.context import Config
from nixcfg.rules.scope import ModelFile

# A warning outside a project, as for everything beside a file: it may be checked far from home.
MISSING = Rule("NX014", Severity.ERROR, standalone=Severity.WARNING)


@ModelFile
def _missing(config: Config) -> Iterator[Problem]:
    entries = config.data.get("include") if config.standalone else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, str) and entry in config.context.missing:
            yield config.document.problem(
                MISSING,
                ("include", index),
                f"there is no {entry} beside this file; LiteLLM does not start",
                help="Fix the path: it is relative to this file.",
            )


IN_PROJECT = Rule("NX015", Severity.ERROR)


@ModelFile
def _in_project(config: Config) -> Iterator[Problem]:
    if not config.standalone and "include" in config.data:
        yield config.document.problem(
            IN_PROJECT,
            ("include",),
            "the container would not find the included file",
            help="Make it a provider file of its own, and a profile of both.",
            key=True,
        )
