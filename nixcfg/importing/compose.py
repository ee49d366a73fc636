"""A compose file as a source: the service that runs LiteLLM."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nixcfg.importing import Config, Container, Kind, NotImportableError
from nixcfg.importing.container import (
    Mount,
    Word,
    is_litellm,
    leave_out_rest,
    set_command,
    set_image,
    set_ports,
    set_variable,
    to_mount,
)
from nixcfg.importing.written import names_key
from nixcfg.problems.problem import Steps
from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Document

_HANDLED = ("image", "ports", "command", "volumes", "environment", "env_file", "configs")
_REPLACED = ("restart", "container_name", "healthcheck", "init", "pull_policy", "stop_grace_period")
_VARIABLE = re.compile(
    r"\$(?:\$|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<rest>[^{}]*))?\})"
)


def read(document: Document) -> Container:
    """What the compose file says about its LiteLLM service.

    Raises NotImportableError where it has none, or several.
    """
    services = document.data["services"]
    running = [name for name, service in services.items() if _runs_litellm(service)]
    if len(running) != 1:
        which = f"{', '.join(running)} all run" if running else "no service runs"
        raise NotImportableError(f"{document.name}: {which} LiteLLM; import takes one")
    (name,) = running
    container = Container(document.name)
    _Service(document, container, ("services", name), services[name]).read()
    for other in services:
        if other != name:
            span = document.span(("services", other), key=True)
            container.note(Kind.LEFT_OUT, span, f"the service {other} is not part of the gateway")
    return container


def _runs_litellm(service: Any) -> bool:
    if not isinstance(service, dict):
        return False
    image, _ = interpolated(str(service.get("image", "")))
    command = service.get("command") or ()
    words = command.split() if isinstance(command, str) else [str(word) for word in command]
    return is_litellm(image, words)


def interpolated(text: str) -> tuple[str, list[str]]:
    """A text with its variables' defaults filled in, and the variables that have none."""
    missing: list[str] = []

    def fill(found: re.Match[str]) -> str:
        name = found["bare"] or found["name"]
        if name is None:
            return "$"
        if found["how"] in ("-", ":-"):
            return str(found["rest"])
        missing.append(name)
        return ""

    return _VARIABLE.sub(fill, text), missing


class _Service:
    def __init__(
        self, document: Document, container: Container, path: Steps, data: Mapping[str, Any]
    ) -> None:
        self.document = document
        self.container = container
        self.path = path
        self.data = data

    def read(self) -> None:
        if self.data.get("image"):
            image = self.word("image")
            text, missing = interpolated(image.text)
            set_image(self.container, Word(text if not missing else "", image.span))
        set_ports(self.container, self.ports())
        self.environment()
        self.env_file()
        mounts = list(self.mounts())
        command = self.data.get("command") or ()
        words = (
            [self.word("command")]
            if isinstance(command, str)
            else [self.word("command", index) for index in range(len(command))]
        )
        words = [Word(interpolated(word.text)[0], word.span) for word in words]
        on_host = self.data.get("network_mode") == "host"
        set_command(self.container, words, mounts, on_host=on_host)
        spans = {key: self.document.span((*self.path, key), key=True) for key in self.data}
        leave_out_rest(self.container, spans, _HANDLED, _REPLACED)

    def word(self, *steps: str | int) -> Word:
        value: Any = self.data
        for step in steps:
            value = value[step]
        return Word(str(value), self.document.span((*self.path, *steps)))

    def ports(self) -> Iterator[Word]:
        for index, port in enumerate(self.data.get("ports") or ()):
            word = self.word("ports", index)
            text = word.text
            if isinstance(port, dict):
                parts = port.get("host_ip"), port.get("published"), port.get("target")
                text = ":".join(str(part) for part in parts if part is not None)
            yield Word(interpolated(text)[0], word.span)

    def environment(self) -> None:
        given = self.data.get("environment") or {}
        for step in given if isinstance(given, dict) else range(len(given)):
            span = self.document.span((*self.path, "environment", step), key=True)
            value: Any
            if isinstance(given, dict):
                name, value = str(step), given[step]
            else:
                name, equals, value = str(given[step]).partition("=")
                value = value if equals else None
            self.variable(Word(name, span), value)

    def variable(self, name: Word, value: Any) -> None:
        if isinstance(value, bool):
            value = str(value).lower()
        if value is None:
            set_variable(self.container, name, None)
            return
        text, missing = interpolated(str(value))
        if missing:
            if text or len(missing) > 1:
                self.container.note(
                    Kind.CHECK,
                    name.span,
                    f"{name.text} is put together from {', '.join(missing)}; its key file holds "
                    "the whole value",
                )
            set_variable(self.container, name, None)
        elif text != str(value) and names_key(name.text):
            set_variable(self.container, name, None)  # a key with a default: the key is outside
        else:
            set_variable(self.container, name, text)

    def env_file(self) -> None:
        given = self.data.get("env_file") or ()
        for index in range(len(given)) if isinstance(given, list) else (None,):
            steps = ("env_file",) if index is None else ("env_file", index)
            if given:
                word = self.word(*steps)
                name = word.text if isinstance(given, str | list) else ""
                self.container.note(
                    Kind.CHECK,
                    word.span,
                    f"env_file {name} was not read: a key that the models use comes from a key "
                    "file now, other variables in it are not carried over",
                )

    def mounts(self) -> Iterator[Mount]:
        for index, volume in enumerate(self.data.get("volumes") or ()):
            word = self.word("volumes", index)
            if isinstance(volume, dict):
                host, inner = str(volume.get("source", "")), str(volume.get("target", ""))
                mount: Mount | None = Mount(interpolated(host)[0], inner, word.span)
            else:
                mount = to_mount(Word(interpolated(word.text)[0], word.span))
            if mount is None:
                self.container.note(Kind.LEFT_OUT, word.span, "a volume without a path of its own")
            else:
                yield mount
        tops = self.document.data.get("configs") or {}
        for index, use in enumerate(self.data.get("configs") or ()):
            span = self.word("configs", index).span
            name = use.get("source") if isinstance(use, dict) else use
            target = str(use.get("target") or "") if isinstance(use, dict) else ""
            top = tops.get(name) if isinstance(tops, dict) else None
            if isinstance(top, dict) and isinstance(top.get("content"), str):
                self.container.config = Config(document=self.inline(str(name), top["content"]))
            elif isinstance(top, dict) and top.get("file"):
                yield Mount(str(top["file"]), target or f"/{name}", span)
            else:
                self.container.note(Kind.LEFT_OUT, span, f"the config {name}")

    def inline(self, name: str, content: str) -> Document:
        text = content.replace("$$", "$")
        return reader.parse(text, f"{self.document.name} (configs.{name})")
