"""What a changed key does to the container."""

from guest import Gateway

Figures = dict[str, float]
#: Not what is asked of it, but when to give up: on an emulated processor LiteLLM, which the new
#: keys are tried with first, takes minutes to start.
PATIENCE = 600.0


def rotated(gateway: Gateway, since: float, name: str, figures: Figures) -> None:
    """The container is started once, at the first try, and after no pause of systemd's or of
    rotate.sh; the time until then is recorded."""
    figures[f"{name}: in the container"] = gateway.until_restarted(since, limit=PATIENCE)
    said = rotation_ended(gateway, since)
    assert "tried again" not in said, said
    unit = gateway.journal(gateway.unit, since)
    assert unit.count("systemd[1]: Started ") == 1, unit
    assert "Scheduled restart job" not in unit, unit


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
