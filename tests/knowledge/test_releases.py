"""The list of bad releases: its borders, its ages, and what renews it from OSV."""

import datetime as dt
import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nixcfg.knowledge import releases

ROOT = Path(__file__).parents[2]
DATA = ROOT / "modules" / "litellm-proxy" / "releases.json"


def _before(version: str) -> str:
    head, _, last = version.rpartition(".")
    return f"{head}.{int(last) - 1}" if int(last) else f"{version}rc1"


RANGES = [
    (entry["id"], bounds)
    for entry in json.loads(DATA.read_text(encoding="utf-8"))["releases"]
    for bounds in entry.get("ranges", ())
]


@pytest.mark.parametrize(("name", "bounds"), RANGES)
def test_borders(name: str, bounds: dict[str, str]):
    def has(version: str) -> bool:
        return name in {each.id for each in releases.of_version(version)}

    assert not has(bounds["fixed"])
    assert not has(f"{bounds['fixed']}-stable")
    assert has(f"{bounds['fixed']}rc1")
    assert has(_before(bounds["fixed"]))
    if bounds["introduced"] != "0":
        assert has(bounds["introduced"])
        assert not has(f"{bounds['introduced']}rc1")
        assert not has(_before(bounds["introduced"]))


def test_compromised_are_those_releases_alone():
    for version in ("1.107.0", "1.82.7", "1.82.8"):
        assert releases.compromised(releases.of_version(version)), version
    for version in ("1.106.9", "1.107.1", "1.107.0rc1", "1.82.6", "1.82.9", "1.82.70"):
        assert not releases.compromised(releases.of_version(version)), version


def test_age():
    updated = dt.date.fromisoformat(json.loads(DATA.read_text(encoding="utf-8"))["updated"])
    assert releases.age(updated + dt.timedelta(days=31)) == releases.OLD_DAYS + 1


def _advisory(name: str, *events: dict[str, str], **more: object) -> dict[str, object]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}]
    affected = [{"package": {"name": "litellm", "ecosystem": "PyPI"}, "ranges": ranges}]
    return {"id": name, "summary": f"{name} in short", "affected": affected, **more}


OSV = [
    _advisory(
        "GHSA-open",
        {"introduced": "1.90.0"},
        {"fixed": "1.91.2"},
        {"introduced": "1.95.0"},
        {"last_affected": "1.95.3"},
        aliases=["CVE-2026-1"],
        published="2026-11-01T00:00:00Z",
        severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        database_specific={"severity": "CRITICAL"},
    ),
    _advisory("GHSA-endless", {"introduced": "0"}),
    _advisory("GHSA-gone", {"introduced": "0"}, {"fixed": "9.0.0"}, withdrawn="2026-11-02"),
    _advisory("GHSA-4xpc-pv4p-pm3w", {"introduced": "0"}, {"fixed": "1.84.0"}),
    {
        "id": "MAL-2026-9",
        "affected": [
            {"package": {"name": "litellm", "ecosystem": "PyPI"}, "versions": ["1.99.9"]},
            {"package": {"name": "other", "ecosystem": "PyPI"}, "versions": ["1.0.0"]},
        ],
    },
]


def _run(data: Path, *arguments: str) -> dict[str, dict[str, object]]:
    tool = ROOT / "tools" / "releases.py"
    command = [sys.executable, str(tool), "--data", str(data), *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return {each["id"]: each for each in json.loads(data.read_text(encoding="utf-8"))["releases"]}


def _judge(found: dict[str, dict[str, object]]) -> None:
    ours = {each["id"] for each in json.loads(DATA.read_text(encoding="utf-8"))["releases"]}
    assert set(found) == {*ours, "CVE-2026-1", "MAL-2026-9"}
    new = found["CVE-2026-1"]
    assert new["level"] == "error"
    assert new["ranges"] == [
        {"introduced": "1.90.0", "fixed": "1.91.2"},
        {"introduced": "1.95.0", "last_affected": "1.95.3"},
    ]
    assert (new["fixed"], new["published"]) == ("", "2026-11-01")
    assert found["MAL-2026-9"]["level"] == "compromised"
    assert found["MAL-2026-9"]["versions"] == ["1.99.9"]


def test_renewed_from_a_file_twice(tmp_path: Path):
    data, file = tmp_path / "releases.json", tmp_path / "osv.json"
    data.write_text(DATA.read_text(encoding="utf-8"), encoding="utf-8")
    file.write_text(json.dumps({"vulns": OSV}), encoding="utf-8")
    _judge(_run(data, str(file)))
    _judge(_run(data, str(file)))


def test_renewed_over_http_in_two_pages(tmp_path: Path):
    class Osv(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert asked["package"] == {"name": "litellm", "ecosystem": "PyPI"}
            last = asked.get("page_token") == "more"
            page = {"vulns": OSV[2:]} if last else {"vulns": OSV[:2], "next_page_token": "more"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(page).encode())

        def log_message(self, *_arguments: object):
            pass

    data = tmp_path / "releases.json"
    data.write_text(DATA.read_text(encoding="utf-8"), encoding="utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _judge(_run(data, "--url", f"http://127.0.0.1:{server.server_port}/v1/query"))
        server.shutdown()
