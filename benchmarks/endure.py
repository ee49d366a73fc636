"""Whether the gateway stays as it is under load for long: its memory, its requests, its rows.

    python benchmarks/endure.py [--minutes 30] [--recycle 2000] [--clients 12] [--database]
                                [--direct]

Two workers, each replaced after `--recycle` requests (0 for never), by LiteLLM's own
--max_requests_before_restart; behind nginx as the module has it, unless `--direct`. Clients that
keep their connections and never repeat a request ask until the time is over, every other request a
stream. With `--database` they use a virtual key, and LiteLLM deletes its rows of spend
after a tenth of the time.

A line of progress every minute, or every hundredth of the time. At the end, also where it is
interrupted: the requests that were lost, how often a worker was replaced, the slope of the memory
with its interval, and how much LiteLLM has written. A day of it: --minutes 1440. Needs root, for a
group of its own; from Debian nginx, nodejs, postgresql and redis-server; and the extra
`nixcfg[proxy]`.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path

from endurance import Endured, Sample
from processes import memory
from stage import MODEL, Load, Setup, Stage, absent, load, stage

WORKERS = 2
CLIENTS = 12
#: Longer than both workers take to start on a busy machine: what waits is late, and not lost.
PATIENCE = 300.0
EVERY_SECONDS = 5.0
#: Of the stand-in, for a plain answer and for each piece of a stream: quicker than a vendor.
PLAIN_SECONDS, PIECE_SECONDS = 0.15, 0.1
#: Of the time, for which rows are kept. LiteLLM looks as often.
KEPT = 0.1
ROWS = 'select count(*) from "LiteLLM_SpendLogs"'


def setup(seconds: float, recycle: int, *, database: bool = False, direct: bool = False) -> Setup:
    arguments: Sequence[str] = ()
    if recycle:
        arguments = ("--max_requests_before_restart", str(recycle))
        arguments += ("--max_requests_before_restart_jitter", str(recycle // 2))
    kept = f"{round(KEPT * seconds)}s"
    retention = {
        "maximum_spend_logs_retention_period": kept,
        "maximum_spend_logs_retention_interval": kept,
    }
    return Setup(
        database=database,
        workers=WORKERS,
        behind_nginx=not direct,
        arguments=arguments,
        settings={"general_settings": retention} if database else {},
    )


def endure(on: Stage, seconds: float, clients: int = CLIENTS) -> Generator[Endured]:
    """What has come of it, every few seconds and when the last request is answered."""
    ended = Endured(KEPT * seconds)
    began = time.monotonic()
    first = seen = on.pids()
    on.vendor.plain_seconds, on.vendor.piece_seconds = PLAIN_SECONDS, PIECE_SECONDS
    record = Load()
    try:
        with load(
            on.port,
            on.key,
            [MODEL],
            clients=clients,
            pause=0.05,
            record=record,
            patience=PATIENCE,
        ):
            while (passed := time.monotonic() - began) < seconds:
                seen = seen | on.pids()
                ended.replaced = len(seen - first)
                ended.samples.append(_sample(on, passed))
                _take(record, ended)
                on.vendor.seen.clear()
                yield ended
                time.sleep(min(EVERY_SECONDS, seconds / 20))
    finally:
        _take(record, ended)
    yield ended


def _take(record: Load, ended: Endured) -> None:
    """The requests that are over, out of the record: those of a day would be too many."""
    count = len(record.outcomes)
    taken = record.outcomes[:count]
    del record.outcomes[:count]
    ended.requests += count
    ended.streams += sum(each.is_stream for each in taken)
    ended.faults += [each.fault for each in taken if each.fault]


def _sample(on: Stage, at: float) -> Sample:
    files = [each.lstat().st_size for each in on.tmp.rglob("*") if each.is_file()]
    rows = int(on.postgres.ask(ROWS)[0]) if on.setup.database else None
    log = sum(each.log.stat().st_size for each in on.gateways)
    return Sample(at, memory(on.pids()), log, sum(files), rows)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--recycle", type=int, default=2000, metavar="REQUESTS")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--direct", action="store_true", help="without nginx in front")
    parser.add_argument("--database", action="store_true", help="with PostgreSQL and Redis")
    options = parser.parse_args()
    if reason := absent():
        sys.exit(reason)
    seconds = 60 * options.minutes
    wanted = setup(seconds, options.recycle, database=options.database, direct=options.direct)
    with tempfile.TemporaryDirectory(prefix="nixcfg-endure-") as folder:
        Path(folder).chmod(0o755)
        with stage(wanted, Path(folder)) as on:
            ended = told(endure(on, seconds, options.clients), max(60.0, seconds / 100))
    print(ended.report())
    if options.recycle and ended.replaced < WORKERS:
        sys.exit("too few workers were replaced to prove anything of that")
    sys.exit(1 if ended.faults else 0)


def told(running: Generator[Endured], every: float) -> Endured:
    """What it comes to, with a line every so many seconds; also where it is interrupted."""
    ended, due = next(running), every
    with suppress(KeyboardInterrupt, SystemExit):
        for ended in running:
            if ended.samples[-1].at >= due:
                print(ended.progress(), flush=True)
                due += every
    running.close()
    return ended


if __name__ == "__main__":
    main()
