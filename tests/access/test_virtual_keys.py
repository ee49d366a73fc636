"""The values of virtual keys, in files of this machine."""

import getpass
import grp
import os
import re
from pathlib import Path

import pytest

from nixcfg.keys.virtual import Place, ValueUnusableError, make, read, refusal, values

ME = getpass.getuser()
MY_GROUP = grp.getgrgid(os.getegid()).gr_name


def place(file: Path, mode: str = "0600") -> Place:
    return Place(file, ME, MY_GROUP, mode)


def test_a_value_has_256_bits_and_the_mode_that_is_asked_for(tmp_path: Path):
    file = tmp_path / "key"
    value = make(place(file, "0440"))
    assert re.fullmatch(r"sk-[0-9a-f]{64}", value)
    assert read(file) == value
    assert file.stat().st_mode & 0o777 == 0o440
    assert [each.name for each in tmp_path.iterdir()] == ["key"]
    assert make(place(tmp_path / "other")) != value


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text("theirs")
    with pytest.raises(ValueUnusableError, match="has come meanwhile"):
        make(place(file))
    assert file.read_text() == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (Place(Path("/nonexistent/key"), ME, MY_GROUP), "No such file or directory /nonexistent"),
        (Place(Path("/tmp/nixcfg-key"), "no-such-user", MY_GROUP), "no user no-such-user"),
        (Place(Path("/tmp/nixcfg-key"), ME, "no-such-group"), "no group no-such-group"),
    ],
)
def test_what_keeps_a_value_from_being_made(given: Place, why: str):
    with pytest.raises(ValueUnusableError, match=why):
        make(given)
    assert not given.file.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk-1234",
        "sk-" + "a" * 16,
        "key-" + "a" * 40,
        "sk-" + "a" * 20 + " b",
        "sk-é" + "a" * 40,
    ],
)
def test_what_is_no_value(text: str):
    assert refusal(text)
    assert text == "" or text not in refusal(text)


def test_one_that_cannot_be_had_stops_no_other(tmp_path: Path):
    (tmp_path / "bad").write_text("secret word")
    (tmp_path / "good").write_text(f"sk-{'g' * 40}\n")
    (tmp_path / "master").write_text(f"sk-{'m' * 40}\n")
    said: list[str] = []
    places = {name: place(tmp_path / name) for name in ("bad", "good", "master", "new")}
    found, failed = values(places, lambda _, line: said.append(line), master=f"sk-{'m' * 40}")
    assert set(found) == {"good", "new"}
    assert failed == 2
    text = "\n".join(said)
    assert "secret" not in text
    assert not any(value in text for value in found.values())


def test_credentials_of_systemd_win_and_their_stand_in_is_none(tmp_path: Path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "value-one").write_text(f"sk-{'1' * 40}\n")
    (credentials / "value-two").write_text("stand-in")
    places = {name: place(tmp_path / name) for name in ("one", "two")}
    found, failed = values(places, lambda *_: None, credentials=credentials, missing="stand-in")
    assert failed == 0
    assert found["one"] == f"sk-{'1' * 40}"
    assert found["two"] == read(tmp_path / "two")
    assert not (tmp_path / "one").exists()


def test_nothing_is_made_for_a_plan(tmp_path: Path):
    found, failed = values({"new": place(tmp_path / "new")}, lambda *_: None, makes=False)
    assert (found, failed) == ({}, 0)
    assert not list(tmp_path.iterdir())
