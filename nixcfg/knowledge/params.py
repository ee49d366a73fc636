"""Which vendors read a parameter of a deployment: vendor_params.json.

tools/measure_params.py reads and measures it; see tools/learn/carried.py for what each list holds.
"""

from collections.abc import Mapping
from typing import Any


class Params:
    """The parameters of one release, by the vendors that read them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._vendors: Mapping[str, list[str]] = data["vendors"]
        self._clouds: Mapping[str, list[str]] = data["clouds"]
        self._prefixes = tuple(self._clouds)
        self._unsent = frozenset(data["unsent"])
        self._all = frozenset(name for names in self._vendors.values() for name in names)
        self.regions: Mapping[str, str] = data["regions"]
        """Where a provider's requests go when no one names a region."""
        self.nested = frozenset(data["nested"])
        """The providers that are sent an extra_body as it is, not what it holds."""
        self.without_effect = frozenset(data["without_effect"])
        """What LiteLLM accepts in a deployment, and nothing looks at."""

    def are_kept(self, key: str) -> bool:
        """Whether LiteLLM takes the parameter for itself on every provider: callbacks."""
        return key in self._unsent and not self.cloud(key)

    def is_vendors(self, provider: str, key: str) -> bool:
        """Whether LiteLLM's code for this vendor handles the parameter: num_ctx for ollama."""
        start = next((v for v in self._vendors if v and provider.startswith(v)), provider)
        return any(key in self._vendors.get(each, ()) for each in (provider, start) if each)

    def is_common(self, key: str) -> bool:
        """Whether the code that all vendors share handles the parameter, if only for one."""
        return key in self._vendors[""]

    def is_any_vendors(self, key: str) -> bool:
        """Whether the code of some vendor handles the parameter."""
        return key in self._all

    def cloud(self, key: str) -> str:
        """What the parameters of one cloud begin with, as ``aws_``; "" for any other."""
        if not key.startswith(self._prefixes):
            return ""
        return next(cloud for cloud in self._clouds if key.startswith(cloud))

    def readers(self, cloud: str) -> tuple[str, ...]:
        """The providers that read what begins with this."""
        return tuple(self._clouds[cloud])

    def reads(self, provider: str, cloud: str) -> bool:
        """Whether a provider belongs to a cloud: it was seen to read, or is called like it."""
        return provider in self._clouds[cloud]
