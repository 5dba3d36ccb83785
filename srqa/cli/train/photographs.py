"""`srqa train photographs`."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)
EXAMPLES = """\b
Examples:
  srqa train photographs photos/
  srqa train photographs photos/small --shrink 4
  srqa train photographs photos/ --from downloads/     # .deb files that are there already
  srqa train photographs --list
"""


@click.command("photographs", epilog=EXAMPLES)
@click.argument("folder", type=_PATH, required=False)
@click.option("--from", "source", type=_PATH, help="Folder of the packages, as .deb files.")
@click.option("--shrink", type=click.IntRange(1, 16), default=2, show_default=True,
              help="How many times smaller they become, by bicubic.")  # fmt: skip
@click.option("--permissive", is_flag=True, help="Leave out those under GPL, LGPL and GFDL.")
@click.option("--list", "listing", is_flag=True, help="Only say which they are.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(
    folder: Path | None,
    source: Path | None,
    shrink: int,
    permissive: bool,
    listing: bool,
    quiet: bool,
) -> None:
    """Bring 42 photographs that may be used freely, to train on.

    They come from five packages of Debian (170 MB), by `apt-get download` or from a folder of .deb
    files, and become PNG in FOLDER, with a file of credits.
    """
    from srqa.cli.progress import pictures
    from srqa.training import photographs

    if listing:
        _list(permissive)
        return
    if folder is None:
        raise click.UsageError("Where to? srqa train photographs FOLDER")
    hint = "The same command goes on with it"
    with pictures("photographs", quiet=quiet, on_interrupt=hint) as progress:
        made = photographs.fetch(
            folder, source=source, shrink=shrink, permissive=permissive, progress=progress
        )
    if not quiet:
        click.echo(
            f"{len(made)} photographs in {folder}; authors and licences: {photographs.CREDITS}",
            err=True,
        )


def _list(permissive: bool) -> None:
    from srqa.cli.console import reader_may_leave
    from srqa.training.photographs import photographs

    with reader_may_leave():
        for one in photographs(permissive=permissive):
            width, height = one.size
            facts = one.name, f"{width}x{height}", one.licence, one.author, one.package.name
            click.echo("  ".join(facts))
