"""LiteLLM in its pinned image, run by podman or docker: for machines that lack its packages.

Nothing that `inspect` shows, or the engine writes to the disk, holds a key: the keys go through
standard input. Its end, however nixcfg ends, ends the container (inside.py).
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nixcfg import knowledge
from nixcfg.gateway import engine, inside
from nixcfg.gateway.launch import Launch
from nixcfg.project.model import Machine

SECONDS = 60.0

_OPTIONS = (
    *("--rm", "--interactive", "--pull=never", "--log-driver=none"),
    # LiteLLM then listens on this machine's loopback address alone, and reaches what is on it.
    "--network=host",
    # As in modules/litellm-proxy: what is written goes to memory.
    *("--read-only", "--tmpfs=/tmp:rw,noexec,nosuid,nodev,mode=1777,size=256m"),
    *("--cap-drop=all", "--security-opt=no-new-privileges", "--ulimit=core=0"),
    "--entrypoint=python3",
)


@dataclass(frozen=True, slots=True)
class Container:
    """`engine` is podman or docker, `image` what it runs."""

    engine: str
    image: str

    @property
    def release(self) -> str:
        """LiteLLM's release by the image's tag, or the image where its tag names none."""
        return knowledge.of_image(self.image) or self.image

    def is_fetched(self) -> bool:
        """Whether the engine has the image."""
        return _succeeds(self.engine, "image", "inspect", self.image)

    def fetch(self) -> bool:
        """Have the engine fetch the image, and show on stderr how far it is. False if it cannot."""
        done = subprocess.run(  # noqa: S603 (an engine of PATH, no shell)
            [self.engine, "pull", self.image],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            check=False,
        )
        return done.returncode == 0

    def start(self, launch: Launch) -> "subprocess.Popen[bytes]":
        """The engine's command, as long as the container runs; what LiteLLM prints is its output.

        The container ends with its standard input, and on SIGTERM.
        """
        process = subprocess.Popen(  # noqa: S603 (an engine of PATH, no shell)
            [self.engine, "run", *_OPTIONS, self.image, "-I", "-c", _program()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdin is not None  # noqa: S101 (it was opened as a pipe)
        # An engine that has ended by now says why.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(_given(launch))
            process.stdin.flush()
        return process


def found(here: Machine) -> Container | None:
    """An engine that answers, first the one that would run the gateway, with the pinned image."""
    for each in dict.fromkeys((engine.of(here), *engine.ENGINES)):
        if shutil.which(each) and _succeeds(each, "version"):
            return Container(each, here.image)
    return None


def _succeeds(*command: str) -> bool:
    """Of an engine; slow where it sets up its storage, or waits for its daemon."""
    try:
        done = subprocess.run(  # noqa: S603 (an engine of PATH, no shell)
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _program() -> str:
    return Path(inside.__file__).read_text(encoding="utf-8")


def _given(launch: Launch) -> bytes:
    """All that the container gets, as the line that inside.py reads."""
    documents = {name: os.fsdecode(content) for name, content in launch.documents.items()}
    given = {
        "config": launch.config,
        "environment": dict(launch.environment),
        "documents": documents,
        "port": launch.port,
    }
    return json.dumps(given).encode() + b"\n"
