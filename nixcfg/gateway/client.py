"""Ask a running gateway: a small HTTP client that knows LiteLLM's routes, and nothing of keys but
the one that it is given for the gateway itself.
"""

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from nixcfg.project.model import Machine


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, whole. `headers` by names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The document in the body, None where there is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A LiteLLM proxy at `url`; `key` is its master key, "" for an open one.

    The methods raise OSError (also TimeoutError) and http.client.HTTPException.
    """

    url: str
    key: str = field(default="", repr=False)

    def get(self, path: str, seconds: float = 10.0, *, key: str | None = None) -> Answer:
        """GET a route. `key` is sent instead of the gateway's own, "" for none."""
        with self._asked("GET", path, None, seconds, key) as response:
            return Answer(response.status, _headers(response), response.read())

    def post(self, path: str, body: object, seconds: float) -> Answer:
        """POST a JSON document."""
        with self._asked("POST", path, body, seconds, None) as response:
            return Answer(response.status, _headers(response), response.read())

    @contextmanager
    def stream(
        self,
        path: str,
        body: object,
        seconds: float,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """POST a JSON document, or bytes; gives the answer, its body empty, and the lines as they
        come.

        `key` as for `get`; `headers` are sent besides.
        """
        with self._asked("POST", path, body, seconds, key, headers=headers or {}) as response:
            yield Answer(response.status, _headers(response), b""), response

    def is_alive(self) -> bool:
        """Whether the liveliness route answers, which costs nothing."""
        try:
            return self.get("/health/liveliness", 5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def models(self) -> list[str]:
        """The names in /v1/models. Raises RefusedError when the gateway does not list them."""
        answer = self.get("/v1/models", 30)
        data = answer.json()
        listed = data.get("data") if isinstance(data, dict) else None
        if answer.status != 200 or not isinstance(listed, list):
            raise RefusedError(answer)
        return [str(each.get("id")) for each in listed if isinstance(each, dict)]

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        body: object,
        seconds: float,
        key: str | None,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[http.client.HTTPResponse]:
        url = urlsplit(self.url)
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(url.netloc, timeout=seconds, context=context)
        else:
            connection = http.client.HTTPConnection(url.netloc, timeout=seconds)
        sent = {"Content-Type": "application/json", **headers}
        key = self.key if key is None else key
        if key:
            sent["Authorization"] = f"Bearer {key}"
        payload = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, url.path.rstrip("/") + path, payload, sent)
            yield connection.getresponse()
        finally:
            connection.close()


class RefusedError(Exception):
    """The gateway answers, but not what was asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the gateway answers {answer.status}")
        self.answer = answer


def url_of(machine: "Machine") -> str:
    """Where the machine's gateway is reached from itself."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 (compared, not bound)
        machine.listen_address, machine.listen_address
    )
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{machine.port}"


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
