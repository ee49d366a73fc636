"""The command line: finds the command, and turns every way it can end into an exit code.

Exit codes: 0 fine, 1 problems or drift, 2 wrong usage, 3 a bug in nixcfg.
"""

import importlib
import keyword
import os
import sys
from pathlib import Path

import click

from nixcfg import __version__
from nixcfg.commands import BUG, OK, PROBLEMS, say
from nixcfg.problem import WriteError

COMMANDS = (
    "init",
    "import",
    "add-provider",
    "remove-provider",
    "providers",
    "models",
    "use",
    "set-key",
    "validate",
    "fix",
    "render",
    "try",
    "rehearse",
    "probe",
    "doctor",
    "explain",
    "schema",
    "completion",
)
"""In the order in which --help shows them; `add-provider` is nixcfg/commands/add_provider.py, and
`import`, which Python keeps for itself, is import_.py."""


class _Commands(click.Group):
    """A group that imports a command's module when the command is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_") + "_" * keyword.iskeyword(cmd_name)
        module = importlib.import_module(f"nixcfg.commands.{name}")
        command: click.Command = module.command
        command.name = cmd_name
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="nixcfg")
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Work on the project in DIR instead of the current folder.",
)
@click.pass_context
def nixcfg(context: click.Context, directory: Path) -> None:
    """A private LLM gateway for NixOS, from a few provider YAML files."""
    context.obj = directory


def main() -> None:
    """Run the command line; never returns."""
    try:
        sys.exit(nixcfg.main(prog_name="nixcfg", standalone_mode=False) or OK)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except WriteError as error:
        say(f"nixcfg: {error}")
        sys.exit(PROBLEMS)
    except click.Abort:
        say("Aborted.")
        sys.exit(PROBLEMS)
    except BrokenPipeError:
        # `nixcfg schema | head`: the reader has what it wanted. Without this, Python would
        # complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PROBLEMS)
    except OSError as error:
        # What the commands do with files they report themselves; this is the output (a full disk
        # behind stdout), or the machine (no more file handles).
        say(f"nixcfg: {': '.join(filter(None, (error.filename, error.strerror))) or error}")
        sys.exit(PROBLEMS)
    except Exception as error:  # noqa: BLE001 (the one place that turns a bug into exit code 3)
        _tell_bug(error)
        sys.exit(BUG)


def _tell_bug(error: Exception) -> None:
    if os.environ.get("NIXCFG_DEBUG"):
        raise error
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    place = f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "nowhere"
    say(
        f"nixcfg {__version__} has a bug: {type(error).__name__} at {place}. "
        "Please report it with what the same command says under NIXCFG_DEBUG=1."
    )
