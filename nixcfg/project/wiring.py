"""Every name that follows from another: variable, key file, unit, container, rendered path.

The NixOS module uses the same names; tests/nix holds the two against each other.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from nixcfg.keys import shapes
from nixcfg.knowledge import LITELLM_VERSION

CONTAINER = "litellm-proxy"
OPTIONS = "services.litellm-proxy"
MASTER_KEY_VARIABLE = "LITELLM_MASTER_KEY"
GENERATED_MASTER_KEY = "/var/lib/litellm-proxy/master-key"
MISSING_KEY = shapes.MISSING_KEY
HOST = "host.containers.internal"
"""The machine that the container runs on, as the container calls it."""
OWNED_VARIABLES = {
    "CONFIG_FILE_PATH": "",
    "HOST": "listen_address",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "auth",
    MASTER_KEY_VARIABLE: "master_key_file",
    "LITELLM_MODE": "",
    "NUM_WORKERS": "workers",
    "PORT": "port",
}
"""What only the module sets in the container, and the key of nixcfg.yaml for each."""
SALT_KEY_VARIABLE = "LITELLM_SALT_KEY"
DATABASE_VARIABLES = dict.fromkeys(
    (
        "DATABASE_HOST",
        "DATABASE_NAME",
        "DATABASE_PASSWORD",
        "DATABASE_URL",
        "DATABASE_USER",
        "DATABASE_USERNAME",
        "DIRECT_URL",
    ),
    "database",
)
REDIS_VARIABLES = dict.fromkeys(
    (
        "REDIS_CLUSTER_NODES",
        "REDIS_HOST",
        "REDIS_PASSWORD",
        "REDIS_PORT",
        "REDIS_SENTINEL_NODES",
        "REDIS_URL",
    ),
    "redis",
)
"""The same where nixcfg.yaml gives a database or a Redis."""
INSTANCE_PORT = 4041
"""Where the first of several instances is published, on 127.0.0.1; the others follow."""
SECRETS_UNIT = "litellm-proxy-secrets.service"
TARGET = "litellm-proxy.target"
"""What starts and stops several instances."""
IMAGE_UNIT = "litellm-proxy-image.service"
ROLL_UNIT = "litellm-proxy-roll.service"
ACCESS_UNIT = "litellm-proxy-access.service"
TRANSIENT = ("litellm-proxy-bytecode", "litellm-proxy-trial")
"""The containers in which the module compiles an image and tries changed keys, while that takes."""
OUT_DIR = "/run/litellm-proxy-out"
"""nginx sends nothing to an instance while a file with its number is here."""
CONTAINER_CONFIG = "/app/config.yaml"

PROJECT_FILE = "nixcfg.yaml"
PROVIDERS_DIR = "providers"
EXAMPLES_DIR = "secrets.example"
RENDERED_DIR = "rendered"
DOCKER_NIX = "docker.nix"
ACCESS = "access.json"
"""Teams, users and keys, without a value, beside docker.nix."""
HOSTS_DIR = "hosts"
MODULE = "litellm-proxy"
"""The folder of the NixOS module beside docker.nix."""
BUNDLED = "bundled"
FLAKE = "flake"
"""Where the module comes from: a copy of it, or an import that the user writes."""
ALL = "all"

DEFAULT_IMAGE = f"ghcr.io/berriai/litellm:v{LITELLM_VERSION}"
DEFAULT_SECRETS_DIR = "/etc/nixcfg/secrets"

_MANAGERS = {"sops": "secrets", "age": "agenix"}
MANAGED = re.compile(r'config\.(sops|age)\.secrets\.(?:"([^"]*)"|([^."]+))\.path')
"""A key file that sops-nix or agenix keeps: the manager, and its name in quotes or bare."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Where one variable's value comes from on the machine; the value itself is never here.

    `file` is an absolute path, or `config.sops.secrets.NAME.path` / `config.age.secrets.NAME.path`.
    With `kind` "file" the variable holds the path of the mounted file instead of its content.
    Where it is neither `required` nor `optional`, the configuration decides, see Config.required.
    """

    variable: str
    file: str
    kind: str = "env"
    required: bool = False
    optional: bool = False
    encrypted: bool = False


def place(file: str) -> str:
    """The path of a key file; where sops-nix or agenix keep it, the one that is their default."""
    managed = MANAGED.fullmatch(file)
    if not managed:
        return file
    manager, quoted, bare = managed.groups()
    return f"/run/{_MANAGERS[manager]}/{quoted or bare}"


def key_file(variable: str, secrets_dir: str) -> str:
    """ANTHROPIC_API_KEY is kept in SECRETS_DIR/anthropic_api_key.txt."""
    return f"{secrets_dir.rstrip('/')}/{variable.lower()}.txt"


def containers(instances: int) -> tuple[str, ...]:
    """The container, or the containers of several instances."""
    if instances == 1:
        return (CONTAINER,)
    return tuple(f"{CONTAINER}-{number}" for number in range(1, instances + 1))


def container_unit(backend: str, container: str = CONTAINER) -> str:
    """The systemd unit that runs a container."""
    return f"{backend}-{container}.service"


def main_unit(backend: str, instances: int) -> str:
    """The unit with which the gateway starts and stops."""
    return TARGET if instances > 1 else container_unit(backend)


def logs(backend: str, instances: int) -> str:
    """How to read what the gateway writes."""
    units = f"'{backend}-{CONTAINER}-*'" if instances > 1 else container_unit(backend)
    return f"journalctl -u {units} -n 50"


def config_path(config: str) -> str:
    """Where the LiteLLM file of a config is rendered, relative to the output folder."""
    return f"litellm/{config}.yaml"


def host_folder(host: str) -> str:
    """Where a host's files are rendered, relative to the output folder; "" where there are none."""
    return f"{HOSTS_DIR}/{host}/" if host else ""


def provider_path(provider: str) -> str:
    """Where a provider's file is kept, relative to the project."""
    return f"{PROVIDERS_DIR}/{provider}.yaml"


def is_provider_file(name: str) -> bool:
    """Whether a file of this name in providers/ is one of a provider; hidden ones are not."""
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


def is_loopback(url: str) -> bool:
    """Whether a URL means the machine itself; in the container that is the container."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
