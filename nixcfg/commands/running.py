"""LiteLLM while `try` or `rehearse` runs it, with its start reported."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from nixcfg.commands import PROBLEMS
from nixcfg.commands.output import report

if TYPE_CHECKING:
    from nixcfg.gateway.launch import Launch
    from nixcfg.gateway.pinned import Container
    from nixcfg.gateway.process import Proxy
    from nixcfg.project.model import Config, Machine, Project


ANSWER = (
    "This is a canned answer: `nixcfg try --mock` asks no vendor. The gateway works, so put your "
    "keys into their files and leave --mock out."
)


def shortened(text: str) -> str:
    """A message of LiteLLM, at most 400 characters of it."""
    return text if len(text) <= 400 else f"{text[:397]}..."


def container_for(here: "Machine") -> "Container | None":
    """What runs the machine's image where LiteLLM is not installed; None where it is.

    Fetches an image that is not there. Ends the command where nothing can run LiteLLM.
    """
    from nixcfg.gateway import pinned, process

    lacking = process.absent()
    if not lacking:
        return None
    found = pinned.found(here)
    if found is None:
        raise click.ClickException(
            f"{process.not_installed(lacking)}\n"
            f"or install podman or docker, which then runs {here.image}"
        )
    report(f"LiteLLM is not installed beside nixcfg, so {found.engine} runs {found.image}.")
    if not found.is_fetched():
        report(f"{found.engine} fetches it first, which is done once.")
        if not found.fetch():
            raise click.ClickException(f"{found.engine} could not fetch {found.image}")
    return found


@contextlib.contextmanager
def starting(
    launch: "Launch", container: "Container | None" = None, *, verbose: bool = False
) -> "Iterator[Proxy]":
    """LiteLLM while it runs; its start is reported on stderr, and so is one that fails."""
    from nixcfg.gateway import log, process

    is_terminal = sys.stderr.isatty()
    began = time.monotonic()

    def tick(seconds: float, lines: Sequence[str]) -> None:
        if verbose:
            for line in lines:
                report(line)
        elif is_terminal:
            click.echo(f"\rStarting {title}: {seconds:.0f} s ", nl=False, err=True)

    title = f"LiteLLM {container.release if container else process.version()}"
    try:
        if not container and (holes := process.holes()):
            report(f"warning: {holes}")
        if not is_terminal:
            report(f"Starting {title} ...")
        with process.running(launch, tick, container) as running:
            end = "\r" if is_terminal and not verbose else ""
            report(f"{end}{title} is up after {time.monotonic() - began:.1f} s.  ")
            yield running
    except process.StartError as error:
        errors = [event.text for event in log.events(error.log) if event.level == "error"]
        for line in errors or log.last_words(error.log):
            report(f"  {line}")
        raise click.ClickException(f"{error}") from None


@contextlib.contextmanager
def launched(
    project: "Project", config: "Config", *, mock: bool, port: int, verbose: bool = False
) -> "Iterator[tuple[Proxy, Launch]]":
    """LiteLLM on a configuration, with its real keys, or a vendor of our own behind it (`mock`).

    Ends the command with exit code 1 where keys are missing, after reporting which.
    """
    from nixcfg.gateway import vendor

    container = container_for(project.machine)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(vendor.serving(ANSWER)) if mock else ""
        launch = _launch(project, config, url, port)
        if launch is None:
            raise click.exceptions.Exit(PROBLEMS)
        yield stack.enter_context(starting(launch, container, verbose=verbose)), launch


def _launch(project: "Project", config: "Config", vendor: str, port: int) -> "Launch | None":
    """What to start, or None after reporting what is wrong with the keys."""
    from nixcfg.gateway import launch
    from nixcfg.project import wiring

    text = launch.configuration(project.machine, config, vendor)
    if vendor:
        report("--mock: nixcfg answers for every model: no key is read, no vendor is asked.")
        return launch.rehearsed(project.machine, config, text, port)
    if launch.names_host(project.machine, text):
        report(f"{wiring.HOST} is this machine: 127.0.0.1 takes its place here.")
    found = launch.read_keys(project.machine, config)
    for variable in found.borrowed:
        report(f"{variable} is taken from the environment: its key file is not there for you.")
    for line in found.missing:
        report(f"Warning: {line}. Requests that need this key will fail.")
    for line in found.errors:
        report(f"Error: {line}")
    if found.errors:
        report(
            "Store a key with `nixcfg set-key VARIABLE`, give it in the environment "
            "(VARIABLE=... nixcfg try), or try it without keys: nixcfg try --mock"
        )
        return None
    return launch.real(project.machine, config, text, found, port)
