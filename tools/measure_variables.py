"""Write variables.json: which environment variables LiteLLM reads before its configuration.

    python tools/measure_variables.py FOLDER

FOLDER holds the set of knowledge of the LiteLLM that is installed beside this Python. It imports
LiteLLM in a process with an environment of its own, which takes ten seconds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate_knowledge import environment  # noqa: E402
from learn import layout  # noqa: E402
from learn.at_import import at_import  # noqa: E402


def measured() -> dict[str, list[str]]:
    """The content of variables.json."""
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, "-I", __file__, "--inside", empty],
            env=environment(empty),
            cwd=empty,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    found: list[str] = json.loads(done.stdout)
    return {"at_import": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        json.dump(at_import(), sys.stdout)
    else:
        layout.write(options.folder, {"variables": measured()})


if __name__ == "__main__":
    main()
