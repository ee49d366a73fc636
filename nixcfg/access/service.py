"""What litellm-proxy-access.service runs: teams, users and keys into LiteLLM's database.

    python3 access.py DATA PLACES URL MISSING

DATA is access.json, PLACES says where the values of keys are, URL is the gateway's, and MISSING is
what a credential holds whose file is not there. systemd has the master key and the values in
$CREDENTIALS_DIRECTORY. It ends with 1 when someone has to look, and with 75 to be run again.
"""

import datetime as dt
import json
import os
import sys
import time
from pathlib import Path

from nixcfg.access.api import Api, ApiError, LaterError
from nixcfg.access.plan import plan
from nixcfg.access.rows import hashed
from nixcfg.access.run import carry_out
from nixcfg.keys.virtual import (
    Place,
    ValueMissingError,
    ValueUnusableError,
    content,
    has_changed,
    values,
)

WAIT_SECONDS = 900
_PAUSE = 2
_AGAIN = os.EX_TEMPFAIL


def say(priority: int, line: str) -> None:
    """One line of the journal, with its priority."""
    print(f"<{priority}>{line}", file=sys.stderr, flush=True)  # noqa: T201 (the journal reads it)


def main(arguments: list[str]) -> int:
    """Wait for the gateway, compare, write what differs."""
    data, places, url, missing = arguments
    desired = json.loads(Path(data).read_text(encoding="utf-8"))
    wanted = {
        name: Place(Path(given["file"]), given["owner"], given["group"], given["mode"])
        for name, given in json.loads(Path(places).read_text(encoding="utf-8")).items()
        if name in desired["keys"]
    }
    credentials = Path(os.environ["CREDENTIALS_DIRECTORY"])
    try:
        master = content(credentials / "master-key", missing)
    except (ValueMissingError, ValueUnusableError) as error:
        say(3, f"the master key {error}")
        return _AGAIN
    api = Api(url, master)
    if not _is_ready(api):
        say(4, f"{url} was not ready with its database for {WAIT_SECONDS} seconds.")
        return _AGAIN
    # No value is made before there is someone to give it to.
    found, failed = values(wanted, say, credentials=credentials, missing=missing, master=master)
    try:
        hashes = {name: hashed(value) for name, value in found.items()}
        changes = plan(desired, api.rows(), hashes, dt.datetime.now(dt.UTC))
        lost = {name for name in wanted if name not in found}
        changes = [each for each in changes if each.kind != "key" or each.name not in lost]
        outcome = carry_out(api, changes, found, say)
    except LaterError as error:
        say(4, f"{error}. The next run does what is left.")
        return _AGAIN
    except ApiError as error:
        say(3, f"{error}")
        return 1
    outcome.failed += failed
    say(3 if outcome.failed else 6, outcome.summary())
    # systemd has read the values when this began, and starts nothing that runs already.
    changed = [name for name, value in found.items() if has_changed(wanted[name], value)]
    if changed:
        say(5, f"the value of {', '.join(changed)} has changed meanwhile; running again.")
        return _AGAIN
    if outcome.is_passing:
        return _AGAIN
    return 1 if outcome.failed else 0


def _is_ready(api: Api) -> bool:
    for _ in range(WAIT_SECONDS // _PAUSE):
        if api.is_ready():
            return True
        time.sleep(_PAUSE)
    return api.is_ready()
