"""`srqa demo`."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("demo", invoke_without_command=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the pictures, the Run and the report.",
)
@click.pass_context
def command(context: click.Context, out: Path) -> None:
    """Real photographs, x4 inputs, four upscalers; a table, costs, a comparison and a report.

    Interpolation, total variation, and two trained networks, whose weights are fetched once
    (70 MB). Without a network it shows what can be shown.

    `srqa demo study` serves a study of image quality instead.
    """
    if context.invoked_subcommand is None:
        _demonstrate(out)


def _demonstrate(out: Path) -> None:
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
    title = "Interpolation, total variation and two networks, x4"
    with pictures("reading pictures") as progress:
        path = write_report(run, out / "report.html", title=title, progress=progress)
    click.echo(f"\nOpen {path} in a browser.", err=True)


@command.command("correlate")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo-correlate"),
    show_default=True,
    help="Folder for the pictures, the Run and the two pages.",
)
def correlate_demo(out: Path) -> None:
    """Which metric to trust: a simulated study on photographs, and published human scores.

    Parts of photographs are enlarged in six ways, scored by metrics, and rated by synthetic people
    who see what one of the metrics sees; then 120 pictures that real people rated.
    """
    from srqa.cli.correlate import show as show_correlation
    from srqa.cli.evaluate import remarks
    from srqa.cli.progress import pictures, steps
    from srqa.cli.weights import fetching
    from srqa.correlation import example
    from srqa.correlation.analysis import correlate
    from srqa.engine.evaluate import evaluate
    from srqa.report.correlation.saving import save
    from srqa.study import examples

    click.echo("Enlarging parts of photographs in six ways, and scoring them ...", err=True)
    with pictures("enlarging") as progress:
        example.make_pictures(out, progress)
    with fetching() as fetched, pictures("evaluating") as progress:
        run = evaluate(
            out / "outputs", out / "hr", scale=example.SCALE, out=out / "run", overwrite=True,
            progress=progress, fetching=fetched,
        )  # fmt: skip
    remarks(run)
    with pictures("people rate pictures") as progress:
        study, judge = examples.simulate_on(out, run.metrics, progress)
    click.echo(f"{study.observers} synthetic people, who see what {judge} sees, took part in the "
               f"study in {out / 'study'}.\n", err=True)  # fmt: skip
    ratings, scores = example.published()
    for name, pair, title in (
        ("simulated", (study.analysis, run), "Metrics against simulated people"),
        ("published", (ratings, scores), "Eleven metrics against people, 120 pictures"),
    ):
        with steps() as progress:
            found = correlate(*pair, progress=progress)
            save(found, out / name, overwrite=True, title=title, progress=progress)
        click.echo(f"{title}\n")
        show_correlation(found)
        click.echo("")
    click.echo(f"Open {out / 'simulated/report.html'} and {out / 'published/report.html'} in a "
               "browser.", err=True)  # fmt: skip


@command.command("study")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option("--pairs", is_flag=True, help="Ask which of two pictures looks better.")
@click.pass_context
def study(context: click.Context, port: int, pairs: bool) -> None:
    """A ready study in your browser: rate photographs that were enlarged in four ways.

    Answers lie in ./studies/; `srqa study status demo` tells how it stands.
    """
    from srqa.cli.study.serving import serve

    name = "demo-pairs" if pairs else "demo"
    context.invoke(serve, study=name, home=None, database=None, port=port, address="127.0.0.1",
                   base_path="")  # fmt: skip
