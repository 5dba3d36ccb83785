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
    """Real photographs, x4 inputs, three upscalers; a table, costs, a comparison and a report.

    Interpolation and two trained networks, whose weights are fetched once
    (70 MB). Without a network it shows what can be shown.
    """
    from srqa import demo
    from srqa.cli.console import out as console
    from srqa.cli.evaluate import remarks, show
    from srqa.cli.progress import pictures, stages
    from srqa.cli.weights import fetching
    from srqa.engine.compare import compare_runs
    from srqa.report import costs, tables
    from srqa.report.html import write_report

    demo.make_pictures(out)
    with fetching() as fetched:
        models, notes = demo.available(fetched)
    for note in notes:
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
    click.echo("Shrinking photographs by 4 and enlarging them again: 2 to 4 minutes ...", err=True)
    with fetching() as fetched, stages() as progress:
        run = demo.rank(out, models, progress, fetched)
    show(run, "table")
    console().print()
    console().print(costs.terminal(run))
    remarks(run)
    compared = [name for name in ("psnr-y", "lpips") if name in run.metrics]
    for comparison in compare_runs([run], metrics=compared) if len(models) > 1 else ():
        console().print()
        console().print(*tables.comparison_terminal(comparison))
    title = "Interpolation and two networks, x4"
    with pictures("reading pictures") as progress:
        path = write_report(run, out / "report.html", title=title, progress=progress)
    click.echo(f"\nOpen {path} in a browser.", err=True)
