"""The gateway as others reach it: its port, its key, its health, and the models it serves."""

import http.client
from collections.abc import Iterator

from nixcfg.doctor import SWITCH, Check, database, error, hidden, ok, skipped, warning
from nixcfg.gateway import machine
from nixcfg.gateway.client import Gateway, RefusedError, url_of
from nixcfg.gateway.compare import compare
from nixcfg.keys import read
from nixcfg.keys.read import KeyForbiddenError, KeyMissingError, KeyUnusableError
from nixcfg.keys.refusals import weakness
from nixcfg.project import wiring
from nixcfg.project.model import Machine


def checks(here: Machine, *, is_wanted: bool) -> Iterator[Check]:
    """From the port to the models. `is_wanted`: one of its units is active."""
    gateway = Gateway(url_of(here))
    is_alive = gateway.is_alive()
    yield from _port(here, is_wanted=is_wanted, is_alive=is_alive)
    yield _firewall(here)
    yield from _gateway(here, gateway, is_alive=is_alive)


def _port(here: Machine, *, is_wanted: bool, is_alive: bool) -> Iterator[Check]:
    name = f"port {here.port}"
    try:
        found = machine.listeners(here.port)
    except machine.UnknownError as reason:
        yield skipped(name, f"{reason}")
        return
    if not found:
        backend, instances = here.backend, here.instances
        if is_wanted:
            advice = wiring.logs(backend, instances)
            yield error(name, "no one listens, although the unit runs", advice)
        else:
            advice = f"sudo systemctl start {wiring.main_unit(backend, instances)}"
            yield warning(name, "no one listens", advice)
        return
    who = " and ".join(dict.fromkeys(_who(each) for each in found))
    wide = sorted({each.address for each in found} & {"0.0.0.0", "::"})  # noqa: S104 (compared)
    if not is_alive:
        advice = "Stop it, or give nixcfg.yaml another `port`."
        yield error(name, f"{who} listens there, and it is no LiteLLM", advice)
    elif wide and wiring.is_loopback(url_of(here)) and not _is_wide(here):
        advice = f"Is another gateway running? nixcfg render, then {SWITCH}"
        message = f"{who} listens on {' and '.join(wide)}, and nixcfg.yaml says 127.0.0.1"
        yield error(name, message, advice)
    else:
        yield ok(name, f"{who} listens on {found[0].address}")


def _is_wide(here: Machine) -> bool:
    return here.listen_address in ("0.0.0.0", "::")  # noqa: S104 (compared)


def _who(each: machine.Listener) -> str:
    return f"{each.program} ({each.pid})" if each.pid else "a process of another user"


def _firewall(here: Machine) -> Check:
    name = "firewall"
    address = here.listen_address
    if wiring.is_loopback(f"http://{f'[{address}]' if ':' in address else address}"):
        return ok(name, f"{address} cannot be reached from the network, so nothing has to be open")
    if here.instances > 1:
        return ok(name, f"nginx listens on {address}:{here.port}, and the NixOS firewall guards it")
    return warning(
        name,
        f"{here.backend} publishes {address}:{here.port} past the NixOS firewall: the "
        "network reaches it, and only the master key guards it",
        "Is that meant? If not: listen_address: 127.0.0.1",
    )


def _gateway(here: Machine, gateway: Gateway, *, is_alive: bool) -> Iterator[Check]:
    key, unknown = "", ""
    try:
        key, _ = read.master_key(here)
    except KeyForbiddenError as problem:
        unknown = f"{problem}".rstrip(".")
        yield hidden("master key", unknown)
    except KeyMissingError as problem:
        unknown = f"{problem}".rstrip(".")
        yield warning("master key", unknown, "The service makes it at its first start.")
    except KeyUnusableError as problem:
        unknown = f"{problem}".partition(". ")[0].rstrip(".")
        yield error("master key", unknown, "Write sk- and 32 or more random characters.")
    else:
        yield _master_key(here, key)
    if not is_alive:
        yield error(
            "health",
            f"{gateway.url}/health/liveliness does not answer",
            wiring.logs(here.backend, here.instances),
        )
        return
    yield ok("health", f"{gateway.url} answers")
    yield _access(here, gateway)
    if unknown:
        yield hidden("models", "the gateway lists them only with its master key")
    else:
        yield _models(here, Gateway(gateway.url, key))
        if here.database is not None:
            yield from database.checks(here, Gateway(gateway.url, key))


def _master_key(here: Machine, key: str) -> Check:
    if here.auth == "open":
        return warning(
            "master key",
            "auth: open lets every user and web page on this machine spend your money",
            "Use auth: master-key.",
        )
    weak, _, better = weakness(key).partition(". ")
    if weak:
        return error("master key", f"its file {weak}", better)
    return ok("master key", "it is long enough, and none of those that everyone knows")


def _access(here: Machine, gateway: Gateway) -> Check:
    """Whether the gateway asks for its key at all, and does not take the well-known one."""
    name = "access"
    try:
        answers = [gateway.get("/v1/models", key=tried).status for tried in ("", "sk-1234")]
    except (OSError, http.client.HTTPException) as problem:
        return skipped(name, f"the gateway broke off: {type(problem).__name__}")
    if here.auth == "open":
        return ok(name, "open, as nixcfg.yaml says")
    for status, how in zip(answers, ("without a key", "with sk-1234"), strict=True):
        if status == 200:
            return error(name, f"the gateway answers {how}", f"nixcfg render, then {SWITCH}")
    wrong = answers[1]
    how = " (400, No connected db: a client shows a bad request)" if wrong == 400 else ""
    return ok(name, f"no one gets in without the master key; a wrong one gets {wrong}{how}")


def _models(here: Machine, gateway: Gateway) -> Check:
    name = "models"
    config = here.loaded
    unit = wiring.main_unit(here.backend, here.instances)
    try:
        compared = compare(config, gateway.models())
    except RefusedError as problem:
        if problem.answer.status not in (400, 401, 403):
            advice = wiring.logs(here.backend, here.instances)
            return error(name, f"{problem} to /v1/models, and no list of them", advice)
        message = f"{problem}, so this is not its master key"
        return error(name, message, f"sudo systemctl restart {unit}")
    except (OSError, http.client.HTTPException) as problem:
        return skipped(name, f"the gateway broke off: {type(problem).__name__}")
    if compared.missing:
        message = f"the gateway lacks {', '.join(compared.missing)}"
        return error(name, message, "`nixcfg rehearse` says what LiteLLM drops, and why.")
    if compared.unexpected:
        some = ", ".join(compared.unexpected[:5])
        return warning(name, f"the gateway also serves {some}", f"nixcfg render, then {SWITCH}")
    return ok(name, f"the gateway serves every model of {here.model_config}")
