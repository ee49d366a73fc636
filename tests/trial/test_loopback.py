"""What is confined to this machine reaches no other, by whatever way it tries."""

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, socket, sys
from nixcfg.trial import loopback
loopback.confine()

def plain(host): socket.create_connection((host, 9), timeout=5)
def datagram(host): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (host, 9))
def looked_up(host): socket.getaddrinfo(host, 9)
def looked_up_of_old(host): socket.gethostbyname(host)
async def found(host): await asyncio.get_running_loop().getaddrinfo(host, 9)
def looked_up_by_uvloop(host):
    import uvloop
    uvloop.run(found(host))
async def opened(host): await asyncio.open_connection(host, 9)
def with_asyncio(host): asyncio.run(opened(host))
def with_uvloop(host):
    import uvloop
    uvloop.run(opened(host))

try:
    globals()[sys.argv[1]](sys.argv[2])
except OSError as error:
    print("here" if "nothing leaves" not in str(error) else "refused", file=sys.stdout)
else:
    print("here")
"""
LOOK_UPS = ["looked_up", "looked_up_of_old", "looked_up_by_uvloop"]
WAYS = ["plain", "datagram", "with_asyncio", "with_uvloop", *LOOK_UPS]


def tried(way: str, host: str) -> str:
    if "uvloop" in way:
        pytest.importorskip("uvloop")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way, host],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_no_other_machine_is_reached(way: str):
    # 192.0.2.0/24 is for documentation: no machine has such an address.
    assert tried(way, "redis.example.org" if way in LOOK_UPS else "192.0.2.1") == "refused"


@pytest.mark.parametrize("way", WAYS)
def test_this_machine_is(way: str):
    assert tried(way, "127.0.0.1") == "here"
