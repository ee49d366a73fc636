"""The distribution API of OCI: a manifest by tag or digest, and a blob.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass

from nixcfg.keys import registry as logins
from nixcfg.keys.registry import Login, LoginUnusableError
from nixcfg.registry import auth
from nixcfg.registry.http import Answer, NoAnswerError, RegistryError, fetch, shown
from nixcfg.registry.reference import DOCKER_HUB, Reference, is_loopback

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_HUB_HOST = "registry-1.docker.io"
_LIMIT = 4 * 1024 * 1024
"""Bytes; what the specification has registries accept at least for a manifest."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index as it came, its digest worked out from its bytes."""

    digest: str
    body: bytes


class Client:
    """One repository of a registry. The methods raise RegistryError.

    `insecure` are the registries that may be asked without TLS, besides this machine's.
    """

    def __init__(self, image: Reference, insecure: Collection[str] = ()) -> None:
        self._registry = image.registry
        self._repository = image.repository
        self._insecure = frozenset(name.lower() for name in insecure)
        self._host = _HUB_HOST if image.registry == DOCKER_HUB else image.registry
        self._base = ""
        self._authorization = ""

    def digest(self, wanted: str) -> str:
        """The digest that the registry says a tag has, "" if it says none.

        Docker Hub counts no HEAD as a pull, so asking every hour costs nothing.
        """
        answer = self._asked("HEAD", f"manifests/{wanted}", wanted)
        digest = answer.headers.get("docker-content-digest", "")
        return digest if re.fullmatch(r"sha256:[0-9a-f]{64}", digest) else ""

    def manifest(self, wanted: str) -> Manifest:
        """What a tag or a digest names. Its bytes have the digest, or it is refused."""
        answer = self._asked("GET", f"manifests/{wanted}", wanted)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        said = answer.headers.get("docker-content-digest", digest)
        for expected in (said, wanted if ":" in wanted else digest):
            if expected.startswith("sha256:") and expected != digest:
                raise RegistryError(
                    f"{self._registry} says {shown(expected, 80)}, and sends {digest}: "
                    "do not use this image"
                )
        return Manifest(digest, answer.body)

    def blob(self, digest: str) -> bytes:
        """A small blob, such as the configuration of an image. Its bytes have the digest."""
        answer = self._asked("GET", f"blobs/{digest}", digest)
        if f"sha256:{hashlib.sha256(answer.body).hexdigest()}" != digest:
            raise RegistryError(f"{self._registry} sends something else for {digest}")
        return answer.body

    def _asked(self, method: str, route: str, wanted: str) -> Answer:
        base = self._found()
        url = f"{base}/v2/{self._repository}/{route}"
        answer = self._sent(method, url)
        if answer.status == 401:
            challenge = answer.headers.get("www-authenticate", "")
            login = self._login()
            self._authorization = auth.authorization(
                challenge, self._registry, self._repository, login, self._may_be_plain
            )
            if self._authorization:
                answer = self._sent(method, url)
            if answer.status in (401, 403):
                raise self._denied(login)
        if answer.status != 200:
            raise self._failed(answer, wanted)
        return answer

    def _sent(self, method: str, url: str) -> Answer:
        headers = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        if self._authorization:
            headers["Authorization"] = self._authorization
        return fetch(url, headers, _LIMIT, method=method, plain=self._may_be_plain)

    def _may_be_plain(self, host: str) -> bool:
        return is_loopback(host) or host.lower() in self._insecure

    def _found(self) -> str:
        """Where the registry is: behind TLS, unless it may do without and does."""
        if self._base:
            return self._base
        self._base = f"https://{self._host}"
        if self._may_be_plain(self._host):
            plain = f"http://{self._host}"
            try:
                # A server that waits for TLS answers 400, or nothing.
                status = fetch(f"{plain}/v2/", {}, _LIMIT, plain=self._may_be_plain).status
            except NoAnswerError:
                status = 400
            self._base = self._base if status == 400 else plain
        return self._base

    def _login(self) -> Login:
        try:
            return logins.login(self._registry, self._repository)
        except LoginUnusableError as error:
            raise RegistryError(f"{self._registry} wants a login, and {error}") from None

    def _denied(self, login: Login) -> RegistryError:
        where = f"{self._registry}/{self._repository}"
        if login.helper:
            return RegistryError(
                f"{where} needs a login, which {login.file} leaves to {shown(login.helper)}; "
                "nixcfg runs no helper: `podman login --authfile FILE` writes a file, and "
                "REGISTRY_AUTH_FILE names it"
            )
        if login.file:
            return RegistryError(f"{where} refuses the login that {login.file} has for it")
        return RegistryError(
            f"{where} needs a login, or is not there; `podman login {self._registry}` "
            "or `docker login` stores one"
        )

    def _failed(self, answer: Answer, wanted: str) -> RegistryError:
        where = f"{self._registry}/{self._repository}"
        if answer.status == 404:
            return RegistryError(f"{where} has no {wanted}")
        if answer.status == 403:
            return RegistryError(f"{where} is not open to us (403)")
        if answer.status == 429:
            seconds = answer.headers.get("retry-after", "")
            when = f"in {seconds} s" if seconds.isdecimal() else shown(seconds, 40) and "later"
            return RegistryError(
                f"{self._registry} allows no more requests for now (429): try again "
                f"{when or 'later'}, or log in"
            )
        if answer.status >= 500:
            return RegistryError(f"{self._registry} is in trouble ({answer.status}): try later")
        return RegistryError(f"{where}: unexpected answer {answer.status} for {wanted}")
