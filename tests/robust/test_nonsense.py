"""Nonsense in: a clear message and an exit code; no traceback, nothing half written."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli import CPU_SECONDS, MEMORY_KIB, WALL_SECONDS, Cli, names, refused, snapshot

PLACE = r":\d+:\d+"


@dataclass(frozen=True)
class Nonsense:
    """What is put in place of a project's file.

    `where` is what must follow the file's name in the message: a pattern for line and column
    where the input has them, nothing where there is no text to point into.
    """

    name: str
    put: Callable[[Path], object]
    where: str = PLACE


def text(name: str, content: str | bytes, where: str = PLACE) -> Nonsense:
    raw = content.encode() if isinstance(content, str) else content
    return Nonsense(name, lambda path: path.write_bytes(raw), where)


def laughs(depth: int) -> str:
    """Ten aliases to ten aliases to ... : a few hundred bytes that stand for 10**depth values."""
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, depth)]
    return "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(levels)


def merging_laughs(depth: int) -> str:
    """The same with merge keys, which build mappings instead of repeating a list."""
    levels = [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}\n" for n in range(1, depth)]
    return "m0: &m0 {k: 1}\n" + "".join(levels)


def loop(path: Path) -> None:
    other = path.with_name("link-back")
    path.symlink_to(other.name)
    other.symlink_to(path.name)


def unreadable(path: Path) -> None:
    path.write_text("model_list: []\n")
    path.chmod(0)


NONSENSE = [
    text("empty", "", where=""),
    text("blank", "\n \n\n", where=""),
    text("comments", "# nothing but a comment\n", where=""),
    Nonsense("directory", Path.mkdir, where=""),
    Nonsense("fifty_megabytes", lambda p: p.write_bytes(b"key: [1, 2, 3]\n" * 3_500_000), where=""),
    text("fifty_megabytes_scalar", b'a: "' + b"x" * 50_000_000 + b'"\n', where=""),
    text("huge_scalar", b'model_list: "' + b"x" * 3_000_000 + b'"\n'),
    text("huge_key", b"x" * 3_000_000 + b": 1\n", where=""),
    text("huge_number", b"port: " + b"9" * 5_000 + b"\nmodel_list: 0x" + b"f" * 9_000),
    text("many_keys", "".join(f"k{n}: {n}\n" for n in range(100_000))),
    text("latin_1", "model_list: # caf\xe9\n".encode("latin-1"), where=r":1:18"),
    text("utf_16", "model_list: []\n".encode("utf-16"), where=r":1:1"),
    text("binary", bytes(range(256))),
    text("nul", b"model_list:\n  \0\n", where=r":2:3"),
    text("lone_surrogate", b"model_list: \xed\xa0\x80\n", where=r":1:13"),
    text("alias_bomb", laughs(12)),
    text("merge_bomb", merging_laughs(12)),
    text("own_alias", "model_list: &a [*a]\n", where=r":1:17"),
    text("own_merge", "model_list: &a {<<: *a}\n"),
    text("unknown_alias", "model_list: *nowhere\n", where=r":1:13"),
    text("tabs", "model_list:\n\t- model_name: x\n", where=r":2:1"),
    text("two_documents", "model_list: []\n---\nmodel_list: []\n", where=r":2:1"),
    text("unclosed", 'model_list: "oops\n'),
    text("lists_in_lists", "[" * 100_000),
    text("closed_lists_in_lists", "[" * 50_000 + "]" * 50_000),
    text("maps_in_maps", "{a: " * 50_000 + "}" * 50_000),
    text("dashes", "- " * 50_000 + "x\n"),
    text("indents", "".join(" " * n + "a:\n" for n in range(1_000))),
    text("questions", "? " * 50_000 + "x\n"),
    text("scalar", "just words\n"),
    text("number", "42\n"),
    text("list", "- a\n- b\n"),
    text("list_as_key", "? [a, b]\n: c\n"),
    text("number_as_key", "1: 2\n"),
    text("python_object", "model_list: !!python/object/apply:os.system ['true']\n"),
    text("bad_tags", "model_list: !!int many\nport: !!timestamp soon\nenvironment: !!float x\n"),
    text("bad_date", "model_list: 2024-13-45\nport: 2024-02-30\n"),
    text("not_numbers", "port: .nan\nmodel_list: .inf\n"),
    text("percent", "%TAG ! tag:x,2000:\n%YAML 9.9\n---\na: 1\n"),
    text("long_key", '? "' + "k" * 5_000 + '"\n: x\n'),
    Nonsense("symlink_loop", loop, where=""),
    Nonsense("dangling_symlink", lambda p: p.symlink_to("nowhere"), where=""),
    Nonsense("endless_device", lambda p: p.symlink_to("/dev/zero"), where=""),
    Nonsense("named_pipe", os.mkfifo, where=""),
    Nonsense("unreadable", unreadable, where=""),
]


#: The provider files of the project that the nonsense is put beside.
ORDINARY = ("claude", "openai", "gemini")


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda n: n.name)
def test_nonsense_for_a_project_file(
    nonsense: Nonsense, cli: Cli, project: Path, as_owner: list[str]
):
    (project / "nixcfg.yaml").unlink()
    nonsense.put(project / "nixcfg.yaml")
    before = snapshot(project / "rendered")
    around = names(project)
    done = cli("-C", project, "render", before=as_owner)
    refused(done)
    assert re.search(r"nixcfg\.yaml" + nonsense.where, done.err), done.err
    assert snapshot(project / "rendered") == before
    assert names(project) == around


def test_nonsense_for_provider_files(cli: Cli, project: Path, as_owner: list[str]):
    """All of it in one project: each file is refused at its place, and none hides another."""
    before = snapshot(project / "rendered")
    for nonsense in NONSENSE:
        nonsense.put(project / "providers" / f"{nonsense.name}.yaml")
    around = names(project)
    rendering, report = cli.each(
        ["-C", project, "render"],
        ["-C", project, "validate", "--format", "json"],
        before=as_owner,
    )
    refused(rendering, most=500_000)
    assert report.code == 1, report.said
    errors = [p for p in json.loads(report.out)["problems"] if p["severity"] == "error"]
    assert all(p["message"] and p["line"] >= 1 and p["column"] >= 1 for p in errors)
    for nonsense in NONSENSE:
        file = f"providers/{nonsense.name}.yaml"
        assert re.search(rf"^{file}{nonsense.where}.*error", rendering.err, re.MULTILINE), file
        assert any(problem["file"] == file for problem in errors), file
    assert not [p for p in errors if p["file"] in (f"providers/{n}.yaml" for n in ORDINARY)]
    assert snapshot(project / "rendered") == before
    assert names(project) == around


def test_the_limits_of_these_tests_bind(cli: Cli):
    """A control: what takes more memory than allowed, or more time, does fail here."""
    cli = Cli()
    cli.command = [sys.executable, "-c"]
    assert cli(f"bytearray({MEMORY_KIB - 50_000} * 1024)").code == 0
    assert "MemoryError" in cli(f"bytearray({MEMORY_KIB + 1} * 1024)").err
    assert CPU_SECONDS < WALL_SECONDS


@pytest.mark.parametrize(
    ("name", "mangle"),
    [
        ("byte order mark", lambda raw: b"\xef\xbb\xbf" + raw),
        ("windows line ends", lambda raw: raw.replace(b"\n", b"\r\n")),
        ("no last newline", lambda raw: raw.rstrip(b"\n")),
        ("document marks", lambda raw: b"---\n" + raw + b"\n...\n"),
    ],
)
def test_harmless_oddities_change_nothing(
    name: str, mangle: Callable[[bytes], bytes], cli: Cli, project: Path
):
    before = snapshot(project / "rendered")
    for file in [project / "nixcfg.yaml", *(project / "providers").iterdir()]:
        file.write_bytes(mangle(file.read_bytes()))
    done = cli("-C", project, "render")
    assert done.code == 0, done.said
    assert snapshot(project / "rendered") == before, name


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["no-such-command"],
        ["validate", "--format", "xml"],
        ["render", "--out"],
        ["-C", "/nonexistent/\x1b[31m", "validate"],
        ["-C", "/dev/null", "validate"],
    ],
    ids=" ".join,
)
def test_usage(arguments: list[str], cli: Cli):
    refused(cli(*arguments), code=2)


def test_a_folder_that_is_not_there_is_no_reason_to_work_on_another(cli: Cli, project: Path):
    refused(cli("-C", project / "typo", "validate"), code=2)


def test_no_project(cli: Cli, tmp_path: Path):
    for command in ("validate", "render"):
        done = cli("-C", tmp_path, command)
        assert done.code in (1, 2)
        assert "Traceback" not in done.said
        assert "nixcfg.yaml" in done.err
        assert "nixcfg init" in done.err
    assert not list(tmp_path.iterdir())


def test_providers_folder_that_is_a_file_or_missing(cli: Cli, project: Path):
    before = snapshot(project / "rendered")
    shutil.rmtree(project / "providers")
    missing = cli("-C", project, "render")
    refused(missing)
    (project / "providers").write_text("not a folder\n")
    file = cli("-C", project, "render")
    refused(file)
    for done in (missing, file):
        assert "providers" in done.err
    assert snapshot(project / "rendered") == before


@pytest.mark.parametrize(
    "name", ["a b.yaml", "a\nb.yaml", "ä.yaml", "-rf.yaml", "a'b.yaml", "${x}.yaml"]
)
def test_provider_names_that_make_no_file_or_nix_name(name: str, cli: Cli, project: Path):
    before = snapshot(project / "rendered")
    shutil.copy(project / "providers" / "claude.yaml", project / "providers" / name)
    done = cli("-C", project, "render")
    refused(done)
    assert snapshot(project / "rendered") == before


def test_provider_name_that_is_not_utf_8(cli: Cli, project: Path):
    before = snapshot(project / "rendered")
    name = os.fsencode(project / "providers") + b"/caf\xe9.yaml"
    shutil.copy(project / "providers" / "claude.yaml", name)
    for command in (["render"], ["validate", "--format", "json"]):
        done = cli("-C", project, *command)
        assert done.code == 1, done.said
        assert "Traceback" not in done.said
    assert snapshot(project / "rendered") == before


def test_hidden_and_backup_files_of_editors_are_no_providers(cli: Cli, project: Path):
    before = snapshot(project / "rendered")
    (project / "providers" / ".#claude.yaml").symlink_to("user@host.123:456")
    (project / "providers" / "claude.yaml~").write_text("half of\n")
    (project / "providers" / ".claude.yaml.swp").write_bytes(b"b0VIM 9.0\0\0")
    done = cli("-C", project, "render")
    assert done.code == 0, done.said
    assert snapshot(project / "rendered") == before


def test_utf_16_is_named_and_mended(cli: Cli, project: Path):
    for name in ("utf-16", "utf-16-be", "utf-32"):
        (project / "providers" / "claude.yaml").write_text("model_list: []\n", encoding=name)
        refused(cli("-C", project, "render"))
