"""What a client sees when something fails, measured, as the table of docs/endurance.md.

    python benchmarks/failures.py [WORDS ...]

Those rows whose names have one of these words, or all. Six clients, which keep their connections
and never send a request again, ask the gateway throughout, three of them for streams of 2.4
seconds, and give a request up after 60 seconds. Nothing leaves the machine. Needs root, for file
systems of its own and for a limit of memory; from Debian nginx, nodejs, postgresql, redis-server
and libfaketime; and the extra `nixcfg[proxy]`.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from aftermath import Aftermath, table
from outages import OUTAGES, Outage
from stage import Stage, absent, no_clock, stage, toolchain

BEFORE_SECONDS = 5.0
#: Longer than LiteLLM waits before it writes what was spent.
SETTLE_SECONDS = 30.0
SPENT = """select count(*) from "LiteLLM_SpendLogs" where coalesce(status, 'success') = 'success'"""


def measured(outage: Outage, folder: Path) -> Aftermath:
    with stage(outage.setup, folder) as on:
        with on.load() as record:
            time.sleep(BEFORE_SECONDS)
            began = time.monotonic()
            with outage.happens(on):
                time.sleep(outage.seconds)
            ended = time.monotonic()
            time.sleep(outage.after)
        return Aftermath(
            record.outcomes, began, ended, _spent(on) if outage.setup.database else None
        )


def _spent(on: Stage) -> int:
    time.sleep(SETTLE_SECONDS)
    return int(on.postgres.ask(SPENT)[0])


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="of the rows that are wanted")
    parser.add_argument("--logs", type=Path, help="a folder in which LiteLLM's logs are kept")
    options = parser.parse_args()
    if reason := absent() or no_clock():
        sys.exit(reason)
    wanted = [
        each
        for each in OUTAGES
        if not options.words or any(word in each.name for word in options.words)
    ]
    print(f"{time.strftime('%Y-%m-%d')}, litellm {version('litellm')}", flush=True)
    rows = []
    for number, outage in enumerate(wanted):
        with tempfile.TemporaryDirectory(prefix="nixcfg-failures-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            try:
                rows.append(measured(outage, folder).row(outage.name))
            except toolchain.AbsentError as error:
                sys.exit(str(error))
            finally:
                if options.logs:
                    options.logs.mkdir(parents=True, exist_ok=True)
                    for log in folder.glob("*.log"):
                        shutil.copy(log, options.logs / f"{number}-{log.name}")
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
