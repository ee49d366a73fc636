"""Questions at a terminal, with Tab completion. Everything is asked before anything is written.

Ctrl-C and Ctrl-D leave by KeyboardInterrupt and EOFError, which the command line turns into
"Aborted" and exit code 1.
"""

import sys
from collections.abc import Callable, Sequence

import click

from nixcfg.commands.output import fitted, width_of

Check = Callable[[str], str]
"""Turns an answer into what it means, or raises ValueError with what is wrong with it."""


def is_terminal() -> bool:
    """Whether somebody is there to answer: both ends of the talk are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(
    question: str, *, default: str = "", choices: Sequence[str] = (), check: Check = str
) -> str:
    """One line. Empty is `default`, Tab completes `choices`; asks until `check` is happy."""
    prompt = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        answer = _line(prompt, choices).strip() or default
        try:
            return check(answer)
        except ValueError as error:
            say(f"  {error}")


def say(text: str) -> None:
    """A line for the person, in as many as the terminal is wide."""
    click.echo(fitted(text, width_of(sys.stderr)), err=True)


def confirm(question: str) -> bool:
    """Yes or no; nothing is no."""
    return _line(f"{question} [y/N]: ", ("yes", "no")).strip().lower() in ("y", "yes")


def _line(prompt: str, choices: Sequence[str]) -> str:
    # Without readline (some builds of Python lack it) the answer has to be typed in full.
    try:
        import readline
    except ImportError:
        click.echo(prompt, nl=False, err=True)
        return input()
    readline.set_completer_delims(" ,\t")
    readline.parse_and_bind("tab: complete")
    readline.set_completer(lambda text, n: _match(text, n, choices))
    readline.set_auto_history(False)
    try:
        if sys.stdout.isatty():
            return input(prompt)
        click.echo(prompt, nl=False, err=True)
        return input()
    finally:
        readline.set_completer(None)


def _match(text: str, number: int, choices: Sequence[str]) -> str | None:
    found = [choice for choice in choices if choice.startswith(text)]
    return found[number] if number < len(found) else None
