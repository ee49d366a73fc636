"""Renew what modules/litellm-proxy/releases.json has from OSV; what is kept by hand stays.

    python tools/releases.py                  asks https://api.osv.dev for PyPI's litellm
    python tools/releases.py FILE...          reads OSV files: one advisory, or {"vulns": []}
    python tools/releases.py --url URL        asks another server that speaks OSV's /v1/query

The format is that of https://ossf.github.io/osv-schema/. An advisory without a range that ends
(`fixed` or `last_affected`) and without versions is left out: it would condemn every release.
"""

import argparse
import datetime as dt
import json
import re
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "modules" / "litellm-proxy" / "releases.json"
URL = "https://api.osv.dev/v1/query"
_PACKAGE = {"name": "litellm", "ecosystem": "PyPI"}

Entry = dict[str, Any]


def asked(url: str) -> list[Entry]:
    """Every advisory of the package; OSV gives them in pages."""
    found: list[Entry] = []
    token = ""
    while True:
        query = {"package": _PACKAGE, **({"page_token": token} if token else {})}
        request = urllib.request.Request(  # noqa: S310 (the URL that the caller gave)
            url, json.dumps(query).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            page = json.load(answer)
        found += page.get("vulns", [])
        token = page.get("next_page_token", "")
        if not token:
            return found


def read(file: Path) -> list[Entry]:
    """The advisories in a file."""
    data = json.loads(file.read_text(encoding="utf-8"))
    found: list[Entry] = data.get("vulns", [data])
    return found


def renewed(known: Mapping[str, Any], advisories: Iterable[Entry], today: dt.date) -> Entry:
    """The data with these advisories instead of those that came from OSV before."""
    kept = [each for each in known["releases"] if each["kept_by"] == "hand"]
    ids = {name for each in kept for name in (each["id"], *each.get("aliases", ()))}
    found: dict[str, Entry] = {}
    for advisory in advisories:
        entry = _entry(advisory)
        names = {advisory["id"], *advisory.get("aliases", ())}
        if entry and ids.isdisjoint(names) and not advisory.get("withdrawn"):
            ids |= names
            found[entry["id"]] = entry
    ours = [found[name] for name in sorted(found)]
    return {**known, "updated": today.isoformat(), "releases": [*kept, *ours]}


def _entry(advisory: Entry) -> Entry | None:
    affected = [
        each for each in advisory.get("affected", ()) if _is_ours(each.get("package") or {})
    ]
    ranges = [
        bounds
        for each in affected
        for one in each.get("ranges", ())
        if one.get("type") in ("ECOSYSTEM", "SEMVER")
        for bounds in _bounds(one["events"])
    ]
    versions = [] if ranges else [name for each in affected for name in each.get("versions", ())]
    if not ranges and not versions:
        return None
    names = [advisory["id"], *advisory.get("aliases", ())]
    cve = next((name for name in names if name.startswith("CVE-")), advisory["id"])
    fixes = [bounds["fixed"] for bounds in ranges if "fixed" in bounds]
    return {
        "id": cve,
        "aliases": sorted({*names} - {cve}),
        "level": _level(advisory),
        "severity": _severity(advisory),
        "what": " ".join((advisory.get("summary") or cve).split()),
        **({"ranges": ranges} if ranges else {"versions": versions}),
        "fixed": max(fixes, key=_numbers) if len(fixes) == len(ranges) and fixes else "",
        "published": advisory.get("published", "")[:10],
        "source": f"https://osv.dev/vulnerability/{advisory['id']}",
        "kept_by": "osv",
    }


def _is_ours(package: Mapping[str, str]) -> bool:
    return {name: package.get(name) for name in _PACKAGE} == _PACKAGE


def _bounds(events: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Events in order of release: each `introduced` with the end that follows it."""
    first = None
    for event in events:
        if "introduced" in event:
            first = event["introduced"]
        for end in ("fixed", "last_affected"):
            if end in event and first is not None:
                yield {"introduced": first, end: event[end]}
                first = None


def _level(advisory: Entry) -> str:
    """`error` where anyone who reaches the port can do it, and much is at stake."""
    if advisory["id"].startswith("MAL-"):
        return "compromised"
    scores = [each.get("score", "") for each in advisory.get("severity", ())]
    anyone = any("/AV:N/" in score and "/PR:N/" in score and "/UI:N" in score for score in scores)
    return "error" if anyone and _severity(advisory) in ("high", "critical") else "warning"


def _severity(advisory: Entry) -> str:
    return str((advisory.get("database_specific") or {}).get("severity", "unknown")).lower()


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall("[0-9]+", version)]


def main(arguments: list[str]) -> None:
    """Write the file, and say what is new and what is gone."""
    parser = argparse.ArgumentParser(description="Renew releases.json from OSV.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--url", default=URL)
    parser.add_argument("--data", type=Path, default=DATA)
    given = parser.parse_args(arguments)
    known = json.loads(given.data.read_text(encoding="utf-8"))
    advisories = [one for file in given.files for one in read(file)] or asked(given.url)
    new = renewed(known, advisories, dt.datetime.now(tz=dt.UTC).date())
    before, after = ({each["id"] for each in data["releases"]} for data in (known, new))
    given.data.write_text(json.dumps(new, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"new: {', '.join(sorted(after - before)) or 'none'}")
    print(f"gone: {', '.join(sorted(before - after)) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
