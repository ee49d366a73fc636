"""The unit that puts teams, users and keys into the database, as NixOS evaluates it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from nixcfg.access.desired import VALUES_DIR

KEYS = {"ci": {}, "web": {}}
DATA = {"prune": False, "teams": {}, "users": {}, "keys": KEYS}
MACHINE = """{ lib, ... }: {
  imports = [ @WIRING@ { services.litellm-proxy = { @MORE@ }; } ];
  services.litellm-proxy = {
    database.createLocally = true;
    access.file = ./access.json;
    access.keys.web = { file = "/run/keys/50% of web"; owner = "web"; mode = "0440"; };
  };
}"""
WIRING = Path(__file__).parent / "wiring.nix"
UNIT = "litellm-proxy-access.service"


@pytest.fixture(scope="module")
def evaluate(nix, tmp_path_factory):
    """The units of a machine with keys, and more."""

    def units(more=""):
        folder = tmp_path_factory.mktemp("machine")
        (folder / "access.json").write_text(json.dumps(DATA))
        machine = folder / "machine.nix"
        machine.write_text(MACHINE.replace("@WIRING@", str(WIRING)).replace("@MORE@", more))
        return nix("units.nix", settings=str(machine))

    return units


@pytest.fixture(scope="module")
def one(evaluate):
    return evaluate()


def lines(text, key):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_every_value_comes_as_a_credential_with_a_stand_in(one):
    unit = one["units"][UNIT]
    assert lines(unit, "LoadCredential") == [
        "master-key:/var/lib/litellm-proxy/master-key",
        f"value-ci:{VALUES_DIR}/ci",
        "value-web:/run/keys/50%% of web",
    ]
    names = [each.partition(":")[0] for each in lines(unit, "LoadCredential")]
    assert [each.partition(":")[0] for each in lines(unit, "SetCredential")] == names
    assert lines(unit, "StateDirectory") == [Path(VALUES_DIR).name]


def test_it_waits_for_the_gateway_and_goes_with_it(one):
    unit, container = one["units"][UNIT], one["container"]
    assert container in lines(unit, "After")[0].split()
    assert lines(unit, "PartOf") == [container]
    assert set(one["wantedBy"][UNIT]) == {"multi-user.target", container}
    assert lines(unit, "Type") == ["exec"]


def test_it_reaches_the_gateway_and_writes_where_the_files_are(one):
    unit = one["units"][UNIT]
    assert "127.0.0.1" in lines(unit, "IPAddressAllow")
    assert lines(unit, "IPAddressDeny") == ["any"]
    assert lines(unit, "ReadWritePaths") == ["-/run/keys"]
    assert lines(unit, "ProtectHome") == ["true"]


def test_the_folders_of_the_values_are_watched(one):
    paths = {
        lines(text, "PathChanged")[0]: name
        for name, text in one["units"].items()
        if re.fullmatch(r"litellm-proxy-access(-\d+)?[.]path", name)
    }
    assert set(paths) == {VALUES_DIR, "/run/keys"}
    assert set(lines(one["units"][UNIT], "Wants")[0].split()) >= set(paths.values())


def test_the_script_and_its_files_are_in_the_store_without_a_value(one):
    (script,) = (text for name, text in one["scripts"].items() if "access-start" in name)
    places = next(text for name, text in one["files"].items() if name.endswith("-keys.json"))
    assert json.loads(places) == {
        "ci": {"file": f"{VALUES_DIR}/ci", "owner": "root", "group": "root", "mode": "0600"},
        "web": {
            "file": "/run/keys/50% of web",
            "owner": "web",
            "group": "root",
            "mode": "0440",
        },
    }
    assert "http://127.0.0.1:4000" in script
    data = next(text for name, text in one["files"].items() if name.endswith("-access.json"))
    assert json.loads(data) == DATA


@pytest.mark.slow
def test_several_instances_are_asked_through_the_first(evaluate):
    several = evaluate("instances = 2; redis.createLocally = true; instancePort = 5000;")
    unit = several["units"][UNIT]
    assert lines(unit, "PartOf") == ["litellm-proxy.target"]
    after = lines(unit, "After")[0].split()
    assert {"podman-litellm-proxy-1.service", "podman-litellm-proxy-2.service"} <= set(after)
    (script,) = (text for name, text in several["scripts"].items() if "access-start" in name)
    assert "http://127.0.0.1:5000" in script


@pytest.mark.slow
def test_files_in_a_home_are_seen(evaluate):
    unit = evaluate('access.keys.ci.file = "/home/anna/key";')["units"][UNIT]
    assert lines(unit, "ProtectHome") == ["false"]
    assert "-/home/anna" in lines(unit, "ReadWritePaths")


@pytest.mark.slow
def test_an_address_of_the_machine_is_allowed(evaluate):
    unit = evaluate('listenAddress = "10.0.0.2"; openFirewall = true;')["units"][UNIT]
    assert "10.0.0.2" in lines(unit, "IPAddressAllow")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("database.createLocally = lib.mkForce false;", "no database to keep teams"),
        ('access.keys.ci.file = "/run/keys/50% of web";', "have one file"),
        ("access.keys.ci.file = ./access.json;", "is in the Nix store"),
        ('auth = "open";', "everyone gets past"),
    ],
)
def test_what_cannot_work_is_refused(evaluate, more, says):
    with pytest.raises(AssertionError, match=says):
        evaluate(more)


def test_the_script_is_that_of_nixcfg():
    root = Path(__file__).parents[2]
    tool = root / "tools" / "write_access_script.py"
    done = subprocess.run(["python3", tool, "--check"], check=False)
    assert done.returncode == 0, "run tools/write_access_script.py"
