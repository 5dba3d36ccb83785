"""`srqa compare`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from srqa.cli.console import out, print_json

EXAMPLES = """\b
Examples:
  srqa compare runs/x4
  srqa compare runs/old runs/new -m psnr-y
  srqa compare runs/x4 --methods swinir,hat --format markdown
"""


@click.command("compare", epilog=EXAMPLES)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-m", "--metrics", metavar="LIST", help="Only these metrics.")
@click.option("--methods", metavar="LIST", help="Only these methods.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
    help="What is printed.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
def command(
    runs: tuple[Path, ...],
    metrics: str | None,
    methods: str | None,
    output_format: str,
    as_json: bool,
) -> None:
    """Which method is better, and is the difference more than chance?

    Each pair of methods is compared on the images that both have: the mean of the differences with
    its 95 % bootstrap interval, and Wilcoxon's signed-rank test with Holm's correction over all
    pairs. Runs whose numbers are defined differently are refused.
    """
    from srqa.engine.compare import compare_runs, left_out
    from srqa.engine.results import Run
    from srqa.report import tables

    loaded = [Run.load(path) for path in runs]
    comparisons = compare_runs(
        loaded,
        metrics=[_metric(name) for name in metrics.split(",")] if metrics else None,
        methods=methods.split(",") if methods else None,
    )
    if whole := left_out(loaded):
        note = f"{' and '.join(whole)} left out: one value for a whole set has no images to pair."
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
    if as_json or output_format == "json":
        from srqa.engine.results import plain

        print_json([plain(asdict(c)) for c in comparisons])
    elif output_format == "markdown":
        click.echo(tables.comparison_markdown(comparisons), nl=False)
    else:
        for comparison in comparisons:
            for part in tables.comparison_terminal(comparison):
                out().print(part)
            out().print()


def _metric(name: str) -> str:
    """The name that srqa has for a metric; a Run may hold one that is not installed here."""
    from srqa.errors import UsageError
    from srqa.metrics import registry

    try:
        return registry.get(name).name
    except UsageError:
        return name.strip()
