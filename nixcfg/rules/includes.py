"""`include`: other files that LiteLLM merges into a configuration."""

from collections.abc import Iterator

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.rules.config import Config

MISSING = Rule(
    "NX014",
    Severity.ERROR,
    "an included file cannot be found",
    explanation=(
        "LiteLLM looks for included files beside the one that names them, and does not start when "
        "one is missing. `nixcfg validate FILE` follows include and checks those files too."
    ),
    bad={
        "config.yaml": """\
include: [modles.yaml]
#         ^^^^^^^^^^^
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
""",
        "models.yaml": """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
""",
    },
    good={
        "config.yaml": """\
include: [models.yaml]
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
""",
        "models.yaml": """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
""",
    },
    source="run: FileNotFoundError: Included file not found",
    alone=Severity.WARNING,  # as all that lies beside a file: it may be checked far from home
)

IN_PROJECT = Rule(
    "NX015",
    Severity.ERROR,
    "a provider file includes another one",
    explanation=(
        "The container gets one rendered file, so that LiteLLM would not find what it includes, "
        "and would not start. Every file in providers/ is read anyway, and profiles say which of "
        "them go together."
    ),
    bad={
        "nixcfg.yaml": "model_config: all\n",
        "providers/openai.yaml": """\
include: [more.yaml]
#^^^^^^
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
""",
    },
    good={
        "nixcfg.yaml": "model_config: all\n",
        "providers/openai.yaml": """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
""",
    },
    source="run: FileNotFoundError: Included file not found",
)


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
