"""A virtual machine under test: boot, commands, files, reboot. Every wait has an end.

Commands go through the QEMU guest agent on a virtio port, so the VM needs no network, no ssh and
no login. The disk is opened as a snapshot: what a test writes survives a reboot of the VM and
ends with the QEMU process.
"""

import base64
import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from image import Image
from kvm import kvm_works

# NixOS has no AppArmor by default either; the others save time under emulation.
KERNEL_OPTIONS = (
    "root=/dev/vda rw console=ttyS0 loglevel=4 panic=-1 apparmor=0 audit=0 mitigations=off "
    "systemd.show_status=no"
)
BOOT_LIMIT = 180.0  # seconds; 25 are usual under emulation on 2 cores


class MachineError(Exception):
    """The VM died, hung, or a command in it failed; the text holds what it said last."""


@dataclass(frozen=True)
class Result:
    """What a command in the VM said. `code` is its exit status, 124 after its time limit."""

    code: int
    out: str
    err: str


def missing() -> str | None:
    """Why no VM can run here, or None."""
    absent = [name for name in ("qemu-system-x86_64", "setpriv") if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


class Machine:
    """One VM, started on entry of the `with` block and gone after it.

    `accelerator` is "kvm" or "tcg"; `boot_seconds` last until the guest agent answers.
    """

    def __init__(self, image: Image, *, memory_mb: int = 3072, cores: int = 2) -> None:
        self.image = image
        self.memory_mb = memory_mb
        self.cores = cores
        self.accelerator = "kvm" if kvm_works(image) else "tcg"
        self.boot_seconds = 0.0
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def _start(self) -> None:
        folder = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="vm-")))
        self.console = folder / "console"
        agent = folder / "agent"
        accelerate = "kvm" if self.accelerator == "kvm" else "tcg,thread=multi,tb-size=512"
        began = time.monotonic()
        self._qemu = subprocess.Popen(
            [
                # The kernel kills the VM when the test process dies, however it dies.
                "setpriv",
                "--pdeathsig",
                "KILL",
                "qemu-system-x86_64",
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-accel",
                accelerate,
                "-cpu",
                "max",
                "-smp",
                str(self.cores),
                "-m",
                str(self.memory_mb),
                "-nic",
                "none",
                "-kernel",
                self.image.kernel,
                "-initrd",
                self.image.initrd,
                "-append",
                KERNEL_OPTIONS,
                "-drive",
                f"file={self.image.disk},format=raw,if=virtio,snapshot=on,cache=unsafe",
                "-object",
                "rng-random,id=random,filename=/dev/urandom",
                "-device",
                "virtio-rng-pci,rng=random",
                "-serial",
                f"file:{self.console}",
                "-device",
                "virtio-serial-pci",
                "-chardev",
                f"socket,id=agent,path={agent},server=on,wait=off",
                "-device",
                "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},  # the snapshot's blocks
        )
        self._cleanup.callback(self._kill)
        while not agent.exists():
            self._check_alive()
            if time.monotonic() - began > 20:
                raise MachineError("QEMU opened no agent socket within 20 s")
            time.sleep(0.05)
        self._socket = self._cleanup.enter_context(socket.socket(socket.AF_UNIX))
        self._socket.connect(str(agent))
        self._buffer = b""
        self._wait_for_agent(BOOT_LIMIT)
        self.boot_seconds = time.monotonic() - began

    def _kill(self) -> None:
        self._qemu.kill()
        self._qemu.communicate(timeout=20)

    def _check_alive(self) -> None:
        if self._qemu.poll() is not None:
            said = self._qemu.stderr.read() if self._qemu.stderr else ""
            raise MachineError(f"QEMU ended with {self._qemu.returncode}: {said}\n{self.tail()}")

    def tail(self, lines: int = 25) -> str:
        """The end of the VM's serial console."""
        if not self.console.exists():
            return "(no console)"
        return "\n".join(self.console.read_text(errors="replace").splitlines()[-lines:])

    # -- commands and files ---------------------------------------------------------------------

    def run(
        self, command: str, *, stdin: str | bytes = "", limit: float = 60, check: bool = True
    ) -> Result:
        """Run a shell command as root; past `limit` seconds it is killed and returns code 124.

        Raises MachineError when it fails and `check` is set, or when the VM does not answer.
        """
        data = stdin.encode() if isinstance(stdin, str) else stdin
        pid = self._ask(
            "guest-exec",
            {
                "path": "/usr/bin/timeout",
                "arg": ["-k", "5", str(limit), "sh", "-c", command],
                "input-data": base64.b64encode(data).decode(),
                "capture-output": True,
            },
        )["pid"]
        deadline = time.monotonic() + limit + 30
        pause = 0.02
        while True:
            status = self._ask("guest-exec-status", {"pid": pid})
            if status["exited"]:
                break
            if time.monotonic() > deadline:
                raise MachineError(f"no end after {limit + 30:.0f} s: {command}\n{self.tail()}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        out, err = (
            base64.b64decode(status.get(f"{name}-data", "")).decode(errors="replace")
            for name in ("out", "err")
        )
        result = Result(status.get("exitcode", 128 + status.get("signal", 0)), out, err)
        if check and result.code != 0:
            raise MachineError(f"exit {result.code}: {command}\n{out}{err}")
        return result

    def put(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file in place: an existing file keeps its inode, as with `cat > file`."""
        quoted = shlex.quote(path)
        self.run(
            f"mkdir -p $(dirname {quoted}) && cat > {quoted} && chmod {mode:o} {quoted}",
            stdin=content,
        )

    def put_tree(self, folder: Path) -> None:
        """Unpack a folder of this machine over the VM's root."""
        archive = subprocess.run(
            ["tar", "-C", folder, "--owner=0", "--group=0", "-cz", "."],
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        self.run("tar -C / --no-overwrite-dir -xz", stdin=archive)

    def read(self, path: str) -> str:
        """The text of a file in the VM."""
        return self.run(f"cat {shlex.quote(path)}").out

    def wait(self, command: str, *, limit: float, every: float = 1.0) -> float:
        """Repeat a command inside the VM until it succeeds; returns the seconds it took.

        Raises MachineError with the command's last words after `limit` seconds.
        """
        began = time.monotonic()
        loop = (
            f"until said=$( ( {command} ) 2>&1 ); do"
            f" printf '%s' \"$said\" > /run/wait-said; sleep {every}; done"
        )
        if self.run(loop, limit=limit, check=False).code != 0:
            said = self.run("cat /run/wait-said", check=False).out
            raise MachineError(f"not so within {limit:.0f} s: {command}\n{said}")
        return time.monotonic() - began

    def reboot(self) -> float:
        """Shut down in order, boot again; returns the seconds until the agent answers."""
        before = self.run("cat /proc/sys/kernel/random/boot_id").out
        began = time.monotonic()
        with contextlib.suppress(MachineError):  # the agent may be gone before it tells the end
            self.run("systemctl --no-block reboot")
        while True:
            self._wait_for_agent(BOOT_LIMIT)
            with contextlib.suppress(MachineError):
                if self.run("cat /proc/sys/kernel/random/boot_id", limit=20).out != before:
                    return time.monotonic() - began
            if time.monotonic() - began > BOOT_LIMIT:
                raise MachineError(f"no reboot within {BOOT_LIMIT:.0f} s\n{self.tail()}")
            time.sleep(0.5)

    # -- the guest agent's protocol: one JSON object a line ---------------------------------------

    def _ask(self, name: str, arguments: dict[str, Any], limit: float = 60) -> Any:
        self._socket.settimeout(limit)
        try:
            request = json.dumps({"execute": name, "arguments": arguments})
            self._socket.sendall(request.encode() + b"\n")
            answer = json.loads(self._line(time.monotonic() + limit))
        except (OSError, ValueError) as error:
            self._check_alive()
            raise MachineError(f"{name}: the VM is silent ({error!r})\n{self.tail()}") from None
        if "error" in answer:
            raise MachineError(f"{name}: {answer['error']}")
        return answer["return"]

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            received = self._socket.recv(65536)
            if not received:
                raise MachineError(f"the agent's socket was closed\n{self.tail()}")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _wait_for_agent(self, limit: float) -> None:
        """Until the agent answers a number we chose: older answers in the pipe are dropped."""
        deadline = time.monotonic() + limit
        number = 0
        while time.monotonic() < deadline:
            self._check_alive()
            number += 1
            # 0xFF makes the agent forget half a request that an earlier boot left in the pipe.
            request = json.dumps({"execute": "guest-sync", "arguments": {"id": number}})
            self._socket.settimeout(2)
            with contextlib.suppress(TimeoutError, ValueError):
                self._socket.sendall(b"\xff" + request.encode() + b"\n")
                line = self._line(time.monotonic() + 1)
                while json.loads(line).get("return") != number:
                    line = self._line(time.monotonic() + 1)
                return
        raise MachineError(f"the VM did not come up within {limit:.0f} s\n{self.tail()}")


@contextlib.contextmanager
def stopwatch(figures: dict[str, float], name: str) -> Iterator[None]:
    """Record the seconds of a block under `name`."""
    began = time.monotonic()
    try:
        yield
    finally:
        figures[name] = round(time.monotonic() - began, 1)
