"""How long `nixcfg lsp` takes to answer: median and worst of many questions, by size of project.

    python benchmarks/lsp.py [--models 100 1000] [--times 30] > benchmarks/LATENCY.md

A real client asks a real server over pipes. A project has ten models a file. `diagnostics` is from
the keystroke to the findings, without the pause that waits for the next keystroke; the others are
from question to answer, each behind a keystroke.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from editing import Editor
from run import machine

PER_FILE = 10


def provider(number: int) -> str:
    entries = "".join(
        f"- model_name: m{number}-{each}\n"
        "  litellm_params:\n"
        "    model: openai/gpt-4o\n"
        "    api_key: os.environ/OPENAI_API_KEY\n"
        f"    rpm: {each + 1}\n"
        for each in range(PER_FILE)
    )
    return f"model_list:\n{entries}environment_variables:\n  OPENAI_API_KEY: ${{OPENAI_API_KEY}}\n"


def project(root: Path, models: int) -> None:
    (root / "providers").mkdir()
    for number in range(models // PER_FILE):
        (root / "providers" / f"p{number}.yaml").write_text(provider(number))
    fallbacks = "".join(f"  - m{n}-0: [m{n}-1]\n" for n in range(models // PER_FILE))
    (root / "nixcfg.yaml").write_text(
        f"model_config: all\nrouter_settings:\n  fallbacks:\n{fallbacks}"
    )


def measured(editor: Editor, times: int) -> Iterator[tuple[str, list[float]]]:
    name, text = "providers/p0.yaml", provider(0)
    editor.open(name, text)
    uri = editor.uri(name)

    def findings(turn: int) -> None:
        wrong = "opnai" if turn % 2 else "openai"
        editor.type(name, text.replace("openai/", f"{wrong}/", 1))
        editor.until(lambda found: ("NX402" in str(found.get(uri))) == bool(turn % 2))

    model, setting = text.replace("gpt-4o", "gpt|-4o", 1), text.replace("rpm", "rp|m", 1)
    asked: dict[str, Callable[[int], object]] = {
        "diagnostics": findings,
        "hover": lambda turn: editor.hover(name, f"{model}# {turn}\n"),
        "completion": lambda turn: editor.complete(
            name, f"{text}router_settings:\n  # {turn}\n  |"
        ),
        "definition": lambda turn: editor.definition(
            name, text.replace("os.environ/", "os.environ/|", 1) + f"# {turn}\n"
        ),
        "rename": lambda turn: editor.rename(
            name, text.replace("m0-1", "m0-|1", 1) + f"# {turn}\n", "other"
        ),
        "code action": lambda turn: editor.actions(name, f"{setting}# {turn}\n"),
    }
    for what, ask in asked.items():
        ask(0)
        ask(0 if what != "diagnostics" else 1)
        taken = []
        for turn in range(times):
            begin = time.perf_counter()
            ask(turn)
            taken.append(time.perf_counter() - begin)
        yield what, taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--times", type=int, default=30)
    options = parser.parse_args()
    from nixcfg.lsp.server import PAUSE

    print("# How soon an editor has its answer\n")
    print("Written by `python benchmarks/lsp.py`, whose docstring says what is measured.\n")
    print(f"{machine()}\n")
    print("| models | question | median ms | worst ms |\n|---:|---|---:|---:|")
    for models in options.models:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            project(root, models)
            editor = Editor(root)
            editor.start()
            for what, taken in measured(editor, options.times):
                less = PAUSE if what == "diagnostics" else 0
                middle, worst = statistics.median(taken) - less, max(taken) - less
                print(f"| {models:,} | {what} | {middle * 1000:.0f} | {worst * 1000:.0f} |")
            editor.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
