"""What compose files and oci-containers have in common: images, ports, mounts, commands."""

import ipaddress
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nixcfg import knowledge
from nixcfg.importing import Config, Container, Kind
from nixcfg.importing.written import is_key_for
from nixcfg.problems.problem import Span
from nixcfg.project import wiring

_PORT = re.compile(
    r"(?:(?P<ip>\[[0-9a-fA-F:]+\]|\d+(?:\.\d+){3}):)?(?:(?P<host>\d+):)?(?P<inner>\d+)(?:/tcp)?"
)
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]*")
# What the command line of the proxy says that an environment variable says as well.
_OPTIONS = {
    "--detailed_debug": "DETAILED_DEBUG",
    "--debug": "DEBUG",
    "--keepalive_timeout": "KEEPALIVE_TIMEOUT",
    "--max_requests_before_restart": "MAX_REQUESTS_BEFORE_RESTART",
    "--request_timeout": "REQUEST_TIMEOUT",
    "--telemetry": "TELEMETRY",
}
# What only says where the proxy inside the container finds and offers things.
_OURS = {"CONFIG_FILE_PATH", "HOST", "PORT"}
_TAKEN = wiring.OWNED_VARIABLES.keys() - _OURS - {wiring.MASTER_KEY_VARIABLE}
_WORKERS = "NUM_WORKERS"
_MAX_WORKERS = 100


@dataclass(frozen=True, slots=True)
class Mount:
    """A path of this machine that the container sees; `siblings` as in Config."""

    host: str
    inner: str
    span: Span
    siblings: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A text of the definition, and where it is."""

    text: str
    span: Span


def is_litellm(image: str, command: Sequence[str] = ()) -> bool:
    """Whether an image, or a command, runs the LiteLLM proxy."""
    name = re.split(r"[:@]", image.rpartition("/")[2])[0]
    return name.startswith("litellm") or "litellm" in (word.rpartition("/")[2] for word in command)


def set_image(container: Container, image: Word) -> None:
    """The image, unless it is not a name that can be rendered."""
    if _IMAGE.fullmatch(image.text):
        container.image = image.text
    else:
        container.note(Kind.LEFT_OUT, image.span, "image is no plain name; nixcfg's own is used")


def set_ports(container: Container, ports: Iterable[Word]) -> None:
    """Where the gateway is published: the first port that leads to the proxy."""
    for port in ports:
        found = _PORT.fullmatch(port.text)
        if container.port is not None or not found:
            container.note(Kind.LEFT_OUT, port.span, f"a second published port, {port.text}")
            continue
        container.port = int(found["host"] or found["inner"])
        container.listen_address = (found["ip"] or "0.0.0.0").strip("[]")  # noqa: S104 (as it was)
        if container.listen_address in ("0.0.0.0", "::"):  # noqa: S104 (as it was)
            container.note(
                Kind.CHECK,
                port.span,
                "published on all interfaces, as before; listen_address: 127.0.0.1 in nixcfg.yaml "
                "keeps the gateway on this machine",
            )


def set_address(container: Container, host: str) -> None:
    """The address that the gateway listens on, unless it is a name that only the machine knows."""
    try:
        container.listen_address = str(ipaddress.ip_address(host.replace("localhost", "127.0.0.1")))
    except ValueError:
        container.listen_address = None


def set_command(
    container: Container, words: Sequence[Word], mounts: Sequence[Mount], *, on_host: bool
) -> None:
    """The configuration that the command line names, and its options as variables.

    `on_host`: the container uses the network of the machine, so its port is the machine's.
    """
    if len(words) == 1 and " " in words[0].text:
        words = [Word(text, words[0].span) for text in shlex.split(words[0].text)]
    rest = [word for word in words if word.text.rpartition("/")[2] != "litellm"]
    config = container.environment.get("CONFIG_FILE_PATH", "")
    while rest:
        word = rest.pop(0)
        option, has_value, value = word.text.partition("=")
        if not has_value and rest and not rest[0].text.startswith("-"):
            value = rest.pop(0).text
        if option in ("--config", "-c"):
            config = value
        elif option == "--num_workers":
            set_workers(container, Word(value, word.span))
        elif option in _OPTIONS:
            container.environment.setdefault(_OPTIONS[option], value or "True")
        elif option in ("--port", "--host", "-p"):
            if on_host and option == "--host":
                set_address(container, value)
            elif on_host and value.isdigit():
                container.port = int(value)
        else:
            container.note(Kind.LEFT_OUT, word.span, f"the command's {option}")
    _set_mounts(container, config, mounts)


def set_workers(container: Container, given: Word) -> None:
    """How many processes LiteLLM has, where that is a number that a project can say."""
    if given.text.isdecimal() and 1 <= int(given.text) <= _MAX_WORKERS:
        container.workers = int(given.text)
    else:
        why = "how many workers there are is not known here; workers in nixcfg.yaml says it"
        container.note(Kind.LEFT_OUT, given.span, why)


def set_variable(
    container: Container, name: Word, value: str | None, origin: str = "", *, optional: bool = False
) -> None:
    """One variable of the container.

    `value` is None where it comes from outside the definition; `origin` is then the file that
    holds it on the machine, or "" for the usual place.
    """
    variable = name.text
    container.places[variable] = name.span
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        container.note(Kind.LEFT_OUT, name.span, "a variable whose name nixcfg does not take")
    elif variable == _WORKERS:
        set_workers(container, Word(value or "", name.span))
    elif variable in _TAKEN:
        why = f"{variable}: the NixOS module sets it by itself"
        container.note(Kind.LEFT_OUT, name.span, why)
    elif value is None:
        container.secrets[variable] = origin
        if optional:
            container.optional.add(variable)
    elif value == "":
        container.note(Kind.LEFT_OUT, name.span, f"{variable} is empty")
    elif is_key_for(variable, value) or variable == wiring.MASTER_KEY_VARIABLE:
        container.secrets[variable] = ""
        container.note(
            Kind.SECRET,
            name.span,
            f"{variable} is written out (********); it comes from a file now. Replace it where it "
            "was issued",
        )
    elif "\n" in value or "\r" in value:
        container.note(Kind.LEFT_OUT, name.span, f"{variable} has several lines")
    else:
        container.environment[variable] = value


def _set_mounts(container: Container, config: str, mounts: Sequence[Mount]) -> None:
    inner = {name: value for name, value in container.environment.items() if value[:1] == "/"}
    for mount in mounts:
        users = [name for name, value in inner.items() if value == mount.inner]
        if config and mount.inner == config:
            container.config = Config(mount.host, mount.siblings)
        elif config and config.startswith(f"{mount.inner.rstrip('/')}/"):
            below = config[len(mount.inner.rstrip("/")) :]
            container.config = Config(mount.host.rstrip("/") + below, mount.siblings)
        elif any(is_file_credential(name) for name in users):
            for name in users:
                del container.environment[name]
                container.secrets[name] = mount.host if mount.host[:1] == "/" else ""
                container.files.add(name)
        elif not config and re.search(r"litellm.*\.ya?ml|config\.ya?ml", mount.inner):
            container.config = Config(mount.host, mount.siblings)
        else:
            container.note(Kind.LEFT_OUT, mount.span, f"the volume {mount.inner}")
    for name in _OURS & set(container.environment):
        del container.environment[name]


def is_file_credential(variable: str) -> bool:
    """Whether a variable holds the path of a file with credentials."""
    return variable in knowledge.file_variables()


def to_mount(volume: Word, siblings: str = "") -> Mount | None:
    """`./config.yaml:/app/config.yaml:ro` as a mount; None for a volume without a path."""
    host, _, rest = volume.text.partition(":")
    inner = rest.partition(":")[0]
    pattern = siblings.partition(":")[0]
    return Mount(host, inner, volume.span, pattern) if inner[:1] == "/" else None


def leave_out_rest(
    container: Container, spans: Mapping[str, Span], handled: Iterable[str], replaced: Iterable[str]
) -> None:
    """A note for every setting of a container that nothing here has dealt with."""
    for key in spans.keys() - set(handled):
        ours = "the NixOS module has its own" if key in set(replaced) else "no place in a project"
        container.note(Kind.LEFT_OUT, spans[key], f"{key}: {ours}")
