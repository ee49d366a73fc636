"""The script of litellm-proxy-access.service in front of a real gateway."""

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway import Gateway

from nixcfg.access.api import Api
from nixcfg.access.changes import Actual

SCRIPT = Path(__file__).parents[2] / "modules" / "litellm-proxy" / "access.py"
MISSING = "nixcfg-missing-key"
MASTER_KEY = f"sk-{secrets.token_hex(24)}"
_WRITE = re.compile(r'"POST /(?:key|team|user)/\S*')


@dataclass
class Unit:
    """The unit's script, run as systemd runs it: with credentials in a folder."""

    live: Gateway
    folder: Path
    desired: dict[str, Any] = field(
        default_factory=lambda: {"prune": False, "teams": {}, "users": {}, "keys": {}}
    )
    journals: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.live.port}"

    @property
    def api(self) -> Api:
        return Api(self.url, self.live.master_key)

    def rows(self) -> Actual:
        return self.api.rows()

    def file(self, name: str) -> Path:
        return self.folder / "keys" / name

    def value(self, name: str) -> str:
        return self.file(name).read_text().strip()

    def team(self, name: str, **fields: Any) -> None:
        self.desired["teams"][name] = {"fields": fields}

    def user(self, name: str, *teams: str, **fields: Any) -> None:
        self.desired["users"][name] = {"fields": fields, "teams": list(teams)}

    def key(
        self,
        name: str,
        team: str | None = None,
        user: str | None = None,
        expires: str | None = None,
        **fields: Any,
    ) -> None:
        entry = {"fields": fields, "team": team, "user": user, "expires": expires}
        self.desired["keys"][name] = entry

    def command(self) -> tuple[list[str], dict[str, str]]:
        """The arguments and the environment of a run, with what systemd would have laid out."""
        credentials = self.folder / "credentials"
        for each in (credentials, self.folder / "keys"):
            each.mkdir(exist_ok=True)
        (credentials / "master-key").write_text(f"{self.live.master_key}\n")
        places = {}
        for name in self.desired["keys"]:
            file = self.file(name)
            value = file.read_text() if file.exists() else MISSING
            (credentials / f"value-{name}").write_text(value)
            places[name] = {"file": str(file), "owner": "root", "group": "root", "mode": "0640"}
        data, where = self.folder / "access.json", self.folder / "places.json"
        data.write_text(json.dumps(self.desired))
        where.write_text(json.dumps(places))
        words = [sys.executable, "-I", str(SCRIPT), str(data), str(where), self.url, MISSING]
        return words, {"CREDENTIALS_DIRECTORY": str(credentials), "PATH": os.defpath}

    def start(self) -> subprocess.Popen[str]:
        words, environment = self.command()
        return subprocess.Popen(
            words, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, code: int = 0) -> str:
        """What a run writes into the journal."""
        words, environment = self.command()
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        self.journals.append(done.stdout + done.stderr)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        return done.stderr

    def writes(self) -> list[str]:
        """The changes that the gateway was asked for up to now, by its own log."""
        return _WRITE.findall(self.live.log.read_text(errors="replace"))

    def chat(self, value: str, model: str = "plain") -> int:
        """The status that a client with this key sees."""
        asked = Gateway(self.live.port, value, self.live.log)
        return asked.chat(model, f"question {secrets.token_hex(8)}").status

    def row(self, kind: str, name: str) -> Mapping[str, Any]:
        """The one row of that name."""
        name_of = {"keys": "key_alias", "teams": "team_alias", "users": "user_id"}[kind]
        found = [row for row in getattr(self.rows(), kind) if row.get(name_of) == name]
        assert len(found) == 1, [row.get(name_of) for row in getattr(self.rows(), kind)]
        row: Mapping[str, Any] = found[0]
        return row

    @staticmethod
    def until(condition: Callable[[], Any]) -> None:
        """Spending is counted in the background, some seconds later."""
        for _ in range(120):
            if condition():
                return
            time.sleep(0.5)
        raise AssertionError("it never came")
