"""The terminal session at the top of README.md is a real one."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from program import ROOT
from tool import load

PICTURE = ROOT / "docs" / "session.svg"


def shown() -> list[str]:
    """The lines of the picture."""
    tree = ET.fromstring(PICTURE.read_text())
    return ["".join(each.itertext()) for each in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_it_shows_the_commands_that_are_recorded() -> None:
    recorder = load("record_session")
    typed = [line.removeprefix("$ ") for line in shown() if line.startswith("$ ")]
    assert typed == list(recorder.COMMANDS)
    assert "docs/session.svg" in (ROOT / "README.md").read_text()


def test_it_fits_on_a_screen_and_says_what_it_is_about() -> None:
    text = "\n".join(shown())
    assert len(shown()) <= 45
    for part in ("error[NX402]", "Did you mean openai/gpt-5.6?", "is up after", "canned answer"):
        assert part in text


@pytest.mark.slow
def test_the_same_commands_print_the_same_today() -> None:
    pytest.importorskip("litellm")
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "record_session.py", "--check"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
