"""`srqa protocols`."""

from __future__ import annotations

import click


@click.group("protocols", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """How stored pixels become the numbers that are compared.

    \b
    srqa protocols list
    srqa protocols show pirm > mine.toml      # a file to change and give to --protocol
    """


@command.command("list")
def list_protocols() -> None:
    """All protocols, a line each."""
    from rich.table import Table

    from srqa.cli.console import out
    from srqa.engine.protocol import PROTOCOLS

    table = Table(box=None, pad_edge=False)
    for name in ("name", "crop", "Y", "depth", "used by"):
        table.add_column(name)
    for p in PROTOCOLS:
        crop = f"{p.crop} (all metrics)" if p.crop_all else str(p.crop)
        rounding = "rounded" if p.y_rounded else "float"
        table.add_row(p.name, crop, rounding, str(p.depth), p.description)
    out().print(table)


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """One protocol, as a TOML file that --protocol takes."""
    from srqa.engine.protocol import get_protocol

    protocol = get_protocol(name)
    own = protocol.describe() | {"name": f"my-{protocol.name}"}
    click.echo(f"# {protocol.name}: {protocol.description}")
    for key, value in own.items():
        if key != "description":
            click.echo(f"{key} = {_toml(value)}")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
