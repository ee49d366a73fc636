"""LiteLLM's admin API: its lists, and its answers without a value of a key."""

import datetime as dt
import http.client
import json
import re
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from nixcfg.access.changes import Actual
from nixcfg.access.rows import Row

_PAGE = 100
_LISTS = {
    "teams": ("/v2/team/list?page_size=100&page=", "team_id"),
    "users": ("/user/list?page_size=100&sort_by=user_id&sort_order=asc&page=", "user_id"),
    "keys": ("/key/list?return_full_object=true&size=100&page=", "token"),
}
"""How the rows of each kind are listed, a page at a time, and what tells one from another."""
_TOTALS = ("total", "total_count")
_LOOKS_LIKE_KEY = re.compile(r"sk-[^\s'\",;)]+|[^\s'\"]*\*{3,}[^\s'\"]*")


class ApiError(Exception):
    """The gateway answers something else; the message says what, without a key."""


class LaterError(ApiError):
    """The gateway could not answer (5xx): the same question may be answered later."""


class AwayError(LaterError):
    """The gateway does not answer, or has no database right now."""


class Api:
    """The admin API at `url` for the master key."""

    def __init__(self, url: str, key: str, seconds: float = 60) -> None:
        self._url = urlsplit(url)
        self._key = key
        self._seconds = seconds

    def is_ready(self) -> bool:
        """Whether the gateway answers and has its database."""
        try:
            status, body = self._ask("GET", "/health/readiness", None)
        except AwayError:
            return False
        return status == 200 and isinstance(body, dict) and body.get("db") == "connected"

    def rows(self) -> Actual:
        """All teams, users and keys. Raises ApiError."""
        return Actual(*(self._all(kind) for kind in _LISTS))

    def activity(self, days: int = 30) -> list[Any]:
        """The last days, each with what was spent by model. Raises ApiError."""
        today = dt.datetime.now(dt.UTC).date()
        first = today - dt.timedelta(days=days)
        found: list[Any] = []
        number, last = 1, 1
        while number <= last:
            query = f"start_date={first}&end_date={today}&page_size={_PAGE}&page={number}"
            page = self._good("GET", f"/user/daily/activity?{query}", None)
            results = page.get("results") if isinstance(page, dict) else None
            found += results if isinstance(results, list) else []
            last = int((page.get("metadata") or {}).get("total_pages") or 1)
            number += 1
        return found

    def post(self, path: str, body: object) -> Any:
        """Post JSON. Raises ApiError for any answer but 200."""
        return self._good("POST", path, body)

    def _all(self, kind: str) -> list[Row]:
        """Every row. Two pages are two questions, between which rows may come and go: where some
        were missed, it asks again."""
        path, identity = _LISTS[kind]
        for _ in range(3):
            pages = list(self._pages(kind, path))
            found = {row[identity]: row for page in pages for row in page[kind]}
            total = next((pages[-1][name] for name in _TOTALS if name in pages[-1]), len(found))
            if len(found) >= total:
                return list(found.values())
        raise AwayError(f"the list of {kind} changes while it is read")

    def _pages(self, kind: str, path: str) -> Iterator[dict[str, Any]]:
        number = 1
        while True:
            page = self._good("GET", f"{path}{number}", None)
            if not isinstance(page, dict) or not isinstance(page.get(kind), list):
                raise ApiError(f"no list of {kind} at {path.partition('?')[0]}: is this LiteLLM?")
            yield page
            if len(page[kind]) < _PAGE:
                return
            number += 1

    def _good(self, method: str, path: str, body: object) -> Any:
        status, answer = self._ask(method, path, body)
        if status == 200:
            return answer
        if status == 401:
            raise ApiError("the gateway does not take this master key (401)")
        reason = f"{_reason(answer)} ({status})"
        raise (LaterError if status >= 500 else ApiError)(reason)

    def _ask(self, method: str, path: str, body: object) -> tuple[int, Any]:
        make: Any = http.client.HTTPConnection
        more: dict[str, Any] = {}
        if self._url.scheme == "https":
            make, more = http.client.HTTPSConnection, {"context": ssl.create_default_context()}
        connection = make(self._url.netloc, timeout=self._seconds, **more)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        payload = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, self._url.path.rstrip("/") + path, payload, headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            # Without the cause: its traceback would hold the request.
            why = getattr(error, "strerror", None) or type(error).__name__
            raise AwayError(f"the gateway does not answer: {why}") from None
        finally:
            connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, None


def _reason(answer: Any) -> str:
    """What LiteLLM says, in one line, without anything that looks like a key."""
    error = answer.get("error") or answer.get("detail") if isinstance(answer, dict) else None
    while isinstance(error, dict):
        error = error.get("message") or error.get("error") or ""
    text = " ".join(str(error or "no reason given").split())
    return _LOOKS_LIKE_KEY.sub("...", text)[:300]
