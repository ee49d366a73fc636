"""`nixcfg doctor`: everything that it knows goes wrong for real, on this machine.

What lies outside of it (systemd, docker, the journal) is a program on PATH that says what the
real one says.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from day import Cli, Done, Trying
from gateway import free_port
from other_user import NOBODY, run_as
from vendors import Vendor

from nixcfg.gateway import machine
from nixcfg.knowledge import releases
from nixcfg.project.wiring import DEFAULT_IMAGE

UNIT = "docker-litellm-proxy.service"
SOPS = "config.sops.secrets.anthropic.path"


def checks(done: Done) -> dict[str, dict[str, Any]]:
    """By name; of several with one name the worst."""
    found: dict[str, dict[str, Any]] = {}
    order = ("skipped", "ok", "warning", "error")
    for check in json.loads(done.out)["checks"]:
        known = found.get(check["name"])
        if known is None or order.index(check["status"]) > order.index(known["status"]):
            found[check["name"]] = check
    return found


@pytest.fixture
def doctor(cli: Cli, project: Path, stand_in):
    """`doctor()` examines the project on a machine whose gateway is installed and stopped, unless
    PATH says otherwise; gives the checks by name."""
    installed = stand_in("systemctl", unit("inactive"))

    def run(*, code: int | None = None, **environment: str) -> dict[str, dict[str, Any]]:
        environment = {"PATH": installed, **environment}
        done = cli(project, "doctor", "--json", **environment)
        found = checks(done)
        has_error = any(check["status"] == "error" for check in found.values())
        assert done.code == (1 if has_error else 0)
        assert code is None or done.code == code
        return found

    return run


def told(check: dict[str, Any], status: str, *parts: str) -> None:
    """The check has this status, and these texts in its message or mend."""
    assert check["status"] == status, check
    for part in parts:
        assert part in f"{check['message']} {check['mend']}", check


# The project and what was rendered.


def test_rendered_files_that_cannot_be_read(cli: Cli, doctor, project: Path):
    assert cli(project, "render").code == 0
    shutil.rmtree(project / "rendered")
    (project / "rendered").symlink_to("rendered")
    told(doctor(code=1)["rendered"], "error", "symbolic links", "Make it readable for you")


def test_the_project_and_what_was_rendered(cli: Cli, project: Path, doctor):
    told(doctor()["project"], "warning", "nixcfg validate")
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text().partition("environment:")[0])
    found = doctor()
    told(found["project"], "ok", "no problems")
    told(found["rendered"], "error", "docker.nix", "nixcfg render")
    assert cli(project, "render").code == 0
    told(doctor()["rendered"], "ok")
    docker = project / "rendered" / "docker.nix"
    docker.write_text(docker.read_text() + "# mine\n")
    told(doctor()["rendered"], "warning", "edited by hand", "docker.nix")
    (project / "providers" / "openai.yaml").write_text("model_list: 5\n")
    found = doctor(code=1)
    told(found["project"], "error", "1 error", "nixcfg validate")
    assert list(found) == ["project"]


# Key files.


def claude_key(project: Path) -> Path:
    return project / "keys" / "anthropic_api_key.txt"


def test_keys_in_order(doctor, project: Path, vendors: dict[str, Vendor]):
    found = doctor()
    for variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        told(found[f"key {variable}"], "ok", f"{project}/keys/{variable.lower()}.txt")
    told(found["key GROQ_API_KEY"], "warning", "groq.txt is missing", "optional")
    assert not [v for v in vendors.values() if v.key in json.dumps(found)]


BAD = {
    "empty": ("", "is empty", "sudo nixcfg set-key ANTHROPIC_API_KEY"),
    "two-lines": ("sk-ant-secret-1\nsk-ant-secret-2\n", "holds more than one line", "set-key"),
    "placeholder": ("replace-me\n", "still holds a placeholder", "set-key"),
    "carriage-return": ("sk-ant-secret\r\n", "holds a control character", "set-key"),
}


@pytest.mark.parametrize("name", BAD)
def test_keys_that_the_service_refuses(doctor, project: Path, name: str):
    content, message, mend = BAD[name]
    claude_key(project).write_text(content)
    found = doctor(code=1)
    told(found["key ANTHROPIC_API_KEY"], "error", message, mend)
    assert "secret-" not in json.dumps(found)


def test_a_missing_key_stops_the_models_that_need_it_and_no_other(doctor, project: Path):
    claude_key(project).unlink()
    told(doctor()["key ANTHROPIC_API_KEY"], "warning", "is missing; requests", "set-key")
    stops = ("error", "is missing, so the gateway does not start", "sudo nixcfg set-key")
    settings(project, model_config="claude")  # no model of which works without it
    told(doctor(code=1)["key ANTHROPIC_API_KEY"], *stops)


def test_a_missing_key_that_is_required(doctor, project: Path):
    file = project / "nixcfg.yaml"
    key = f"{{file: {claude_key(project)}, required: true}}"
    file.write_text(
        file.read_text().replace("secrets:\n", f"secrets:\n  ANTHROPIC_API_KEY: {key}\n")
    )
    claude_key(project).unlink()
    check = doctor(code=1)["key ANTHROPIC_API_KEY"]
    told(check, "error", "is missing, so the gateway does not start")


def test_keys_that_are_not_missed(doctor, project: Path):
    """One that another configuration needs, and one that NixOS puts in place."""
    claude_key(project).unlink()
    settings(project, model_config="openai")
    told(doctor()["key ANTHROPIC_API_KEY"], "skipped", "is missing; openai does not need it")
    file = project / "nixcfg.yaml"
    text = file.read_text().replace("secrets:\n", "secrets:\n  ANTHROPIC_API_KEY: " + SOPS + "\n")
    file.write_text(text)
    settings(project, model_config="claude")
    check = doctor()["key ANTHROPIC_API_KEY"]
    told(check, "skipped", f"{SOPS} is not at /run/secrets/anthropic", "Is the secret declared")


def test_a_file_in_a_key_files_place(doctor, project: Path):
    claude_key(project).unlink()
    claude_key(project).mkdir()
    told(doctor(code=1)["key ANTHROPIC_API_KEY"], "error", "is a folder", "Store the key again")


def test_a_key_of_another_vendor(doctor, project: Path, vendors: dict[str, Vendor]):
    claude_key(project).write_text(vendors["openai"].key)
    check = doctor()["key ANTHROPIC_API_KEY"]
    told(check, "warning", "it looks like a key for OPENAI_API_KEY")
    twice = doctor()["key OPENAI_API_KEY"]
    told(twice, "warning", "holds the same as that of ANTHROPIC_API_KEY")


@pytest.fixture
def open_project(project: Path) -> Iterator[Path]:
    """The project below folders that let everybody come near, but for the key files' own."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    place = Path(tempfile.mkdtemp(prefix="nixcfg-open-"))
    if not all(folder.stat().st_mode & 0o001 for folder in place.parents):
        place.rmdir()
        pytest.skip("nobody else can come near the folder for temporary files")
    try:
        place.chmod(0o755)
        own = place / "project"
        shutil.copytree(project, own)
        for folder in (own, own / "providers"):
            folder.chmod(0o755)
        text = (own / "nixcfg.yaml").read_text().replace(str(project), str(own))
        (own / "nixcfg.yaml").write_text(text)
        yield own
    finally:
        shutil.rmtree(place)


def test_a_key_that_others_can_read(cli: Cli, open_project: Path):
    def check() -> dict[str, Any]:
        return checks(cli(open_project, "doctor", "--json"))["key ANTHROPIC_API_KEY"]

    file = claude_key(open_project)
    file.parent.chmod(0o755)
    expected = {
        0o644: ("error", "everyone on this machine can read"),
        0o602: ("error", "everyone can write to"),
        0o600: ("ok", "in order"),
    }
    for mode, (status, message) in expected.items():
        file.chmod(mode)
        told(check(), status, message)
    os.chown(file, 0, 65534)
    file.chmod(0o640)
    told(check(), "warning", "the group nogroup can read", f"chmod 0600 {file}")
    os.chown(file, 0, 54321)
    told(check(), "warning", "the group 54321 can read")
    os.chown(file, 65534, 0)
    file.chmod(0o600)
    told(check(), "warning", "belongs to nobody", "chown root")
    os.chown(file, 0, 0)
    file.parent.chmod(0o757)
    told(check(), "error", f"everyone can replace files in {file.parent}")
    # In a closed folder the mode of the file gives nothing away.
    file.chmod(0o644)
    file.parent.chmod(0o700)
    told(check(), "ok")


def test_a_key_that_git_has(doctor, project: Path):
    if not shutil.which("git"):
        pytest.skip("git is not installed here")

    def git(*arguments: str | Path) -> None:
        person = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        command = ["git", "-C", project, *person, *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    git("init", "-q")
    told(doctor()["key ANTHROPIC_API_KEY"], "warning", "does not ignore it", ".gitignore")
    (project / ".gitignore").write_text("keys/\n")
    told(doctor()["key ANTHROPIC_API_KEY"], "ok")
    git("add", "-f", claude_key(project))
    told(doctor(code=1)["git"], "error", "git tracks it", "Revoke")


def test_git_that_does_not_answer(doctor, stand_in, project: Path):
    (project / ".git").mkdir()
    for script, reason in (
        ("echo 'fatal: index file corrupt' >&2; exit 128", "fatal: index file corrupt"),
        ("exit 128", "git gives no reason"),
    ):
        check = doctor(PATH=stand_in("git", script))["key ANTHROPIC_API_KEY"]
        told(check, "skipped", "whether git tracks", reason)


def test_a_key_in_the_store(doctor, project: Path):
    claude_key(project).unlink()
    claude_key(project).symlink_to("/nix/store/00000000000000000000000000000000-key.txt")
    told(doctor(code=1)["key ANTHROPIC_API_KEY"], "error", "is in the Nix store", "revoke")


def ordinary(project: Path) -> Done:
    """`nixcfg doctor` as the user nobody."""
    done = run_as(NOBODY, "-C", project, "doctor", "--json")
    assert done.stdout, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def test_an_ordinary_user_sees_half(open_project: Path):
    found = checks(ordinary(open_project))
    told(found["key ANTHROPIC_API_KEY"], "skipped", "you cannot read it", "sudo nixcfg doctor")
    for name in ("project", "rendered"):
        assert found[name]["status"] != "skipped"
    # With a key file that anybody can read it sees that, too.
    claude_key(open_project).parent.chmod(0o755)
    claude_key(open_project).chmod(0o644)
    told(checks(ordinary(open_project))["key ANTHROPIC_API_KEY"], "error", "everyone on this")


# The port, and who answers there.


@contextmanager
def wide_relay(port: int, target: int) -> Iterator[None]:
    """Listens on every address, and hands what comes to `target` on this machine."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with source, sink:
            while data := source.recv(65536):
                sink.sendall(data)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", target))
            for pair in ((here, there), (there.dup(), here.dup())):
                threading.Thread(target=quiet(pump), args=pair, daemon=True).start()

    with socket.create_server(("0.0.0.0", port)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


def quiet(function: Callable[..., None]) -> Callable[..., None]:
    def run(*arguments: object) -> None:
        try:
            function(*arguments)
        except OSError:
            return

    return run


def settings(project: Path, **values: object) -> None:
    """Change what nixcfg.yaml says."""
    file = project / "nixcfg.yaml"
    kept = [line for line in file.read_text().splitlines() if line.split(":")[0] not in values]
    file.write_text("\n".join([*kept, *(f"{k}: {v}" for k, v in values.items())]) + "\n")


def port_of(project: Path) -> int:
    text = (project / "nixcfg.yaml").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("port:")).split()[1])


def test_nobody_listens(doctor, project: Path):
    found = doctor(code=1)
    told(found[f"port {port_of(project)}"], "warning", "no one listens", f"start {UNIT}")
    told(found["health"], "error", "does not answer")


def test_another_program_has_the_port(doctor, project: Path, vendors: dict[str, Vendor]):
    port = int(vendors["openai"].url.rpartition(":")[2])
    settings(project, port=port)
    name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
    check = doctor(code=1)[f"port {port}"]
    told(check, "error", f"{name} ({os.getpid()}) listens", "no LiteLLM", "another `port`")


@contextmanager
def gateway_that(*answers: bytes) -> Iterator[int]:
    """A port where somebody answers /health/liveliness, and everything after it in this order."""
    alive = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"I\'m alive!"'

    def serve(listener: socket.socket) -> None:
        for answer in (alive, *answers):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=quiet(serve), args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def answer(status: int, body: str = "{}") -> bytes:
    return f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


STRANGE = {
    "open": ((200, 401), "access", "error", "the gateway answers without a key"),
    "known": ((401, 200), "access", "error", "the gateway answers with sk-1234"),
    "closed": ((401, 401), "access", "ok", "no one gets in without the master key"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_who_gets_into_a_gateway(doctor, project: Path, name: str):
    statuses, check, status, message = STRANGE[name]
    with gateway_that(*map(answer, statuses)) as port:
        settings(project, port=port)
        found = doctor()
    told(found["health"], "ok", f":{port} answers")
    told(found[check], status, message)


def test_a_gateway_that_breaks_off(doctor, project: Path):
    key = project / "keys" / "master.txt"
    key.write_text("sk-0123456789abcdef0123456789abcdef\n")
    with gateway_that(b"", b"") as port:
        settings(project, port=port, master_key_file=key)
        found = doctor()
    told(found["access"], "skipped", "the gateway broke off: RemoteDisconnected")
    for last, status, message in (
        (b"", "skipped", "the gateway broke off: RemoteDisconnected"),
        (answer(500), "error", "the gateway answers 500 to /v1/models"),
        (answer(200, "no JSON"), "error", "and no list of them"),
        (answer(403), "error", "this is not its master key"),
        (answer(200, '{"data": [{"id": "other"}]}'), "error", "the gateway lacks claude-"),
    ):
        with gateway_that(answer(401), answer(401), last) as port:
            settings(project, port=port)
            told(doctor()["models"], status, message)


def test_an_open_gateway(doctor, project: Path):
    with gateway_that(answer(200), answer(200), answer(200, '{"data": []}')) as port:
        settings(project, port=port, auth="open")
        found = doctor(code=1)
    told(found["access"], "ok", "open, as nixcfg.yaml says")
    told(found["master key"], "warning", "lets every user and web page", "auth: master-key")
    told(found["models"], "error", "the gateway lacks")


def test_a_master_key_that_is_none(doctor, project: Path):
    key = project / "keys" / "master.txt"
    key.write_text("two\nlines\n")
    settings(project, master_key_file=key)
    told(doctor(code=1)["master key"], "error", "holds more than one line", "sk- and 32 or more")


def test_a_gateway_in_order(doctor, trying: Trying, project: Path):
    key = project / "keys" / "master.txt"
    key.write_text(trying.key + "\n")
    port = trying.url.rpartition(":")[2]
    settings(project, port=port, master_key_file=key)
    found = doctor()
    told(found[f"port {port}"], "ok", "listens on 127.0.0.1")
    for name in ("health", "access", "models", "master key", "image", "firewall"):
        told(found[name], "ok")
    assert trying.key not in json.dumps(found)

    settings(project, model_config="holed")
    told(doctor()["models"], "error", "the gateway lacks dropped", "nixcfg rehearse")
    settings(project, model_config="claude")
    told(doctor()["models"], "warning", "also serves gpt-4o", "nixos-rebuild switch")


def test_another_master_key(doctor, trying: Trying, project: Path):
    key = project / "keys" / "master.txt"
    settings(project, port=trying.url.rpartition(":")[2], master_key_file=key)
    told(doctor()["master key"], "warning", "master.txt is missing")
    key.write_text("sk-0123456789abcdef0123456789abcdef\n")
    told(doctor()["models"], "error", "this is not its master key")
    for weak, message in (("sk-1234", "everyone knows"), ("hunter2", "weak key")):
        key.write_text(f"{weak}\n")
        found = doctor(code=1)
        told(found["master key"], "error", message, "32 or more random characters")
        assert "hunter2" not in json.dumps(found)


def test_a_gateway_that_the_network_reaches(doctor, trying: Trying, project: Path):
    port = free_port()
    settings(project, port=port)
    with wide_relay(port, int(trying.url.rpartition(":")[2])):
        check = doctor(code=1)[f"port {port}"]
    told(check, "error", "listens on 0.0.0.0", "nixcfg.yaml says 127.0.0.1")
    settings(project, listen_address="0.0.0.0")
    told(doctor()["firewall"], "warning", "past the NixOS firewall", "listen_address: 127.0.0.1")


def test_images(doctor, project: Path):
    settings(project, image="ghcr.io/berriai/litellm:main-latest")
    told(doctor()["image"], "warning", "may be another program tomorrow")
    settings(project, image="ghcr.io/berriai/litellm:v1.84.0")
    told(doctor()["image"], "warning", "nixcfg does not know it, and judges by")
    settings(project, image=f"ghcr.io/berriai/litellm@sha256:{'0' * 64}")
    told(doctor()["image"], "ok", "@sha256:")


# The service, as systemd and docker tell it.


@pytest.fixture
def stand_in(tmp_path: Path):
    """`stand_in("systemctl", text)` puts a program on PATH, a shell script; gives that PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name: str, script: str) -> str:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return f"{folder}{os.pathsep}{os.environ['PATH']}"

    return put


def unit(active: str, **properties: str) -> str:
    """A `systemctl show` that says this of the container's unit; the others are at rest."""
    known = {"LoadState": "loaded", "Result": "success", "NRestarts": "0", **properties}
    lines = "\n".join(f"{k}={v}" for k, v in {"ActiveState": active, **known}.items())
    rest = "LoadState=loaded\nActiveState=inactive"
    return f"case $2 in {UNIT}) cat <<'E'\n{lines}\nE\n;; *) cat <<'E'\n{rest}\nE\n;; esac"


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


BAD_IMAGES = {
    "tag": ("ghcr.io/berriai/litellm:v1.107.0", {}),
    "floating": ("ghcr.io/berriai/litellm:latest", {"RepoTags": ["litellm/litellm:v1.107.0"]}),
    "renamed": (
        "registry.example/mirror/gateway:ours",
        {"RepoDigests": [f"registry.example/mirror/gateway@sha256:c00f9d92c427{'0' * 52}"]},
    ),
    "labelled": (
        "registry.example/mirror/gateway:ours",
        {
            "Config": {
                "Entrypoint": ["docker/prod_entrypoint.sh"],
                "Labels": {"org.opencontainers.image.version": "v1.107.0"},
            }
        },
    ),
}


def report_of(doctor, stand_in, project: Path, started: str, image: dict[str, object]):
    """What doctor says where the engine reports this of a running container and its image."""
    container = json.loads(inspected(project, "whole"))
    container[0] |= {"Config": {"Image": started}, "Image": "sha256:1234"}
    script = f"""case "$1 $3" in
      "image sha256:1234") cat <<'E'\n{json.dumps([image])}\nE\n;;
      container*) cat <<'E'\n{json.dumps(container)}\nE\n;;
      esac"""
    return doctor(PATH=stand_in("docker", script))


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_compromised_image_runs(doctor, stand_in, project: Path, name: str):
    started, image = BAD_IMAGES[name]
    found = report_of(doctor, stand_in, project, started, image)
    told(found["release"], "error", f"{started} runs, and is compromised", "Stop it now")


def test_a_tag_of_a_compromised_release_under_another_name(doctor, stand_in, project: Path):
    started = "registry.example/mirror/llm:v1.107.0"
    found = report_of(doctor, stand_in, project, started, {})
    told(found["release"], "warning", "its tag is that of a compromised", "`nixcfg pin` looks")
    digest = f"@sha256:{'1' * 64}"
    assert "release" not in report_of(doctor, stand_in, project, started + digest, {})


NAME, PINNED, OTHER = "ghcr.io/berriai/litellm", f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
RUNNING = {
    # What docker and podman report of a container, its RepoDigests, and what is said of it.
    "docker": ({"Config": {"Image": f"{NAME}:v1.106.2@{PINNED}"}}, [PINNED], "ok", PINNED),
    # podman drops the tag, and knows the digest of the platform besides that of the index.
    "podman": (
        {"ImageName": f"{NAME}@{PINNED}", "ImageDigest": OTHER},
        [PINNED, OTHER],
        "ok",
        f"{NAME}:v1.106.2@{PINNED}",
    ),
    "another-name": ({"Config": {"Image": "mirror.example/x:1"}}, [PINNED], "ok", PINNED),
    "another": (
        {"ImageName": f"{NAME}:v1.106.2", "ImageDigest": OTHER},
        [OTHER],
        "warning",
        f"which is {OTHER}, and nixcfg.yaml pins {PINNED}",
    ),
    "from-a-file": ({"Config": {"Image": f"{NAME}:v1.106.2"}}, [], "skipped", "no digest here"),
    "another-file": ({"Config": {"Image": f"{NAME}:v1.105.0"}}, [], "warning", "v1.105.0 runs"),
}


@pytest.mark.parametrize("name", RUNNING)
def test_a_pinned_digest_and_what_runs(doctor, stand_in, project: Path, name: str):
    reported, digests, status, message = RUNNING[name]
    settings(project, image=f"{NAME}:v1.106.2@{PINNED}")
    container = json.loads(inspected(project, "whole"))
    del container[0]["Config"]
    container[0] |= {**reported, "Image": "sha256:1234"}
    image = {"RepoDigests": [f"{NAME}@{each}" for each in digests]}
    script = f"""case "$1 $3" in
      "image sha256:1234") cat <<'E'\n{json.dumps([image])}\nE\n;;
      container*) cat <<'E'\n{json.dumps(container)}\nE\n;;
      esac"""
    told(doctor(PATH=stand_in("docker", script))["image"], status, message)


def test_a_release_with_holes_runs_and_a_sound_one(doctor, stand_in, project: Path):
    text = inspected(project, "whole")
    assert "release" not in doctor(PATH=stand_in("docker", f"cat <<'E'\n{text}\nE"))
    text = text.replace(DEFAULT_IMAGE, "ghcr.io/berriai/litellm:v1.83.9")
    found = doctor(PATH=stand_in("docker", f"cat <<'E'\n{text}\nE"))
    told(found["release"], "error", "has known holes", "CVE-2026-49468", "fixed in 1.84.0")
    assert "CVE-2026-42208" not in found["release"]["message"]


def test_a_hole_of_unknown_releases_is_a_note(cli: Cli, project: Path):
    told = json.loads(cli(project, "doctor", "--json").out)["checks"]
    listed = [each for each in told if each["name"] == "advisories"]
    assert {each["status"] for each in listed} == {"skipped"}
    messages = [each["message"] for each in listed]
    assert [message.partition(" ")[0] for message in messages] == [
        each.id for each in releases.unresolved()
    ]


def test_the_list_of_releases_ages(doctor):
    day = 24 * 60 * 60
    assert "known releases" not in doctor(SOURCE_DATE_EPOCH=f"{1795824000 + 29 * day}")
    found = doctor(SOURCE_DATE_EPOCH=f"{1795824000 + 400 * day}")
    told(found["known releases"], "warning", "days old", "Update nixcfg")


def test_the_container(cli: Cli, doctor, stand_in, project: Path):
    assert cli(project, "render").code == 0

    def docker(text: str) -> dict[str, dict[str, Any]]:
        return doctor(PATH=stand_in("docker", f"cat <<'E'\n{text}\nE"))

    found = docker(inspected(project, "whole"))
    told(found["container"], "ok", "running (healthy)")
    told(found["deployed"], "ok", "whole")
    told(found["image"], "ok")
    told(docker(inspected(project, "claude"))["deployed"], "warning", "loads claude")
    unhealthy = inspected(project, "whole", Health={"Status": "unhealthy"})
    told(docker(unhealthy)["container"], "error", "running (unhealthy)", "docker logs")
    other = inspected(project, "whole").replace(
        DEFAULT_IMAGE, "ghcr.io/berriai/litellm:main-latest"
    )
    told(docker(other)["image"], "warning", "main-latest runs", "nixos-rebuild switch")
    told(docker("no JSON")["container"], "skipped")
    for answer, status, message in (
        ("Cannot connect to the Docker daemon", "error", "daemon does not answer"),
        ("permission denied while trying to connect", "skipped", "answers only root"),
    ):
        path = stand_in("docker", f"echo '{answer}' >&2; exit 1")
        told(doctor(PATH=path)["container"], status, message)


def test_containers_that_do_not_serve(doctor, stand_in):
    def docker(**state: object) -> dict[str, Any]:
        text = json.dumps([{"State": state}])
        return doctor(PATH=stand_in("docker", f"echo '{text}'"))["container"]

    told(docker(Status="exited"), "error", "exited (no health)", "docker logs --tail 50")
    told(docker(Status="running"), "ok", "running (no health)")
    starting = {"Status": "starting"}
    told(docker(Status="running", Health=starting), "warning", "(starting)", "in a minute")
    told(docker(Status="running", Healthcheck=starting), "warning", "(starting)")


def test_no_such_container(doctor, stand_in):
    path = stand_in("docker", "echo 'Error: No such container: litellm-proxy' >&2; exit 1")
    check = doctor(PATH=path)["container"]
    if os.geteuid() == 0:
        told(check, "error", "docker has no container litellm-proxy", f"start {UNIT}")
    else:
        told(check, "skipped", "docker answers only root")


def test_what_is_deployed_cannot_be_read(doctor, stand_in, project: Path):
    text = inspected(project, "whole")
    path = stand_in("docker", f"cat <<'E'\n{text}\nE")
    check = doctor(PATH=path)["deployed"]
    told(check, "skipped", "rendered/litellm/whole.yaml cannot be read: No such file")
    # Of a start script that is none, and of a container without the file, nobody knows.
    script = project / "start"
    script.write_bytes(b"\xff\xfe")
    stand_in("docker", """echo '[{"State": {}, "Mounts": [{"Destination": "/tmp"}]}]'""")
    for started in (f"{{ path={script} ; }}", "{ path=/gone ; }", ""):
        path = stand_in("systemctl", unit("inactive", ExecStart=started))
        told(doctor(PATH=path)["deployed"], "skipped", "is not known here")


def test_podman_has_no_such_container(doctor, project: Path):
    if not shutil.which("podman") or os.geteuid() != 0:
        pytest.skip("needs podman, and root")
    settings(project, backend="podman")
    check = doctor()["container"]
    told(check, "error", "podman has no container litellm-proxy", "podman-litellm-proxy.service")


def test_what_is_deployed_is_in_the_start_script(cli: Cli, doctor, stand_in, project: Path):
    """The script of the unit is in the Nix store, where everyone can read it."""
    assert cli(project, "render").code == 0
    deployed = project / "deployed.yaml"
    shutil.copy(project / "rendered" / "litellm" / "whole.yaml", deployed)
    script = project / "start"
    script.write_text(f"exec docker run -v {deployed}:/app/config.yaml:ro image\n")
    started = f"{{ path={script} ; argv[]={script} ; ignore_errors=no }}"
    stand_in("docker", "echo no >&2; exit 1")
    path = stand_in("systemctl", unit("inactive", ExecStart=started))
    told(doctor(PATH=path)["deployed"], "ok", "loads whole as it is rendered")
    deployed.write_text("model_list: []\n")
    told(doctor(PATH=path)["deployed"], "error", "is not what is rendered", "nixos-rebuild")


def systemctl(**states: str) -> str:
    """A `systemctl show` that says of each unit its state, by a name with _ for what is no letter;
    others are at rest."""
    cases = "".join(
        f"{name.replace('_', '?')}) echo LoadState=loaded; echo ActiveState={state};; "
        for name, state in states.items()
    )
    return f"case $2 in {cases}*) echo LoadState=loaded; echo ActiveState=inactive;; esac"


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


def test_the_containers_of_several_instances(cli: Cli, doctor, stand_in, project: Path):
    settings(project, instances=2, redis="local")
    assert cli(project, "render").code == 0
    good = inspected(project, "whole")
    script = f"case $3 in litellm-proxy-[12]) cat <<'E'\n{good}\nE\n;; *) exit 1;; esac"
    found = doctor(PATH=stand_in("docker", script))
    told(found["container"], "ok", "running (healthy)")
    told(found["deployed"], "ok", "whole")
    other = inspected(project, "claude")
    script = f"case $3 in *-1) cat <<'E'\n{good}\nE\n;; *) cat <<'E'\n{other}\nE\n;; esac"
    told(doctor(PATH=stand_in("docker", script))["deployed"], "warning", "loads claude")


def test_a_number_of_instances_that_was_not_switched_to(doctor, stand_in, project: Path):
    path = stand_in("systemctl", systemctl(**FLEET))
    told(doctor(PATH=path)["instances"], "error", "docker-litellm-proxy-1.service runs, but 1 are")
    settings(project, instances=2, redis="local")
    path = stand_in("systemctl", systemctl(docker_litellm_proxy_service="active"))
    told(doctor(PATH=path)["instances"], "error", "docker-litellm-proxy.service runs, but 2 are")


def test_several_instances_that_nobody_reaches(doctor, project: Path):
    settings(project, instances=2, redis="local", port=free_port())
    found = doctor()
    told(found["health"], "error", "journalctl -u 'docker-litellm-proxy-*' -n 50")


def test_a_program_that_hangs(stand_in, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "SECONDS", 0.2)
    monkeypatch.setenv("PATH", stand_in("systemctl", "exec sleep 30"))
    with pytest.raises(machine.UnknownError, match=r"no answer within 0\.2 s"):
        machine.unit(UNIT)


def test_a_program_that_is_none(stand_in, monkeypatch: pytest.MonkeyPatch):
    path = stand_in("systemctl", "")
    Path(path.split(os.pathsep)[0], "systemctl").write_bytes(b"\0")
    monkeypatch.setenv("PATH", path)
    with pytest.raises(machine.UnknownError, match=r"systemctl cannot be run: Exec format error"):
        machine.unit(UNIT)


def test_as_text(cli: Cli, project: Path):
    done = cli(project, "doctor")
    assert done.code == 1
    line = "error    rendered: rendered/ is not up to date: docker.nix"
    assert line in done.out
    assert "\n         > Run `nixcfg render`.\n" in done.out
    assert " ok, " in done.err


def test_listeners_on_both_families():
    with closing(socket.create_server(("127.0.0.1", 0))) as four:
        port = four.getsockname()[1]
        (found,) = machine.listeners(port)
        assert (found.address, found.pid) == ("127.0.0.1", os.getpid())
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        six = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with closing(six):
        (found,) = machine.listeners(six.getsockname()[1])
        assert found.address == "::1"
