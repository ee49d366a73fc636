"""What the container runs: gives LiteLLM its keys, then becomes LiteLLM.

    python3 -I start.py FILE PROGRAM:PROGRAM:... ARGUMENT...

FILE has one NAME=VALUE a line. It is mounted into the container instead of being handed to the
container engine, which would keep what it is given: in its own files on the disk, and in what
`inspect` shows. Of the programs, the first that the image has is run.

With a database, the salt key has to be the one that belongs to it (salt_key.py).

A key whose file is missing comes as a stand-in, with which no vendor is asked: LiteLLM then reads
a configuration without what needs that key (missing_key.py), from the container's /tmp.
"""

import os
import shutil
import sys

STAND_IN = b"nixcfg-missing-key"


def leave_out(missing: set[str], path: str) -> str:
    """The path of the configuration at `path` without what needs one of these keys.

    Beside it is what was beside the other one, which a configuration may name: files to include,
    and callbacks. Where it cannot be made, LiteLLM reads the one that there is.
    """
    try:
        import runpy
        import tempfile
        from pathlib import Path

        import yaml

        source, ours = Path(path), Path(__file__).with_name("missing_key.py")
        without_keys = runpy.run_path(str(ours))["without_keys"]
        config = without_keys(yaml.safe_load(source.read_text(encoding="utf-8")), missing)
        folder = Path(tempfile.mkdtemp(prefix="nixcfg-"))
        for each in {*source.parent.iterdir(), ours} - {source}:
            (folder / each.name).symlink_to(each)
        changed = folder / source.name
        changed.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    except Exception as problem:  # noqa: BLE001 (LiteLLM reports what is wrong with it)
        sys.stderr.write(f"start.py: {path} is used as it is: {type(problem).__name__}\n")
        return path
    return str(changed)


def foreign_salt_key() -> str:
    """Why the salt key is not that of the database; empty also where that cannot be found out, and
    LiteLLM says what is wrong with its database."""
    try:
        import runpy
        from pathlib import Path

        ours = Path(__file__).with_name("salt_key.py")
        return str(runpy.run_path(str(ours))["refusal"](os.environ))
    except Exception:  # noqa: BLE001
        return ""


def use_bytecode() -> None:
    """Where bytecode.py has compiled nothing, Python looks beside each source as ever."""
    folder = os.path.join(os.path.dirname(__file__), "bytecode")  # noqa: PTH118, PTH120
    if os.path.isdir(folder) and os.listdir(folder):  # noqa: PTH112, PTH208
        os.environ.setdefault("PYTHONPYCACHEPREFIX", folder)


def main() -> None:
    """Set the environment and be replaced; ends with 1 and a reason when that cannot be."""
    path, programs, *arguments = sys.argv[1:]
    missing = set()
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (nothing is imported that is not needed)
            lines = file.read().split(b"\n")
    except OSError as problem:
        sys.exit(f"start.py: user {os.geteuid()} cannot read {path}: {problem.strerror}")
    for line in filter(None, lines):
        name, _, value = line.partition(b"=")
        os.environb[name] = value
        if value == STAND_IN:
            missing.add(name.decode())
    if os.environ.get("DATABASE_URL") and (reason := foreign_salt_key()):
        sys.exit(reason)
    given = os.environ.get("CONFIG_FILE_PATH")
    if missing and given:
        changed = os.environ["CONFIG_FILE_PATH"] = leave_out(missing, given)
        arguments = [changed if word == given else word for word in arguments]
    use_bytecode()
    program = next(filter(shutil.which, programs.split(":")), None)
    if program is None:
        sys.exit(f"start.py: the image has none of {programs.replace(':', ', ')}")
    try:
        os.execvp(program, [program, *arguments])  # noqa: S606 (no shell is wanted)
    except OSError as problem:
        sys.exit(f"start.py: {program} cannot be run: {problem.strerror}")


main()
