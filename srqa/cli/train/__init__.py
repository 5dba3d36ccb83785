"""`srqa train`: one file a command."""

from __future__ import annotations

from importlib import import_module

import click

from srqa.cli.groups import group_of

_COMMANDS = ("sr", "nr", "photographs")


def _load(name: str) -> click.Command:
    found: click.Command = import_module(f"srqa.cli.train.{name}").command
    return found


@click.group(
    "train",
    cls=group_of(_COMMANDS, _load),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def command() -> None:
    """Train networks for super-resolution.

    \b
    srqa train photographs photos/
    srqa train sr --model fsrcnn --scale 4 --hr photos/ --loss l1 --out runs/fsrcnn
    srqa upscale lr/ --weights runs/fsrcnn/fsrcnn-x4.safetensors --scale 4
    """
