"""`srqa study`: one file a group of its commands."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

_COMMANDS = {
    "init": "making",
    "lint": "making",
    "plan": "making",
    "schema": "making",
    "simulate": "trying",
    "serve": "serving",
    "admin": "serving",
    "status": "managing",
    "forget": "managing",
    "analyze": "results",
    "report": "results",
    "export": "results",
    "import": "results",
    "bundle": "bundles",
    "verify": "bundles",
}


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"srqa.cli.study.{_COMMANDS[cmd_name]}")
        found: click.Command = module.COMMANDS[cmd_name]
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r} of study.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group("study", cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Ask people: a study of image quality in the browser, from the plan to the results.

    \b
    srqa study init my-study --images outputs/ --ref hr/
    srqa study lint my-study
    srqa study simulate my-study --observers 24
    srqa study serve my-study --port 8501
    srqa study admin my-study --port 8502
    srqa study analyze my-study
    """
