"""``python -m studies.losses``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import carry_out

if TYPE_CHECKING:
    from ..tables import Difference
    from .jobs import Loss
    from .spectra import Power

EXAMPLES = """\b
Examples:
  srqa train photographs photographs/
  python -m studies.losses --hr photographs/
  python -m studies.losses --hr photographs/ --losses l2,content,ragan
  python -m studies.losses --hr photographs/ --begin 200 --steps 50 --out runs/quick

The same command goes on where an interrupted one stopped.
"""


@click.command("losses", epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--hr", multiple=True, required=True, type=click.Path(path_type=Path),
              help="Folders of photographs; the contents are taken out of them.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/losses"),
              show_default=True, help="Folder for trainings, Run, tables and figures.")  # fmt: skip
@click.option("--losses", metavar="LIST", help="Names in losses.toml; l1 is always there.")
@click.option("--begin", type=click.IntRange(1), help="Steps of the common beginning.")
@click.option("--steps", type=click.IntRange(1), help="Steps with each loss.")
@click.option("--contents", type=click.IntRange(1), default=12, show_default=True, help="At most.")
@click.option("--size", type=click.IntRange(64), default=192, show_default=True,
              help="Side of the part of each picture, a multiple of 4.")  # fmt: skip
@click.option("-m", "--metrics", metavar="LIST",
              help="[psnr-y,ssim-y,lpips,dists, and srqa-nr where there is one]")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True,
              help="Threads that make batches.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(out: Path, size: int, quiet: bool, **given: Any) -> int:
    """What losses buy and cost: one network, trained on with each.

    OUT gets the trainings, the Run of their networks, table.md, losses.csv, spectra.csv,
    gradients.csv, and figures.
    """
    from srqa.cli.progress import stages
    from srqa.cli.weights import fetching
    from srqa.devices import choose_device
    from srqa.files import write_text
    from srqa.training.loop import Running

    from .. import tables
    from ..contents import make_contents
    from ..trainings import METHOD, pictures_but, score, train_all
    from . import spectra, telling
    from .jobs import PLAIN, beginning, continued

    chosen = _chosen(given["losses"])
    running = Running(choose_device(given["device"]), workers=given["workers"], save_every=250)
    with nullcontext() if quiet else fetching() as fetched, stages(quiet=quiet) as progress:
        contents = make_contents(out / "hr", given["hr"], given["contents"], size, progress)
        begun = beginning(pictures_but(given["hr"], contents), given["begin"])
        trained = train_all({"beginning": begun}, out / "train", running, progress, fetched)
        jobs = continued(begun, trained["beginning"], chosen, given["steps"])
        networks = train_all(jobs, out / "train", running, progress, fetched)
        run = score(networks, out, begun.scale, _metrics(given["metrics"]), given["device"],
                    progress, fetched, command=f"studies.losses --out {out}")  # fmt: skip
    rows = tables.differences(run, PLAIN)
    powers, slopes = spectra.measure(out, (METHOD, *networks))
    for name, table in (("losses", rows), ("spectra", powers), ("gradients", slopes)):
        tables.write(table, out / f"{name}.csv")
    text = telling.table(out)
    write_text(out / "table.md", text)
    click.echo(text)
    _figures(out, rows, powers, contents, (METHOD, *networks))
    click.echo(f"{out} has the Run, tables and figures.", err=True)
    return 0


def _metrics(text: str | None) -> list[str]:
    from srqa.metrics import registry

    if text is not None:
        return [name.strip() for name in text.split(",") if name.strip()]
    usual = ["psnr-y", "ssim-y", "lpips", "dists", "srqa-nr"]
    return [name for name in usual if name in registry.names()]


def _chosen(text: str | None) -> tuple[Loss, ...]:
    from srqa.errors import UsageError

    from .jobs import PLAIN, losses

    known = {loss.name: loss for loss in losses()}
    if text is None:
        return tuple(known.values())
    names = dict.fromkeys([PLAIN, *(name.strip() for name in text.split(",") if name.strip())])
    for name in names:
        if name not in known:
            raise UsageError(f"There is no loss {name!r}.", f"There are {', '.join(known)}.")
    return tuple(known[name] for name in names)


def _figures(
    out: Path,
    rows: list[Difference],
    powers: list[Power],
    contents: list[str],
    methods: tuple[str, ...],
) -> None:
    from srqa.report.ratings.style import drawing, save

    from . import figures

    metrics = list(dict.fromkeys(row.metric for row in rows))
    with drawing():
        if {"psnr-y", "lpips"} <= set(metrics):
            save(figures.plane_figure(rows, "psnr-y", "lpips"), out, "plane")
        save(figures.spectra_figure(powers, methods), out, "spectra")
        save(figures.pictures_figure(out, contents[:2], methods), out, "pictures")


if __name__ == "__main__":
    sys.exit(carry_out(command, "python -m studies.losses", sys.argv[1:]))
