"""`nixcfg doctor` on the units: `systemctl` and `journalctl` on PATH say what the real ones say."""

import json
import socket
from pathlib import Path

import pytest
from examined import UNIT, claude_key, port_of, settings, systemctl, told, unit
from vendor import Vendor


def test_a_stopped_unit(doctor, stand_in):
    path = stand_in("systemctl", unit("inactive"))
    check = doctor(code=1, PATH=path)["unit"]
    told(check, "error", f"{UNIT} is inactive", f"sudo systemctl start {UNIT}")


def test_a_failed_unit_with_a_key_in_its_log(doctor, stand_in, vendors: dict[str, Vendor]):
    known, unknown = vendors["openai"].key, "sk-proj-of-somebody-else-0123456789"
    stand_in("systemctl", unit("failed", Result="exit-code", ExecMainStatus="3"))
    path = stand_in("journalctl", f"echo 'refused {known}'; echo 'and {unknown} too'")
    found = doctor(code=1, PATH=path)
    told(found["unit"], "error", f"{UNIT} has failed (exit-code, exit status 3)")
    masked = [f"refused {'*' * len(known)}", f"and {'*' * len(unknown)} too"]
    assert found["unit"]["details"] == masked
    assert known not in json.dumps(found)


def test_a_unit_that_is_not_installed_starts_again_or_belongs_to_podman(
    doctor, stand_in, project: Path
):
    path = stand_in("systemctl", "echo LoadState=not-found; echo ActiveState=inactive")
    with socket.create_server(("127.0.0.1", port_of(project))):
        told(doctor(PATH=path)["unit"], "error", "is not installed", "nixos-rebuild switch")
    path = stand_in("systemctl", unit("active", NRestarts="4"))
    told(doctor(PATH=path)["unit"], "warning", "after 4 restarts")
    path = stand_in("systemctl", "echo LoadState=loaded; echo ActiveState=active")
    told(doctor(PATH=path)["backend"], "error", "podman-litellm-proxy.service runs")


@pytest.mark.parametrize(
    ("says", "status", "message"),
    [
        (unit("activating"), "warning", f"{UNIT} is starting"),
        (unit("reloading"), "error", f"{UNIT} is reloading"),
        ("echo LoadState=loaded", "error", f"{UNIT} is unknown"),
    ],
)
def test_states_of_a_unit(doctor, stand_in, says: str, status: str, message: str):
    told(doctor(PATH=stand_in("systemctl", says))["unit"], status, message)


@pytest.mark.parametrize("says", ["exit 1", "echo 'No journal files were found.' >&2; exit 1", ":"])
def test_a_failed_unit_whose_log_nobody_tells(doctor, stand_in, says: str):
    stand_in("journalctl", says)
    check = doctor(code=1, PATH=stand_in("systemctl", unit("failed")))["unit"]
    told(check, "error", f"{UNIT} has failed", f"sudo journalctl -u {UNIT} -n 50")
    assert check["details"] == []


def test_a_systemd_that_knows_one_unit_only(doctor, stand_in):
    script = f"case $2 in {UNIT}) echo ActiveState=active;; *) echo later >&2; exit 1;; esac"
    found = doctor(PATH=stand_in("systemctl", script))
    told(found["unit"], "ok", "runs")
    told(found["keys unit"], "skipped", "later")
    assert "backend" not in found


def test_a_unit_that_runs_while_nobody_listens(doctor, stand_in, project: Path):
    path = stand_in("systemctl", unit("active"))
    check = doctor(code=1, PATH=path)[f"port {port_of(project)}"]
    told(check, "error", "no one listens, although the unit runs", f"journalctl -u {UNIT}")


def test_keys_that_the_wiring_refused(doctor, stand_in):
    stand_in("journalctl", "echo 'ANTHROPIC_API_KEY: key file /k is missing.'")
    script = (
        "case $2 in litellm-proxy-secrets.service) echo ActiveState=failed;; "
        "*) echo LoadState=loaded; echo ActiveState=inactive;; esac"
    )
    check = doctor(PATH=stand_in("systemctl", script))["keys unit"]
    told(check, "error", "litellm-proxy-secrets.service refuses a key")
    assert check["details"] == ["ANTHROPIC_API_KEY: key file /k is missing."]


def test_without_systemd(doctor, stand_in, project: Path):
    path = stand_in("systemctl", "echo 'System has not been booted with systemd.' >&2; exit 1")
    with socket.create_server(("127.0.0.1", port_of(project))):
        told(doctor(PATH=path)["unit"], "skipped", "has not been booted with systemd", UNIT)


def test_where_no_gateway_can_be_that_is_said_once(doctor, stand_in, project: Path):
    path = stand_in("systemctl", "echo 'System has not been booted with systemd.' >&2; exit 1")
    claude_key(project).unlink()
    found = doctor(PATH=path)
    told(found["machine"], "skipped", "this is no NixOS", "nixcfg try")
    assert "key ANTHROPIC_API_KEY" not in found
    assert "key OPENAI_API_KEY" in found
    assert not {"unit", "container", "deployed", "health", "firewall"} & found.keys()


FLEET = {
    "docker_litellm_proxy_1_service": "active",
    "docker_litellm_proxy_2_service": "active",
    "litellm_proxy_roll_service": "active",
    "nginx_service": "active",
}


def test_each_of_several_instances(doctor, stand_in, project: Path):
    settings(project, instances=2, redis="local")
    found = doctor(PATH=stand_in("systemctl", systemctl(**FLEET)))
    told(found["unit"], "ok", "docker-litellm-proxy-")
    told(found["roll"], "ok")
    told(found["nginx"], "ok")
    assert "instances" not in found

    stopped = FLEET | {"docker_litellm_proxy_2_service": "inactive"}
    check = doctor(code=1, PATH=stand_in("systemctl", systemctl(**stopped)))["unit"]
    told(check, "error", "docker-litellm-proxy-2.service is inactive")
    told(check, "error", "sudo systemctl start docker-litellm-proxy-2.service")

    stand_in("journalctl", "echo 'litellm-proxy-1 does not start'")
    failed = FLEET | {"litellm_proxy_roll_service": "failed"}
    check = doctor(code=1, PATH=stand_in("systemctl", systemctl(**failed)))["roll"]
    told(check, "error", "litellm-proxy-roll.service has failed")
    assert check["details"] == ["litellm-proxy-1 does not start"]

    told(
        doctor(
            code=1, PATH=stand_in("systemctl", systemctl(**FLEET | {"nginx_service": "failed"}))
        )["nginx"],
        "error",
        "sudo systemctl start nginx",
    )


def test_a_number_of_instances_that_was_not_switched_to(doctor, stand_in, project: Path):
    path = stand_in("systemctl", systemctl(**FLEET))
    told(doctor(PATH=path)["instances"], "error", "docker-litellm-proxy-1.service runs, but 1 are")
    settings(project, instances=2, redis="local")
    path = stand_in("systemctl", systemctl(docker_litellm_proxy_service="active"))
    told(doctor(PATH=path)["instances"], "error", "docker-litellm-proxy.service runs, but 2 are")
