"""What a gateway is made of, in one shape for what runs and for what the sources say."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nixcfg.access.desired import desired, reconcilers
from nixcfg.disk import shipped
from nixcfg.gateway import machine
from nixcfg.project import wiring
from nixcfg.project.model import Project
from nixcfg.render.litellm import litellm_yaml

DEPLOYED = "/etc/nixcfg/litellm-proxy.json"
"""Where the module writes what the machine runs (modules/litellm-proxy/deployed.nix)."""
_END = "# end"
"""What says that ssh has brought all of a file. No line of JSON is like it."""


class UnknownDeploymentError(Exception):
    """What runs cannot be found out; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One gateway. `text` is its LiteLLM configuration, `key_files` the place of each key by
    variable; `has_settings` where Nix changed the configuration after it was rendered. `backend`
    is "" where the machine decides, `config_file` where nothing is deployed yet; `access` are its
    teams, users and keys as in access.json, {} where nixcfg looks after none."""

    image: str
    model_config: str
    text: str = field(repr=False)
    key_files: Mapping[str, str]
    backend: str
    instances: int
    workers: int
    listen_address: str
    port: int
    auth: str
    metrics: bool
    host_ports: tuple[int, ...]
    environment: Mapping[str, str]
    module: str
    has_settings: bool = False
    config_file: str = ""
    access: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def config(self) -> Mapping[str, Any]:
        """Its LiteLLM configuration as data."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        data = yaml.load(self.text, loader)  # noqa: S506 (a safe one)
        return data if isinstance(data, dict) else {}


def wanted(project: Project) -> Facts:
    """What the sources say, as it would be rendered."""
    here = project.machine
    return Facts(
        image=here.image,
        model_config=here.model_config,
        text=litellm_yaml(here.loaded),
        key_files={
            variable: wiring.place(here.key_files[variable].file)
            for variable in here.loaded.secrets
        },
        backend=here.backend,
        instances=here.instances,
        workers=here.workers,
        listen_address=here.listen_address,
        port=here.port,
        auth=here.auth,
        metrics=here.metrics,
        host_ports=here.host_ports,
        environment=here.environment,
        module=module_version() if here.module == wiring.BUNDLED else "",
        access=desired(project) if here in reconcilers(project) else {},
    )


def module_version() -> str:
    """What version.nix says of the copy of the module that ships with this nixcfg."""
    from nixcfg import __version__

    folder = shipped.folder("modules") / "litellm-proxy"
    lines = [
        f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.is_file()
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return f"{__version__} ({digest[:12]})"


def absent_keys(facts: Facts) -> tuple[str, ...]:
    """The variables whose key file is not on this machine, as far as this user may look."""
    found = []
    for variable, path in facts.key_files.items():
        try:
            Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            found.append(variable)
        except OSError:
            continue  # only root can say
    return tuple(found)


def deployed(host: str = "") -> Facts:
    """What this machine runs, or the one that ssh calls `host`. Raises UnknownDeploymentError."""
    if host:
        return _remote(host)
    try:
        raw = Path(DEPLOYED).read_text("utf-8")
        data = json.loads(raw)
        text = Path(data["config"]).read_text("utf-8")
        access = Path(data["access"]).read_text("utf-8") if data.get("access") else ""
        return facts(data, text, access)
    except FileNotFoundError as error:
        raise UnknownDeploymentError(
            f"there is no {error.filename}: no gateway runs here, or one of an older nixcfg. "
            "Name the machine that runs it (nixcfg plan HOST), or switch once with this nixcfg."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnknownDeploymentError(f"{DEPLOYED} cannot be understood: {error}") from None


def _remote(host: str) -> Facts:
    """By one connection of the user's own ssh: the description, then the files that it names."""
    file = shlex.quote(DEPLOYED)

    def named(key: str) -> str:
        return f"""$(sed -n 's/.*"{key}":"\\([^"]*\\)".*/\\1/p' {file})"""

    ask = (
        f'cat {file} && echo && access="{named("access")}" && {{ [ -z "$access" ] || '
        f'cat "$access"; }} && echo && echo "{_END}" && cat "{named("config")}" && echo "{_END}"'
    )
    try:
        done = machine.run("ssh", "-o", "BatchMode=yes", "--", host, ask)
    except machine.UnknownError as error:
        raise UnknownDeploymentError(f"ssh {host}: {error}") from None
    head, _, rest = done.out.partition("\n")
    access, _, text = rest.partition(f"{_END}\n")
    if done.code != 0 or not text.endswith(_END):
        said = done.err.strip().splitlines()
        raise UnknownDeploymentError(f"ssh {host}: {said[-1] if said else 'no answer'}")
    try:
        return facts(json.loads(head), text.removesuffix(_END), access)
    except (ValueError, KeyError, TypeError) as error:
        raise UnknownDeploymentError(f"{host}: {DEPLOYED} cannot be understood: {error}") from None


def facts(data: Mapping[str, Any], text: str, access: str = "") -> Facts:
    """Those of what the module wrote to DEPLOYED, and the texts of the files that it names.

    Raises KeyError for what another module wrote, and ValueError for what is no JSON.
    """
    return Facts(
        image=data["image"],
        model_config=data["modelConfig"],
        text=text,
        key_files=data["keyFiles"],
        backend=data["backend"],
        instances=data["instances"],
        workers=data["workers"],
        listen_address=data["listenAddress"],
        port=data["port"],
        auth=data["auth"],
        metrics=data["metrics"],
        host_ports=tuple(data["hostPorts"]),
        environment=data["environment"],
        module=data["module"],
        has_settings=data["hasSettings"],
        config_file=data["config"],
        access=json.loads(access) if access.strip() else {},
    )
