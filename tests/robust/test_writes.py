"""Every command that writes, struck at its write steps: old or new, whole; the next run heals it.

test_atomic.py strikes at each call of `render`, tests/fix at each of `fix`; here is what these and
the other commands have in common, on a sample of calls that has every error of the system in it.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli import Cli, Done, Entry, snapshot

CALLS = (
    "openat,?mkdir,mkdirat,?rename,?renameat,renameat2,?unlink,unlinkat,?rmdir,?link,linkat,"
    "?symlink,symlinkat,write,?chmod,fchmod,fchmodat,fsync,flock"
)
BEGINS = re.compile(r"O_CREAT|O_TMPFILE|^(mkdir|rename|link|flock)")
CHANGES = re.compile(r"O_CREAT|O_TMPFILE|^(mkdir|rename|unlink|rmdir|link|write|chmod|fchmod)")
MOST_KILLS = 7
MOST_ERRORS = 12
SECONDS = 60
#: So that one run makes the same calls in the same order as another.
STEADY = ("PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0")

KEY = "sk-ant-" + "a1b2c3d4e5" * 4 + "\n"
CONFIG = """\
model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
"""

State = dict[str, Entry]


@dataclass(frozen=True)
class Case:
    """A command, and where it is at work: `{here}` is the folder that holds the project."""

    name: str
    arguments: tuple[str, ...]
    given: str = ""
    #: Files by path that are there beforehand; None for a project folder that is not there.
    before: tuple[tuple[str, str], ...] = ()
    empty: bool = False

    def prepare(self, template: Path, here: Path) -> Path:
        here.mkdir(parents=True)
        if not self.empty:
            shutil.copytree(template, here / "project", symlinks=True)
        (here / "config.yaml").write_text(CONFIG)
        for path, text in self.before:
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            (here / path).write_text(text)
        return here

    def line(self, here: Path) -> list[str]:
        return [each.format(here=here) for each in self.arguments]


IN = ("-C", "{here}/project")
MISPLACED = "model_list: []\nlitellm_settings:\n  routing_strategy: simple-shuffle\n"
CASES = [
    Case("render", (*IN, "render"), before=(("project/nixcfg.yaml", "port: 4711\n"),)),
    Case(
        "render_out",
        (*IN, "render", "--out", "{here}/elsewhere/out"),
        before=(("elsewhere/README", "x"),),
    ),
    Case("fix", (*IN, "fix")),
    Case("add_provider", (*IN, "add-provider", "groq", "--profile", "fast")),
    Case("add_model", (*IN, "add-model", "claude", "claude-haiku-5-5")),
    Case("rename", (*IN, "rename", "claude", "anthropic", "--provider")),
    Case("remove_provider", (*IN, "remove-provider", "gemini", "--yes")),
    Case("use", (*IN, "use", "all")),
    Case("set_key", (*IN, "set-key", "claude", "--file", "{here}/keys/a/key.txt"), given=KEY),
    Case(
        "set_key_again",
        (*IN, "set-key", "claude", "--file", "{here}/keys/key.txt"),
        given=KEY,
        before=(("keys/key.txt", "sk-ant-old\n"),),
    ),
    Case("init", ("init", "{here}/project"), empty=True),
    Case("init_here", ("init", "{here}/project"), empty=True, before=(("project/README", "x"),)),
    Case("import", ("import", "{here}/config.yaml", "--out", "{here}/project"), empty=True),
    Case(
        "import_here",
        ("import", "{here}/config.yaml", "--out", "{here}/project"),
        empty=True,
        before=(("project/README", "x"),),
    ),
]


@dataclass(frozen=True)
class Call:
    """The nth call of its name in the life of the process."""

    name: str
    nth: int
    line: str

    @property
    def errors(self) -> Sequence[str]:
        if self.name == "openat":
            return ("EACCES", "EMFILE", *(("ENOSPC", "EROFS") if "O_CREAT" in self.line else ()))
        if self.name.startswith(("mkdir", "rename", "link", "symlink")):
            return ("ENOSPC", "EROFS", "EACCES")
        if self.name.startswith(("unlink", "rmdir", "chmod", "fchmod")):
            return ("EROFS", "EACCES")
        return {"write": ("ENOSPC", "EIO"), "fsync": ("EIO", "ENOSPC")}.get(self.name, ())


def state(here: Path, *, hidden: bool = True) -> State:
    """All below `here`; without what a killed run leaves, which is hidden from everybody."""
    return {
        path: entry
        for path, entry in snapshot(here).items()
        if hidden or not re.search(r"(^|/)\.[\w.]*nixcfg-", path)
    }


@dataclass(frozen=True)
class Ground:
    """One case on its ground: `old` and `new` are the states before and after it succeeds."""

    cli: Cli
    strace: str
    case: Case
    template: Path
    folder: Path

    def run(self, here: Path, *before: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["env", *STEADY, *before, *self.cli.command, *self.case.line(here)],
            input=self.case.given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def traced(
        self, here: Path, calls: str, *options: str
    ) -> "tuple[subprocess.CompletedProcess[str], str]":
        log = here.with_suffix(".strace")
        strace = [self.strace, "-f", "-qq", "-y", "-s", "0", "-o", str(log), "-e", f"trace={calls}"]
        return self.run(here, *strace, *options), log.read_text(errors="replace")

    def survey(self) -> tuple[State, State, list[Call]]:
        here = self.case.prepare(self.template, self.folder / "survey")
        old = state(here)
        done, log = self.traced(here, CALLS)
        assert done.returncode == 0 or self.case.name == "fix", done.stdout + done.stderr
        new = state(here)
        assert new != old
        assert new == state(here, hidden=False), "left over by a run that succeeded"
        counts: dict[str, int] = {}
        calls: list[Call] = []
        for line in log.splitlines():
            found = re.match(r"\d+ +((\w+)\(.*)", line)
            if not found:
                continue
            counts[found[2]] = counts.get(found[2], 0) + 1
            if str(here) in line and (calls or BEGINS.search(found[1])):
                calls.append(Call(found[2], counts[found[2]], found[1]))
        assert len(calls) >= 4, log
        return old, new, calls


def spread(runs: Sequence[tuple[Call, str]], most: int) -> list[tuple[Call, str]]:
    """Evenly over the write phase, first and last included."""
    if len(runs) <= most:
        return list(runs)
    step = (len(runs) - 1) / (most - 1)
    return [runs[round(index * step)] for index in range(most)]


def failing(calls: Sequence[Call]) -> Iterator[tuple[Call, str]]:
    """A spread of calls with their errors in turn, and each error of each kind of call once."""
    able = [(call, call.errors[number % len(call.errors)])
            for number, call in enumerate(each for each in calls if each.errors)]  # fmt: skip
    chosen = dict.fromkeys(spread(able, MOST_ERRORS))
    kinds = {(call.name, "O_CREAT" in call.line, error) for call, error in chosen}
    for call in calls:
        for error in call.errors:
            kind = (call.name, "O_CREAT" in call.line, error)
            if kind not in kinds:
                kinds.add(kind)
                chosen[call, error] = None
    return iter(chosen)


def is_clear(told: str) -> bool:
    """One line that says it; where a file could not be read, after the finding that names it."""
    lines = [line for line in told.splitlines() if re.match(r"(nixcfg|Error): |Nothing was ", line)]
    unread = re.findall(r"error\[NX001\]: cannot be (?:read|listed)", told)
    return len(lines) + bool(unread) in (1, 2) and len(lines) <= 1


def struck(ground: Ground, number: int, call: Call, blow: str) -> tuple[Path, str, Done]:
    """One run on ground of its own; what strace saw, and how it ended."""
    kind = blow.partition(":")[0].partition("=")[0]
    here = ground.case.prepare(ground.template, ground.folder / f"{kind}{number}")
    inject = f"inject={call.name}:{blow}:when={call.nth}"
    done, log = ground.traced(here, call.name, "-e", inject)
    return here, log, Done(done.returncode, done.stdout, done.stderr)


def after_a_kill(ground: Ground, old: State, new: State, number: int, call: Call) -> str:
    """What is wrong: nothing, if each file is old or new, and the next run does the rest."""
    here, _, done = struck(ground, number, call, "signal=KILL")
    if done.code not in (-9, 137):
        return "was not killed"
    found = state(here, hidden=False)
    torn = [
        path
        for path, entry in found.items()
        if entry not in (old.get(path), new.get(path)) and not entry[0].startswith("d")
    ]
    if torn or old.keys() & new.keys() - found.keys():
        return f"neither old nor new: {torn or sorted(found)}"
    again = ground.run(here)
    if "Traceback" in again.stderr or again.returncode not in (0, 1):
        return f"the next run: {again.stderr}"
    # A run that had nothing left to do may leave what is hidden to the one after it.
    after = state(here, hidden=again.returncode == 0)
    return "" if after == new else f"after the next run: {differences(after, new)} {again.stderr}"


def after_an_error(
    ground: Ground, old: State, new: State, number: int, *, call: Call, error: str
) -> str:
    """What is wrong: nothing, if all is new, or all is old and one line says why."""
    here, log, done = struck(ground, number, call, f"error={error}")
    if "(INJECTED)" not in log:
        return "never reached"
    if "Traceback" in done.said or done.code not in (0, 1) or KEY.strip() in done.said:
        return f"exit code {done.code}"
    after = state(here, hidden=False)
    if after != new and (after != old or done.code == 0):
        return f"exit code {done.code}, and not as it should be: {differences(after, new)}"
    if after == new and "nothing was changed" in done.err:
        return "says what is not true"
    # `fix` also ends with 1 when it has done its work, and something else is left to fix.
    if done.code == 1 and ground.case.name != "fix" and not is_clear(done.err):
        return "no clear line that says so"
    left = sorted(state(here).keys() - after.keys())
    may_stay = done.code == 0 or call.name.startswith(("unlink", "rmdir"))
    return "" if may_stay or not left else f"left over: {left}"


def differences(one: State, other: State) -> list[str]:
    return sorted(path for path in one | other if one.get(path) != other.get(path))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_killed_and_failing(
    case: Case, cli: Cli, strace: str, rendered_project: Path, tmp_path: Path
):
    ground = Ground(cli, strace, case, rendered_project, tmp_path)
    old, new, calls = ground.survey()
    kills = [(call, "") for call in calls if CHANGES.search(call.line)]
    runs = [*spread(kills, MOST_KILLS), *failing(calls)]
    assert {error for _, error in runs} >= {"", "ENOSPC", "EROFS", "EACCES", "EMFILE"}

    def one(number: int, call: Call, error: str) -> str:
        if error:
            wrong = after_an_error(ground, old, new, number, call=call, error=error)
        else:
            wrong = after_a_kill(ground, old, new, number, call)
        return wrong and f"{error or 'kill'} at {call.line[:160]}: {wrong}"

    with ThreadPoolExecutor(2) as pool:
        wrong = list(filter(None, pool.map(one, range(len(runs)), *zip(*runs, strict=True))))
    assert not wrong, "\n".join(wrong)


def test_writers_of_different_kinds_at_once(cli: Cli, rendered_project: Path, tmp_path: Path):
    """They wait for each other: all ends well, and the project and what it renders are whole."""
    project = Path(shutil.copytree(rendered_project, tmp_path / "project"))
    commands = [
        ["fix"],
        ["render"],
        ["add-provider", "groq", "--profile", "fast"],
        ["add-provider", "mistral", "--profile", "fast"],
        ["render"],
        ["use", "all"],
        ["remove-provider", "gemini", "--yes"],
        ["validate"],
    ]
    running = [
        subprocess.Popen(
            cli.line("-C", project, *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    for command, process in zip(commands, running, strict=True):
        _, told = process.communicate(timeout=SECONDS)
        assert "Traceback" not in told
        assert process.returncode == 0, (command, told)
    assert not [path for path in state(project) if "nixcfg-" in path]
    assert sorted(path.stem for path in (project / "providers").iterdir()) == [
        "claude",
        "groq",
        "mistral",
        "openai",
    ]
    report = cli("-C", project, "validate", "--format", "json")
    assert report.code == 0
    told = {each["code"] for each in json.loads(report.out)["problems"]}
    assert "NX201" not in told, "what fix did is gone"
    assert cli("-C", project, "render").code == 0
    assert cli("-C", project, "render", "--check").code == 0


def test_keys_at_once(cli: Cli, rendered_project: Path, tmp_path: Path):
    """The last one wins; no key is made of two."""
    target = tmp_path / "keys" / "key.txt"
    keys = [f"sk-ant-{letter}1" + letter * 30_000 for letter in "abcde"]
    running = [
        subprocess.Popen(
            cli.line("-C", rendered_project, "set-key", "claude", "--file", target),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in keys
    ]
    with ThreadPoolExecutor(len(keys)) as pool:
        told = list(
            pool.map(lambda pair: pair[0].communicate(pair[1]), zip(running, keys, strict=True))
        )
    assert [process.returncode for process in running] == [0] * len(keys), told
    assert target.read_text() in keys
    assert [entry.name for entry in target.parent.iterdir()] == ["key.txt"]
