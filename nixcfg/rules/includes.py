"""`include`: other files that LiteLLM merges into a configuration."""

from collections.abc import Iterator

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.rules.config import Config

MISSING = Rule(
    "NX014", Severity.ERROR, alone=Severity.WARNING
)  # as all that lies beside a file: it may be checked far from home
IN_PROJECT = Rule("NX015", Severity.ERROR)


def check(config: Config) -> Iterator[Problem]:
    """The include list of a file."""
    if config.is_project_file or "include" not in config.data:
        return
    document = config.document
    if not config.alone:
        yield document.problem(
            IN_PROJECT,
            ("include",),
            "the container would not find the included file",
            help="Make it a provider file of its own, and a profile of both.",
            key=True,
        )
        return
    entries = config.data["include"]
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, str) and entry in config.around.missing:
            yield document.problem(
                MISSING,
                ("include", index),
                f"there is no {entry} beside this file; LiteLLM does not start",
                help="Mend the path: it is relative to this file.",
            )
