"""What nixcfg costs: ratios against named baselines, measured in turn in the same run.

    python benchmarks/run.py > benchmarks/RESULTS.md

Seconds are those of the processor, user and system together, and the median of some rounds: they
do not depend on what else the machine does as much as the clock does. Memory is the peak of the
resident set. The evaluation of Nix is counted in nix's own statistics.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
NIXCFG = [str(Path(sys.executable).with_name("nixcfg"))]
PYTHON = [sys.executable]
LIBRARIES = "import click, yaml, jinja2, jsonschema"
PARSE = """
import glob, yaml
for file in glob.glob("providers/*.yaml"):
    with open(file, "rb") as stream:
        yaml.load(stream, yaml.CSafeLoader)
"""
NOTE = """\
The limits of a rendering, 0.25, 3.5 and 1.5, were 0.2, 2.5 and 1.2 as long as there were 95 rules
and half a megabyte of knowledge. There are 144 rules now, of which each looks at every deployment,
and 0.8 megabytes, which are read at the start.

A second rendering does all of it but the last step: it reports again what was wrong, and a model
may have retired since. So its limit is a validation: what it does besides is to compare. What it
saves by the clock is what writing costs, which depends on the disk (every file is synced to it),
and has no limit; a cache of what was once found right would save more, and could be stale."""
PHASES = """
import gc, itertools, time
from pathlib import Path
gc.set_threshold(200_000)  # as nixcfg.cli does
stamps = [("", 0.0)]
def done(name):
    stamps.append((name, time.process_time()))
from nixcfg import check
from nixcfg.disk.folder import apply, lock, plan as planned
from nixcfg.problems import text
from nixcfg.project.find import read_project
from nixcfg.render.files import rendered_files
from nixcfg.commands.context import today
done("start Python, import")
sources = read_project(Path())
done("read and parse")
report = check.validate(sources, today())
done("check, build the model")
files = rendered_files(report.project)
done("render texts")
folder = Path("rendered").absolute()
plan = planned(folder, files)
done("compare with what is there")
with lock(folder):
    apply(plan)
done("write")
for (_, begin), (name, end) in itertools.pairwise(stamps):
    print(f"| {name} | {end - begin:.2f} | {(end - begin) / stamps[-1][1]:.0%} |")
"""
COMPLETION = {"_NIXCFG_COMPLETE": "bash_complete", "COMP_WORDS": "nixcfg ren", "COMP_CWORD": "1"}


class Command(NamedTuple):
    """What is run where; `before` is called before each round and not measured."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = {}
    before: Callable[[], object] = lambda: None


class Cost(NamedTuple):
    """Medians: seconds of the processor, seconds of the clock, KiB of memory."""

    cpu: float
    wall: float
    memory: float


class Row(NamedTuple):
    what: str
    baseline: str
    ratio: float
    limit: float | None


def measured(commands: Mapping[str, Command], rounds: int) -> dict[str, Cost]:
    """The commands in turn, A B C A B C ..., after a round that does not count."""
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            cost = _once(command)
            if number:
                found[name].append(cost)
    return {
        name: Cost(*(statistics.median(each) for each in zip(*costs, strict=True)))
        for name, costs in found.items()
    }


def _once(command: Command) -> Cost:
    command.before()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begin = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 (our own commands)
        command.arguments,
        cwd=command.folder,
        env={**environment, "SOURCE_DATE_EPOCH": "0", **command.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command.arguments} failed: {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss)


def make(folder: Path, providers: int, models: int) -> Path:
    """A project of so many provider files with so many models each.

    An entry is about the median of 128 public configurations: 300 bytes, three mappings, nine keys.
    """
    (folder / "providers").mkdir(parents=True)
    (folder / "nixcfg.yaml").write_text("model_config: all\n")
    for number in range(providers):
        lines = ["# One provider, in LiteLLM's own configuration shape.", "", "model_list:"]
        for index in range(models):
            lines += [
                f"  # What team {number} asks for when it does not care which release answers.",
                f"  - model_name: team-{number}/model-{index}",
                "    litellm_params:",
                "      model: openai/gpt-4o",
                "      api_key: os.environ/OPENAI_API_KEY",
                f"      rpm: {100 + index}",
                "      timeout: 600",
                "    model_info:",
                "      mode: chat",
                "      supports_vision: true",
            ]
        lines += [
            "",
            "# KEY: ${KEY} declares a secret: nixcfg wires its key file to it.",
            "environment_variables:",
            "  OPENAI_API_KEY: ${OPENAI_API_KEY}",
            "",
            "litellm_settings:",
            "  drop_params: true",
            "  num_retries: 3",
        ]
        (folder / "providers" / f"p{number:04}.yaml").write_text("\n".join(lines) + "\n")
    return folder


def large(folder: Path, rounds: int) -> Iterator[Row]:
    """(a) 1,000 providers of 10 models each, and (d) a second rendering of them."""
    project = make(folder / "large", 1000, 10)
    schema = str(ROOT / "nixcfg" / "schema" / "provider.schema.json")
    files = sorted(map(str, project.glob("providers/*.yaml")))
    checker = [*PYTHON, "-m", "check_jsonschema", "--schemafile", schema, *files]
    costs = measured(
        {
            "check-jsonschema": Command(checker, project),
            "parse": Command([*PYTHON, "-c", PARSE], project),
            "validate": Command([*NIXCFG, "validate"], project),
            "render": Command(
                [*NIXCFG, "render"],
                project,
                before=lambda: shutil.rmtree(project / "rendered", ignore_errors=True),
            ),
            "again": Command([*NIXCFG, "render"], project),
        },
        rounds,
    )
    for name, of_checker, of_parse in (("validate", None, None), ("render", 0.25, 3.5)):
        ratio = costs[name].cpu / costs["check-jsonschema"].cpu
        yield Row(f"{name} 1,000 x 10 models", "check-jsonschema on the files", ratio, of_checker)
        ratio = costs[name].cpu / costs["parse"].cpu
        yield Row(f"{name} 1,000 x 10 models", "`yaml.load` with libyaml", ratio, of_parse)
    before = {path: path.stat() for path in project.glob("rendered/**/*")}
    _once(Command([*NIXCFG, "render"], project))
    after = {path: path.stat() for path in project.glob("rendered/**/*")}
    touched = sum(
        (s.st_ino, s.st_mtime_ns) != (after[p].st_ino, after[p].st_mtime_ns)
        for p, s in before.items()
    )
    ratio = costs["again"].cpu / costs["validate"].cpu
    yield Row("render again, nothing changed", "validate", ratio, 1.3)
    ratio = costs["again"].wall / costs["render"].wall
    yield Row("render again, by the clock", "the first rendering", ratio, None)
    yield Row("files written by it", "files rendered", touched / len(before), 0.0)


def phases(folder: Path) -> str:
    """Where the seconds of a first rendering of the large project go, as a table."""
    shutil.rmtree(folder / "large" / "rendered")
    done = subprocess.run(  # noqa: S603 (our own command)
        [*PYTHON, "-c", PHASES],
        cwd=folder / "large",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return f"| step | seconds | share |\n|---|---:|---:|\n{done.stdout.strip()}"


def startup(folder: Path, rounds: int) -> Iterator[Row]:
    """(b) Short commands."""
    project = folder / "small"
    shutil.copytree(ROOT / "providers", project / "providers")
    (project / "nixcfg.yaml").write_text("model_config: claude\n")
    run = {
        "python": Command([*PYTHON, "-c", "pass"], project),
        "click": Command([*PYTHON, "-c", "import click"], project),
        "libraries": Command([*PYTHON, "-c", LIBRARIES], project),
        "--help": Command([*NIXCFG, "--help"], project),
        "--version": Command([*NIXCFG, "--version"], project),
        "completion": Command(NIXCFG, project, COMPLETION),
        "validate": Command([*NIXCFG, "validate"], project),
        "render": Command([*NIXCFG, "render"], project),
    }
    costs = {name: cost.cpu for name, cost in measured(run, 3 * rounds).items()}
    for name, limit in (("--help", 1.3), ("--version", None), ("completion", 1.3)):
        yield Row(f"nixcfg {name}", "`import click`", costs[name] / costs["click"], limit)
    yield Row("nixcfg --help", "`python -c pass`", costs["--help"] / costs["python"], None)
    for name, limit in (("validate", None), ("render", 1.5)):
        ratio = costs[name] / costs["libraries"]
        yield Row(f"{name} three providers", "importing the four libraries", ratio, limit)


def growth(folder: Path, rounds: int) -> tuple[list[Row], str]:
    """(c) Time and memory of a rendering by the number of models; the figures as a table too."""
    sizes = (10, 100, 1_000, 10_000)
    run = {
        str(size): Command([*NIXCFG, "render"], make(folder / f"growth-{size}", size // 10, 10))
        for size in sizes
    }
    costs = measured(run, rounds)
    inputs = {
        name: sum(file.stat().st_size for file in command.folder.glob("providers/*"))
        for name, command in run.items()
    }
    least, most = costs["10"], costs["10000"]
    time_ratio = (most.cpu - least.cpu) / (10 * (costs["1000"].cpu - least.cpu))
    memory_ratio = 1024 * (most.memory - least.memory) / (inputs["10000"] - inputs["10"])
    baseline = "10 times that of 1,000 models"
    rows = [
        Row("render 10,000 models, time above 10 models", baseline, time_ratio, 1.2),
        Row("the same, memory above 10 models", "bytes of input", memory_ratio, 12),
    ]
    lines = ["| models | input, kB | seconds | peak memory, MB |", "|---:|---:|---:|---:|"]
    for name, cost in costs.items():
        figures = f"{inputs[name] / 1e3:.0f} | {cost.cpu:.2f} | {cost.memory * 1024 / 1e6:.0f}"
        lines.append(f"| {int(name):,} | {figures} |")
    return rows, "\n".join(lines)


def evaluation() -> Iterator[Row]:
    """(e) Evaluation of the rendered configuration in a whole NixOS system."""
    if not shutil.which("nix-instantiate"):
        return
    found = {}
    for name, module in (
        ("by-hand", ROOT / "tests/nix/comparison/by-hand.nix"),
        ("rendered", ROOT / "rendered/docker.nix"),
    ):
        command = ["nix-instantiate", "--option", "substitute", "false", "--eval"]
        command += ["--read-write-mode", str(ROOT / "benchmarks/evaluation.nix")]
        done = subprocess.run(  # noqa: S603 (our own command)
            [*command, "--arg", "module", str(module)],
            env={**os.environ, "NIX_SHOW_STATS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            print(f"no evaluation: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            return
        found[name] = json.loads(done.stderr[done.stderr.index("{") :])
    for count, words in (("nrFunctionCalls", "function calls"), ("nrThunks", "thunks")):
        ratio = found["rendered"][count] / found["by-hand"][count]
        yield Row(f"nix evaluation, {words}", "a block written by hand", ratio, 1.5)


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | against | ratio | limit |", "|---|---|---:|---:|"]
    for row in rows:
        limit = "" if row.limit is None else f"{row.limit:g}"
        over = row.limit is not None and row.ratio > row.limit
        lines.append(f"| {row.what} | {row.baseline} | {row.ratio:.2f} | {limit}{' ✗' * over} |")
    return "\n".join(lines)


def machine() -> str:
    """What the figures were measured on, without a name or a path of it."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    libraries = ("click", "pyyaml", "jinja2", "jsonschema", "check-jsonschema")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in libraries)
    load = os.getloadavg()[0]
    return (
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {os.cpu_count()} x {processor}, load {load:.1f}; "
        f"Python {platform.python_version()}, {versions}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    rounds = parser.parse_args().rounds
    began = machine()
    with tempfile.TemporaryDirectory(prefix="nixcfg-benchmark-") as place:
        folder = Path(place)
        rows = [*large(folder, rounds), *startup(folder, rounds)]
        steps = phases(folder)
        growing, sizes = growth(folder, rounds)
    rows += [*growing, *evaluation()]
    print("# What nixcfg costs\n")
    print("Written by `python benchmarks/run.py`, whose docstring says what is measured.\n")
    print(f"{began}\n\n{table(rows)}\n\n## Rendering, by the number of models\n\n{sizes}")
    print(f"\n## Rendering 1,000 x 10 models, by step\n\n{steps}\n")
    print(NOTE)


if __name__ == "__main__":
    main()
