"""What one worker carries, as `benchmarks/speed.py --write` measured it."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("carried.json")


def measured() -> dict[str, Any]:
    """`where` (date, machine, versions), `typical` (the name of a row, with a database and
    without), `rows` by name: `rate` in requests a second, `memory` in MiB."""
    found: dict[str, Any] = json.loads(FILE.read_bytes())
    return found
