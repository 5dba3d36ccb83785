"""`srqa disagree`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli.console import out, print_json

if TYPE_CHECKING:
    import pandas as pd

_PATH = click.Path(path_type=Path)

EXAMPLES = """\b
Examples:
  srqa disagree runs/x4 -m psnr-y,lpips,dists
  srqa disagree runs/x4 -m psnr-y,lpips --most 12 --out studies/who-is-right
  srqa disagree studies/who-is-right --answers answers.csv
"""


@click.command("disagree", epilog=EXAMPLES)
@click.argument("source", type=_PATH)
@click.option("-m", "--metrics", metavar="LIST", help="Only these metrics.")
@click.option(
    "--most",
    type=click.IntRange(1, 500),
    default=6,
    show_default=True,
    help="Picture pairs for each pair of metrics.",
)
@click.option("--out", "folder", type=_PATH, help="Write a study of these pairs here.")
@click.option("--answers", type=_PATH, help="Answers to such a study: says who was right.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    source: Path,
    metrics: str | None,
    most: int,
    folder: Path | None,
    answers: Path | None,
    as_json: bool,
) -> None:
    """Where do metrics disagree, and who is right?

    SOURCE is a Run: lists the outputs of one content that two metrics rank the other way round
    most clearly, and --out makes a study of them for `srqa study serve`. Or SOURCE is such a
    study, and --answers says which metric people side with.
    """
    from srqa.correlation import contest

    if answers is not None:
        from srqa.ratings.formats import read

        _show(contest.judge(source, read(answers)), as_json)
        return
    names = [name.strip() for name in metrics.split(",")] if metrics else None
    scores, found = contest.find(source, names, most)
    if folder is None:
        from srqa.correlation.disagreement import table

        columns = ["by", "against", "strength", "first", "second"]
        _show(table(found, scores.frame)[columns], as_json)
        return
    from srqa.cli.progress import pictures

    with pictures("copying pairs") as progress:
        key = contest.make_study(scores, found, folder, progress)
    click.echo(f"A study of {len(key)} pairs is in {folder}: srqa study serve {folder}", err=True)
    if as_json:
        _show(key, as_json)


def _show(frame: pd.DataFrame, as_json: bool) -> None:
    if as_json:
        from srqa.ratings.analysis.document import without_nan

        print_json(without_nan(frame.to_dict("records")))
        return
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in frame.columns:
        number = frame[column].dtype.kind in "if"
        made.add_column(str(column), justify="right" if number else "left", no_wrap=number)
    for row in frame.itertuples(index=False):
        made.add_row(*(Text(_cell(value)) for value in row))
    out().print(made)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.3f}"
    return str(value)
