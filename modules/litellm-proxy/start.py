"""What the container runs: gives LiteLLM its keys, then becomes LiteLLM.

    python3 -I start.py FILE PROGRAM:PROGRAM:... ARGUMENT...

FILE has one NAME=VALUE a line. It is mounted into the container instead of being handed to the
container engine, which would keep what it is given: in its own files on the disk, and in what
`inspect` shows. Of the programs, the first that the image has is run.
"""

import os
import shutil
import sys


def main() -> None:
    """Set the environment and be replaced; ends with 1 and a reason when that cannot be."""
    path, programs, *arguments = sys.argv[1:]
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (nothing is imported that is not needed)
            lines = file.read().split(b"\n")
    except OSError as problem:
        sys.exit(f"start.py: user {os.geteuid()} cannot read {path}: {problem.strerror}")
    for line in filter(None, lines):
        name, _, value = line.partition(b"=")
        os.environb[name] = value
    program = next(filter(shutil.which, programs.split(":")), None)
    if program is None:
        sys.exit(f"start.py: the image has none of {programs.replace(':', ', ')}")
    try:
        os.execvp(program, [program, *arguments])  # noqa: S606 (no shell is wanted)
    except OSError as problem:
        sys.exit(f"start.py: {program} cannot be run: {problem.strerror}")


main()
