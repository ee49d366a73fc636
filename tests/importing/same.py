"""Hold a gateway after the import against the one before it."""

import contextlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nixcfg import cli
from nixcfg.problems.problem import WriteError
from nixcfg.project.build import build
from nixcfg.project.find import read_project
from nixcfg.yamltext import reader

_CODE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_CODE_KEYS = ("callbacks", "success_callback", "failure_callback", "custom_handler", "guardrail")
_STAND_IN = """\
from litellm.integrations.custom_logger import CustomLogger
{name} = CustomLogger()
"""


@dataclass
class Pair:
    """One source, as LiteLLM would load it before and after."""

    name: str
    before: Path
    after: Path
    env: dict[str, str]
    told: dict[str, Any]
    moved: set[str] = field(default_factory=set)

    @property
    def questions(self) -> list[dict[str, Any]]:
        return [{"config": str(path), "env": self.env} for path in (self.before, self.after)]


def nixcfg(*arguments: str | Path) -> tuple[int, str, str]:
    """The command in this process: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.nixcfg.main([*map(str, arguments)], "nixcfg", standalone_mode=False)
        except WriteError as error:
            return 1, out.getvalue(), str(error)
    return code or 0, out.getvalue(), err.getvalue()


def pair(file: Path, folder: Path, config: str = "all") -> Pair | str:
    """Import and render `file`; what nixcfg said where it would not."""
    before = folder / "before" / "config.yaml"
    before.parent.mkdir(parents=True)
    before.write_bytes(file.read_bytes())
    code, out, err = nixcfg("import", before, "--out", folder / "project", "--json")
    if code:
        return err
    told = json.loads(out)
    code, _, err = nixcfg("-C", folder / "project", "render")
    if code:
        return err
    document = reader.parse(before.read_text(), str(before))
    stand_ins(document.data, before.parent)
    after = folder / "project" / "rendered" / "litellm" / f"{config}.yaml"
    env = environment([document.data, yaml.safe_load(after.read_text())])
    lines = before.read_text().splitlines()
    for note in told["notes"]:
        if "variable" in note:
            rest = lines[note["line"] - 1][note["column"] - 1 :]
            env[note["variable"]] = yaml.safe_load(rest.split(" #")[0])
    return Pair(file.name, before, after, env, told, moved(folder / "project"))


def moved(folder: Path) -> set[str]:
    """The settings that nixcfg renders in another section, because they had no effect."""
    read = read_project(folder)
    whole = build(read.project, read.providers)
    moves = [*whole.moves, *(move for each in whole.providers for move in each.moves)]
    return {move.key for move in moves}


def environment(documents: Iterable[Any]) -> dict[str, str]:
    """A value for every variable. One that is only named as `${X}` holds that very text, which is
    what LiteLLM sends for it: nixcfg renders a reference."""
    values = {}
    for text in (text for document in documents for text in texts(document)):
        if found := re.fullmatch(r"os\.environ/(\w+)", text):
            name = found[1]
            value = f"value-of-{name.lower()}"
            if "MODEL" in name:
                value = "openai/gpt-4o"
            elif "REDIS_URL" in name:
                value = "redis://127.0.0.1:9"
            elif re.search("URL|BASE|HOST|ENDPOINT", name):
                value = "http://127.0.0.1:9/v1"
            elif "PORT" in name:
                value = "9"
            values.setdefault(name, value)
    for text in (text for document in documents for text in texts(document)):
        if found := re.fullmatch(r"\$\{(\w+)(:?-[^}]*)?\}", text):
            values[found[1]] = text
    return values


def texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def stand_ins(value: Any, folder: Path, key: str = "") -> None:
    """The Python modules that a configuration imports from beside it, doing nothing."""
    if isinstance(value, dict):
        for name, inner in value.items():
            stand_ins(inner, folder, name)
    elif isinstance(value, list):
        for inner in value:
            stand_ins(inner, folder, key)
    elif key in _CODE_KEYS and isinstance(value, str) and _CODE.fullmatch(value):
        module, _, name = value.rpartition(".")
        file = folder / f"{module.replace('.', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as out:
            out.write(_STAND_IN.format(name=name))


def differences(pair: Pair, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """How the gateway after the import is another than before; empty when it is the same.

    Not counted: deployments that stand there twice, references to keys that are written out now,
    settings that nixcfg renders where LiteLLM honours them, and what the import said it left out.
    """
    found = []
    rendered = yaml.safe_load(pair.after.read_text())
    left = list(zip(after["deployments"], rendered["model_list"], strict=False))
    if len(after["deployments"]) != len(rendered["model_list"]):
        found.append("LiteLLM drops a rendered deployment")
    seen = []
    for each in before["deployments"]:
        match = next((one for one in left if is_same(each, *one)), None)
        if match is None and each in seen:
            continue  # LiteLLM gives two equal deployments one id
        seen.append(each)
        if match is None:
            found.append(f"no deployment like {each['model_name']}: {each['params']}")
        else:
            left.remove(match)
    found += [f"a deployment more: {each['model_name']}" for each, _ in left]
    excused = pair.moved | {
        key
        for note in pair.told["notes"]
        if note["kind"] in ("left-out", "secret", "changed")
        for key in keys_at(pair.before.read_text(), note["line"])
    }
    for part in ("router", "litellm", "general"):
        for key in {**before[part], **after[part]}:
            one, other = before[part].get(key), after[part].get(key)
            if one != other and key not in excused:
                found.append(f"{part}.{key}: {one!r} before, {other!r} after")
    return found


def keys_at(text: str, line: int) -> set[str]:
    """The keys that lead to what stands in a line."""
    lines = text.splitlines()[:line]
    found: set[str] = set()
    indent = 1_000
    for each in reversed(lines):
        here = len(each) - len(each.lstrip())
        if each.strip() and not each.lstrip().startswith("#") and here < indent:
            indent = here
            found |= set(re.findall(r"([\w-]+)\s*:", each))
    return found


def is_same(before: Mapping[str, Any], after: Mapping[str, Any], rendered: Any) -> bool:
    if before["model_name"] != after["model_name"] or before["info"] != after["info"]:
        return False
    one, other = before["params"], after["params"]
    added = {
        key
        for key, value in rendered["litellm_params"].items()
        if key not in one and str(value).startswith("os.environ/")
    }
    return one == {key: value for key, value in other.items() if key not in added}
