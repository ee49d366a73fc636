"""What bytecode.py compiles, and that nothing of it is run in the place of another source."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[2] / "modules/litellm-proxy"
FILES = ("litellm/__init__.py", "litellm/proxy/__init__.py", "litellm/proxy/proxy_cli.py")
SERVER = "litellm/proxy/proxy_server.py"
COMPILE = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_path(PROGRAM)"
IMPORT = "import sys; sys.path.insert(0, sys.argv[1]); from litellm.proxy.proxy_server import say"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A LiteLLM without bytecode."""
    root = tmp_path / "image"
    for file in (*FILES, SERVER):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("def say(): print('the first')\n" if file == SERVER else "")
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bytecode"
    made.mkdir()
    return made


@pytest.fixture
def compiled(image: Path, folder: Path) -> Callable[[], str]:
    def run() -> str:
        program = COMPILE.replace("PROGRAM", repr(str(MODULE / "bytecode.py")))
        command = [sys.executable, "-I", "-B", "-c", program, str(image), str(folder)]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    return run


def said(image: Path, folder: Path) -> tuple[str, bool]:
    """What the module prints, and whether its source was compiled for it."""
    flags = ["-I", "-B", "-v", "-X", f"pycache_prefix={folder}"]
    command = [sys.executable, *flags, "-c", f"{IMPORT}; say()"]
    done = subprocess.run(
        [*command, str(image)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip(), f"code object from {image / SERVER}" in done.stderr


def test_what_is_compiled_is_not_compiled_again(image, folder, compiled):
    assert said(image, folder) == ("the first", True)
    assert "files are compiled" in compiled()
    assert said(image, folder) == ("the first", False)


def test_another_source_of_the_same_size_and_date_is_what_runs(image, folder, compiled):
    compiled()
    server = image / SERVER
    date = server.stat().st_mtime_ns
    server.write_text(server.read_text().replace("the first", "the other"))
    os.utime(server, ns=(date, date))
    assert said(image, folder) == ("the other", True)


def test_what_another_image_left_goes(folder, compiled):
    (folder / "app/old").mkdir(parents=True)
    (folder / "app/old/module.pyc").write_bytes(b"")
    compiled()
    assert not (folder / "app/old").exists()


def test_an_image_with_bytecode_keeps_its_own(image, folder, compiled):
    for file in image.rglob("*.py"):
        cached = Path(importlib.util.cache_from_source(str(file)))
        cached.parent.mkdir(exist_ok=True)
        cached.write_bytes(b"")
    (folder / "app").mkdir()
    assert compiled() == "The image has bytecode of its own.\n"
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_the_real_litellm_is_compiled_but_for_some_modules(folder):
    if not all(map(importlib.util.find_spec, ("litellm", "fastapi"))):
        pytest.skip("litellm[proxy] is not installed here")
    nowhere = folder.with_name("nowhere")  # as if it came without bytecode
    begin = [sys.executable, "-I", "-B", "-X"]
    subprocess.run(
        [*begin, f"pycache_prefix={nowhere}", str(MODULE / "bytecode.py"), str(folder)],
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        check=True,
        timeout=300,
    )
    server = "import litellm.proxy.proxy_server"
    done = subprocess.run(
        [*begin, f"pycache_prefix={folder}", "-v", "-c", server],
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    read = done.stderr.count(".pyc matches ")
    made = done.stderr.count("# code object from /")
    assert read > 1000
    assert made < read / 100, made


def test_start_py_uses_it_where_there_is_any(tmp_path):
    own = tmp_path / "app"
    own.mkdir()
    shutil.copy(MODULE / "start.py", own)
    program = tmp_path / "bin/litellm"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$PYTHONPYCACHEPREFIX"\n')
    program.chmod(0o755)

    def prefix(**given: str) -> str:
        return subprocess.run(
            [sys.executable, "-I", str(own / "start.py"), os.devnull, "litellm"],
            env={"PATH": f"{program.parent}:/usr/bin:/bin", **given},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout.strip()

    assert prefix() == ""
    (own / "bytecode").mkdir()
    assert prefix() == ""
    (own / "bytecode/usr").mkdir()
    assert prefix() == str(own / "bytecode")
    assert prefix(PYTHONPYCACHEPREFIX="/tmp/mine") == "/tmp/mine"
