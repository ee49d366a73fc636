"""Whether a salt key is the one that has encrypted what is in the database: start.py asks before
LiteLLM runs.

LiteLLM itself starts with any salt key. It leaves out what it cannot read, which clients learn as
"no healthy deployments", and encrypts what is new with the wrong key.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

#: Where every text is encrypted.
COLUMNS = {
    "LiteLLM_ProxyModelTable": "litellm_params",
    "LiteLLM_CredentialsTable": "credential_values",
}
ROWS = 1000
SECONDS = 5

#: What LiteLLM makes of a text: 24 bytes of nonce and 16 of a tag at least, or the newer form.
XSALSA = re.compile(r"[A-Za-z0-9_-]{54,}={0,2}")
GCM = "v2:gcm:"


def refusal(environment: Mapping[str, str]) -> str:
    """Why LiteLLM is not to be started, empty when it may. Raises whatever keeps this from being
    found out: no database, no driver, no table."""
    key = environment.get("LITELLM_SALT_KEY") or environment.get("LITELLM_MASTER_KEY")
    if not key:
        return ""
    texts = [text for text in stored(environment["DATABASE_URL"]) if is_encrypted(text)]
    if not texts or any(is_readable(text, key) for text in texts):
        return ""
    return (
        f"LITELLM_SALT_KEY: it is not the salt key of this database. It reads none of the"
        f" {len(texts)} encrypted values of {' and '.join(COLUMNS)}: LiteLLM would serve"
        " without them, and encrypt new ones with this key. Restore the database's salt key from"
        " its backup; a gateway that had none has encrypted with its master key. Where it is lost,"
        " delete the rows of these tables, and enter the models and credentials again."
    )


def stored(url: str) -> Iterator[str]:
    """Every text in the columns."""
    import psycopg  # of the image

    with psycopg.connect(for_libpq(url), connect_timeout=SECONDS) as connection:
        for table, column in COLUMNS.items():
            (found,) = connection.execute("SELECT to_regclass(%s)", [f'"{table}"']).fetchone()
            if found:
                rows = connection.execute(f'SELECT "{column}" FROM "{table}" LIMIT {ROWS}')  # noqa: S608
                for (value,) in rows.fetchall():
                    yield from texts_in(value)


def for_libpq(url: str) -> str:
    """Without the parameters that are Prisma's own."""
    parts = urlsplit(url)
    given = parse_qs(parts.query)
    kept = {name: given[name][0] for name in ("host", "sslmode") if name in given}
    if kept.get("sslmode") == "verify-full":
        kept["sslrootcert"] = "system"
    return parts._replace(query=urlencode(kept)).geturl()


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)


def is_encrypted(text: str) -> bool:
    return text.startswith(GCM) or (len(text) % 4 == 0 and bool(XSALSA.fullmatch(text)))


def is_readable(text: str, key: str) -> bool:
    digest = hashlib.sha256(key.encode()).digest()
    sealed = base64.urlsafe_b64decode(text.removeprefix(GCM))
    if text.startswith(GCM):
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            AESGCM(digest).decrypt(sealed[:12], sealed[12:], None)
        except InvalidTag:
            return False
        return True
    from nacl.exceptions import CryptoError
    from nacl.secret import SecretBox

    try:
        SecretBox(digest).decrypt(sealed)
    except CryptoError:
        return False
    return True
