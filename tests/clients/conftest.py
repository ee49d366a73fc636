"""One `nixcfg try --mock`, for every client that asks it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from program import ROOT

SECONDS = 180.0


@dataclass(frozen=True)
class Trying:
    """The gateway that answers with canned text: its project, address and key."""

    project: Path
    url: str
    key: str


def environment(home: Path, **more: str) -> dict[str, str]:
    """As little as a client needs, so that no setting of the person who tests gets in."""
    kept = ("PATH", "LANG", "NIX_SSL_CERT_FILE", "SSL_CERT_FILE")
    return {**{k: os.environ[k] for k in kept if k in os.environ}, "HOME": str(home), **more}


@pytest.fixture(scope="session")
def trying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trying]:
    if not find_spec("litellm"):
        pytest.skip("litellm[proxy] is not installed here")
    folder = tmp_path_factory.mktemp("clients")
    project = folder / "project"
    shutil.copytree(ROOT / "providers", project / "providers")
    (project / "nixcfg.yaml").write_text("model_config: all\n")
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nixcfg", "-C", str(project), "try", "--mock"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(folder),
        )
    try:
        give_up = time.monotonic() + SECONDS
        while "Ctrl-C ends it." not in (text := log.read_text()):
            assert process.poll() is None, text
            assert time.monotonic() < give_up, text
            time.sleep(0.2)
        url = re.search(r"answers on (\S+?),", text)
        key = re.search(r"LITELLM_MASTER_KEY=(\S+)", text)
        assert url
        assert key
        yield Trying(project, url[1], key[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
