"""Write what the NixOS module has to know of keys: modules/litellm-proxy/key-shapes.{sh,json}.

The first is what the service refuses in a key file, the second what is a key in a plain variable.

`--check` writes nothing, and exits with 1 when the file is not what it would be.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from nixcfg.keys import shapes
from nixcfg.keys.refusals import (
    DOCUMENT_REFUSALS,
    HEAD,
    KEY_REFUSALS,
    MAX_VARIABLE,
    TOO_LONG,
    Refusal,
)

MODULE = Path(__file__).parents[1] / "modules" / "litellm-proxy"
HEADER = """\
# shellcheck shell=bash
# What is no key, and why: a part of the wiring script, which looks for the first that fits.
# Written by tools/write_key_shapes.py from nixcfg/keys/refusals.py, so that `nixcfg
# set-key`, `doctor` and `try` refuse the same.
#
# Four words each: a name, what to search (see find_refusal), the pattern, and what to say.
# The patterns are of bytes: LC_ALL=C.
"""


def quoted(text: str) -> str:
    """A word of bash; bytes that are no printable ASCII as escapes."""
    if text.isascii() and text.isprintable() and "'" not in text:
        return f"'{text}'"
    escapes = {"\n": r"\n", "'": r"\'", "\\": r"\\"}
    return "$'" + "".join(escapes.get(c) or _escaped(c) for c in text) + "'"


def _escaped(character: str) -> str:
    printable = " " <= character <= "~"
    return character if printable else f"\\x{ord(character):02x}"


def table(name: str, refusals: Iterable[Refusal]) -> str:
    """An array of bash."""
    rows = [
        f"  {each.name} {each.where} {quoted(each.pattern)}\n  {quoted(each.says)}\n"
        for each in refusals
    ]
    return f"# shellcheck disable=SC2016,SC2034\n{name}=(\n{''.join(rows)})\n"


def shell() -> str:
    """key-shapes.sh."""
    return "\n".join(
        (
            HEADER,
            table("key_refusals", KEY_REFUSALS),
            table("document_refusals", DOCUMENT_REFUSALS),
            "# Bytes of NAME=value, and of a document that are looked at.",
            f"max_variable={MAX_VARIABLE}",
            f"too_long={quoted(TOO_LONG.says)}",
            f"document_head={HEAD}",
            "",
        )
    )


def patterns() -> str:
    """key-shapes.json, for looks-like-key.nix."""
    known = {
        "harmlessWords": shapes.HARMLESS_WORDS,
        "key": shapes.KEY,
        "plainValue": shapes.PLAIN_VALUE,
        "sensitiveWords": shapes.SENSITIVE_WORDS,
    }
    return json.dumps(known, indent=2) + "\n"


def texts() -> dict[str, str]:
    """Both files by name."""
    return {"key-shapes.sh": shell(), "key-shapes.json": patterns()}


def main() -> int:
    """Write or check them."""
    if "--check" in sys.argv[1:]:
        return any((MODULE / name).read_text("utf-8") != text for name, text in texts().items())
    for name, text in texts().items():
        (MODULE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
