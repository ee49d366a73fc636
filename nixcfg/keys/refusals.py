"""What a key file may not hold, and why: one list for set-key, doctor, try and the service.

The service checks in bash (modules/litellm-proxy/wiring.sh), with the table that
tools/write_key_shapes.py makes of this one. So the patterns are POSIX extended regular
expressions of bytes in the C locale, in the part of them that Python reads alike.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

from nixcfg.keys.shapes import MISSING_KEY, PREFIXES, prefixes

MAX_VARIABLE = 65_535
"""Bytes of NAME=value; docker reads no longer line from a file (bufio.Scanner)."""
HEAD = 4096
"""Bytes of a document that are looked at."""


class Refusal(NamedTuple):
    """A reason to refuse. `says` follows the name of the file: `is empty. ...`.

    `pattern` is searched for in the value without the newlines at its end. `where` it is searched:
    `value`; `words`, which are its small letters with - for each _ and space; or `key`, which
    is the value unless the variable's name ends in PASSWORD.
    """

    name: str
    says: str
    pattern: str
    where: str = "value"


_ONLY = "Its content must be the key, nothing else."
_DOCUMENT = 'A document needs kind "file".'

_AGAIN = "Copy the key again, as plain text."
_ASSIGNMENT = "holds an assignment. Its content must be the key alone, without a name before it."
_PREFIXES = "(" + "|".join(each.replace(".", "[.]") for each in prefixes()) + ")"
_PREFIX = (
    "("
    + "|".join(
        sorted({each.lower().replace("_", "-").rstrip("-.") for each in chain(*PREFIXES.values())})
    )
    + ")(-(api[0-9]+|proj|svcacct|v[0-9]+))?[-.]?"
)
_NOUN = "(api-?key|key|token|secret|password|passwd)"
_PLACEHOLDER = (
    rf"^({_PREFIX})?("
    r"(replace|change)-?(me|this).*|([a-z0-9-]*-)?placeholder(-[a-z0-9-]*)?|fill-(me-)?in.*|todo|"
    r"tbd|fixme|"
    r"(insert|paste|put|add|enter|your|my)-([a-z0-9-]*-)?here|"
    rf"(your|my)-([a-z0-9-]*-)?{_NOUN}|"
    r"<[^<>]*>|\[[a-z -]+\]|[{][a-z-]+[}]|[{][{].*[}][}]|\$[(].*[)]|\$[a-z0-9{}$-]*|%[a-z0-9-]+%|"
    # As a vendor's page or another program shortens a key.
    r"[a-z0-9-]*([.][.][.]|[*][*][*])[a-z0-9.*-]*|"
    r"(sk|gsk|hf|key|token|api-?key)-((ant|or|proj)-)?1234(5(6(7(8(90?)?)?)?)?)?|xxx[x-]*|[x-]*xxx|a{4,}|[01]{4,}|[.]{3,}|-{3,})$|"
    rf"^{_NOUN}$"
)
_ENCRYPTED = Refusal(
    "encrypted",
    "is still encrypted. Name the file that sops-nix or agenix decrypts it to; for a credential of "
    "systemd-creds set encrypted = true.",
    r"ENC\[AES256_GCM,|^-----BEGIN (AGE ENCRYPTED FILE|PGP MESSAGE)-----|^age-encryption[.]org/|"
    r"^\$ANSIBLE_VAULT;|^vault:v[0-9]|"
    # The ids of the kinds of key that systemd has, in base64.
    r"^(Whxqht[+]dQJax1aZeCGLxm|k6iUCUh0RJCQyvL8k8q1U|DHzAexF2RZGcSwvqCLwg/)",
)
_PLACEHOLDERS = Refusal(
    "placeholder",
    "still holds a placeholder. Replace it by the real one.",
    _PLACEHOLDER,
    where="words",
)
_EMPTY = Refusal("empty", f"is empty. {_ONLY}", "^$")

MISSING = Refusal("missing", "holds the text that stands for a missing key.", "")
"""Found before all others: the service cannot tell it from a file that is not there."""
TOO_LONG = Refusal("too-long", f"is longer than 64 KiB, too long for a variable. {_DOCUMENT}", "")
"""The second: no pattern is tried on what is longer."""

KEY_REFUSALS = (
    _EMPTY,
    Refusal("blank", f"is empty but for white space. {_ONLY}", "^ +$"),
    Refusal(
        "byte-order-mark",
        "begins with a byte order mark (BOM), as some editors on Windows write it. Save it as "
        "plain text, UTF-8 without BOM.",
        "^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)",
    ),
    _ENCRYPTED,
    Refusal("pem", f"holds a PEM document where a key belongs. {_DOCUMENT}", "^-----BEGIN "),
    Refusal(
        "more-than-one-line",
        f"holds more than one line. {_ONLY} {_DOCUMENT}",
        "\n",
    ),
    Refusal(
        "control-character",
        "holds a control character (tab, carriage return, binary data). Save it as plain text "
        "with Unix line ends.",
        "[[:cntrl:]]",
    ),
    Refusal("space-around", "begins or ends with a space.", "^ | $"),
    Refusal(
        "quoted",
        "begins with a quote, which would become a part of the key. Write the bare key.",
        "^[\"'`]",
    ),
    # A password is no header, and may be in any alphabet.
    Refusal(
        "odd-space",
        f"holds a no-break or wide space. {_AGAIN}",
        "\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80",
        where="key",
    ),
    Refusal(
        "invisible",
        f"holds a character of no width (zero-width space, joiner or soft hyphen). {_AGAIN}",
        "\xe2\x80[\x8b-\x8f]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad",
        where="key",
    ),
    Refusal(
        "typographic-quote",
        f"holds a typographic quote. {_AGAIN}",
        "\xe2\x80[\x98-\x9f\xb9\xba]|\xc2[\xab\xbb]",
        where="key",
    ),
    Refusal(
        "typographic-dash",
        f"holds a typographic dash, which is no hyphen. {_AGAIN}",
        "\xe2\x80[\x90-\x95]|\xe2\x88\x92",
        where="key",
    ),
    Refusal(
        "not-ascii",
        f"holds a byte above 0x7f, an accented letter or text that is not UTF-8. {_AGAIN}",
        "[\x80-\xff]",
        where="key",
    ),
    Refusal(
        "header",
        "holds a header (Bearer ...), of which LiteLLM writes all but the key. Write the bare key.",
        r"^([Bb]earer|BEARER|[Bb]asic|BASIC) |"
        r"^([Aa]uthorization|AUTHORIZATION|[Xx]-[Aa][Pp][Ii]-[Kk][Ee][Yy]): *",
    ),
    Refusal("assignment", _ASSIGNMENT, r"^(export|set) |^[A-Z][A-Z0-9_]*=[^=]"),
    # Not `Endpoint=sb://...`, which is a value; and in base64 `=` is the end.
    Refusal(
        "assignment",
        _ASSIGNMENT,
        "^[a-z0-9-]*(key|token|secret|password)[\"']?(=[^=]|:-)|"
        "^[a-z][a-z0-9]*-[a-z0-9-]*(key|token|secret|password):",
        where="words",
    ),
    Refusal(
        "word",
        "holds the word true or false, which LiteLLM does not take for a key.",
        "^(true|false)$",
        where="words",
    ),
    Refusal(
        "example",
        "holds sk-1234, the key of LiteLLM's documentation, which everyone knows. A good one is "
        "sk- and 32 or more random characters.",
        "^sk- *1 *2 *3 *4$",
    ),
    _PLACEHOLDERS,
    Refusal(
        "reference",
        "names a key instead of being one.",
        r"^(os[.]environ|config[.]|env[.:]|process[.]env[.]|oidc/|op://|file:/)|"
        "^/(etc|home|keys|mnt|nix|opt|root|run|secrets|srv|tmp|usr|var)/|"
        "^[A-Z][A-Z0-9_]*_(KEY|TOKEN|SECRET|PASSWORD)$",
    ),
    Refusal(
        "space-inside",
        "has a space in it. Write the key alone.",
        f"^{_PREFIXES}[^ ]* ",
    ),
)
"""For a key that becomes a variable. The first that fits is the reason."""

DOCUMENT_REFUSALS = (
    _EMPTY,
    _ENCRYPTED,
    _PLACEHOLDERS,
    Refusal(
        "key-for-document",
        "holds a key where a document belongs, such as the JSON of a service account.",
        f"^{_PREFIXES}[A-Za-z0-9_.=-]*$",
    ),
)
"""For a file that is mounted as it is."""


def key_refusal(variable: str, content: bytes) -> Refusal | None:
    """Why the content of a key file cannot be the value of a variable; None if it can."""
    if content[:64].replace(b"\0", b"").rstrip(b"\n") == MISSING_KEY.encode():
        return MISSING
    value = content.rstrip(b"\n")
    if len(variable) + 1 + len(value) > MAX_VARIABLE:
        return TOO_LONG
    return _first(KEY_REFUSALS, value.replace(b"\0", b"\2"), variable)


def document_refusal(content: bytes) -> Refusal | None:
    """Why a file cannot be the document that is mounted for a variable; None if it can."""
    if content[:64].replace(b"\0", b"").rstrip(b"\n") == MISSING_KEY.encode():
        return MISSING
    return _first(DOCUMENT_REFUSALS, content[:HEAD].replace(b"\0", b"").rstrip(b"\n"), "")


def _first(refusals: Sequence[Refusal], value: bytes, variable: str) -> Refusal | None:
    searched = {
        "value": value,
        "words": value.lower().replace(b"_", b"-").replace(b" ", b"-"),
        "key": b"" if variable.endswith("PASSWORD") else value,
    }
    for refusal in refusals:
        if _compiled(refusal.pattern).search(searched[refusal.where]):
            return refusal
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[bytes]:
    pattern = pattern.replace("[[:cntrl:]]", r"[\x00-\x1f\x7f]")
    return re.compile(pattern.encode("latin-1"), re.DOTALL)


def weakness(master_key: str) -> str:
    """What is wrong with a master key that would be accepted, "" for a good one."""
    if not master_key.startswith("sk-") or len(master_key) < 20:
        return "holds a weak key. A good one is sk- and 32 or more random characters."
    return ""
