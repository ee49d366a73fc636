"""A model whose key file is missing: taken out, or left with an answer that names the key.

LiteLLM itself would ask the vendor with whatever stands for the key, and hand on what that says.
start.py changes the configuration by `without_keys` before LiteLLM reads it; LiteLLM loads this
file beside it as the custom provider of a model that is left with none of its deployments.
"""

from typing import Any

PROVIDER = "missing-key"


def needed(value: object, missing: set[str]) -> set[str]:
    """The missing keys that a part of a configuration refers to."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {name for each in value for name in needed(each, missing)}
    name = value.removeprefix("os.environ/") if isinstance(value, str) else None
    return {name} & missing if name != value else set()


def without_keys(config: dict[str, Any], missing: set[str]) -> dict[str, Any]:
    """The configuration without the deployments that refer to one of the missing keys.

    A model that has others goes on with those. One that has none is answered for by this
    provider, so that its fallbacks work as they do for any failure.
    """
    credentials = {
        each["credential_name"]: needed(each, missing)
        for each in config.get("credential_list") or ()
    }

    def lacks(deployment: dict[str, Any]) -> set[str]:
        given = deployment["litellm_params"]
        of_credential = credentials.get(given.get("litellm_credential_name"), set())
        return needed(given, missing) | of_credential

    models = [(each, lacks(each)) for each in config["model_list"]]
    left = [each for each, names in models if not names]
    answered = {each["model_name"] for each in left}
    for each, names in models:
        if each["model_name"] not in answered:
            answered.add(each["model_name"])
            tags = {k: v for k, v in each["litellm_params"].items() if k == "tags"}
            refusal = {"model": f"{PROVIDER}/{'+'.join(sorted(names))}", **tags}
            left.append({**each, "litellm_params": refusal})
    settings = config.get("litellm_settings") or {}
    ours = {"provider": PROVIDER, "custom_handler": "missing_key.handler"}
    providers = [*(settings.get("custom_provider_map") or ()), ours]
    return {
        **config,
        "model_list": left,
        "litellm_settings": {**settings, "custom_provider_map": providers},
    }


def _provider() -> object:
    """What LiteLLM calls for a model `missing-key/NAME`."""
    from litellm import CustomLLM  # takes seconds, and start.py needs none of it
    from litellm.llms.custom_llm import CustomLLMError

    class MissingKey(CustomLLM):
        def refuse(self, model: str, *_: object, **__: object) -> None:
            # 403, because LiteLLM neither repeats it nor takes the model out for a while, after
            # which it would answer 429 and name no key.
            raise CustomLLMError(
                status_code=403,
                message=f"the gateway has no key for this model: {model.replace('+', ' and ')}"
                " is missing. The journal of litellm-proxy-secrets.service names its file.",
            )

        async def arefuse(self, model: str, *_: object, **__: object) -> None:
            self.refuse(model)

        async def astreaming(self, model: str, *_: object, **__: object) -> object:
            self.refuse(model)
            yield

        completion = streaming = embedding = image_generation = refuse
        acompletion = aembedding = aimage_generation = arefuse

    return MissingKey()


def __getattr__(name: str) -> object:
    if name == "handler":
        return _provider()
    raise AttributeError(name)
