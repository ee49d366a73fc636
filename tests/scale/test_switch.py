"""What a change costs the clients: nothing, but for the streams of an instance that is killed.

Each test has a load of plain and streaming requests on nginx while it changes something behind it.
The figures that docs/scale.md gives come from here: `pytest -s tests/scale`.
"""

import secrets
import time
from collections.abc import Iterator

import pytest
from fleet import KEY_FILE, ROLL, Fleet, Fleets
from load import Load, load
from patient import PatientOpenAI
from services import Redis


@pytest.fixture(scope="module")
def vendor() -> Iterator[PatientOpenAI]:
    with PatientOpenAI(f"sk-proj-{secrets.token_hex(24)}") as running:
        yield running


@pytest.fixture(scope="module")
def fleet(needs, redis: Redis, vendor: PatientOpenAI, tmp_path_factory) -> Iterator[Fleet]:  # noqa: ARG001
    """The machine with both instances ready, on the configuration `first`."""
    with Fleets(tmp_path_factory.mktemp("fleet"), redis, vendor).booted() as running:
        yield running


@pytest.fixture(autouse=True)
def whole(fleet: Fleet, vendor: PatientOpenAI) -> None:
    """Both instances serve when a test begins."""
    fleet.until_whole()
    vendor.forget()


def restarted(before: dict[int, int], fleet: Fleet) -> dict[str, str]:
    """What became of each instance, in the words of `nixcfg plan`."""
    after = fleet.started()
    return {
        fleet.unit(each): "restarts, one after the other"
        for each in fleet.instances
        if before[each] != after[each]
    }


def tell(what: str, record: Load, seconds: float) -> None:
    print(f"\n{what} in {seconds:.0f} s: {record.summary()}")  # noqa: T201 - see above


def test_a_switch_that_changes_nothing(fleet: Fleet):
    before = fleet.started()
    planned = fleet.planned("first")
    assert planned.is_empty
    assert fleet.switch("first") == ([], True)
    fleet.until_whole()
    assert restarted(before, fleet) == {}


def test_a_provider_added_and_one_removed(fleet: Fleet):
    before = fleet.started()
    planned = fleet.planned("second")
    assert [(each.kind.value, each.name) for each in planned.changes] == [
        ("-", "goes"),
        ("+", "comes"),
    ]
    with load(fleet.port, fleet.master_key, ["stays", "goes"]) as record:
        time.sleep(2)
        # Its clients know that it goes.
        record.models = ["stays"]
        time.sleep(4)
        begin = time.monotonic()
        switched, went_well = fleet.switch("second")
        seconds = time.monotonic() - begin
        record.models = ["stays", "comes"]
        time.sleep(3)
    tell("A provider added and one removed", record, seconds)
    assert switched == [ROLL]
    assert went_well
    assert record.failed() == [], record.summary()
    assert restarted(before, fleet) == {each.unit: each.verb for each in planned.effects}
    assert planned.effects
    assert planned.loses == bool(record.failed())
    for instance in fleet.instances:
        assert fleet.models(instance) == ["comes", "stays"]
    asked = {each.model for each in record.since(begin + seconds)}
    assert asked == {"stays", "comes"}


def test_a_key_rotated(fleet: Fleet, vendor: PatientOpenAI):
    new = f"{vendor.key}-new"
    vendor.accepted.add(new)
    before = fleet.started()
    with load(fleet.port, fleet.master_key, ["stays"]) as record:
        time.sleep(2)
        begin = time.monotonic()
        fleet.machine.write(KEY_FILE, new + "\n")
        fleet.machine.until(lambda: not set(before.values()) & set(fleet.started().values()), 240)
        fleet.until_whole()
        seconds = time.monotonic() - begin
        time.sleep(3)
    tell("A key rotated", record, seconds)
    assert record.failed() == [], record.summary()
    keys = vendor.keys_seen()
    assert keys[0] == vendor.key
    assert set(keys[-20:]) == {new}


def test_an_instance_killed(fleet: Fleet):
    with load(fleet.port, fleet.master_key, ["stays"]) as record:
        time.sleep(3)
        begin = time.monotonic()
        fleet.machine.run("systemctl", "kill", "--signal=KILL", fleet.unit(1))
        fleet.machine.until(lambda: not fleet.is_whole(), 30)
        fleet.until_whole()
        seconds = time.monotonic() - begin
        time.sleep(2)
    tell("An instance killed", record, seconds)
    assert [each for each in record.failed() if not each.began] == [], record.summary()
    broken = record.failed()
    # No one can finish them: what has been sent cannot be taken back and asked for again.
    assert all(each.is_stream and each.begin < begin for each in broken), record.summary()
    assert 0 < len(broken) <= 8


def test_an_instance_that_does_not_start_leaves_the_others_alone(fleet: Fleet):
    before = fleet.started()
    cursor = fleet.machine.cursor()
    with load(fleet.port, fleet.master_key, ["stays"]) as record:
        fleet.machine.write("srv/refuse", "")
        begin = time.monotonic()
        _, went_well = fleet.switch("third")
        seconds = time.monotonic() - begin
    tell("An instance that does not start", record, seconds)
    assert not went_well
    said = fleet.said(ROLL, cursor)
    assert "litellm-proxy-1 does not start and gets no requests: journalctl -u" in said
    assert record.failed() == [], record.summary()
    assert fleet.main_pid(2) == before[2]

    (fleet.machine.root / "srv/refuse").unlink()
    assert fleet.machine.run("systemctl", "restart", ROLL, timeout=240).returncode == 0
    for instance in fleet.instances:
        assert fleet.models(instance) == ["stays"]


def test_an_image_that_cannot_be_had_stops_nothing(fleet: Fleet):
    before = fleet.started()
    cursor = fleet.machine.cursor()
    fleet.machine.write("srv/no-image", "")
    _, went_well = fleet.switch("first")
    (fleet.machine.root / "srv/no-image").unlink()
    assert not went_well
    assert "cannot be had. Nothing was restarted" in fleet.said(ROLL, cursor)
    assert fleet.started() == before


def test_a_restart_of_both_at_once_loses_requests(fleet: Fleet):
    """So that it is seen: this load notices when something is lost."""
    with load(fleet.port, fleet.master_key, ["stays"], pause=0.5) as record:
        time.sleep(1)
        units = [fleet.unit(instance) for instance in fleet.instances]
        begin = time.monotonic()
        fleet.machine.run("systemctl", "restart", *units, timeout=240)
        seconds = time.monotonic() - begin
    tell("A plain restart of both", record, seconds)
    assert len(record.failed()) > 5
    assert all("502" in each.fault for each in record.failed()), record.summary()
