"""Ask a server of one's own which models it has, before it is a provider."""

import http.client
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from nixcfg.gateway.client import Gateway
from nixcfg.project import wiring

SECONDS = 4.0
"""How long a person waits for a list that a server on the same network has at once."""
_MOST = 500


@dataclass(frozen=True, slots=True)
class Served:
    """The names in its /v1/models; where there are none, `reason` says why.

    `wants_key`: it answers 401 or 403 to anyone without one.
    """

    models: tuple[str, ...] = ()
    reason: str = ""
    wants_key: bool = False


def served(base: str) -> Served:
    """What a server lists, asked from here without a key. Never raises, and takes SECONDS at most.

    `base` is its address as the container calls it: what is this machine there is so here too.
    """
    answers: queue.SimpleQueue[Served] = queue.SimpleQueue()
    # A server that sends a byte a second keeps every timeout of a socket, so a thread is given up.
    threading.Thread(target=lambda: answers.put(_ask(base)), daemon=True).start()
    try:
        return answers.get(timeout=SECONDS + 1)
    except queue.Empty:
        return Served(reason=f"no answer within {SECONDS:g} s")


def _ask(base: str) -> Served:
    url = urlsplit(base)
    if url.hostname == wiring.HOST:
        url = url._replace(netloc=url.netloc.replace(wiring.HOST, "127.0.0.1"))
    path = "/models" if url.path.rstrip("/") else "/v1/models"
    try:
        answer = Gateway(url.geturl()).get(path, SECONDS)
    except TimeoutError:
        return Served(reason=f"no answer within {SECONDS:g} s")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Served(reason=getattr(error, "strerror", None) or "no answer that is HTTP")
    if answer.status in (401, 403):
        return Served(reason="it asks for a key", wants_key=True)
    models = tuple(_names(answer.json()))
    if answer.status != http.client.OK or not models:
        return Served(reason=f"{answer.status} and no list")
    return Served(models[:_MOST])


def _names(data: object) -> Iterator[str]:
    """The names in such a list, as far as they can be shown and typed."""
    listed = data.get("data") if isinstance(data, dict) else None
    for each in listed if isinstance(listed, list) else ():
        name = each.get("id") if isinstance(each, dict) else None
        if isinstance(name, str) and name.isprintable() and name.split() == [name]:
            yield name
