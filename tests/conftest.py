"""What all tests share: the program under test, and the tools it may need on this machine."""

import compileall
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from program import HERE, Run

# Models retire on days that no golden file knows; at this one none is retired.
os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
# A suite that is started in the background or under nohup would hand ignored signals down to the
# programs whose Ctrl-C is tested.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, usual)


SLOW = {
    "oracle": "asks the real LiteLLM, for seconds",
    "proxy": "sends requests through the real LiteLLM",
    "robust": "strikes at every system call, with nonsense and kills",
    "scale": "starts two LiteLLM on real PostgreSQL and Redis",
    "slow": "takes longer than a contributor waits",
    "vm": "boots a virtual machine with systemd",
}
"""Marks of tests that run with --all only, each of which implies `slow`.

A folder of such a name has it on all its tests."""
TOGETHER = ("access", "clients", "gateway", "scale", "vm")
"""Folders whose tests share what takes long to start; other files are shared out one by one."""
ENGINES = ("nix/test_engines.py", "nix/test_own_network.py")
"""Files that start docker's daemon, of which a machine has one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the slow tests too")
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the program does today as the expected output of the golden cases",
    )


def pytest_configure(config: pytest.Config) -> None:
    for mark, reason in SLOW.items():
        config.addinivalue_line("markers", f"{mark}: {reason}; runs with --all")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the package once, before any worker starts.

    The tests that strike at the nth system call count the calls of an earlier run. Bytecode that
    another worker writes between the two would shift the count.
    """
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(HERE.parent / "nixcfg", quiet=1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share out the tests file by file; some files go to one worker together.

    By the path in the test's name: pytest 9 does not show xdist the groups of its marks.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0].rpartition("tests/")[2]
            folder = file.partition("/")[0]
            return "engines" if file in ENGINES else folder if folder in TOGETHER else file

    if config.getoption("--all"):
        # In the order below, not by the number of a file's tests.
        config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = []
    # One virtual machine, whose tests take half of all the time: the others run beside it.
    items.sort(key=lambda item: item.path.parent.name != "vm")
    for item in items:
        path = item.path.relative_to(HERE)
        folder = path.parts[0]
        if folder in SLOW:
            item.add_marker(folder)
        if any(map(item.get_closest_marker, SLOW)):
            item.add_marker("slow")
            if not config.getoption("--all"):
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.hookimpl(trylast=True)
def pytest_report_header(config: pytest.Config) -> str:
    return (
        "" if config.getoption("--all") else "slow tests are left out; pytest --all runs them too"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def nixcfg() -> Run:
    """Run the real program in a process of its own: `nixcfg("-C", folder, "render")`."""
    program = os.environ.get("NIXCFG")
    command = [program] if program else [sys.executable, "-P", "-m", "nixcfg"]

    def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        options = {"capture_output": True, "text": True, "timeout": 60, **options}
        return subprocess.run([*command, *map(str, arguments)], check=False, **options)

    return run


@pytest.fixture(scope="session")
def nix() -> Run:
    """Run `nix-instantiate` with <nixpkgs> in reach; skips where either is absent."""
    if not shutil.which("nix-instantiate"):
        pytest.skip("nix-instantiate is not installed (Debian: nix-bin)")
    command = ["nix-instantiate", "--option", "substitute", "false"]
    found = subprocess.run(
        [*command, "--eval", "-E", "<nixpkgs/lib>"], capture_output=True, check=False
    )
    if found.returncode != 0:
        pytest.skip("<nixpkgs/lib> does not resolve; put nixpkgs on NIX_PATH")

    def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        options = {"capture_output": True, "text": True, "timeout": 300, **options}
        return subprocess.run([*command, *map(str, arguments)], check=False, **options)

    return run


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Puts a line into pytest's own output, also while that of the tests is captured."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def write(line: str):
        with capture.global_and_fixture_disabled():
            reporter.write_line(line)

    return write
