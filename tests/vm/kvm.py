"""Whether a VM may have the processor itself, or has to be emulated."""

import fcntl
import os
import subprocess
from pathlib import Path

from image import Image

KVM_CREATE_VM = 0xAE01


def kvm_works(image: Image) -> bool:
    """Whether this kernel runs under KVM here: some hosts open /dev/kvm and then hang.

    Started without a root file system and with panic=-1, the kernel must end within seconds.
    """
    try:
        with Path("/dev/kvm").open("rb") as device:
            os.close(fcntl.ioctl(device, KVM_CREATE_VM, 0))
    except OSError:
        return False
    try:
        return (
            subprocess.run(
                [
                    "qemu-system-x86_64",
                    "-nodefaults",
                    "-display",
                    "none",
                    "-accel",
                    "kvm",
                    "-cpu",
                    "max",
                    "-m",
                    "512",
                    "-no-reboot",
                    "-kernel",
                    image.kernel,
                    "-append",
                    "panic=-1 quiet",
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=6,
                check=False,
            ).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False
