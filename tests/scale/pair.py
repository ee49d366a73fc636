"""Two instances of LiteLLM behind the same configuration, as a load balancer would ask them."""

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway import Gateway, gateway, gateways

MASTER_KEY = f"sk-{secrets.token_hex(24)}"


@dataclass(frozen=True)
class Pair:
    a: Gateway
    b: Gateway

    def with_key(self, key: str) -> "Pair":
        """The same two, asked with a client's key."""
        return Pair(replace(self.a, master_key=key), replace(self.b, master_key=key))

    def statuses(self, model: str, turns: str) -> list[int]:
        """One question a letter: `aab` asks the first instance twice and then the second."""
        return [
            getattr(self, turn).chat(model, f"question {secrets.token_hex(8)}").status
            for turn in turns
        ]


@contextmanager
def pair(
    config: Mapping[str, Any],
    folder: Path,
    *environments: Mapping[str, str],
    files: Mapping[str, str] | None = None,
) -> Iterator[Pair]:
    """The instances, up: started together with one environment for both, or with one for each,
    the second when the first is up. `files` lie beside the configuration, for what it refers to."""
    file = folder / "config.yaml"
    file.write_text(json.dumps(config))
    for name, content in (files or {}).items():
        (folder / name).write_text(content)
    with ExitStack() as stack:
        if len(environments) == 1:
            starts = dict.fromkeys("ab", (file, environments[0]))
            running = stack.enter_context(gateways(starts, MASTER_KEY, folder))
            yield Pair(running["a"], running["b"])
        else:
            a, b = (
                stack.enter_context(gateway(file, environment, MASTER_KEY, folder / f"{name}.log"))
                for name, environment in zip("ab", environments, strict=True)
            )
            yield Pair(a, b)


def within_one_minute(seconds: float = 15) -> None:
    """Waits, if need be, until the minute of the clock has so many seconds left: the limits of
    deployments are counted by it."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.1)
