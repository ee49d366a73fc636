"""The search for keys on the whole VM, and the proof that it can find one."""

from guest import IMAGE, Gateway


def assert_keys_are_hidden(gateway: Gateway) -> None:
    vm = gateway.vm
    keys = [*gateway.keys, gateway.master_key()]
    searched, *places = gateway.found(keys)
    assert int(searched.removeprefix("searched files: ")) > 1000
    assert places == [], "a key is where it does not belong"

    # Every file that came into being since the system was installed and that no one may read.
    readable = vm.run(
        "findmnt -rno TARGET -t ext4,tmpfs,ramfs,overlay > /root/mounts;"
        " setpriv --reuid=65534 --regid=65534 --clear-groups"
        " find $(cat /root/mounts) -xdev -type f -readable -newer /usr/local/sbin/reveal"
        " -print0 2>/dev/null > /root/readable;"
        " tr '\\0' '\\n' < /root/readable | wc -l;"
        " xargs -0r grep -laFf /root/keys < /root/readable",
        check=False,
        limit=240,
    ).out.split()
    assert int(readable[0]) > 3
    assert readable[1:] == [], "everybody can read a key"


def assert_the_search_finds_the_old_way(gateway: Gateway) -> None:
    """The same search finds a key that is given to the engine as the module once did."""
    key = f"sk-the-old-way-with-{gateway.backend}"
    gateway.vm.put("/root/old-way", f"ANTHROPIC_API_KEY={key}\n", 0o600)
    gateway.vm.run(
        f"{gateway.backend} run -d --name old-way --env-file /root/old-way --entrypoint sleep"
        f" {IMAGE} 3600",
        limit=120,
    )
    _, *places = gateway.found([key])
    gateway.vm.run(f"{gateway.backend} rm -f old-way", limit=120)

    folder = {"podman": "/var/lib/containers/", "docker": "/var/lib/docker/"}[gateway.backend]
    assert f"{gateway.backend} inspect" in places
    assert [place for place in places if place.startswith(folder)], places
