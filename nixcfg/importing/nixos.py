"""A NixOS module as a source: the oci-containers container, or the service, that runs LiteLLM."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from nixcfg.importing import Config, Container, Kind, NotImportableError
from nixcfg.importing.container import (
    Mount,
    Word,
    is_litellm,
    leave_out_rest,
    set_address,
    set_command,
    set_image,
    set_ports,
    set_variable,
)
from nixcfg.importing.nix.evaluate import File
from nixcfg.importing.nix.values import (
    Attributes,
    Content,
    Generated,
    Mixed,
    Opaque,
    Path,
    Thunk,
)
from nixcfg.problems.problem import Span
from nixcfg.render import nix
from nixcfg.yamltext import emit, reader

_CONTAINERS = ("virtualisation", "oci-containers", "containers")
_BACKEND = ("virtualisation", "oci-containers", "backend")
_SERVICE = ("services", "litellm")
_HANDLED = ("image", "ports", "cmd", "volumes", "environment", "environmentFiles")
_REPLACED = ("autoStart", "hostname", "pull", "serviceName", "log-driver")
_MANAGED = ("sops", "age")


def read(name: str, text: str) -> Container:
    """What a Nix file says about the gateway.

    Raises NotImportableError where the file is not Nix or has no LiteLLM in it, or several.
    """
    module = _Module(File(name, text))
    container = module.read()
    config = container.config
    if config and config.path and not config.document:
        siblings = _siblings(name, text, module.file, config.path)
        container.config = Config(config.path, siblings)
    return container


def _siblings(name: str, text: str, file: File, path: str) -> str:
    """`configs/*.yaml`, where the file chooses `configs/claude.yaml` by a name of its own."""
    stem = PurePosixPath(path).stem
    for variable, value in file.bound.items():
        if value.force() == stem:
            other = _Module(File(name, text, {variable: "*"})).read()
            if other.config and "*" in other.config.path:
                return other.config.path
    return ""


class _Module:
    def __init__(self, file: File) -> None:
        self.file = file
        self.container = Container(file.name)

    def read(self) -> Container:
        options = self.file.value()
        if isinstance(options, dict) and "config" in options:
            options = options["config"].force()
        if not isinstance(options, dict):
            raise NotImportableError(f"{self.file.name}: this is no NixOS module")
        containers = _at(options, _CONTAINERS)
        found = {
            name: thunk
            for name, thunk in (containers if isinstance(containers, dict) else {}).items()
            if _is_litellm(_unwrapped(thunk.force()))
        }
        service = _at(options, _SERVICE)
        if len(found) + isinstance(service, dict) != 1:
            which = f"{', '.join(found)} all run" if len(found) > 1 else "no container runs"
            raise NotImportableError(f"{self.file.name}: {which} LiteLLM; import takes one")
        self.leave_out_others(options, found)
        self.read_backend(options)
        if found:
            (thunk,) = found.values()
            if isinstance(thunk.force(), Opaque):
                wrapper = ".".join(thunk.force().steps)
                why = f"{wrapper} is not followed: what it adds to the container is not here"
                self.container.note(Kind.CHECK, thunk.span, why)
            self.read_container(_unwrapped(thunk.force()))
        else:
            self.read_service(service)
        return self.container

    def leave_out_others(self, options: Attributes, found: Attributes) -> None:
        for path, thunk in _leaves(options, ()):
            if path[:2] == _SERVICE or path[:2] == ("virtualisation", "oci-containers"):
                is_other = path[:3] == _CONTAINERS and path[3:4] and path[3] not in found
                if is_other and len(path) == 4:
                    self.left_out(thunk.key_span, f"the container {path[3]}")
            elif path[:1] != ("imports",):
                name = ".".join(path)
                self.left_out(thunk.key_span, f"{name} belongs in your own NixOS configuration")

    def left_out(self, span: Span, message: str) -> None:
        self.container.note(Kind.LEFT_OUT, span, message)

    def read_backend(self, options: Attributes) -> None:
        backend = _at(options, _BACKEND)
        if backend in ("docker", "podman"):
            self.container.backend = backend
            return
        for name in ("docker", "podman"):
            if _at(options, ("virtualisation", name, "enable")) is True:
                self.container.backend = name

    def read_container(self, options: Attributes) -> None:
        if "image" in options:
            image = options["image"]
            set_image(self.container, Word(_plain(image.force()) or "", image.span))
        set_ports(self.container, list(self.words(options, "ports")))
        self.read_environment(options)
        mounts = [mount for mount in map(self.mount, self.items(options, "volumes")) if mount]
        network = " ".join(word.text for word in self.words(options, "extraOptions", quiet=True))
        on_host = re.search(r"--net(work)?[= ]host\b", network) is not None
        set_command(self.container, list(self.words(options, "cmd")), mounts, on_host=on_host)
        spans = {name: thunk.key_span for name, thunk in options.items()}
        leave_out_rest(self.container, spans, _HANDLED, _REPLACED)

    def read_service(self, options: Attributes) -> None:
        """nixpkgs' own services.litellm."""
        self.read_environment(options)
        port, host = _at(options, ("port",)), _at(options, ("host",))
        self.container.port = port if isinstance(port, int) else 8080
        set_address(self.container, host if isinstance(host, str) else "localhost")
        if "settings" in options:
            settings = options["settings"]
            self.container.config = Config(document=self.generated(settings.force(), settings.span))
        handled = ("environment", "environmentFile", "port", "host", "settings", "enable")
        spans = {name: thunk.key_span for name, thunk in options.items()}
        leave_out_rest(self.container, spans, handled, ("package", "stateDir"))

    def read_environment(self, options: Attributes) -> None:
        environment = _at(options, ("environment",))
        for name, thunk in environment.items() if isinstance(environment, dict) else ():
            self.variable(Word(name, thunk.key_span), thunk.force())
        if not isinstance(environment, dict | None):
            self.left_out(options["environment"].key_span, "environment is put together elsewhere")
        files = [*self.items(options, "environmentFiles"), *self.items(options, "environmentFile")]
        for thunk in files:
            where = self.origin(thunk.force()) or "of another place"
            self.container.note(
                Kind.CHECK,
                thunk.span,
                f"the environment file {where} was not read: nixcfg takes one file a key. What the "
                "models need comes from key files now; other variables are not carried over",
            )

    def variable(self, name: Word, value: Any) -> None:
        match value:
            case Content():
                self.container.note(
                    Kind.SECRET,
                    name.span,
                    f"{name.text} was read into the Nix store, where every user can read it; it "
                    "comes from a file at start now. Replace it where it was issued",
                )
                origin = self.origin(value.file)
                set_variable(self.container, name, None, origin, optional=value.optional)
            case bool() | int():
                set_variable(self.container, name, str(value).lower())
            case None:
                pass
            case _ if (text := _plain(value)) is not None:
                set_variable(self.container, name, text)
            case _:
                self.container.note(
                    Kind.CHECK,
                    name.span,
                    f"what {name.text} holds is only known to Nix; it comes from a key file now",
                )
                set_variable(self.container, name, None)

    def origin(self, value: Any) -> str:
        """Where a file is on the machine; "" for one that is only beside the sources."""
        if isinstance(value, Opaque) and value.steps[:1] == ("config",):
            if len(value.steps) == 5 and value.steps[1] in _MANAGED and value.steps[4] == "path":
                return f"config.{value.steps[1]}.secrets.{nix.attribute(value.steps[3])}.path"
            return ""
        text = value.text if isinstance(value, Path) else _plain(value)
        usable = text is not None and text[:1] == "/" and not text.startswith("/nix/store")
        return str(PurePosixPath(text)) if text and usable else ""

    def mount(self, thunk: Thunk) -> Mount | None:
        value = thunk.force()
        parts = list(value.parts) if isinstance(value, Mixed) else [value]
        if isinstance(parts[0], Generated) and len(parts) > 1 and isinstance(parts[1], str):
            document = self.generated(parts[0].value, thunk.span)
            self.container.config = Config(document=document)
            return None
        text = "".join(part.text if isinstance(part, Path) else _or_star(part) for part in parts)
        host, _, rest = text.partition(":")
        inner = rest.partition(":")[0]
        if inner[:1] == "/":
            return Mount(host, inner, thunk.span)
        self.left_out(thunk.span, "a volume without a path of its own")
        return None

    def generated(self, value: Any, span: Span) -> Any:
        """A configuration that is written in Nix, as a document."""
        text = _plain(value)
        if text is None:
            data = self.data(value, span)
            if not isinstance(data, dict):
                raise NotImportableError(
                    f"{self.file.name}:{span.line}:{span.column}: the LiteLLM configuration is put "
                    "together in a way that only Nix can follow; name the finished file instead"
                )
            text = emit.block(data) + "\n"
        return reader.parse(text, f"{self.file.name} (line {span.line})")

    def data(self, value: Any, span: Span) -> Any:
        """Nix data as Python data."""
        match value:
            case dict():
                return {name: self.data(each.force(), each.span) for name, each in value.items()}
            case list():
                return [self.data(each.force(), each.span) for each in value]
            case Path():
                return value.text
        if isinstance(value, str | int | float | bool | None):
            return value
        raise NotImportableError(
            f"{self.file.name}:{span.line}:{span.column}: this part of the configuration is known "
            f"to Nix only: {_name(value)}"
        )

    def items(self, options: Attributes, name: str) -> Iterator[Thunk]:
        if name not in options:
            return
        value = options[name].force()
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield options[name]

    def words(self, options: Attributes, name: str, *, quiet: bool = False) -> Iterator[Word]:
        for thunk in self.items(options, name):
            text = _plain(thunk.force())
            if text is None and quiet:
                continue
            if text is None:
                self.left_out(thunk.span, f"an entry of {name} that only Nix knows")
            else:
                yield Word(text, thunk.span)


def _is_litellm(options: Attributes) -> bool:
    image = _at(options, ("image",))
    command = _at(options, ("cmd",))
    words = [_plain(each.force()) or "" for each in command] if isinstance(command, list) else []
    name = _plain(image) or "".join(_or_star(p) for p in getattr(image, "parts", ()))
    return is_litellm(name, words)


def _unwrapped(value: Any) -> Attributes:
    """The options of a container, also where a function of the user's is applied to them."""
    if isinstance(value, Opaque) and value.arguments:
        value = value.arguments[-1].force()
    return value if isinstance(value, dict) else {}


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step].force()
    return value


def _leaves(options: Attributes, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Thunk]]:
    """What a module sets, as far down as it says something of its own."""
    for name, thunk in options.items():
        here = (*path, name)
        if thunk.state == "done" and isinstance(thunk.value, dict) and len(here) < 4:
            yield from _leaves(thunk.value, here)
        elif here[:1] in (("virtualisation",), ("services",)) and len(here) < 4:
            value = thunk.force()
            yield from _leaves(value, here) if isinstance(value, dict) else [(here, thunk)]
        else:
            yield here, thunk


def _plain(value: Any) -> str | None:
    """A text that is known to the last character."""
    if isinstance(value, Mixed) and all(isinstance(part, str | Path) for part in value.parts):
        return "".join(part.text if isinstance(part, Path) else part for part in value.parts)
    return value if isinstance(value, str) else None


def _or_star(part: Any) -> str:
    return part if isinstance(part, str) else "?"


def _name(value: Any) -> str:
    if isinstance(value, Opaque):
        return ".".join(value.steps)
    return re.sub(r"(?<!^)([A-Z])", r" \1", type(value).__name__).lower()
