"""`srqa correlate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli.console import out, print_json

if TYPE_CHECKING:
    from srqa.correlation.analysis import Correlation

_PATH = click.Path(path_type=Path)

EXAMPLES = """\b
How ratings and scores are joined (--join):
  auto                  all keys that both have, else the pictures' names
  content,method        keys: dataset, content, scale, method
  path, stem            the picture's name with or without its folders
  '{method}/{content}_x{scale}.png'   a layout that reads the raters' names
\b
Examples:
  srqa correlate --ratings results/ --scores runs/x4 --out reports/x4-humans
  srqa correlate --ratings mos.csv --scores scores.csv --join content,method
  srqa correlate --ratings answers.csv --scores runs/a --scores runs/b -m psnr-y,lpips
  srqa correlate --ratings mos.csv --scores runs/x4 --mapping cubic --test mrr --json
  srqa correlate --ratings mos.csv --scores runs/x4 --fuse psnr-y,lpips,niqe --out humans/
"""


@click.command("correlate", epilog=EXAMPLES)
@click.option("--ratings", type=_PATH, required=True,
              help="Human scores: a folder of `srqa ratings analyze`, a table of scores, or of "
              "answers.")  # fmt: skip
@click.option(
    "--scores",
    type=_PATH,
    required=True,
    multiple=True,
    help="Metric scores: a Run, or a table with a column a metric; may be repeated.",
)
@click.option("--join", "join_by", default="auto", show_default=True, metavar="RULE",
              help="How they are put together; see below.")  # fmt: skip
@click.option("-m", "--metrics", metavar="LIST", help="Only these metrics.")
@click.option("--lower-better", metavar="LIST", help="Metrics of which lower is better.")
@click.option("--higher-better", metavar="LIST", help="Metrics of which higher is better.")
@click.option("--score", default="", metavar="COLUMN", help="The column with human scores.")
@click.option("--by", default="method,scale,dataset,content", show_default=True, metavar="LIST",
              help="Parts for which figures are given.")  # fmt: skip
@click.option("--mapping", default="logistic4", show_default=True,
              type=click.Choice(["logistic4", "logistic5", "cubic", "linear", "none"]),
              help="From metrics to human scores, before PLCC and RMSE.")  # fmt: skip
@click.option(
    "--test",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "jackknife", "bootstrap", "mrr", "steiger"]),
    help="Between metrics; auto leaves contents out (jackknife) where there are 6 or more.",
)
@click.option(
    "--correct",
    "correction",
    default="holm",
    show_default=True,
    type=click.Choice(["holm", "bh", "none"]),
    help="For many pairs of metrics.",
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Level of the tests.")
@click.option("--pairs", default="auto", show_default=True,
              type=click.Choice(["auto", "content", "all"]),
              help="Whose differences people should notice: of one content, or all.")  # fmt: skip
@click.option("--limit", type=float, default=1.96, show_default=True, metavar="Z",
              help="Scores further apart, in standard errors, are different.")  # fmt: skip
@click.option("--resamples", type=click.IntRange(100), default=1000, show_default=True,
              help="Samples of contents, for --test bootstrap and for thresholds.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of chance.")
@click.option("--fuse", metavar="LIST",
              help="Also make one metric of these, checked on held-out contents: fused.json in "
              "--out, used as -m fused:FILE.")  # fmt: skip
@click.option("--fuse-by", type=click.Choice(["ridge", "monotone"]), default="ridge",
              show_default=True, help="How: a weighted sum, or one of rising curves.")  # fmt: skip
@click.option("--title", default="", help="Heading of the page.")
@click.option(
    "--out",
    "folder",
    type=_PATH,
    help="Write page, tables (CSV, Parquet, Markdown, LaTeX), methods and record here.",
)
@click.option("--overwrite", is_flag=True, help="Replace results in --out.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    ratings: Path,
    scores: tuple[Path, ...],
    folder: Path | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    title: str,
    fuse: str | None,
    fuse_by: str,
    **given: Any,
) -> None:
    """Which metric to trust: how far do metrics agree with people?

    SROCC, KRCC, PLCC, RMSE and outlier ratio with intervals; which metrics differ by more than
    chance; where each fails; what a difference of a metric means to people. --out writes one HTML
    page and tables to paste into a paper.
    """
    from srqa.cli.progress import steps
    from srqa.correlation.analysis import correlate
    from srqa.errors import UsageError

    if fuse and folder is None:
        raise UsageError("--fuse needs --out FOLDER.")
    if folder is not None and not overwrite:
        from srqa.report.correlation.saving import refuse_old

        refuse_old(folder)
    for name in ("lower_better", "higher_better"):
        given[name] = _names(given[name])
    with steps(quiet=quiet) as progress:
        found = correlate(ratings, list(scores), progress=progress, **given)
        written: tuple[Path, ...] = ()
        if folder is not None:
            written = _save(found, folder, overwrite, title, progress)
    fused = _fused(found, folder, fuse, fuse_by) if fuse and folder is not None else None
    if as_json:
        from srqa.report.correlation.document import document

        print_json(document(found))
    else:
        show(found)
        if fused is not None:
            click.echo("\n" + fused.sentence())
    for note in found.notes:
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
    if folder is not None:
        click.echo(f"{len(written)} files were written to {folder}; open "
                   f"{folder / 'report.html'} in a browser.", err=True)  # fmt: skip


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _save(
    found: Correlation, folder: Path, overwrite: bool, title: str, progress: Any
) -> tuple[Path, ...]:
    import sys

    from srqa.report.correlation.saving import save
    from srqa.report.words import argument

    words = " ".join(argument(word) for word in sys.argv[1:])
    command_line = f"srqa {words}" if sys.argv[1:2] == ["correlate"] else ""
    return save(found, folder, overwrite=overwrite, title=title, command=command_line,
                progress=progress)  # fmt: skip


def _fused(found: Correlation, folder: Path, names: str, how: str) -> Any:
    from srqa.correlation.fusion import fuse

    made = fuse(found.data, list(_names(names)), how=how, seed=found.settings.seed)  # type: ignore[arg-type]
    made.save(folder / "fused.json")
    return made


def show(found: Correlation) -> None:
    """The findings and the tables on standard output."""
    from srqa.report.correlation import tables, words

    for sentence in words.findings(found):
        out().print(sentence, markup=False, soft_wrap=True)
    out().print()
    out().print(tables.terminal(found))
    noticed = tables.noticed_terminal(found)
    if noticed is not None:
        out().print()
        out().print(noticed)
