"""`srqa train nr`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from srqa.training.nr.training import Trained

_PATH = click.Path(path_type=Path)
EXAMPLES = """\b
Examples:
  srqa train photographs photos/
  srqa train nr --hr photos/ --out srqa-nr.safetensors
  srqa train nr --hr photos/ --out try.safetensors --quick      # a minute, to see that all works
  srqa evaluate outputs/ -m srqa-nr:srqa-nr.safetensors         # the head of your own
"""


@click.command("nr", epilog=EXAMPLES)
@click.option("--hr", "folder", type=_PATH, required=True, help="Folder of photographs.")
@click.option("--out", type=_PATH, required=True, help="The head: a .safetensors file.")
@click.option("--data", type=_PATH, help="Folder for what is made on the way; beside --out when "
              "not said.")  # fmt: skip
@click.option("--places", type=click.IntRange(2), help="How many crops of photographs; 420 when "
              "not said.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Settles all chance.")
@click.option("--quick", is_flag=True, help="Only try the whole out: 6 crops, quick methods.")
@click.option("--workers", type=click.IntRange(1), help="Threads; as many as cores when not said.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(
    folder: Path,
    out: Path,
    data: Path | None,
    places: int | None,
    seed: int,
    quick: bool,
    workers: int | None,
    quiet: bool,
) -> None:
    """Train a head for srqa-nr, the no-reference score.

    Crops of photographs become outputs of super-resolution networks and artefacts in steps; LPIPS,
    HaarPSI and FSIMc against the pristine crop say which is better. It takes about an hour of two
    cores. The same command goes on with what was made, and crops keep to their photograph in
    cross-validation, whose figures are said.
    """
    from srqa.training.nr.training import train

    with _telling(quiet) as telling:
        made = train(
            folder,
            out,
            data=data,
            places=places,
            seed=seed,
            quick=quick,
            workers=workers,
            **telling,
        )
    click.echo(made.head)
    if not quiet:
        _tell(made)


@contextmanager
def _telling(quiet: bool) -> Iterator[dict[str, Any]]:
    from srqa.cli.progress import stages
    from srqa.cli.weights import fetching

    if quiet:
        yield {}
        return
    with fetching() as fetched, stages() as progress:
        yield {"fetching": fetched, "progress": progress}


def _tell(made: Trained) -> None:
    from srqa.cli.console import err
    from srqa.training.nr.guards import failed

    for note in made.notes:
        err().print(f"[yellow]note:[/] {note}", soft_wrap=True)
    found = made.figures
    low, high = found["srocc interval"]
    err().print(
        f"cross-validated over {found['photographs']} photographs: SROCC with the labels "
        f"{found['srocc']:.3f} (95 % {low:.3f} to {high:.3f}), pristine first "
        f"{found['pristine']:.1%}; the whole card: {made.card}",
        soft_wrap=True,
    )
    if below := failed(found["guards"]):
        guards = ", ".join(f"{kind} {share:.1%}" for kind, share in below.items())
        err().print(
            f"[yellow]note:[/] these guards hold at less than 95 % of places: {guards}. Do not "
            "trust the head where such artefacts may be.",
            soft_wrap=True,
        )
