"""``python -m studies.batchnorm``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import carry_out

if TYPE_CHECKING:
    from .measuring import Contrast, Flat

EXAMPLES = """\b
Examples:
  srqa train photographs photographs/
  python -m studies.batchnorm --hr photographs/
  python -m studies.batchnorm --hr photographs/ --seeds 1 --steps 100 --out runs/quick

The same command goes on where an interrupted one stopped.
"""


@click.command(
    "batchnorm", epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--hr", multiple=True, required=True, type=click.Path(path_type=Path),
              help="Folders of photographs; the contents are taken out of them.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/batchnorm"),
              show_default=True, help="Folder for trainings, Run, tables and figures.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True,
              help="Trainings of each block.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), help="Of each training.")
@click.option("--contents", type=click.IntRange(1), default=12, show_default=True, help="At most.")
@click.option("--size", type=click.IntRange(64), default=192, show_default=True,
              help="Side of the part of each picture, a multiple of 4.")  # fmt: skip
@click.option("-m", "--metrics", metavar="LIST", default="psnr-y,ssim-y,lpips", show_default=True)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True,
              help="Threads that make batches.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(out: Path, size: int, quiet: bool, **given: Any) -> int:
    """EDSR's block with batch normalisation and without, at equal steps.

    OUT gets the trainings, the Run of their networks, table.md, scores.csv, costs.csv,
    contrasts.csv, flats.csv, and figures.
    """
    from srqa.cli.progress import stages
    from srqa.cli.weights import fetching
    from srqa.devices import choose_device
    from srqa.files import write_text
    from srqa.training.loop import Running

    from .. import tables
    from ..contents import make_contents
    from ..trainings import METHOD, pictures_but, score, train_all
    from . import measuring, telling
    from .jobs import PLAIN, kind_of, trainings

    running = Running(choose_device(given["device"]), workers=given["workers"], save_every=500)
    with nullcontext() if quiet else fetching() as fetched, stages(quiet=quiet) as progress:
        contents = make_contents(out / "hr", given["hr"], given["contents"], size, progress)
        jobs = trainings(pictures_but(given["hr"], contents), given["seeds"], given["steps"])
        networks = train_all(jobs, out / "train", running, progress, fetched)
        scale = next(iter(jobs.values())).scale
        run = score(networks, out, scale, given["metrics"].split(","), given["device"],
                    progress, fetched, command=f"studies.batchnorm --out {out}")  # fmt: skip
        costs, contrasts, flats = [], [], []
        for at, (name, network) in enumerate(networks.items()):
            if progress:
                progress("contrast and plain colours", at, len(networks))
            costs.append(measuring.cost(name, jobs[name]))
            contrasts += measuring.contrasts(name, network, out / "hr", scale)
            flats.append(measuring.flat(name, network, scale))
    rows = tables.differences(run, PLAIN, lambda name: name if name == METHOD else kind_of(name))
    for name, table in (
        ("scores", rows), ("costs", costs), ("contrasts", contrasts), ("flats", flats)
    ):  # fmt: skip
        tables.write(table, out / f"{name}.csv")
    text = telling.scores(out) + "\n" + telling.measured(out)
    write_text(out / "table.md", text)
    click.echo(text)
    _figures(out, contrasts, flats, contents)
    click.echo(f"{out} has the Run, tables and figures.", err=True)
    return 0


def _figures(
    out: Path, contrasts: Sequence[Contrast], flats: Sequence[Flat], contents: Sequence[str]
) -> None:
    from srqa.report.ratings.style import drawing, save

    from . import figures

    with drawing():
        save(figures.answers_figure(contrasts, flats), out, "answers")
        save(figures.pictures_figure(out, contents[:2]), out, "pictures")


if __name__ == "__main__":
    sys.exit(carry_out(command, "python -m studies.batchnorm", sys.argv[1:]))
