"""``python -m studies.synthetic``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import carry_out

if TYPE_CHECKING:
    from .conditions import Condition
    from .falls import Fall

EXAMPLES = """\b
Examples:
  python -m studies.synthetic                           # photographs of scikit-image
  python -m studies.synthetic --hr photographs/         # these, and some of your own
  python -m studies.synthetic --hr DIV2K_valid_HR --contents 40 --size 256
  python -m studies.synthetic --methods bicubic,dat-light,liif --metrics psnr-y,lpips,dists

The same command goes on where an interrupted one stopped.
"""
SHOWN = ("bicubic", "blur-2.4", "noise-10", "camera")
"""Conditions of which pictures are shown."""


@click.command(
    "synthetic", epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--hr", multiple=True, type=click.Path(path_type=Path), help="Folders of pictures.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/synthetic"),
    show_default=True,
    help="Folder for pictures, the Run, tables and figures.",
)
@click.option("--contents", type=click.IntRange(1), default=12, show_default=True, help="At most.")
@click.option(
    "--size", type=click.IntRange(64), default=128, show_default=True,
    help="Side of the part of each picture, a multiple of 4.",
)  # fmt: skip
@click.option("--methods", metavar="LIST", help="As of `srqa models list`, bicubic first.")
@click.option("--metrics", metavar="LIST", help="As of `srqa metrics list`.")
@click.option("--conditions", metavar="LIST", help="Names of inputs, bicubic first.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of noise.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--show", metavar="CONTENT", default="astronaut", help="Whose pictures are shown.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(out: Path, size: int, quiet: bool, show: str, **given: Any) -> int:
    """How far methods fall when inputs are not what they were trained on.

    Parts of photographs are made low-resolution in many ways and enlarged by 4; OUT gets the Run,
    whose datasets are the inputs, falls.csv, table.md, and figures.
    """
    from srqa.cli.progress import stages
    from srqa.cli.weights import fetching
    from srqa.errors import UsageError
    from srqa.files import write_text

    from .. import tables
    from ..contents import make_contents
    from . import falls
    from .conditions import SCALE
    from .measuring import METHODS, METRICS, measure

    if size % SCALE:
        raise UsageError(f"--size must be a multiple of {SCALE}, not {size}.")
    methods = _listed(given["methods"], METHODS, "bicubic")
    metrics = _listed(given["metrics"], METRICS, "")
    conditions = _conditions(given["conditions"])
    with nullcontext() if quiet else fetching() as fetched, stages(quiet=quiet) as progress:
        contents = make_contents(out / "hr", given["hr"], given["contents"], size, progress)
        run = measure(
            out, methods, conditions, metrics, seed=given["seed"], device=given["device"],
            progress=progress, fetching=fetched, command=f"studies.synthetic --out {out}",
        )  # fmt: skip
    rows = falls.falls(run)
    tables.write(rows, out / "falls.csv")
    text = _tables(rows, metrics)
    write_text(out / "table.md", text)
    click.echo(text)
    drawn = _figures(out, rows, show if show in contents else contents[0], conditions)
    click.echo(f"{out} has the Run, falls.csv, table.md and {', '.join(drawn) or 'no figures'}.",
               err=True)  # fmt: skip
    return 0


def _listed(text: str | None, default: tuple[str, ...], first: str) -> tuple[str, ...]:
    """Names with commas between; the first is what the others are compared with."""
    if text is None:
        return default
    names = dict.fromkeys(name.strip() for name in text.split(",") if name.strip())
    return tuple(dict.fromkeys([*([first] if first else []), *names]))


def _conditions(text: str | None) -> tuple[Condition, ...]:
    from srqa.errors import UsageError

    from .conditions import BASE, CONDITIONS

    names = _listed(text, tuple(c.name for c in CONDITIONS), BASE)
    by_name = {c.name: c for c in CONDITIONS}
    for name in names:
        if name not in by_name:
            raise UsageError(f"There is no condition {name!r}.", f"There are {', '.join(by_name)}.")
    return tuple(by_name[name] for name in names)


def _tables(rows: list[Fall], metrics: tuple[str, ...]) -> str:
    from .conditions import CONDITIONS
    from .falls import of, table

    words = {c.name: c.words for c in CONDITIONS}
    return "\n".join(f"{metric}\n\n{table(of(rows, metric), words)}" for metric in metrics)


def _figures(
    out: Path, rows: list[Fall], content: str, conditions: tuple[Condition, ...]
) -> list[str]:
    """Draw what can be drawn; the names of the figures."""
    from srqa.report.ratings.style import drawing, save

    from . import figures

    metrics = {row.metric for row in rows}
    if not figures.finite(rows) or not metrics >= {metric for metric, _ in figures.PANELS}:
        return []
    methods = list(dict.fromkeys(row.method for row in rows))
    shown = [c.name for c in conditions if c.name in SHOWN]
    drawn = []
    with drawing():
        if len(conditions) > 1:
            save(figures.falls_figure(rows), out, "falls")
            drawn.append("falls")
        if len(methods) > 1 and any(c.family in ("blur", "noise", "jpeg") for c in conditions):
            save(figures.curves_figure(rows), out, "gains")
            drawn.append("gains")
        save(figures.pictures_figure(out, content, shown, methods, rows), out, "pictures")
        drawn.append("pictures")
    return drawn


if __name__ == "__main__":
    sys.exit(carry_out(command, "python -m studies.synthetic", sys.argv[1:]))
