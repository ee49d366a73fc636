"""What a case of nixcfg test leaves to the next ones: modules that are imported, and its port."""

import contextlib
import importlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixcfg.gateway import process
from nixcfg.trial import warm


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that cases share, and one that a configuration may name. What is imported goes again."""
    for name in ("tiktoken", "of_a_user"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "late.py").write_text("import os\nread = os.environ.get('OF_CONFIG')\n")
        (tmp_path / name / "broken.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = dict(sys.modules)
    for name in list(sys.modules):
        if name.partition(".")[0] == "tiktoken":
            del sys.modules[name]
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delenv("OF_CONFIG", raising=False)
    yield
    sys.modules.clear()
    sys.modules.update(before)


@pytest.mark.usefixtures("packages")
def test_the_next_case_has_what_one_imported():
    reading, writing = os.pipe()
    for handle in (reading, writing):
        os.set_blocking(handle, False)
    child = os.fork()
    if child == 0:
        warm.tell(writing)
        os.environ["OF_CONFIG"] = "as LiteLLM sets it"
        for name in ("of_a_user.late", "tiktoken.late", "tiktoken.broken"):
            with contextlib.suppress(RuntimeError):
                importlib.import_module(name)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert "tiktoken" not in sys.modules
    learnt = warm.Learnt(reading)
    learnt.catch_up()
    learnt.catch_up()
    assert sys.modules["tiktoken.late"].read == "as LiteLLM sets it"
    assert "OF_CONFIG" not in os.environ
    assert not {"of_a_user", "of_a_user.late", "tiktoken.broken"} & sys.modules.keys()
    os.close(reading)
    os.close(writing)


def test_a_pipe_that_no_one_reads_stops_no_case():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    teller = warm._Teller(writing)
    for _ in range(5000):
        teller.find_spec("openai.late")
    os.close(reading)
    os.close(writing)


def test_a_port_is_held_for_a_server():
    with process.held_ports(3) as ports:
        assert len(set(ports)) == 3
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", ports[0]))
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", ports[0]))
            server.listen()
            socket.create_connection(("127.0.0.1", ports[0]), 5).close()
