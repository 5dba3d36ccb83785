"""`srqa train`: one file a command."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

_COMMANDS = ("sr", "nr", "photographs")


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"srqa.cli.train.{cmd_name}").command
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r} of train.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group("train", cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Train networks for super-resolution.

    \b
    srqa train photographs photos/
    srqa train sr --model fsrcnn --scale 4 --hr photos/ --loss l1 --out runs/fsrcnn
    srqa upscale lr/ --weights runs/fsrcnn/fsrcnn-x4.safetensors --scale 4
    """
