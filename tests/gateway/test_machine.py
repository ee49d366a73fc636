"""What nixcfg/gateway/machine.py asks of this machine: its programs and its listeners."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest
from examined import UNIT

from nixcfg.gateway import machine


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
