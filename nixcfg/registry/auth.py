"""How a registry is given a login: Basic, or a token from the service that it names.

A registry names its token service in the answer to a request without a login. What it names is
believed for this much: the service gets the login of that registry and no other, over TLS, and only
if it belongs to the registry (`may_receive`).
"""

import json
import re
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from nixcfg.keys.registry import Login
from nixcfg.registry.http import Answer, RegistryError, fetch, shown
from nixcfg.registry.reference import DOCKER_HUB, hostname, is_loopback

_CHALLENGE = re.compile(r'(?:^|,\s*)(Bearer|Basic)\s+((?:\s*,?\s*\w+="[^"]*")*)', re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_SCOPE = re.compile(r"repository:[^\s,:]+(?::[0-9]+/[^\s,:]+)?:pull")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_LIMIT = 200_000


def authorization(
    challenge: str,
    registry: str,
    repository: str,
    login: Login,
    plain: Callable[[str], bool],
) -> str:
    """The value of an Authorization header that answers a WWW-Authenticate one.

    "" where the registry wants a password and there is none. Raises RegistryError.
    """
    challenges = {
        kind.lower(): dict(_PARAMETER.findall(rest)) for kind, rest in _CHALLENGE.findall(challenge)
    }
    if "bearer" not in challenges:
        return login.basic if "basic" in challenges else ""
    said = challenges["bearer"]
    realm = said.get("realm", "")
    service = _service(registry, realm)
    known = login if may_receive(registry, realm) else Login()
    own = f"repository:{repository}:pull"
    asked = said.get("scope", "")
    query = {"service": said["service"]} if said.get("service") else {}
    query["scope"] = asked if _SCOPE.fullmatch(asked) else own
    if known.token:
        form = {"grant_type": "refresh_token", "refresh_token": known.token, "client_id": "nixcfg"}
        body = urlencode({**query, **form}).encode()
        answer = fetch(realm, {}, _LIMIT, method="POST", form=body, plain=plain)
    else:
        headers = {"Authorization": known.basic} if known.basic else {}
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        answer = fetch(url, headers, _LIMIT, plain=plain)
    if answer.status in (400, 401, 403):
        if login.file and known is not login and not login.helper:
            raise RegistryError(
                f"{registry} leaves its logins to {service}, another host, which gets none from us"
            )
        return ""
    return f"Bearer {_token(answer, service)}"


def may_receive(registry: str, realm: str) -> bool:
    """Whether a token service gets the login of a registry: on its own host, or in its own domain.

    `registry.gitlab.com` names `gitlab.com`, and a company's `registry.x.org` names `git.x.org`.
    Only docker.io names a host that the rule does not cover, which is known.
    """
    own, other = hostname(registry), hostname(urlsplit(realm).netloc)
    if own == DOCKER_HUB:
        return other in ("auth.docker.io", DOCKER_HUB)
    if own == other:
        return True
    parent = own.partition(".")[2]
    if not re.search(r"[a-z]", parent.rpartition(".")[2]) or "." not in parent:
        return False  # an address, or a name directly below a top-level domain
    return other == parent or other.endswith(f".{parent}")


def _service(registry: str, realm: str) -> str:
    parts = urlsplit(realm) if realm.isprintable() else urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RegistryError(f"{registry} names no token service that can be asked")
    if parts.scheme == "http" and is_loopback(parts.netloc) and not is_loopback(registry):
        # It would have this machine ask itself, which the registry may not decide.
        raise RegistryError(f"{registry} names {shown(parts.netloc)} as its token service")
    return shown(parts.netloc)


def _token(answer: Answer, service: str) -> str:
    if answer.status == 429:
        raise RegistryError(f"{service} gives no more tokens for now (429)")
    try:
        data = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        data = None
    token = (data.get("token") or data.get("access_token")) if isinstance(data, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise RegistryError(f"{service} gives no token (HTTP {answer.status})")
    return token
