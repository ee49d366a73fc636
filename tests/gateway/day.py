"""What the tests of a day share: a project, its stand-ins, and a `nixcfg try` that runs."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vendor import Vendor

START_SECONDS = 180.0
UP = "Ctrl-C ends it."


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


Cli = Callable[..., Done]


def clean_environment() -> dict[str, str]:
    """Ours without what would change the answers."""
    dropped = ("LITELLM_MASTER_KEY", "COLUMNS")
    return {name: value for name, value in os.environ.items() if name not in dropped}


MODELS = {
    "claude": ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
    "openai": ("gpt-4o", "openai/gpt-4o", "OPENAI_API_KEY"),
    "gemini": ("gemini-2.5-flash", "gemini/gemini-2.5-flash", "GEMINI_API_KEY"),
    "groq": ("gpt-oss", "groq/openai/gpt-oss-20b", "GROQ_API_KEY"),
}

PROVIDER = """\
model_list:
  - model_name: {0}
    litellm_params:
      model: {1}
environment_variables:
  {2}: ${{{2}}}
"""

WILD = """\
model_list:
  - model_name: openai/*
    litellm_params:
      model: openai/*
environment_variables:
  OPENAI_API_KEY: ${OPENAI_API_KEY}
"""

#: LiteLLM drops the second deployment, and does not start with the third file at all. Both are
#: errors of `nixcfg validate`, which are silenced here to see the other nets hold.
DROPPED = """\
model_list:
  - model_name: dropped
    litellm_params:
      model: antropic/claude  # nixcfg: ignore NX402
      api_key: none
"""
REFUSED = PROVIDER.format("refused", "openai/gpt-4o", "OPENAI_API_KEY") + (
    "litellm_settings:\n  callbacks: [nosuch]  # nixcfg: ignore NX213\n"
)

#: Nothing is retried, and a model that failed rests for a second only.
PROJECT = """\
model_config: whole
profiles:
  whole: [claude, openai, gemini, groq, wild]
  holed: [claude, openai, gemini, groq, wild, dropped]
port: {port}
secrets_dir: {keys}
secrets:
  GROQ_API_KEY: {{file: {keys}/groq.txt, optional: true}}
litellm_settings:
  num_retries: 0
router_settings:
  cooldown_time: 1
"""


def make_project(folder: Path, vendors: dict[str, Vendor], port: int) -> Path:
    """Four providers, three key files, and the addresses of the stand-ins."""
    (folder / "providers").mkdir(parents=True)
    for name, facts in MODELS.items():
        (folder / "providers" / f"{name}.yaml").write_text(PROVIDER.format(*facts))
    (folder / "providers" / "wild.yaml").write_text(WILD)
    (folder / "providers" / "dropped.yaml").write_text(DROPPED)
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    for name in ("claude", "openai", "gemini"):
        file = keys / f"{MODELS[name][2].lower()}.txt"
        file.write_text(vendors[name].key + "\n")
        file.chmod(0o600)
    text = PROJECT.format(port=port, keys=keys)
    text += "environment:\n"
    for name in ("claude", "openai", "gemini"):
        text += "".join(f"  {k}: {v}\n" for k, v in vendors[name].environment.items())
    text += f"  GROQ_API_BASE: {vendors['groq'].url}/v1\n"
    (folder / "nixcfg.yaml").write_text(text)
    return folder


@dataclass(frozen=True)
class Trying:
    """A `nixcfg try` that is up. `url` is where it said it is, `said` all that it said."""

    project: Path
    process: subprocess.Popen[str]
    url: str
    key: str
    said: Callable[[], str]


def start_trying(
    program: list[str], project: Path, folder: Path, *arguments: str, **environment: str
) -> Trying:
    """Start `nixcfg try` and wait until it is up; the caller ends it."""
    log = folder / "try.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program, "-C", str(project), "try", *arguments],
            env={**clean_environment(), "TMPDIR": str(folder), **environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    give_up = time.monotonic() + START_SECONDS
    while UP not in log.read_text():
        if process.poll() is not None or time.monotonic() > give_up:
            process.kill()
            process.wait(30)
            raise AssertionError(log.read_text())
        time.sleep(0.1)
    text = log.read_text()
    url, key = re.search(r"on (http://\S+),", text), re.search(r"_KEY=(sk-\S+)", text)
    assert url, text
    assert key, text
    return Trying(project, process, url[1], key[1], log.read_text)


def descendants(pid: int) -> list[int]:
    """Every process below one, at this moment."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
