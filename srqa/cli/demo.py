"""`srqa demo`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the pictures, the Run and the report.",
)
def command(out: Path) -> None:
    """Real photographs, x4 inputs, four upscalers; a table, a comparison and a report."""
    from srqa import demo
    from srqa.cli.evaluate import remarks, show
    from srqa.cli.progress import pictures
    from srqa.cli.weights import fetching
    from srqa.engine.compare import compare_runs
    from srqa.report import tables
    from srqa.report.html import write_report

    click.echo("Shrinking photographs by 4 and enlarging them again ...", err=True)
    with pictures("enlarging") as progress:
        demo.make_pictures(out, progress)
    with fetching() as fetched, pictures("evaluating") as progress:
        run = demo.evaluate_pictures(out, progress, fetched)
    show(run, "table")
    remarks(run)
    from srqa.cli.console import out as console

    compared = [name for name in ("psnr-y", "lpips") if name in run.metrics]
    for comparison in compare_runs([run], metrics=compared):
        console().print()
        console().print(*tables.comparison_terminal(comparison))
    title = "Classical upscalers, x4"
    with pictures("reading pictures") as progress:
        path = write_report(run, out / "report.html", title=title, progress=progress)
    click.echo(f"\nOpen {path} in a browser.", err=True)
