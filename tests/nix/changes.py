"""The machine of booted.nix: its keys, and the ways in which a key file changes."""

import shutil

from booting import Machine

# Newer oci-containers modules than that of this nixpkgs give podman's unit a runtime directory of
# the container's name, which is the one where the wiring writes.
DROP_IN = """[Service]
Type=simple
RuntimeDirectory=litellm-proxy
"""

GOOD = {
    "etc/nixcfg/secrets/plain_key.txt": "sk-plain-0\n",
    "srv/keys/linked-1": "sk-linked-1\n",
    "srv/keys/linked-2": "sk-linked-2\n",
    "srv/keys of 100%/it's $HOME.txt": "sk-odd-0\n",
    "srv/keys/document.json": '{"a": 0}\n',
    "run/secrets.d/1/managed": "sk-managed-1\n",
}


def edit(machine: Machine) -> None:
    machine.write("etc/nixcfg/secrets/plain_key.txt", "sk-new\n")


def rename(machine: Machine) -> None:
    machine.write("etc/nixcfg/secrets/.plain_key.txt.swp", "sk-new\n")
    folder = machine.root / "etc/nixcfg/secrets"
    (folder / ".plain_key.txt.swp").rename(folder / "plain_key.txt")


def turn_link(machine: Machine) -> None:
    machine.write("srv/keys/linked-2", "sk-new\n")
    machine.settle()
    machine.link("srv/keys/linked", "linked-2")


def edit_behind_link(machine: Machine) -> None:
    machine.write("srv/keys/linked-1", "sk-new\n")


def turn_generation(machine: Machine) -> None:
    machine.write("run/secrets.d/2/managed", "sk-new\n")
    machine.link("run/secrets", "/run/secrets.d/2")


def turn_generation_and_remove_the_old(machine: Machine) -> None:
    turn_generation(machine)
    shutil.rmtree(machine.root / "run/secrets.d/1")


def edit_in_odd_place(machine: Machine) -> None:
    machine.write("srv/keys of 100%/it's $HOME.txt", "sk-new\n")


def optional_appears(machine: Machine) -> None:
    machine.write("etc/nixcfg/secrets/optional_key.txt", "sk-new\n")


def burst(machine: Machine) -> None:
    for number in range(300):
        machine.write("etc/nixcfg/secrets/plain_key.txt", f"sk-{number}\n")
    edit(machine)


CHANGES = (
    edit,
    rename,
    turn_link,
    edit_behind_link,
    turn_generation,
    turn_generation_and_remove_the_old,
    edit_in_odd_place,
    optional_appears,
    burst,
)
