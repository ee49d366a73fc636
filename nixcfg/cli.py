"""The command line: finds the command, and turns every way it can end into an exit code.

Exit codes: 0 fine, 1 problems or drift, 2 wrong usage, 3 a bug in nixcfg.
"""

import gc
import importlib
import keyword
import os
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

import click

from nixcfg import __version__
from nixcfg.commands import BUG, OK, PROBLEMS, QUIET
from nixcfg.keys.given import EXPOSED, Hiding, keys_in

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

GROUPS = {
    "Set up": {
        "init": "Make a project to start from.",
        "import": "Make a project of what runs LiteLLM today.",
        "add-provider": "Add a provider of models.",
        "set-key": "Store a key in its file.",
    },
    "Change": {
        "models": "List the models that LiteLLM knows.",
        "use": "Choose what the container loads.",
        "add-model": "Add models to a provider of the project.",
        "rename": "Rename a model or a provider of the project.",
        "remove-provider": "Remove a provider from the project.",
        "pin": "Tie each image to its digest.",
        "upgrade": "Show what another LiteLLM release changes, and take it.",
    },
    "Check": {
        "validate": "Report all that is wrong with the project, in one run.",
        "explain": "Explain the code of a finding.",
        "fix": "Fix what can be fixed without guessing.",
        "render": "Validate the project, then write its NixOS module.",
        "plan": "Show what a switch would change, and what it costs.",
        "test": "Ask the gateway what tests/ says; stand-ins answer.",
    },
    "Run": {
        "status": "Show in ten lines what runs, and of what.",
        "try": "Run the gateway here, until Ctrl-C.",
        "ask": "Ask the gateway one question, and stream its answer.",
        "client": "Print the settings of a program that asks the gateway.",
        "probe": "Ask a running gateway for its models.",
        "access": "Look after teams, keys and budgets.",
        "doctor": "Look for what is wrong, and how to fix it.",
    },
}
"""As --help shows them, in the order of the user's day, each with the first sentence of its own
--help: to list the commands, none of them is imported. `add-provider` is
nixcfg/commands/add_provider.py, and `import`, which Python keeps for itself, is import_.py."""

COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}

HIDDEN = {
    "completion": "Print a shell's completion script.",
    "lsp": "Answer an editor, on standard input and output.",
    "keys": "List the keys in the database: `nixcfg access keys`.",
    "providers": "List the project's providers.",
    "rehearse": "Start LiteLLM once on what would be rendered.",
    "schema": "Print a JSON Schema, for editors.",
    "size": "Say what so many users need: `nixcfg plan --users`.",
    "spend": "List what was spent: `nixcfg access spend`.",
}
"""Commands that work and that --help does not list: other names, and what programs ask for."""


class _Commands(click.Group):
    """A group that imports a command's module when the command is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        name = cmd_name.replace("-", "_") + "_" * keyword.iskeyword(cmd_name)
        module = importlib.import_module(f"nixcfg.commands.{name}")
        command: click.Command = module.command
        command.name = cmd_name
        if _QUIET not in command.params:
            command.params.append(_QUIET)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] == "help":
            if len(args) == 1:
                click.echo(ctx.get_help())
                ctx.exit()
            args = [args[1], "--help"]
        known = args[0] in COMMANDS or args[0] in HIDDEN or args[0].startswith("-")
        if known or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from nixcfg import mistyped

        raise click.UsageError(mistyped.command(args[0], {**COMMANDS, **HIDDEN}), ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        widest = max(map(len, COMMANDS))
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{widest}}", text) for name, text in group.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        options = click.Command.shell_complete(self, ctx, incomplete)
        names = (name for name in COMMANDS if name.startswith(incomplete))
        return [*(CompletionItem(name, help=COMMANDS[name]) for name in names), *options]


def _print_version(ctx: click.Context, _param: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        from nixcfg.knowledge import LITELLM_VERSION

        click.echo(f"nixcfg {__version__} (LiteLLM {LITELLM_VERSION})")
        ctx.exit()


def _be_quiet(ctx: click.Context, _param: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        ctx.meta[QUIET] = True


_QUIET = click.Option(
    ["-q", "--quiet"],
    is_flag=True,
    expose_value=False,
    hidden=True,
    callback=_be_quiet,
)
"""Every command takes it, so that no one has to remember on which side of the name it goes."""


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version, and the LiteLLM release that it renders.",
)
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False),
    default=".",
    metavar="DIR",
    help="Work on the project in DIR instead of the current folder.",
)
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_be_quiet,
    help="Print results and what is wrong, no advice on what comes next.",
)
@click.pass_context
def nixcfg(context: click.Context, directory: str) -> None:
    """A private LLM gateway for NixOS, from a few provider YAML files.

    \b
    Start here:
      nixcfg init gateway    make a project with one provider
      cd gateway
      nixcfg try --mock      see it answer, without a key
      nixcfg render          write what NixOS imports

    `nixcfg help COMMAND` explains a command, `nixcfg explain CODE` a finding.
    """
    from pathlib import Path

    context.obj = Path(directory)


def main() -> None:
    """Run the command line; never returns."""
    _open_streams()
    keys = keys_in(sys.argv[1:])
    if not keys:
        _run()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", Hiding(each, keys)) for each in before)
    try:
        _run()
    finally:
        sys.stdout, sys.stderr = before
        from nixcfg.commands.output import fitted, width_of

        _report(fitted(EXPOSED, width_of(sys.stderr)))


def _run() -> NoReturn:
    # A command builds one project and is over: looking for cycles in it every 700 objects takes
    # a twentieth of the time of a large rendering.
    gc.set_threshold(200_000)
    try:
        sys.exit(nixcfg.main(prog_name="nixcfg", standalone_mode=False) or OK)
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption):
            from nixcfg import mistyped

            find = nixcfg.get_command
            root = error.ctx.find_root() if error.ctx else click.Context(nixcfg)
            error = click.UsageError(
                mistyped.option(error, lambda name: find(root, name)), error.ctx
            )
        elif isinstance(error, click.BadParameter):
            from nixcfg import mistyped

            if said := mistyped.number(error):
                error = click.BadParameter(said, error.ctx, error.param)
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        _report("Aborted.")
        sys.exit(PROBLEMS)
    except BrokenPipeError:
        # `nixcfg schema | head`: the reader has what it wanted. Without this, Python would
        # complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PROBLEMS)
    except OSError as error:
        # What the commands do with files they report themselves; this is the output (a full disk
        # behind stdout), or the machine (no more file handles).
        _report(f"nixcfg: {': '.join(filter(None, (error.filename, error.strerror))) or error}")
        sys.exit(PROBLEMS)
    except Exception as error:  # noqa: BLE001 (the one origin that turns a bug into exit code 3)
        from nixcfg.problems.problem import WriteError  # not before: --help has no use for it

        if isinstance(error, WriteError):
            _report(f"nixcfg: {error}")
            sys.exit(PROBLEMS)
        _report_bug(error)
        sys.exit(BUG)


def _report(message: str) -> None:
    click.echo(message, err=True)


def _open_streams() -> None:
    """Give a stream that is closed (`>&-`) an end: else the next file gets its number and text."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(handle, mode, encoding="utf-8"))


def _report_bug(error: Exception) -> None:
    if os.environ.get("NIXCFG_DEBUG"):
        raise error
    from pathlib import Path

    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    origin = f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "nowhere"
    _report(
        f"nixcfg {__version__} has a bug: {type(error).__name__} at {origin}. "
        "Please report it with what the same command prints under NIXCFG_DEBUG=1."
    )
