"""What the table of failures makes of what clients saw."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from aftermath import Aftermath, reason


@dataclass(frozen=True)
class Request:
    begin: float
    seconds: float
    is_stream: bool = False
    fault: str = ""


REFUSED = "ConnectionRefusedError: [Errno 111] Connection refused"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            'status 500: b\'{"error":{"message":"litellm.APIError: it is, one of 33 "}}\'',
            "500 `APIError: it is, one of N`",
        ),
        ("status 502: b'<html>'", "502"),
        (REFUSED, "connection refused"),
        ("TimeoutError: timed out", "no answer"),
        ("IncompleteRead: IncompleteRead(12 bytes read)", "a stream that breaks off"),
        ("a stream that breaks off after 3 bytes: b''", "a stream without its end"),
        ("OddError: x", "OddError"),
    ],
)
def test_a_fault_in_few_words(fault, said):
    assert reason(fault) == said


def test_a_row():
    found = Aftermath(
        [
            Request(0, 5),  # before
            Request(9, 2, is_stream=True, fault="IncompleteRead: x"),  # under way when it began
            Request(12, 1.5),
            Request(15, 9, fault=REFUSED),  # ends when it is over
            Request(20, 1, fault=REFUSED),
            Request(24, 1, fault=REFUSED),
            Request(25, 1),
        ],
        began=10,
        ended=20,
        spent=3,
    )
    assert found.row("it") == (
        "it",
        "10 s",
        "1 of 2",
        "1 of 1",
        "3 x connection refused, after 1 to 9 s; 1 x a stream that breaks off, after 2 s",
        "1.5 s",
        "2 of 3 failed, none begun later than 4 s after",
        "3 of 3",
    )


@pytest.mark.parametrize(
    ("requests", "afterwards"),
    [
        ([Request(12, 1)], "none was begun"),
        ([Request(20, 1), Request(21, 1)], "all 2 answered"),
        ([Request(20, 1), Request(21, 1, fault=REFUSED)], "1 of 2 failed, to the end"),
    ],
)
def test_what_comes_afterwards(requests, afterwards):
    assert Aftermath(requests, began=10, ended=20).row("it")[-2:] == (afterwards, "")
