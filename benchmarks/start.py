"""From LiteLLM's start to its first answer: as its images are, and with the bytecode of the module.

    python benchmarks/start.py [--rounds 5]

Its images have no bytecode, and their file system is read-only; the module compiles them once
(modules/litellm-proxy/bytecode.py). Both are started by turns, on a core of their own, and times
are those of that core at its best. The database has its tables.
"""

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bed import ROOT, Bed, Setup, bed
from speed import where

from nixcfg.gateway.launch import MODULE

SETUPS = {
    "one worker": Setup(),
    "two workers": Setup(workers=2),
    "PostgreSQL and Redis": Setup(redis=True, postgres=True),
}


def environments(folder: Path) -> dict[str, dict[str, str]]:
    """As an image has no bytecode, and with what the module compiles below the folder."""
    nowhere, compiled = folder / "nowhere", folder / "compiled"
    compiled.mkdir()
    program = ROOT / "modules/litellm-proxy/bytecode.py"
    command = [sys.executable, "-I", "-X", f"pycache_prefix={nowhere}", str(program)]
    subprocess.run([*command, str(compiled)], env=MODULE, check=True, stdout=sys.stderr)  # noqa: S603
    return {
        name: {"PYTHONPYCACHEPREFIX": str(prefix), "PYTHONDONTWRITEBYTECODE": "1"}
        for name, prefix in (("without", nowhere), ("with", compiled))
    }


def seconds(machine: Bed, setup: Setup, environment: Mapping[str, str]) -> float:
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    with machine.running(replace(setup, environment=environment)) as running:
        took = running.first_answer
        return took / machine.pace.factor(began, began + took)


def _span(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{where()}; {options.rounds} rounds.\n")
    print("| | image alone, s | with the bytecode of the module, s | ratio |")
    print("| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="nixcfg-start-") as folder, bed() as machine:
        both = environments(Path(folder))
        for name, setup in SETUPS.items():
            seconds(machine, setup, both["with"])  # files are read for the first time, tables made
            found: dict[str, list[float]] = {each: [] for each in both}
            for _ in range(options.rounds):
                for each, environment in both.items():
                    found[each].append(seconds(machine, setup, environment))
            ratio = statistics.median(
                b / a for a, b in zip(found["without"], found["with"], strict=True)
            )
            print(
                f"| {name} | {_span(found['without'])} | {_span(found['with'])} | {ratio:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
