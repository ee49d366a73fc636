"""What a switch makes of the database's tables, and what older instances answer meanwhile. Pure.

LiteLLM migrates its database when it starts; of several instances the first one does
(modules/litellm-proxy/instances.nix), while the others still run the release before.
"""

from dataclasses import dataclass

from nixcfg import knowledge
from nixcfg.knowledge import lines
from nixcfg.plan.effects import is_rolling
from nixcfg.plan.facts import Facts
from nixcfg.project import wiring
from nixcfg.upgrade.compare import DUMP, migrating

RECOVERS = "1.98.0"
"""The first release whose running instances get over a column that another one adds. Those before
it refuse virtual keys with 500 `cached plan must not change result type` until they are restarted
(BerriAI/litellm#36418, and #41743 for the release)."""


@dataclass(frozen=True, slots=True)
class Migrations:
    """Which `unit` changes the tables when it starts, and how many `count` changes that are, None
    where it is not known. `meanwhile` is what instances of the old release do until they restart,
    "" where there is none, and `loses` whether requests are lost by that."""

    unit: str
    count: int | None
    said: str
    meanwhile: str = ""
    loses: bool = False


def migrations(old: Facts, new: Facts) -> Migrations | None:
    """What becomes of the tables; None where nothing does."""
    if not new.has_database or (old.database, old.image) == (new.database, new.image):
        return None
    backend = new.backend or old.backend
    unit = wiring.container_unit(backend, wiring.containers(new.instances)[0])
    if not old.has_database or old.database != new.database:
        said = "makes its tables in the database, or brings those that are there up to date"
        return Migrations(unit, None, said)
    count = knowledge.migrations(old.release, new.release)
    if _is_older(new.release, old.release):
        said = (
            f"finds tables of LiteLLM {old.release}, and takes nothing back: what {new.release} "
            "makes of them is not known. A dump from before is the way back"
        )
        return Migrations(unit, 0, said)
    if count == 0:
        return None
    return Migrations(unit, count, f"{migrating(count)}: {DUMP}", *_meanwhile(old, new))


def _meanwhile(old: Facts, new: Facts) -> tuple[str, bool]:
    """What those do that run the old release on the new tables, and whether requests are lost."""
    others = ["the other instances"] if is_rolling(old, new) else []
    if new.sharing:
        others.append(f"{' and '.join(new.sharing)}, which share the database,")
    if not others:
        return "", False
    begin = f"Until they restart, {' and '.join(others)}"
    if old.release and not _is_older(old.release, RECOVERS):
        return f"{begin} go on answering with {old.release}, on the tables of the new one.", False
    name = f"LiteLLM {old.release}" if old.release else "a LiteLLM whose release is not known"
    said = (
        f"{begin.removesuffix(',')}, {name}, may refuse virtual keys: 500 `cached plan must not "
        f"change result type` (BerriAI/litellm#36418, fixed in {RECOVERS})."
    )
    return said, True


def _is_older(release: str, than: str) -> bool:
    one, other = lines.order(release), lines.order(than)
    return one is not None and other is not None and one < other
