"""The command line: one file a subcommand, imported only when it is used."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from srqa import __version__
from srqa.cli.console import print_nowhere
from srqa.errors import SrqaError

_COMMANDS = {
    "upscale": "upscale",
    "train": "train",
    "leaderboard": "leaderboard",
    "data": "data",
    "models": "models",
    "evaluate": "evaluate",
    "compare": "compare",
    "report": "report",
    "maps": "maps",
    "pairs": "pairs",
    "degrade": "degrade",
    "ratings": "ratings",
    "study": "study",
    "correlate": "correlate",
    "disagree": "disagree",
    "explore": "explore",
    "metrics": "metrics",
    "protocols": "protocols",
    "weights": "weights",
    "cache": "cache",
    "demo": "demo",
}
EXIT_CODES = """\b
Exit codes:
  0    all went well
  1    a gate failed (--fail-if, --max-drop)
  2    the command itself is wrong
  3    pictures, pairs or results cannot be read, do not fit, or cannot be written
  4    trained weights cannot be had
  5    some pictures failed; the results of the others are kept
  130  interrupted
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"srqa.cli.{_COMMANDS[cmd_name]}").command
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="srqa")
def cli() -> None:
    """Is this super-resolution output better, and would people agree?

    \b
    srqa evaluate outputs/ --ref hr/ --scale 4 --out runs/x4
    srqa compare runs/x4
    srqa report runs/x4
    srqa upscale lr/ --model dat-light --scale 4 --out outputs/dat-light
    srqa train sr --model fsrcnn --scale 4 --hr photos/ --out runs/fsrcnn
    srqa leaderboard hr/ --scale 4 --models bicubic,tv,dat-light --out runs/board
    srqa study init my-study --images outputs/ --ref hr/
    srqa correlate --ratings mos.csv --scores runs/x4
    """


def complain(message: str, hint: str = "") -> None:
    """One sentence on standard error, and what to do about it."""
    click.echo(click.style("srqa: ", fg="red", bold=True) + message, err=True)
    if hint:
        click.echo(f"      {hint}", err=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    if "_SRQA_COMPLETE" in os.environ:  # a shell asks how a command may go on
        cli.main(prog_name="srqa")
    given = sys.argv[1:] if arguments is None else arguments
    return carry_out(cli, "srqa", given)


def carry_out(command: click.Command, name: str, arguments: list[str]) -> int:
    """Run a command, tell in a sentence what went wrong, and return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # no name or arrow is too odd to be printed
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with command.make_context(name, arguments) as main_context:
            result = command.invoke(main_context)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else name
        complain(error.format_message(), f"`{path} --help` shows how it is used.")
        return 2
    except SrqaError as error:
        complain(str(error), error.hint)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        complain("Interrupted.")
        return 130
    except BrokenPipeError:  # whoever read the output has gone
        print_nowhere()
        return 0
    except OSError as error:
        reason = error.strerror or error
        if error.filename is not None:
            complain(f"{error.filename} cannot be used: {reason}.")
            return 3
        print_nowhere()
        complain(f"Standard output cannot be written: {reason}.")
        return 3
