"""Builds the disk of the system test: Debian with systemd, podman, docker and the real LiteLLM.

Everything comes from the package sources that this machine uses anyway: Debian packages through
its apt sources, LiteLLM through its pip. The finished disk is kept in a cache folder under the
hash of this recipe, so only the first run pays for it.

    python tests/vm/image.py            build if needed, print the folder
"""

import ast
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from debian import apt_sources, debian_release

ROOT = Path(__file__).parents[2]

#: What `virtualisation.oci-containers` needs from the system, as Debian names it.
VM_PACKAGES = [
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "linux-image-cloud-amd64"),
    *("podman", "catatonit", "crun", "netavark", "aardvark-dns", "docker.io"),
    *("nftables", "iptables", "iproute2", "procps"),
    *("python3", "curl", "ca-certificates", "qemu-guest-agent"),
]

#: The container: what LiteLLM needs beside its own wheels. No curl, like the upstream image.
CONTAINER_PACKAGES = ["python3", "ca-certificates", "libstdc++6"]

#: In the upstream image too; without it a request without a key ends in status 500.
EXTRA_WHEELS = ["prisma"]

#: Name of the container image inside the VM; the tests tag it with the name that the units use.
IMAGE_NAME = "localhost/litellm:test"

#: Units of the Debian packages that only cost boot time here. docker starts on demand, because
#: a test of the podman backend should not wait for it.
MASKED = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
    "podman-auto-update.timer",
    "podman-restart.service",
    "podman-auto-update.service",
]
DISABLED = [
    "docker.service",
    "docker.socket",
    "containerd.service",
    "podman.service",
    "podman.socket",
]

#: The upstream image's entrypoint in its simplest generation (`docker/prod_entrypoint.sh`).
ENTRYPOINT = '#!/bin/sh\nexec litellm "$@"\n'
CONSOLE_SCRIPT = (
    "#!/usr/bin/python3\nimport sys\nfrom litellm import run_server\nsys.exit(run_server())\n"
)

#: Runs in the VM's own root, in mount and pid namespaces of its own: the VM's podman and docker
#: import the container, so that no test has to wait for a load of 900 MB under emulation.
IMPORT = r"""
set -eu
root=$1 container=$2 name=$3
mount --make-rprivate /
mount --bind "$root" "$root"
for folder in proc sys dev; do mount --rbind "/$folder" "$root/$folder"; done
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$container" "$root/mnt"
exec chroot "$root" sh -euc '
set -- --change "ENTRYPOINT [\"/usr/local/bin/entrypoint.sh\"]" \
       --change "CMD [\"--port\",\"4000\"]" --change "WORKDIR /app" - "$1"
tar -C /mnt -c . | podman --cgroup-manager=cgroupfs import "$@"
dockerd --iptables=false --ip6tables=false --bridge=none \
    --exec-opt native.cgroupdriver=cgroupfs >/tmp/dockerd.log 2>&1 &
daemon=$!
tries=0
until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat /tmp/dockerd.log >&2; exit 1; }
    sleep 0.1
done
tar -C /mnt -c . | docker import "$@"
kill "$daemon"
wait "$daemon" || true
' sh "$name"
"""


class CannotBuildError(Exception):
    """This machine cannot build the disk; the text says what is missing or what failed."""


@dataclass(frozen=True)
class Image:
    """A bootable disk. `disk` is a raw ext4 file system without partitions, root is /dev/vda."""

    folder: Path
    build_seconds: float

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def disk(self) -> Path:
        return self.folder / "disk.img"


def litellm() -> list[str]:
    """What the project's `proxy` extra asks for: one place for this fact."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements: list[str] = project["optional-dependencies"]["proxy"]
    return requirements


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "nixcfg-tests"


def missing() -> str | None:
    """Why this machine cannot build the disk, or None."""
    if platform.machine() != "x86_64":
        return f"the disk is built for x86_64, this machine is {platform.machine()}"
    if os.geteuid() != 0:
        return "building a root file system needs root"
    programs = ["mmdebstrap", "mkfs.ext4", "unshare", "chroot", "apt-get"]
    absent = [name for name in programs if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if not debian_release():
        return "the disk is made from this machine's Debian packages, and it is no Debian"
    return None


def build(cache: Path | None = None) -> Image:
    """Return the disk for the recipe of today, from the cache when it is there.

    Raises CannotBuildError with the end of the log when a step fails.
    """
    cache = cache or cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    # The syntax tree and not the text: a comment is no reason to build for three minutes.
    code = ast.dump(ast.parse(Path(__file__).read_text()))
    recipe = f"{code}\0{litellm()}\0{debian_release()}"
    folder = cache / f"vm-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    with _locked(cache / "lock"):
        if not (folder / "built.json").exists():
            if reason := missing():
                raise CannotBuildError(reason)
            # Disks of older recipes: each takes gigabytes, and none is used again.
            for old in cache.glob("vm-*"):
                shutil.rmtree(old)
            _build(folder)
    seconds = json.loads((folder / "built.json").read_text())["seconds"]
    return Image(folder, sum(seconds.values()))


def _build(folder: Path) -> None:
    work = folder / "work"
    work.mkdir(parents=True)
    log = folder / "build.log"
    seconds: dict[str, float] = {}

    def run(step: str, *command: str | Path, limit: float = 900) -> None:
        began = time.monotonic()
        try:
            with log.open("ab") as output:
                subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    timeout=limit,
                    check=True,
                )
        except (OSError, subprocess.SubprocessError) as error:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise CannotBuildError(f"{step}: {error}\n{log} ends:\n{tail}") from None
        seconds[step] = round(time.monotonic() - began, 1)

    try:
        sources = work / "debian.list"
        sources.write_text("".join(f"{line}\n" for line in apt_sources()))
        release = debian_release()

        container = work / "container"
        run(
            "container packages",
            "mmdebstrap",
            "--variant=essential",
            f"--include={','.join(CONTAINER_PACKAGES)}",
            release,
            container,
            sources,
        )
        # Wheels are chosen by the container's own Python: a dependency can hang on its very
        # patch level. It finds its libraries where they are, whatever this machine has.
        python = container / "usr/bin/python3"
        version = python.resolve().name
        modules = container / "usr/local/lib" / version / "dist-packages"
        libraries = [container / place / "x86_64-linux-gnu" for place in ("lib", "usr/lib")]
        run(
            "LiteLLM",
            *("env", f"LD_LIBRARY_PATH={':'.join(map(str, libraries))}"),
            *(sys.executable, "-m", "pip", "--python", python, "install", "--no-compile"),
            *("--only-binary=:all:", "--target", modules),
            *(*litellm(), *EXTRA_WHEELS),
        )
        shutil.rmtree(modules / "bin")
        for path in ("var/cache/apt", "var/lib/apt", "usr/share/doc", "usr/share/man"):
            shutil.rmtree(container / path, ignore_errors=True)
        # The container's root is read-only, and under emulation compiling 4,000 files at each
        # start would take minutes; unchecked, because an import may change the time stamps.
        run(
            "compile",
            "chroot",
            container,
            "python3",
            "-m",
            "compileall",
            "-q",
            "-j0",
            "--invalidation-mode",
            "unchecked-hash",
            f"/usr/lib/{version}",
            f"/usr/local/lib/{version}/dist-packages",
        )
        for name, text in (("entrypoint.sh", ENTRYPOINT), ("litellm", CONSOLE_SCRIPT)):
            script = container / "usr/local/bin" / name
            script.write_text(text)
            script.chmod(0o755)
        (container / "app").mkdir()
        # A library that is missing should be found here, and not in the VM after minutes.
        run(
            "check",
            *("env", "-i", "PATH=/usr/sbin:/usr/bin", "LITELLM_LOCAL_MODEL_COST_MAP=True"),
            *("chroot", container, "python3", "-B", "-c", "import litellm.proxy.proxy_server"),
        )

        system = work / "system"
        initramfs = work / "initramfs"
        initramfs.mkdir()
        # Only what the VM's devices need: unpacking is slow under emulation.
        (initramfs / "conf").write_text("MODULES=list\n")
        (initramfs / "modules").write_text("virtio_pci\nvirtio_blk\n")
        run(
            "system packages",
            "mmdebstrap",
            "--variant=minbase",
            f"--include={','.join(VM_PACKAGES)}",
            '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"'
            ' "$1/usr/share/initramfs-tools/modules.d"',
            f"--essential-hook=copy-in {initramfs}/conf /etc/initramfs-tools/conf.d",
            f"--essential-hook=copy-in {initramfs}/modules /usr/share/initramfs-tools/modules.d",
            release,
            system,
            sources,
        )
        _configure(system)
        run(
            "import",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            IMPORT,
            "sh",
            system,
            container,
            IMAGE_NAME,
        )
        # The database names this build's paths; podman makes a new one.
        shutil.rmtree(system / "var/lib/containers/storage/libpod")
        shutil.rmtree(system / "var/cache/apt", ignore_errors=True)
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(next((system / "boot").glob(f"{name}-*")), folder / name)
        run(
            "disk", "mkfs.ext4", "-q", "-O", "^has_journal", "-d", system, folder / "disk.img", "8G"
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    (folder / "built.json").write_text(json.dumps({"seconds": seconds}, indent=1))


def _configure(system: Path) -> None:
    etc = system / "etc"
    (etc / "hostname").write_text("nixcfg-vm\n")
    # A fixed id: no first-boot presets, and one journal folder across reboots.
    (etc / "machine-id").write_text(hashlib.sha256(b"nixcfg-vm").hexdigest()[:32] + "\n")
    (etc / "fstab").write_text("")
    (etc / "containers/containers.conf").write_text('[network]\nnetwork_backend = "netavark"\n')
    (system / "var/log/journal").mkdir(exist_ok=True)  # keep the journal of the boot before
    for unit in MASKED:
        (etc / "systemd/system" / unit).unlink(missing_ok=True)
        (etc / "systemd/system" / unit).symlink_to("/dev/null")
    for link in (etc / "systemd/system").glob("*/*"):  # a name in the pattern would skip
        if link.name in DISABLED:  # links whose target is absent on this machine
            link.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two runs at once must not build the same disk; the second waits for the first."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        print(build().folder)  # noqa: T201
    except CannotBuildError as error:
        sys.exit(f"image.py: {error}")
