"""From one instance to two and back, under load: what `nixcfg plan` says of it, and what happens.

Another program takes over the port, nginx from LiteLLM or LiteLLM from nginx, so that requests are
refused until a LiteLLM has started. The figures that docs/scale.md gives come from here, with -s.
"""

import itertools
import os
import secrets
import time
from collections.abc import Iterator

import pytest
from fleet import START_SECONDS, Fleet, Fleets
from load import Load, load
from patient import PatientOpenAI
from services import Redis
from switching import became


@pytest.fixture(scope="module")
def vendor() -> Iterator[PatientOpenAI]:
    with PatientOpenAI(f"sk-proj-{secrets.token_hex(24)}") as running:
        yield running


@pytest.fixture(scope="module")
def fleet(
    needs: None,  # noqa: ARG001
    redis: Redis,
    vendor: PatientOpenAI,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    """The machine with one instance, on the configuration `first`."""
    fleets = Fleets(tmp_path_factory.mktemp("fleet"), redis, vendor, count=1)
    with fleets.booted() as running:
        yield running


def refused(record: Load) -> float:
    """For how many seconds no request came that was answered."""
    begins = sorted(each.begin for each in record.outcomes if not each.fault)
    return max(later - earlier for earlier, later in itertools.pairwise(begins))


def slowness(fleet: Fleet) -> float:
    """How many times as long as it would on an idle machine LiteLLM has taken to start, which is
    work all the while: by the clock, and by its processor."""
    stat = (fleet.machine.root / f"proc/{fleet.main_pid(1)}/stat").read_text()
    fields = stat.rpartition(")")[2].split()
    began, *used = (int(fields[number]) / os.sysconf("SC_CLK_TCK") for number in (19, 11, 12))
    return max(1.0, (time.clock_gettime(time.CLOCK_BOOTTIME) - began) / sum(used))


@pytest.mark.parametrize(("instances", "becomes"), [
    (2, {
        "podman-litellm-proxy.service": "stops",
        "podman-litellm-proxy-1.service": "starts",
        "podman-litellm-proxy-2.service": "starts",
        "nginx.service": "starts",
    }),
    (1, {
        "podman-litellm-proxy.service": "starts",
        "podman-litellm-proxy-1.service": "stops",
        "podman-litellm-proxy-2.service": "stops",
        "nginx.service": "stops",
    }),
])  # fmt: skip
def test_plan_knows_what_another_number_of_instances_costs(
    fleet: Fleet, instances: int, becomes: dict[str, str]
):
    planned = fleet.planned("first", instances)
    before = fleet.runs()
    with load(fleet.port, fleet.master_key, ["stays"]) as record:
        fleet.machine.until(lambda: answered(record, 0.0), START_SECONDS)
        _, went_well = fleet.switch("first", instances)
        switched = time.monotonic()
        fleet.machine.until(lambda: answered(record, switched), START_SECONDS)
        slow = slowness(fleet)
        fleet.until_whole()
        whole = time.monotonic()
        fleet.machine.until(lambda: answered(record, whole), START_SECONDS)
    seconds = refused(record)
    print(  # noqa: T201 (for who wants the figures)
        f"\nTo {instances}: refused for {seconds:.0f} s, {slow:.1f} times as long as on an idle "
        f"machine. {record.summary()}"
    )
    assert went_well
    did = became(before, fleet.runs())
    assert did == {each.unit: each.verb for each in planned.effects} == becomes
    assert planned.loses == bool(record.failed())
    # LiteLLM finishes what it has begun, and nginx does not, which says 502 as long as it has no
    # LiteLLM behind it.
    broken = [each for each in record.failed() if each.began and "status 502" not in each.fault]
    says_so = any("break off" in each for each in planned.costs)
    assert bool(broken) == says_so, [each.fault for each in broken]
    assert planned.refused
    low, high = planned.refused
    # A processor may be twice as fast as the ones that were known.
    assert low / 2 <= seconds / slow <= high
    # Nothing but the port was in the way, and no one is refused who comes later.
    assert all(each.begin < whole for each in record.failed()), record.summary()


def answered(record: Load, since: float) -> bool:
    """Whether a request was that came after a moment."""
    return any(not each.fault for each in record.since(since))
