"""The last one out: ends a process group and removes a folder once nixcfg is gone, however it went.

Run as a program with the folder as its argument. Its standard input is a pipe whose other end only
nixcfg holds: each line on it is a process group to end, and its end means that nixcfg has ended,
also by a signal that no program can catch. No key comes here.
"""

import contextlib
import os
import shutil
import signal
import sys


def main(folder: str) -> None:
    """Wait for the end of standard input, then clear up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = [int(line) for line in sys.stdin]
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
