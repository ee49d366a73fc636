"""Write fates.json: what becomes of a parameter that LiteLLM has no use for, by provider.

    python tools/measure_fates.py FOLDER

FOLDER holds the set of knowledge of the LiteLLM that is installed beside this Python. How it is
asked, see learn/fates.py; it takes a quarter of an hour of one core.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate_knowledge import environment  # noqa: E402
from learn import fates, layout  # noqa: E402
from learn.carried import prepare  # noqa: E402


def asked(*arguments: str) -> dict[str, Any]:
    """The answer of this program with these arguments, in an environment without keys."""
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, "-I", __file__, *arguments],
            env=environment(empty),
            cwd=empty,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def sampled(folder: Path, *roads: str) -> dict[str, Any]:
    """The names of `roads` (openai/chat) that went another way, asked again, and a few others."""
    return asked(str(folder.resolve()), "--inside", *roads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inside", nargs="*", metavar="ROAD", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is None:
        layout.write(options.folder, {"fates": asked(str(options.folder.resolve()), "--inside")})
        return
    prepare()
    facts = json.loads((options.folder / "litellm.json").read_bytes())
    if options.inside:
        stored = json.loads((options.folder / "fates.json").read_bytes())
        json.dump(fates.again(facts, stored, options.inside), sys.stdout)
    else:
        json.dump(fates.measured(facts), sys.stdout)


if __name__ == "__main__":
    main()
