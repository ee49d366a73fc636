"""A thousand keys in fifty teams: the requests that it takes, and none when nothing has changed."""

import os
import sys

import pytest
from reconciler import Unit

pytestmark = pytest.mark.scale


def test_a_thousand_keys_in_fifty_teams(unit: Unit, capsys: pytest.CaptureFixture[str]):
    """The figures are for docs/access.md; what is judged are the requests."""
    for team in range(50):
        unit.team(f"team-{team}", models=["gpt"], max_budget=100)
        for key in range(20):
            unit.key(f"key-{team}-{key}", f"team-{team}", models=["gpt"], rpm_limit=60)

    def run() -> tuple[str, float, int]:
        before = len(unit.writes())
        words, environment = unit.command()
        log = unit.folder / "journal"
        with log.open("wb") as output:
            pid = os.posix_spawn(
                words[0],
                words,
                environment,
                file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 2)],
            )
            _, status, used = os.wait4(pid, 0)
        assert status == 0, log.read_text()[-2000:]
        return log.read_text(), used.ru_utime + used.ru_stime, len(unit.writes()) - before

    journal, seconds, writes = run()
    assert "1050 created" in journal
    assert writes == 1050
    again, less, none = run()
    assert "nothing was written" in again
    assert none == 0
    with capsys.disabled():
        sys.stderr.write(f"\nprocessor seconds: {seconds:.2f} for all, {less:.2f} for nothing\n")
