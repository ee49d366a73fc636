"""Learn by experiment how LiteLLM authenticates and addresses each provider.

A real call is made per provider with the network cut: every outgoing request is caught before it
leaves. Each environment variable that LiteLLM looks for meanwhile gets a value of its own, which
is then searched in the request. What appears is used; taking it away shows what comes next; with
nothing left, either the call fails or it is sent without a key.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from learn.bench import Bench, samples
from learn.findings import SECRET, Findings
from learn.unprobed import UNPROBED
from learn.wire import ADDRESS, catch_requests, skip_reports, watch_environment


def read_in_source(name: str, *, required: bool) -> list[dict[str, Any]]:
    """For providers that none of the calls reaches: variables that their own code looks up."""
    import litellm

    folder = Path(litellm.__file__).parent / "llms" / name
    text = "\n".join(file.read_text("utf-8") for file in sorted(folder.rglob("*.py")))
    if "BaseAWSLLM" in text:
        keys = ("aws_access_key_id", "aws_secret_access_key")
        return [
            {"variable": key.upper(), "param": key, "secret": True, "required": True}
            for key in keys
        ]
    lookup = r"(?:get_secret|get_secret_str|getenv|environ\.get)\(\s*\"([A-Z0-9_]+)\""
    found: list[dict[str, Any]] = []
    for variable in dict.fromkeys(re.findall(lookup, text)):
        if SECRET.search(variable):
            first = not any(item.get("secret") for item in found)
            fact = {"variable": variable, "param": "api_key", "secret": True}
            found.append({**fact, "required": True} if first and required else fact)
        elif ADDRESS.search(variable):
            found.append({"variable": variable, "param": "api_base"})
    return sorted(found, key=lambda item: (not item.get("secret"), item["variable"]))


def provider_names() -> set[str]:
    import litellm
    from litellm.llms.openai_like.json_loader import JSONProviderRegistry

    return {p.value for p in litellm.provider_list} | set(JSONProviderRegistry.list_providers())


def probe(params: Iterable[str], only: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Facts about every provider; ``params`` are the known keys of litellm_params."""
    import litellm
    from litellm.constants import (
        PROVIDERS_THAT_AUTHENTICATE_ON_PROVIDER_INFO as ASKING,
    )

    skip_reports()
    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True
    litellm.drop_params = True  # or `timeout` is an error for some
    catch_requests()
    watch_environment()
    models = samples()
    found: dict[str, Any] = {}
    for name in sorted(only or provider_names()):
        if name in UNPROBED:
            found[name] = UNPROBED[name]
        elif name in ASKING:
            found[name] = {"chat": True, "credentials": [], "api_base": {}}
            found[name]["interactive_login"] = True
        else:
            bench = Bench(name, models.get(name, {}))
            found[name] = Findings(bench, frozenset(params)).facts()
            if not found[name]["credentials"] and not bench.ever_sent:
                # A client library that is not installed says nothing about what it needs.
                missing = "No module named" in bench.run(()).error
                found[name]["credentials"] = read_in_source(name, required=not missing)
    return found
