"""What LiteLLM does only when it is asked, done once for all cases that are forked later.

It imports many modules late, and FastAPI prepares each route when a request first comes by: most of
the time that a case takes. Which modules these are depends on the release and on the case, so each
case says what it imports, and the next ones are forked with it. Python's own library alone, because
LiteLLM's process imports it.
"""

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

_SHARED = ("boto3", "botocore", "litellm.litellm_core_utils", "litellm.llms", "litellm.proxy",
           "openai", "tiktoken", "uvicorn")  # fmt: skip
"""Packages that may be imported before a case begins. None that a configuration names, such as a
callback: they are to find LiteLLM configured."""
_ATOMIC = 4096
"""Bytes that a pipe takes as a whole, between those of other writers."""


class _Teller:
    """Says what is imported, and finds nothing. Lines of JSON: `module` and `environment`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._before = dict(os.environ)

    def find_spec(self, name: str, *_more: object) -> None:
        if f"{name}.".startswith(tuple(f"{each}." for each in _SHARED)):
            # LiteLLM sets the variables of its configuration, and modules read some at import.
            changed = {k: v for k, v in os.environ.items() if self._before.get(k) != v}
            line = json.dumps({"module": name, "environment": changed}).encode() + b"\n"
            if len(line) <= _ATOMIC:
                with contextlib.suppress(BlockingIOError):  # no one has read for long
                    os.write(self._handle, line)


def tell(handle: int) -> None:
    """In a case: say from now on what is imported."""
    sys.meta_path.insert(0, _Teller(handle))


class Learnt:
    """Between cases. `handle`, a pipe that does not block, has what cases tell."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._rest = b""
        self._known: set[str] = set()

    def catch_up(self) -> None:
        """Import what was told since the last time."""
        while chunk := self._read():
            self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            told = json.loads(line)
            if told["module"] not in self._known:
                self._known.add(told["module"])
                # What cannot be imported could not be imported there.
                with _environment(told["environment"]), contextlib.suppress(Exception):
                    importlib.import_module(told["module"])

    def _read(self) -> bytes:
        try:
            return os.read(self._handle, 1 << 16)
        except BlockingIOError:
            return b""


@contextlib.contextmanager
def _environment(changed: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changed)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def prepare(app: Any) -> None:
    """Have FastAPI prepare the routes of an application, as a request does that fits none."""
    scope = {"type": "http", "method": "GET", "path": "/none", "root_path": "", "headers": []}
    for route in app.routes:
        with contextlib.suppress(Exception):  # it does not matter before a request comes
            route.matches(scope)
