"""What runs inside the container of pinned.py: LiteLLM, for as long as nixcfg is there.

Standard input is a line of JSON, and ends when nixcfg does:

    {"config": TEXT, "environment": {NAME: TEXT}, "documents": {NAME: TEXT}, "port": NUMBER}

`documents` become files, and their variables the paths. It knows nothing of nixcfg, and runs on
the image's Python.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

STOP_SECONDS = 10.0


def main() -> int:
    """Run LiteLLM; its exit code."""
    line = sys.stdin.buffer.readline()
    if not line:
        return 1
    given = json.loads(line)
    folder = Path(tempfile.mkdtemp(prefix="nixcfg-"))
    config = folder / "config.yaml"
    config.write_text(given["config"], encoding="utf-8")
    environment = {**os.environ, "HOME": str(folder), **given["environment"]}
    for variable, text in given["documents"].items():
        path = folder / variable
        path.write_bytes(os.fsencode(text))
        environment[variable] = str(path)
    # It would win over --config.
    environment["CONFIG_FILE_PATH"] = str(config)
    arguments = ["--config", str(config), "--host", "127.0.0.1", "--port", str(given["port"])]
    try:
        child = subprocess.Popen(  # noqa: S603 (LiteLLM, no shell)
            ["litellm", *arguments, "--num_workers", "1"],  # noqa: S607
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except OSError as problem:
        sys.exit(f"the image has no litellm that runs: {problem.strerror}")

    def end(*_: object) -> None:
        child.terminate()

    def end_with_nixcfg() -> None:
        sys.stdin.buffer.read()
        child.terminate()
        time.sleep(STOP_SECONDS)
        child.kill()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    threading.Thread(target=end_with_nixcfg, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
