"""How a provider's base URL is made, by calls with bases of various endings."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from learn.bench import BASE, KEY
from learn.wire import Outcome, tag

if TYPE_CHECKING:
    from learn.findings import Findings

OPENAI = "OPENAI_API_KEY"
OPENAI_HOST = "api.openai.com"


def base(found: "Findings") -> dict[str, Any]:
    """The facts of an ``api_base``, as in ``nixcfg.knowledge.ApiBase``."""
    facts: dict[str, Any] = {}
    variable = _variable(found)
    if variable:
        facts["variable"] = variable
    names = found.wanted - found.addresses
    key = {} if found.tiers else {"api_key": KEY}
    given = found.bench.run(names, api_base=BASE, **key)
    appended = ""
    if given.url.startswith(BASE):
        appended = given.url.removeprefix(BASE).partition("?")[0]
        facts |= _endings(found, names, appended, key)
    plain = found.bench.run(names, **key)
    if not given.sent and not plain.sent:
        return facts
    if found.fallback and not found.wanted and not plain.sent:
        plain = found.bench.run({OPENAI})
    return facts | _default(found, plain, appended if given.url.startswith(BASE) else None)


def _endings(
    found: "Findings", names: frozenset[str], appended: str, key: Mapping[str, str]
) -> dict[str, Any]:
    """What is put behind a base, whether it may end in a slash, and what may be there already."""
    slash = found.bench.run(names, api_base=BASE + "/", **key).url
    facts: dict[str, Any] = {
        "appends": general(found, appended),
        "slash": "//" not in slash.partition("://")[2],
    }
    also = []
    for end in [m.start() for m in re.finditer("/", appended + "/")][1:]:
        outcome = found.bench.run(names, api_base=BASE + appended[:end], **key)
        if outcome.url.partition("?")[0] == BASE + appended:
            also.append(general(found, appended[:end]))
    if also:
        facts["also"] = also
    return facts


def _default(found: "Findings", plain: Outcome, appended: str | None) -> dict[str, Any]:
    """Where a call without a base goes; ``appended`` is None where no base is taken."""
    url = plain.url.partition("?")[0]
    host = urlsplit(url).hostname or ""
    if host == OPENAI_HOST and not found.openai:
        return {"sent_to": host, "required": True}
    if "." not in host and not is_local(url):
        # One that asks its own host for a file of the model's has an address after all.
        own = any("/raw/" in request.url for request in plain.requests)
        return {} if own else {"required": True}
    if appended is not None and url.endswith(appended):
        default = general(found, url.removesuffix(appended) if appended else url)
        return {"default": default, "path": urlsplit(default).path.rstrip("/")}
    return {"default": general(found, f"{urlsplit(url).scheme}://{urlsplit(url).netloc}")}


def general(found: "Findings", address: str) -> str:
    """With ``{model}`` and ``{VARIABLE}`` in place of what this bench gave for them."""
    for name in sorted({found.bench.model, quote(found.bench.model, safe="")}, key=len):
        address = address.replace(name, "{model}")
    # Of a name with several parts some address holds a part: `chat/ID/model` of ragflow.
    address = re.sub(r"(?<=/)nixcfg(?=/|$)", "{id}", address)
    for name in sorted(found.names):
        address = address.replace(tag(name), f"{{{name}}}")
    return address


def _variable(found: "Findings") -> str | None:
    """The variable that holds a base, the provider's own one where there are several."""
    if found.wanted & found.addresses:
        return min(found.wanted & found.addresses)
    # All variables at once may be too many: some clients refuse two keys.
    for others in (found.names, found.wanted):
        rest = others - found.addresses
        seen = found.bench.run(rest | found.addresses).shows(found.addresses)
        own = found.prefix + "API_BASE"
        if seen and own in found.names:
            first = others - seen
            if found.bench.run(first | {own}).shows({own}):
                return own
        if seen:
            return min(seen)
    return None


def is_local(url: str | None) -> bool:
    host = urlsplit(url or "").hostname or ""
    return host in ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - a name to recognise
