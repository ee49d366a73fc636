"""Who may use the gateway, and whose key goes to which host."""

import re
from collections.abc import Iterator

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.project.nearest import nearest
from nixcfg.project.values import dollar, referenced
from nixcfg.rules import endpoints
from nixcfg.rules.config import Config, Deployment
from nixcfg.yamltext.source import Map

_MODELS = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""

MASTER_KEY_REFUSED = Rule(
    "NX314",
    Severity.ERROR,
    "a master key that LiteLLM refuses",
    explanation=(
        "LiteLLM does not start with a master key that is empty, blank, `true`, or the sk-1234 of "
        "its documentation. In a project leave it out: a strong one is generated at the first "
        "start, or comes from master_key_file."
    ),
    bad=_MODELS
    + """\
general_settings:
  master_key: sk-1234
#             ^^^^^^^
""",
    good=_MODELS
    + """\
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
""",
    source="run: the proxy exits with code 3",
    alone=Severity.WARNING,
)

MASTER_KEY_WEAK = Rule(
    "NX315",
    Severity.WARNING,
    "a master key that can be guessed",
    explanation=(
        "The master key spends your money at every vendor, and any web page that is open in your "
        "browser can try keys on localhost. LiteLLM takes `hello` as readily as 32 random "
        "characters; its documentation asks for the prefix sk-."
    ),
    bad=_MODELS
    + """\
general_settings:
  master_key: hunter2
#             ^^^^^^^
""",
    good=_MODELS
    + """\
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
""",
    source="run: the proxy starts and accepts it",
)

MASTER_KEY_MISSING = Rule(
    "NX316",
    Severity.NOTE,
    "the file names no master key",
    explanation=(
        "LiteLLM does not start without a master key. It has to be in the environment as "
        "LITELLM_MASTER_KEY when the file says nothing; older releases start without one and "
        "serve everybody. In a project nixcfg sees to it."
    ),
    bad={"config.yaml": _MODELS},
    good={
        "config.yaml": _MODELS + "general_settings:\n  master_key: os.environ/LITELLM_MASTER_KEY\n"
    },
    source="run: the proxy exits with code 3",
)

OTHER_KEY = Rule(
    "NX317",
    Severity.NOTE,
    "a provider that is sent another vendor's key when its own is missing",
    explanation=(
        "For more than a third of its providers LiteLLM falls back to OPENAI_API_KEY when the "
        "provider's own variable is not set, and sends it to that provider's host. In a project "
        "this cannot happen: every deployment has an explicit key, and one that is missing is "
        "replaced by a harmless text."
    ),
    bad={
        "config.yaml": """\
model_list:
  - model_name: llama
    litellm_params:
      model: deepinfra/meta-llama/Llama-3.3-70B-Instruct
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
""",
    },
    good={
        "config.yaml": """\
model_list:
  - model_name: llama
    litellm_params:
      model: deepinfra/meta-llama/Llama-3.3-70B-Instruct
      api_key: os.environ/DEEPINFRA_API_KEY
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
""",
    },
    source="run: api.deepinfra.com was sent the value of OPENAI_API_KEY",
)

UNKNOWN_CREDENTIAL = Rule(
    "NX318",
    Severity.ERROR,
    "a deployment shares a credential that does not exist",
    explanation=(
        "LiteLLM ignores a litellm_credential_name that credential_list does not define, and uses "
        "the provider's own variable in its place."
    ),
    bad="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      litellm_credential_name: taem
#                              ^^^^
credential_list:
  - credential_name: team
    credential_values: {api_key: os.environ/TEAM_KEY}
    credential_info: {}
""",
    good="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      litellm_credential_name: team
credential_list:
  - credential_name: team
    credential_values: {api_key: os.environ/TEAM_KEY}
    credential_info: {}
""",
    source="run: the vendor saw the key of the environment",
    alone=Severity.WARNING,
)

SENT_ELSEWHERE = Rule(
    "NX319",
    Severity.ERROR,
    "the OpenAI key would go to another host",
    explanation=(
        "An openai/ deployment with an api_base of its own and no api_key is sent the value of "
        "OPENAI_API_KEY, whoever runs the host. Name the key that belongs to it; a local server "
        "that wants none takes any text, such as `none`."
    ),
    bad="""\
model_list:
  - model_name: local
    litellm_params:
      model: openai/qwen
      api_base: http://10.0.0.5:8000/v1
#               ^^^^^^^^^^^^^^^^^^^^^^^
""",
    good="""\
model_list:
  - model_name: local
    litellm_params:
      model: openai/qwen
      api_base: http://10.0.0.5:8000/v1
      api_key: none
""",
    source="run: the host at api_base saw the value of OPENAI_API_KEY",
    alone=Severity.WARNING,
)

GLOBAL_KEY = Rule(
    "NX320",
    Severity.ERROR,
    "one key for every provider",
    explanation=(
        "litellm_settings.api_key is sent to every provider whose deployment names no key of its "
        "own, and litellm_settings.api_base sends all their requests to one address."
    ),
    bad=_MODELS
    + """\
litellm_settings:
  api_key: os.environ/OPENAI_API_KEY
# ^^^^^^^
""",
    good="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
""",
    source="run: a provider without a key was sent this one",
    alone=Severity.WARNING,
)

_REFUSED = frozenset({"", "true", "sk-1234"})
_WEAK_LENGTH = 20


def check(config: Config) -> Iterator[Problem]:
    """Keys and credentials of a document."""
    yield from _master_key(config)
    yield from _named(config)
    for deployment in config.deployments:
        yield from _whose_key(config, deployment)
    for key in ("api_key", "api_base"):
        value = config.section("litellm_settings").get(key)
        if isinstance(value, str):
            what = "is sent to" if key == "api_key" else "gets the requests of"
            yield config.document.problem(
                GLOBAL_KEY,
                ("litellm_settings", key),
                f"litellm_settings.{key} {what} every provider that has none of its own",
                help=f"Give each deployment its {key} in litellm_params.",
                key=True,
            )


def _master_key(config: Config) -> Iterator[Problem]:
    general = config.section("general_settings")
    path = ("general_settings", "master_key")
    value = general.get("master_key")
    permitted = general.get("dangerously_permit_weak_or_unset_master_key")
    if isinstance(value, str) and not referenced(value) and not dollar(value):
        if value.strip().lower() in _REFUSED:
            yield config.document.problem(
                MASTER_KEY_REFUSED,
                path,
                "LiteLLM does not start with this master key",
                help="Remove it: nixcfg generates a strong one."
                if not config.alone
                else "Set LITELLM_MASTER_KEY to sk- and 32 random characters.",
            )
        elif len(value) < _WEAK_LENGTH and "os.environ" not in value:
            yield config.document.problem(
                MASTER_KEY_WEAK,
                path,
                "this master key is short enough to be guessed",
                help="Use sk- and 32 random characters, kept in a file of their own.",
            )
    elif permitted or value is not None:
        return
    elif "master_key" in general:
        yield config.document.problem(
            MASTER_KEY_REFUSED,
            path,
            "LiteLLM does not start: a null master_key hides LITELLM_MASTER_KEY",
            help="Remove the line.",
            key=True,
        )
    elif config.alone and not config.around.included:
        yield config.document.problem(
            MASTER_KEY_MISSING,
            (),
            "LiteLLM starts only when LITELLM_MASTER_KEY is set, for this file names no master key",
            help="Add general_settings: master_key: os.environ/LITELLM_MASTER_KEY.",
        )


def _named(config: Config) -> Iterator[Problem]:
    listed = config.data.get("credential_list") if not config.is_project_file else None
    names = {
        item["credential_name"]
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, Map) and isinstance(item.get("credential_name"), str)
    } | config.around.credentials
    for deployment in config.deployments:
        name = deployment.params.get("litellm_credential_name")
        if isinstance(name, str) and name not in names and config.around.complete:
            path = (*deployment.params_path, "litellm_credential_name")
            guess = nearest(name, names)
            yield config.document.problem(
                UNKNOWN_CREDENTIAL,
                path,
                f"credential_list has no {name}; LiteLLM would use the key of its environment",
                help=f"Did you mean {guess}?" if guess else "Define it in credential_list.",
                fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
            )


def _whose_key(config: Config, deployment: Deployment) -> Iterator[Problem]:
    params, facts = deployment.params, deployment.facts
    if facts is None or "mock_response" in params or "litellm_credential_name" in params:
        return
    if any(params.get(c.param) is not None for c in facts.credentials if c.param and c.secret):
        return
    if params.get("api_key") is not None:
        return
    base = deployment.api_base
    if deployment.provider == "openai" and isinstance(base, str) and "://" in base:
        if not config.alone and "OPENAI_API_KEY" in config.environment:
            return  # this file says that OPENAI_API_KEY is its key
        host = endpoints.host(base)
        is_theirs = re.search(r"(^|\.)openai\.(com|azure\.com)$", host)
        if host and not is_theirs and not referenced(base):
            key = "api_base" if "api_base" in params else "base_url"
            yield config.document.problem(
                SENT_ELSEWHERE,
                (*deployment.params_path, key),
                f"LiteLLM sends OPENAI_API_KEY to {host}",
                help="Add api_key: os.environ/NAME with its own key, or api_key: none.",
            )
    elif config.alone and facts.falls_back_to:
        own = facts.key.variable if facts.key else "its key"
        yield config.document.problem(
            OTHER_KEY,
            (*deployment.params_path, "model"),
            f"when {own} is not set, LiteLLM sends {facts.falls_back_to} to {facts.name}",
            help=f"Write api_key: os.environ/{own}, and see that it is set."
            if facts.key
            else "Add an api_key.",
        )
