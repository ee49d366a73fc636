"""This machine's Debian: its release, and where its packages come from."""

import platform
import subprocess
from collections.abc import Iterator


def apt_sources() -> Iterator[str]:
    """The lines of this machine's apt configuration that name its Debian release."""
    listing = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)",
            "Created-By: Packages",
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    release = debian_release()
    wanted = {release, f"{release}-updates", f"{release}-security"}
    for line in sorted(set(listing.splitlines())):
        uri, suite, component, origin = line.split("|")
        # Without downloaded lists apt knows no origin and repeats the variable's name.
        if suite in wanted and (origin == "Debian" or origin.startswith("$")):
            yield f"deb {uri} {suite} {component}"


def debian_release() -> str:
    """Code name of this machine's Debian release; empty on another system."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return release.get("VERSION_CODENAME", "") if release["ID"] == "debian" else ""
