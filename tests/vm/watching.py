"""What a changed key does to the container, and how long it takes."""

from guest import Gateway

Figures = dict[str, float]


def rotated(gateway: Gateway, since: float, name: str, figures: Figures) -> None:
    """The container runs again within 10 s of an unhindered processor; the time is recorded."""
    seconds = gateway.until_restarted(since, limit=180)
    slowness = gateway.vm.slowness()
    figures[f"{name}: in the container (processor {slowness:.0f} times slower)"] = seconds
    assert seconds <= 10 * slowness, (
        f"{seconds:.1f} s, on a processor {slowness:.1f} times slower than this machine's\n"
        + gateway.journal("litellm-proxy-rotate.service", since)
    )


def rotation_ended(gateway: Gateway, since: float) -> str:
    """Wait for the watcher's service to run and end after `since`; what it said."""
    rotate = "litellm-proxy-rotate.service"
    gateway.vm.wait(
        f"test $(systemctl show --value -p InactiveEnterTimestampMonotonic {rotate})"
        f" -gt {int(since * 1e6)} && ! systemctl -q is-active {rotate}"
        f" && test $(systemctl show --value -p ActiveState {rotate}) != activating",
        limit=120,
    )
    return gateway.journal(rotate, since)
