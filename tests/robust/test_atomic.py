"""Old or new, and whole: `nixcfg render` killed, failed and doubled at every system call it makes.

strace finds the calls of the write phase in one run, then strikes at each of them in a run of its
own: the process is killed before the call, or the call fails with an error of the system. (A kill
before every call is a kill between any two.)
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest
from cli import Done
from shots import CALLS, CREATES, LOOKS, MOST_RUNS, Call, Change, Range, leftovers, sample


@pytest.mark.parametrize(("start", "most"), [("change", MOST_RUNS), ("first", MOST_RUNS // 4)])
def test_killed_at_every_call(
    start: str,
    most: int,
    request: pytest.FixtureRequest,
    shots: Callable[[Change], Range],
    tell: Callable[[str], None],
):
    ground = shots(request.getfixturevalue(start))
    calls = ground.write_phase()
    changing = [(call, "signal=KILL") for call in calls if not LOOKS.search(call.line)]
    runs = sample(changing, most)
    tell(f"\nkill, {start}: {len(changing)} calls change something, {len(runs)} runs")

    def judge(project: Path, _call: Call, _blow: str, done: Done) -> str:
        if done.code not in (-9, 137):
            return "was not killed"
        after = ground.state(project)
        return ground.mends_itself(project) if after in ("old", "new") else after

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def test_killed_on_a_file_system_that_cannot_exchange(
    change: Change, shots: Callable[[Change], Range], tell: Callable[[str], None]
):
    """There the folder may be missing for a moment, but it is never half, and the next render
    finds its way from wherever the last one was stopped."""
    ground = replace(shots(change), always="renameat2:error=EINVAL")
    calls = ground.write_phase()
    exchange = next(n for n, call in enumerate(calls) if call.name == "renameat2")
    assert [c for c in calls[exchange:] if c.name == "rename"], "no other way was tried"
    changing = [(c, "signal=KILL") for c in calls[exchange + 1 :] if not LOOKS.search(c.line)]
    runs = sample(changing, MOST_RUNS // 4)
    tell(f"\nkill, no exchange: {len(changing)} calls change something, {len(runs)} runs")

    def judge(project: Path, _call: Call, _blow: str, done: Done) -> str:
        if done.code not in (-9, 137):
            return "was not killed"
        after = ground.state(project) if (project / "rendered").exists() else "missing"
        return ground.mends_itself(project) if after in ("old", "new", "missing") else after

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def test_every_error_at_every_call(
    change: Change, shots: Callable[[Change], Range], tell: Callable[[str], None]
):
    """A clear message, exit code 1, the old state whole and nothing beside it. Once the new state
    is in place, what fails is the clearing away of the old: then the new one stands, and what
    could not be removed goes with the next render."""
    ground = shots(change)
    calls = ground.write_phase()
    runs = sample(list(each_call_and_each_error(calls)))
    tell(f"\nerrors: {len(calls)} calls in the write phase, {len(runs)} runs")
    exchange = next(n for n, call in enumerate(calls) if is_exchange(call))

    def judge(project: Path, call: Call, _blow: str, done: Done) -> str:
        before_exchange = calls.index(call) <= exchange
        after = ground.state(project)
        if "Traceback" in done.said:
            return "a traceback"
        if done.code not in (0, 1):
            return "another exit code than 1"
        if after != ("old" if done.code == 1 and before_exchange else "new"):
            return after
        if done.code == 1 and f"{project.name}/rendered" not in done.err:
            return "no message that names the folder"
        if after == "new" and "nothing was changed" in done.err:
            return "a message that is not true"
        clearing = call.name.startswith(("unlink", "rmdir"))
        if leftovers(project) and before_exchange and not clearing:
            return f"left over: {leftovers(project)}"
        return ground.mends_itself(project)

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def each_call_and_each_error(calls: Iterable[Call]) -> Iterable[tuple[Call, str]]:
    """Every call once, its errors in turn; and every error of a kind of call at least once."""
    turns: dict[tuple[str, ...], Iterator[str]] = {}
    firsts: dict[tuple[str, ...], Call] = {}
    given: set[tuple[tuple[str, ...], str]] = set()
    for call in calls:
        errors = tuple(call.errors())
        if errors:
            firsts.setdefault(errors, call)
            error = next(turns.setdefault(errors, cycle(errors)))
            given.add((errors, error))
            yield call, f"error={error}"
    for errors, call in firsts.items():
        yield from ((call, f"error={e}") for e in errors if (errors, e) not in given)


def is_exchange(call: Call) -> bool:
    """The call that puts the new state in place."""
    return call.name.startswith("rename") and "/rendered" in call.line


def test_interrupted_from_the_keyboard(
    change: Change, shots: Callable[[Change], Range], tell: Callable[[str], None]
):
    """Ctrl-C clears up behind itself, and gives no traceback. Only when it hits the clearing up
    itself may something stay, until the next render."""
    ground = shots(change)
    calls = ground.write_phase()
    runs = sample([(call, "signal=INT") for call in calls], MOST_RUNS // 5)
    tell(f"\ninterrupt: {len(calls)} calls in the write phase, {len(runs)} runs")

    def judge(project: Path, _call: Call, _blow: str, done: Done) -> str:
        after = ground.state(project)
        if "Traceback" in done.said:
            return "a traceback"
        if after != "new" and (after != "old" or done.code == 0):
            return after
        if leftovers(project) and after == "old":
            return f"left over: {leftovers(project)}"
        return ground.mends_itself(project)

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def test_everything_is_on_the_disk_before_it_is_put_in_place(
    change: Change, shots: Callable[[Change], Range]
):
    """After a power cut the new folder must not hold empty files: each file and each folder that
    was made is synced before the exchange, and the parent after it."""
    calls = shots(change).write_phase()
    exchange = next(n for n, call in enumerate(calls) if is_exchange(call))

    def synced(part: Sequence[Call]) -> set[str]:
        lines = [call.line for call in part if call.name in ("fsync", "fdatasync")]
        return {found[1] for line in lines if (found := re.search(r"<(.*)>\)", line))}

    before = synced(calls[:exchange])
    stages = {str(Path(path).parent) for path in before if path.endswith("/docker.nix")}
    assert len(stages) == 1, f"docker.nix was not synced: {before}"
    (stage,) = stages
    made = {stage, *(f"{stage}/{path}" for path in change.new)}
    assert not made - before
    assert "" in synced(calls[exchange:]), "the project folder was not synced after the exchange"


def test_nothing_is_written_when_nothing_changed(
    change: Change, project: Path, shots: Callable[[Change], Range]
):
    done, log = shots(change).traced(project, CALLS)
    assert done.code == 0, done.said
    touched = [line.split(maxsplit=1)[1] for line in log.splitlines() if str(project) in line]
    assert touched, "strace saw nothing of the project"
    done_to_it = [line for line in touched if " = -1 " not in line]
    assert [line for line in done_to_it if CREATES.search(line)] == []
