"""LiteLLM while `try` or `rehearse` runs it, with its start reported."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from nixcfg.commands.output import report

if TYPE_CHECKING:
    from nixcfg.gateway.launch import Launch
    from nixcfg.gateway.process import Proxy


def shortened(text: str) -> str:
    """A message of LiteLLM, at most 400 characters of it."""
    return text if len(text) <= 400 else f"{text[:397]}..."


@contextlib.contextmanager
def starting(launch: "Launch", *, verbose: bool = False) -> "Iterator[Proxy]":
    """LiteLLM while it runs; its start is reported on stderr, and so is one that fails."""
    from nixcfg.gateway import log, process

    is_terminal = sys.stderr.isatty()
    began = time.monotonic()

    def tick(seconds: float, lines: Sequence[str]) -> None:
        if verbose:
            for line in lines:
                report(line)
        elif is_terminal:
            click.echo(f"\r{title}: {seconds:.0f} s ", nl=False, err=True)

    try:
        title = f"Starting LiteLLM {process.version()}" if not process.absent() else ""
        if title and (holes := process.holes()):
            report(f"warning: {holes}")
        if not is_terminal and title:
            report(f"{title} ...")
        with process.running(launch, tick) as running:
            end = "\r" if is_terminal and not verbose else ""
            report(
                f"{end}LiteLLM {process.version()} is up after {time.monotonic() - began:.1f} s.  "
            )
            yield running
    except process.StartError as error:
        errors = [event.text for event in log.events(error.log) if event.level == "error"]
        for line in errors or log.last_words(error.log):
            report(f"  {line}")
        raise click.ClickException(f"{error}") from None
