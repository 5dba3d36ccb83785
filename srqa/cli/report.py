"""`srqa report`."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  srqa report runs/x4
  srqa report runs/x4 --out x4.html --pictures 12 --title "x4, real photographs"
"""


@click.command("report", epilog=EXAMPLES)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file.  [RUN/report.html]")
@click.option(
    "--pictures",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    help="How many contents are shown as pictures.",
)
@click.option("--title", default="", help="Heading of the page.")
def command(run: Path, out: Path | None, pictures: int, title: str) -> None:
    """One HTML file that opens anywhere: tables, plots, pictures with a zoom that follows."""
    from srqa.cli import progress
    from srqa.engine.results import Run
    from srqa.report.html import write_report

    made = Run.load(run)
    place = out or run / "report.html"
    with progress.pictures("reading pictures") as done:
        path = write_report(made, place, pictures=pictures, title=title, progress=done)
    click.echo(f"Report written to {path}.", err=True)
