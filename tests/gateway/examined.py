"""What the tests of `nixcfg doctor` share: its checks by name, and the machine that it is shown."""

import json
from pathlib import Path
from typing import Any

from day import Done

from nixcfg.project.wiring import DEFAULT_IMAGE

UNIT = "docker-litellm-proxy.service"


def checks(done: Done) -> dict[str, dict[str, Any]]:
    """By name; of several with one name the worst."""
    found: dict[str, dict[str, Any]] = {}
    order = ("skipped", "ok", "warning", "error")
    for check in json.loads(done.out)["checks"]:
        known = found.get(check["name"])
        if known is None or order.index(check["status"]) > order.index(known["status"]):
            found[check["name"]] = check
    return found


def told(check: dict[str, Any], status: str, *parts: str) -> None:
    """The check has this status, and these texts in its message or fix."""
    assert check["status"] == status, check
    for part in parts:
        assert part in f"{check['message']} {check['mend']}", check


# Key files.


def claude_key(project: Path) -> Path:
    return project / "keys" / "anthropic_api_key.txt"


def settings(project: Path, **values: object) -> None:
    """Change what nixcfg.yaml says."""
    file = project / "nixcfg.yaml"
    kept = [line for line in file.read_text().splitlines() if line.split(":")[0] not in values]
    file.write_text("\n".join([*kept, *(f"{k}: {v}" for k, v in values.items())]) + "\n")


def port_of(project: Path) -> int:
    text = (project / "nixcfg.yaml").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("port:")).split()[1])


def unit(active: str, **properties: str) -> str:
    """A `systemctl show` that says this of the container's unit; the others are at rest."""
    known = {"LoadState": "loaded", "Result": "success", "NRestarts": "0", **properties}
    lines = "\n".join(f"{k}={v}" for k, v in {"ActiveState": active, **known}.items())
    rest = "LoadState=loaded\nActiveState=inactive"
    return f"case $2 in {UNIT}) cat <<'E'\n{lines}\nE\n;; *) cat <<'E'\n{rest}\nE\n;; esac"


def inspected(project: Path, config: str, **state: object) -> str:
    source = project / "rendered" / "litellm" / f"{config}.yaml"
    return json.dumps(
        [
            {
                "State": {"Status": "running", "Health": {"Status": "healthy"}, **state},
                "Config": {"Image": DEFAULT_IMAGE},
                "Mounts": [{"Source": str(source), "Destination": "/app/config.yaml"}],
            }
        ]
    )


def systemctl(**states: str) -> str:
    """A `systemctl show` that says of each unit its state, by a name with _ for what is no letter;
    others are at rest."""
    cases = "".join(
        f"{name.replace('_', '?')}) echo LoadState=loaded; echo ActiveState={state};; "
        for name, state in states.items()
    )
    return f"case $2 in {cases}*) echo LoadState=loaded; echo ActiveState=inactive;; esac"
