"""A project by somebody who means harm: refused, or handled, in a second and 200 MB.

Seconds are those of the processor, so that a loaded machine judges as an idle one does, and they
are those of the machine that the limits were set on: where something takes longer than that, a
slower one is told by what libyaml takes for a text. Files at the limit of what is read, and wrong
in every line, are legal input that simply is large: they have a bound of their own.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli import Cli, names, snapshot

#: Counting lines, as coverage does, takes several times as long and some memory.
COUNTED = 6 if "COVERAGE_PROCESS_CONFIG" in os.environ else 1
CPU_SECONDS = 1.5 * COUNTED
LARGE_CPU_SECONDS = 4.0 * COUNTED
MEMORY_MB = 200 + 50 * (COUNTED > 1)
MOST_CHARACTERS = 200_000

SMALL = """\
model_list:
  - model_name: m
    litellm_params:
      model: openai/gpt-4o
"""

#: What a reader of YAML does without nixcfg, and its seconds on the machine of the limits.
BASELINE = """\
import yaml
entry = "  - model_name: m{n}\\n    litellm_params: {{model: openai/gpt-4o}}\\n"
yaml.load("model_list:\\n" + "".join(entry.format(n=n) for n in range(10_000)), yaml.CSafeLoader)
"""
BASELINE_SECONDS = 0.35

#: Starts the program from a small process: a child's peak begins with the memory of its parent.
JUDGE = """\
import json, os, resource, sys
child = os.fork()
if not child:
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    os.execvp(sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    seconds = used.ru_utime + used.ru_stime
    json.dump([os.waitstatus_to_exitcode(status), seconds, used.ru_maxrss / 1024], file)
"""


@dataclass(frozen=True)
class Measured:
    code: int
    seconds: float
    megabytes: float
    said: str


@pytest.fixture
def measured(cli: Cli, tmp_path: Path) -> Callable[..., Measured]:
    """Run a command to its end; what it took, and what it said."""

    def run(*arguments: str | Path) -> Measured:
        usage = tmp_path / "usage"
        judge = [sys.executable, "-I", "-S", "-c", JUDGE, str(usage)]
        done = subprocess.run(
            [*judge, *cli.command, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        return Measured(*json.loads(usage.read_text()), done.stdout.decode(errors="replace"))

    return run


def models(count: int, *, name: str = "m{n}", model: str = "openai/gpt-4o", more: str = "") -> str:
    entry = "  - model_name: {}\n    litellm_params:\n      model: {}\n"
    entries = (entry.format(name.format(n=n), model.format(n=n)) + more for n in range(count))
    return "model_list:\n" + "".join(entries)


def mapping(section: str, count: int, line: str = "k{n}: {n}") -> str:
    return f"{section}:\n" + "".join(f"  {line.format(n=n)}\n" for n in range(count))


#: What is no file at all, or too large to be read.
REFUSED = {
    "keys": "".join(f"k{n}: {n}\n" for n in range(100_000)),
    "keys_in_a_section": SMALL + mapping("litellm_settings", 100_000),
    "keys_in_a_flow": "{" + ", ".join(f"k{n}: {n}" for n in range(100_000)) + "}",
    "variables": SMALL + mapping("environment_variables", 100_000, "K{n}: ${{K{n}}}"),
    "one_key_again_and_again": SMALL + mapping("router_settings", 100_000, "k: {n}"),
    "misspelt_keys": "".join(f"model_lsit{n}: {n}\n" for n in range(3_900)),
    "number_keys": "".join(f"{n}: x\n" for n in range(3_900)),
    "models_of_a_hundred_thousand_providers": models(100_000),
    "scalar_of_10_mb": 'model_list: "' + "x" * 10_000_000 + '"\n',
    "scalar_of_2_mb": 'model_list: "' + "x" * 2_000_000 + '"\n',
    "words_of_2_mb": "model_list: " + "x " * 1_000_000 + "\n",
    "escapes_of_2_mb": 'model_list: "' + "\\n" * 1_000_000 + '"\n',
    "deep_flow": "[" * 100_000,
    "deep_flow_of_mappings": "{a: " * 50_000 + "}" * 50_000,
    "deep_block": "- " * 50_000 + "x\n",
    "deep_indents": "".join(" " * n + "a:\n" for n in range(1_900)),
    "a_million_items": "model_list: [" + "1," * 1_000_000 + "]",
    "wrong_items": "model_list: [" + "a," * 240_000 + "]",
    "empty_items": "model_list: [" + "{}," * 240_000 + "]",
    "wrong_fallbacks": SMALL + "router_settings: {fallbacks: [" + "a," * 240_000 + "]}",
    "integer": SMALL + "router_settings:\n  timeout: " + "9" * 2_000_000 + "\n",
    "hexadecimal": SMALL + "router_settings:\n  timeout: 0x" + "f" * 2_000_000 + "\n",
    "underscores": SMALL + "router_settings:\n  timeout: 1" + "_1" * 900_000 + "\n",
    "sexagesimal": SMALL + "router_settings:\n  timeout: 1" + ":59" * 600_000 + "\n",
    "sexagesimal_float": SMALL + "router_settings:\n  timeout: 1" + ":59" * 600_000 + ".5\n",
    "tagged": SMALL + "router_settings:\n  timeout: !!int 1" + ":1" * 900_000 + "\n",
    "tagged_float": SMALL + "router_settings:\n  timeout: !!float 1" + ":1" * 900_000 + "\n",
    "digits_of_a_float": SMALL + "router_settings:\n  timeout: 1." + "5" * 2_000_000 + "\n",
    "anchors_of_one_name": "model_list:\n" + "- &a x\n" * 200_000,
    "unknown_aliases": "model_list:\n" + "- *a\n" * 400_000,
    "merge_of_many": "a: &a {k: 1}\nb: {<<: [" + "*a, " * 240_000 + "]}\n",
    "merge_keys": "a: &a {k: 1}\nb: {" + "<<: *a, " * 200_000 + "}\n",
    "tags": "model_list:\n" + "- !x y\n" * 200_000,
    "lists_as_keys": "model_list:\n" + "- ? [a]\n  : b\n" * 100_000,
    "control_characters": SMALL + "    model_info:\n      a:\n" + '        - "\\x01"\n' * 120_000,
    "dates": "model_list:\n" + "".join(f"  - 2024-10-{n % 28 + 1}\n" for n in range(100_000)),
    "addresses": SMALL + f"      api_base: http://{'a.' * 900_000}\n",
    "lines": "\n" * 2_000_000,
    "comment": "#" + "x" * 2_000_000,
    "quotes": "'" * 2_000_000,
    "question_marks": "? " * 1_000_000,
    "one_line": "a: " * 600_000,
    "zero_bytes": "\0" * 2_000_000,
}  # fmt: skip

#: What LiteLLM takes, so nixcfg does.
HANDLED = {
    "settings": SMALL + mapping("litellm_settings", 3_900),
    "variables": SMALL + mapping("environment_variables", 3_900, "K{n}: ${{K{n}}}"),
    "models": models(10_000),
    "text": SMALL + "    model_info:\n      id: " + "x " * 900_000 + "\n",
    "not_quite_numbers": SMALL + "    model_info:\n      a: 1e999999\n      b: 0o17\n",
    "infinity": SMALL + "    model_info:\n      a: 1.5e+999999\n      b: -.inf\n",
    "dollars": SMALL + "    model_info:\n      id: " + "${" * 900_000 + "\n",
    "aliases": SMALL + "    model_info:\n      a: &a x\n      b:\n" + "        - *a\n" * 120_000,
    "a_list": SMALL + "    model_info: {x: [" + "a," * 240_000 + "]}",
}

#: At the limit of what is read, with something to say about every entry.
LARGE = {
    "unknown_parameters": models(22_000, more="      apikey: x\n"),
    "unknown_providers": models(22_000, model="opnai{n}/gpt"),
    "unknown_models": models(22_000, model="anthropic/claud-{n}"),
    "unknown_fallbacks": models(5_000) + "router_settings:\n" + mapping(
        "  fallbacks", 9_000, "- mm{n}: [nm{n}]"),
    "everybody_falls_back_on_all": models(300) + "router_settings:\n  fallbacks:\n" + "".join(
        f"  - m{n}: [{', '.join(f'm{other}' for other in range(300))}]\n" for n in range(300)),
}  # fmt: skip


def slowness() -> float:
    """How many times as long as on the machine of the limits a program takes here and now."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    for _ in range(3):
        subprocess.run([sys.executable, "-c", BASELINE], check=True, timeout=60)
    return (used() - before) / 3 / BASELINE_SECONDS


def judge(done: Measured, code: int, seconds: float = CPU_SECONDS):
    """`code` is what it has to end with."""
    assert done.code == code, done.said[-2000:]
    assert "Traceback" not in done.said
    assert "has a bug" not in done.said
    assert len(done.said) < MOST_CHARACTERS, "no one reads that much"
    assert done.seconds < seconds or done.seconds < seconds * slowness(), done.seconds
    assert done.megabytes < MEMORY_MB


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, project: Path, measured: Callable[..., Measured]):
    before = snapshot(project / "rendered")
    (project / "providers" / "hostile.yaml").write_text(REFUSED[name])
    done = measured("-C", project, "render")
    judge(done, 1)
    assert re.search(r"^providers/hostile\.yaml:\d+:\d+: error", done.said, re.MULTILINE)
    assert snapshot(project / "rendered") == before


@pytest.mark.parametrize("name", HANDLED)
def test_handled(name: str, project: Path, measured: Callable[..., Measured]):
    (project / "providers" / "hostile.yaml").write_text(HANDLED[name])
    judge(measured("-C", project, "render"), 0)
    assert (project / "rendered" / "litellm" / "hostile.yaml").exists()


@pytest.mark.parametrize("name", LARGE)
def test_large_and_wrong_in_every_line(name: str, project: Path, measured: Callable[..., Measured]):
    (project / "providers" / "hostile.yaml").write_text(LARGE[name])
    done = measured("-C", project, "validate")
    assert done.code in (0, 1)
    judge(done, done.code, LARGE_CPU_SECONDS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join(f"k{n}: {n}\n" for n in range(3_900)), id="unknown"),
        pytest.param("".join(f"k{n}: {n}\n" for n in range(100_000)), id="too_many"),
        pytest.param(mapping("profiles", 3_900, "k{n}: [cluade{n}]"), id="profiles"),
        pytest.param(mapping("severities", 3_900, "NX{n}: off"), id="severities"),
    ],
)
def test_a_project_file(text: str, project: Path, measured: Callable[..., Measured]):
    (project / "nixcfg.yaml").write_text(text)
    judge(measured("-C", project, "render"), 1)


@pytest.mark.parametrize(
    ("text", "told", "files"),
    [
        pytest.param("model_list: [" + "a," * 300 + "]", 300, 0, id="at_the_limit"),
        pytest.param("model_list: [" + "a," * 301 + "]", 301, 1, id="shape"),
        pytest.param("a: {" + "b: 1, " * 1_000 + "}", 301, 1, id="reader"),
        pytest.param(
            SMALL + "router_settings: {fallbacks: [" + "a," * 9_000 + "]}", 3_001, 1, id="rules"
        ),
    ],
)
def test_errors_have_an_end_and_that_is_told(
    text: str, told: int, files: int, cli: Cli, project: Path
):
    (project / "providers" / "hostile.yaml").write_text(text)
    done = cli("-C", project, "validate", "--format", "json")
    assert done.code == 1
    found = [each for each in json.loads(done.out)["problems"] if "hostile" in each["file"]]
    errors = [each["message"] for each in found if each["severity"] == "error"]
    assert len(errors) == told
    assert errors.count("too many errors in this file") == files


def test_warnings_have_no_end_that_refuses(cli: Cli, project: Path):
    """However many there are, a file that LiteLLM takes is rendered; a person is told the kinds."""
    (project / "providers" / "hostile.yaml").write_text(models(5_000, more="      apikey: x\n"))
    done = cli("-C", project, "render")
    assert done.code == 0, done.said[-500:]
    assert re.search(r"^providers/hostile\.yaml: 4900 more of NX\d+", done.err, re.MULTILINE)
    dates = "".join(f"  d{n}: 2024-10-{n % 28 + 1}\n" for n in range(1_000))
    (project / "providers" / "hostile.yaml").write_text(
        SMALL + "    model_info:\n" + re.sub("^", "    ", dates, flags=re.MULTILINE).rstrip() + "\n"
    )
    done = cli("-C", project, "render")
    assert done.code == 0, done.said[-500:]


@pytest.mark.parametrize("command", ["render", "validate", "fix", "providers"])
@pytest.mark.parametrize(
    "target", ["/dev/zero", "/dev/tty", "/proc/self/mem", "/dev/stdin", "folder", "pipe"]
)
def test_what_is_no_file(
    target: str, command: str, project: Path, measured: Callable[..., Measured]
):
    path = project / "providers" / "hostile.yaml"
    match target:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path.symlink_to(target)
    done = measured("-C", project, command)
    judge(done, done.code)
    assert done.code == 1 or command == "providers"


@pytest.mark.parametrize(
    "where", ["/dev/full", "/dev/null", "/proc", "nixcfg.yaml/x", "../project", "providers"]
)
def test_an_output_folder_that_cannot_be_one(
    where: str, project: Path, measured: Callable[..., Measured]
):
    before = snapshot(project)
    done = measured("-C", project, "render", "--out", where if where[0] == "/" else project / where)
    assert done.code in (1, 2), done.said
    assert "Traceback" not in done.said
    assert "has a bug" not in done.said
    assert snapshot(project) == before


RESERVED = [
    *("assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"),
    *("true", "false", "null", "builtins", "import", "abort", "throw", "config", "lib", "pkgs"),
    *("on", "off", "yes", "no", "y", "n", "1e3", "0x10", "1_0", "10", "0o7"),
    *("a-", "a_", "0-0", "docker", "default", "options", "x" * 63),
]


def test_reserved_words_are_names_like_others(cli: Cli, project: Path, tmp_path: Path):
    """In Nix, in YAML and in the file system: each is rendered, and Nix reads its name back."""
    for name in RESERVED:
        provider = SMALL.replace("model_name: m", f"model_name: m-{name}")
        (project / "providers" / f"{name}.yaml").write_text(provider)
    listed = "\n".join(f'  profile-{name}: ["{name}"]' for name in RESERVED[:-1])
    (project / "nixcfg.yaml").write_text(f'model_config: "null"\nprofiles:\n{listed}\n')
    done = cli("-C", project, "render")
    assert done.code == 0, done.said
    rendered = set(names(project / "rendered" / "litellm"))
    assert {f"{name}.yaml" for name in RESERVED} <= rendered
    if not shutil.which("nix-instantiate"):
        pytest.skip("nix-instantiate is not installed (Debian: nix-bin)")
    expression = (
        "let f = import ./rendered/docker.nix; "
        "m = f { lib.mkDefault = x: x; config = { }; pkgs = { }; }; "
        "in { names = builtins.attrNames m.services.litellm-proxy.configs; "
        "config = m.services.litellm-proxy.modelConfig; }"
    )
    nix = ["nix-instantiate", "--eval", "--strict", "--json", "-E", expression]
    environment = {**os.environ, "NIX_STATE_DIR": str(tmp_path / "nix")}
    told = subprocess.run(
        nix, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert told.returncode == 0, told.stderr
    value = json.loads(told.stdout)
    assert {f"{name}.yaml" for name in value["names"]} == rendered
    assert value["config"] == "null"
