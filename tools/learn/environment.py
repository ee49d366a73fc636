"""An environment with one release of LiteLLM's proxy in it: `environment.py X.Y.Z FOLDER`.

The extra `proxy` pins LiteLLM's own helper packages to single builds (0.4.110.post1). A registry
may lack that very build, or from 1.110 on the package that the proxy is split into, whose code the
wheel of litellm still holds. Any build of the same version serves as well, and where there is
none, any version.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

# pip install uv: environments in seconds, overrides of requirements, and the lock.
UV = Path(sys.executable).with_name("uv")

_OWN = re.compile(r"(litellm-[a-z-]+)==([0-9]+(?:\.[0-9]+)*)(?:\.post[0-9]+)?(?=;|$)")
_SPLIT_OFF = "litellm-proxy"
_NOT_WANTED = f'{_SPLIT_OFF} ; python_version < "3"'
_PROGRAM = "from importlib.metadata import requires as r; print(*r('litellm'), sep='\\n')"


def install(release: str, folder: Path) -> Path:
    """The Python of an environment in `folder` that has this release; makes it where it is not.

    Raises SystemExit where the registry does not have what is needed.
    """
    python = folder / release / "bin" / "python"
    if not python.exists():
        _run(UV, "venv", "--quiet", folder / release)
    pip = (UV, "pip", "install", "--quiet", "--python", python)
    wanted = f"litellm[proxy]=={release}"
    if _succeeds(*pip, wanted):
        return python
    _run(*pip, "--no-deps", f"litellm=={release}")
    for overrides in ways_around(needed(python)):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(overrides))
            file.flush()
            if _succeeds(*pip, "--override", file.name, wanted):
                print(f"note: the registry lacks what {wanted} pins; taken instead: {overrides}")
                return python
    raise SystemExit(f"{wanted} cannot be installed from this registry")


def needed(python: Path) -> list[str]:
    """What the extra `proxy` of the litellm in an environment asks for, markers kept."""
    command = [python, "-c", _PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    return list(of_extra(done.stdout.splitlines()))


def of_extra(requirements: Iterable[str]) -> Iterator[str]:
    """The requirements of the extra `proxy`, out of those of a package's metadata."""
    for each in requirements:
        what, _, marker = each.partition(";")
        conditions = [part.strip() for part in marker.split(" and ")]
        if "extra == 'proxy'" in marker.replace('"', "'"):
            rest = " and ".join(part for part in conditions if not part.startswith("extra =="))
            yield f"{what.strip()}; {rest}" if rest else what.strip()


def own(requirements: Iterable[str]) -> list[str]:
    """Those that pin a package of LiteLLM's own to one build."""
    return [each for each in requirements if _OWN.match(each)]


def ways_around(requirements: Sequence[str]) -> Iterator[list[str]]:
    """uv's overrides for what a registry may lack, the ones nearest to what is pinned first."""
    with_proxy = relaxed(requirements)
    yield with_proxy
    without = [each for each in with_proxy if _name(each) != _SPLIT_OFF]
    yield [*without, _NOT_WANTED]
    yield [*map(_name, without), _NOT_WANTED]


def relaxed(requirements: Iterable[str]) -> list[str]:
    """Any build of the same version, for LiteLLM's own packages: `==0.4.110.*`."""
    return [_OWN.sub(r"\1==\2.*", each) for each in own(requirements)]


def extra(release: str, requirements: Iterable[str]) -> list[str]:
    """What pyproject.toml asks for to have this release's proxy: `litellm[proxy]`, spelled out so
    that LiteLLM's own packages may be any build of their version."""
    return [f"litellm=={release}", *(_OWN.sub(r"\1==\2.*", each) for each in requirements)]


def _name(requirement: str) -> str:
    return requirement.partition("==")[0]


def _run(*command: str | Path) -> None:
    if not _succeeds(*command):
        raise SystemExit(f"failed: {' '.join(map(str, command))}")


def _succeeds(*command: str | Path) -> bool:
    print("$", *command, flush=True)
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 (our own programs)


if __name__ == "__main__":
    print(install(sys.argv[1], Path(sys.argv[2]).absolute()))
