"""Record the terminal session at the top of README.md as docs/session.svg, from a real run.

    python tools/record_session.py           run the commands, write the picture
    python tools/record_session.py --check   run them, exit 1 where they print something else

The commands run at a pseudo-terminal in an empty folder, the last one with the real LiteLLM behind
it. The time that a command takes differs from run to run, so the check leaves seconds out.
"""

import argparse
import fcntl
import html
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "session.svg"
COLUMNS = 88
COMMANDS = (
    "nixcfg -q init gateway && cd gateway",
    "nixcfg -q add-provider openai --model gpt-5.6 --alias gpt",
    "sed -i 's|openai/|opnai/|' providers/openai.yaml   # a typo",
    "nixcfg validate",
    "nixcfg -q fix --unsafe",
    "nixcfg render",
    'nixcfg ask --mock --model gpt "Hello"',
)
STEP, TYPED = 0.25, 0.9
"""Seconds in the picture until the next line, and after a command was typed."""
_COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#79c0ff", "90": "#8b949e"}
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_OTHER = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]")


def record() -> list[tuple[str, str]]:
    """Each command, and what a terminal shows of it, with its colours."""
    with tempfile.TemporaryDirectory(prefix="nixcfg-session-") as folder:
        shim = Path(folder, "bin", "nixcfg")
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m nixcfg "$@"\n')
        shim.chmod(0o755)
        work = Path(folder, "work")
        work.mkdir()
        (work / "configuration.nix").touch()  # the folder of a machine's configuration
        script = "".join(f"{command}\nprintf '\\036'\n" for command in COMMANDS)
        environment = {
            "PATH": f"{shim.parent}:{os.environ['PATH']}",
            "HOME": str(work),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "SOURCE_DATE_EPOCH": "0",
        }
        shown = _at_a_terminal(script, work, environment)
    return list(zip(COMMANDS, shown.split("\x1e"), strict=False))


def _at_a_terminal(script: str, folder: Path, environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(  # noqa: S603 (the commands above)
        ["/usr/bin/env", "bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    raw = b""
    while True:
        try:
            raw += os.read(ours, 65536)
        except OSError:  # EIO: all that wrote there has ended
            break
    process.wait()
    os.close(ours)
    return raw.decode().replace("\r\n", "\n")


def lines(shown: str) -> list[str]:
    """Lines as they stand in the end: what was written over by a carriage return is gone."""
    text = _OTHER.sub("", shown).rstrip("\n")
    whole = [line.rpartition("\r")[2].rstrip() for line in text.split("\n")] if text else []
    return [part for line in whole for part in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    """A line as the terminal breaks it, with the colour that goes on in the next part."""
    parts, width, color = [""], 0, ""
    for token in re.findall(r"\x1b\[[0-9;]*m|.", line):
        if token.startswith("\x1b"):
            color = token
        elif width == COLUMNS:
            parts.append(color)
            width = 1
        else:
            width += 1
        parts[-1] += token
    return parts


def picture(session: list[tuple[str, str]]) -> str:
    """The session as an SVG in which one line appears after the other."""
    rows: list[tuple[float, str, str]] = []
    now = 0.3
    for command, shown in session:
        rows.append((now, "command", f'<tspan class="prompt">$ </tspan>{html.escape(command)}'))
        now += TYPED
        for line in lines(shown):
            rows.append((now, "", _colored(line)))
            now += STEP
        now += TYPED
    height = 20 * len(rows) + 40
    width = round(8.43 * COLUMNS) + 40
    text = "\n".join(
        f'<text x="20" y="{34 + 20 * number}" class="{kind}" style="animation-delay:{at:.2f}s">'
        f"{line}</text>"
        for number, (at, kind, line) in enumerate(rows)
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" role="img" aria-label="A terminal session with nixcfg">
<!-- Written by tools/record_session.py from a real run. -->
<style>
text {{ font: 14px ui-monospace, Menlo, Consolas, monospace; fill: #c9d1d9; white-space: pre; \
opacity: 0; animation: show 0.01s forwards; }}
.command {{ fill: #ffffff; }}
.prompt {{ fill: #7ee787; }}
@keyframes show {{ to {{ opacity: 1; }} }}
@media (prefers-reduced-motion: reduce) {{ text {{ opacity: 1; animation: none; }} }}
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
{text}
</svg>
"""


def _colored(line: str) -> str:
    """A line with its colours as tspans."""
    parts = _SGR.split(line)
    out = html.escape(parts[0])
    for codes, text in zip(parts[1::2], parts[2::2], strict=True):
        color = next((_COLORS[code] for code in codes.split(";") if code in _COLORS), "")
        escaped = html.escape(text)
        out += f'<tspan fill="{color}">{escaped}</tspan>' if color and text else escaped
    return out


def comparable(svg: str) -> str:
    """A picture without seconds, which differ from run to run, and the number of files."""
    return re.sub(r"\d+(?:\.\d+)? (s|files)\b", r"N \1", svg)


def main() -> None:
    """Write or check the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    found = picture(record())
    if not parser.parse_args().check:
        PICTURE.write_text(found, encoding="utf-8")
    elif comparable(PICTURE.read_text(encoding="utf-8")) != comparable(found):
        sys.exit("docs/session.svg shows something else: python tools/record_session.py")


if __name__ == "__main__":
    main()
