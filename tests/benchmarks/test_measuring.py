"""What the benchmarks of the gateway make of what they see."""

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from arrivals import Answers, spacings
from endurance import PARTS, Endured, Sample, slope
from knee import PRECISION, knee
from pace import Pace, pace
from probe import disturbed
from processes import IDLING, Taken, Usage, below, children, pin
from tables import Figures, Row, data, sizing, table

from nixcfg.plan.size import Carried, carried


@pytest.mark.parametrize("rate", [0.7, 1, 6, 33.3, 60, 61, 97, 150, 163.5, 400])
def test_the_streams_come_to_the_rate(rate):
    assert sum(1000 / each for each in spacings(rate)) == pytest.approx(rate, rel=0.03)


@pytest.mark.parametrize("truth", [0.4, 1.5, 20, 79, 80, 81, 170, 2000])
@pytest.mark.parametrize("factor", [1.2, 2.0])
def test_the_knee_is_found_from_either_side(truth, factor):
    good, bad = knee(lambda rate: rate <= truth, 80.0, factor=factor)
    if truth < 1:
        assert good == 0
    else:
        assert good <= truth < bad <= good * (1 + PRECISION)


def test_a_request_that_is_missing_is_not_a_fast_one():
    assert not Answers(rate=10, seconds=10, times=[1.0] * 90, failed=0).kept_up
    assert not Answers(rate=10, seconds=10, times=[1.0] * 100, failed=1).kept_up
    assert Answers(rate=10, seconds=10, times=[1.0] * 100, failed=0).kept_up
    assert Answers(rate=10, seconds=10, times=[], failed=0).percentile(0.95) == math.inf


def usage(at: float, *, used: float, waited: float, busy: float, stolen: float = 0.0) -> Usage:
    """One process of ours on core 1."""
    return Usage(at, {7: 1}, {7: used}, {7: waited}, {7: int(100 * at)}, {1: busy}, {1: stolen})


@pytest.mark.parametrize(
    ("waited", "busy", "stolen", "taken"),
    [
        (0.0, 5.0, 0.0, 0.0),  # alone
        (0.0, 9.0, 0.0, 0.0),  # others ran while ours slept
        (3.0, 5.0, 0.0, 0.0),  # ours waited for each other
        (3.0, 7.0, 0.0, 0.2),  # for others
        (0.0, 5.0, 1.0, 0.1),  # the hypervisor took it
    ],
)
def test_what_disturbs_is_what_ours_waited_for(waited, busy, stolen, taken):
    before = usage(100, used=0, waited=0, busy=0)
    after = usage(110, used=5, waited=waited, busy=busy, stolen=stolen)
    found = after.taken(before)[1]
    assert found.share == pytest.approx(taken)
    assert found.delay == pytest.approx(10 * taken)  # 1,000 runs in ten seconds
    assert after.shares(before)[1] == pytest.approx(0.5)


def test_a_neighbour_on_the_core_is_seen():
    """Two of ours and one of nobody's on one core: of a third of it they are deprived."""
    core = max(os.sched_getaffinity(0))
    spin = "import time; end = time.monotonic() + 20\nwhile time.monotonic() < end: pass"
    # A process whose parent is not ours: it is started by a shell that ends at once. It holds none
    # of our pipes, and ends by itself if we are killed.
    shell = 'taskset -c "$1" "$2" -c "$3" > /dev/null 2>&1 & echo $!'
    command = ["sh", "-c", shell, "sh", str(core), sys.executable, spin]
    foreign = int(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    ours = subprocess.Popen([sys.executable, "-c", spin])
    try:
        pin(ours.pid, core)
        assert ours.pid in below(os.getpid())
        assert foreign not in below(os.getpid())
        before = Usage.now()
        time.sleep(2)
        assert Usage.now().taken(before)[core].share > 0.2
    finally:
        ours.kill()
        ours.wait()
        os.kill(foreign, 9)


@pytest.mark.parametrize(
    ("taken", "slower", "reason"),
    [
        ({0: Taken(0.5, 0.1), 1: Taken(0.02, 0.1)}, 1.9, ""),
        ({1: Taken(0.04, 0.0)}, 1.0, "other programs took 4% of the gateway's core"),
        ({0: Taken(0.0, 0.3)}, 1.0, "for other programs ours waited 0.3 ms each time"),
        ({1: Taken(0.0, 0.0)}, 2.5, "the gateway's core was 2.5 times slower than at its best"),
    ],
)
def test_a_disturbed_look_says_how(taken, slower, reason):
    assert disturbed(taken, slower) == reason


def test_a_core_is_as_slow_as_its_work_takes_longer_than_the_fastest(tmp_path):
    notes = tmp_path / "notes"
    notes.write_text("1.0 0.010\n2.0 0.016\n3.0 0.014\n4.0 0.020\n5.0 0.0")  # being written
    assert Pace(notes).factor(2, 4) == pytest.approx(1.5)
    assert Pace(notes).factor(1, 5) == pytest.approx(1.5)
    assert Pace(notes).factor(1, 2) == 1
    assert Pace(notes).factor(6, 7) == 1


def test_what_keeps_a_core_awake_is_noted_and_not_measured():
    core = max(os.sched_getaffinity(0))
    with pace(core) as running:
        (awake,) = IDLING & children(os.getpid())
        time.sleep(1)
        after = Usage.now()
        assert running.notes.read_text().count("\n") > 1
    assert awake not in after.used


def figures(*knees: float) -> Figures:
    return Figures(knees, 3.0, 6.0, [9.0, 10.0, 9.5], 400.0, 0.5, 0.1, 7.0, 1.1)


def test_a_refused_row_has_a_reason_and_no_figure():
    rows = [Row("good", figures(9, 10, 11)), Row("bad", refused="other programs took 9%")]
    lines = table(rows).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert "| 10.0 (9.0 to 11.0) |" in lines[2]
    assert lines[3].startswith("| bad | refused: other programs took 9% |")
    assert not any(character.isdigit() for character in lines[3].partition("9%")[2])


def test_large_rates_have_no_tenths():
    assert "| 100 (90 to 110) |" in table([Row("fast", figures(90, 100, 110))])


def test_nothing_meets_it():
    assert "| none |" in table([Row("slow", figures(0.0, 0.0, 0.0))])


def test_users_are_carried_by_workers_that_are_half_full():
    lines = sizing(10, 400).splitlines()  # 5 a second each
    assert lines[-1] == "| 10,000 | 166.7 | 7 | 5 | 13.7 GiB | 350 |"
    assert lines[2] == "| 10 | 0.2 | 1 | 1 | 0.4 GiB | 10 |"


def test_what_is_kept_of_it_is_what_nixcfg_size_reads():
    rows = [Row("good", figures(9, 10, 11)), Row("bad", refused="other programs took 9%")]
    kept = data(rows, "here", {"alone": "good"})
    assert carried(kept, database=False) == Carried("good", 10, 400)
    assert "bad" not in kept["rows"]


def test_the_slope_is_what_the_memory_does():
    rising = [(60.0 * n, 300 + 2.0 * n) for n in range(30)]
    assert slope(rising) == (pytest.approx(120), pytest.approx(0, abs=1e-6))
    noisy = [(at, of + (8 if n % 2 else -8)) for n, (at, of) in enumerate(rising)]
    rise, margin = slope(noisy)
    assert abs(rise - 120) < margin
    assert slope(rising[: PARTS - 1]) is None


def test_what_a_long_run_says():
    samples = [Sample(60.0 * n, 300 + n, 1000 * n, 2 << 20, min(n, 9)) for n in range(31)]
    ended = Endured(600, 1000, 500, ["502"], 3, samples)
    assert ended.progress() == (
        "30 min: 1,000 requests, 1 lost, 3 workers replaced, 330 MiB, 9 rows"
    )
    assert ended.report() == (
        "30 minutes: 1,000 requests, 500 of them streams, 1 lost\n"
        "  502\n"
        "workers replaced: 3\n"
        "memory: 308 MiB, at the end 330; +60 MiB an hour, 95 % from +60 to +60\n"
        "log: 30 bytes a request\n"
        "files of its own: 2.0 MiB at most\n"
        "rows of spend: 9 at most, 9 at the end of 1,000; kept for 600 s"
    )
