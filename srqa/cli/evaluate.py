"""`srqa evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import complain, options
from srqa.cli.console import out, print_json, reader_may_leave

if TYPE_CHECKING:
    from srqa.engine.results import Run

EXAMPLES = """\b
Examples:
  srqa evaluate outputs/ --ref hr/ --scale 4
  srqa evaluate swinir/ hat/ bicubic/ --ref hr/ --scale 4 -m psnr-y,ssim-y,vif --out runs/x4
  srqa evaluate outputs/ --ref hr/ --scale 4 -m lpips,lpips-vgg,dists,niqe
  srqa evaluate outputs/ -m niqe,brisque                 # no reference at all
  srqa evaluate outputs/ --ref hr/ --layout '{method}/{dataset}/{content}_x{scale}.png'
  srqa evaluate new/ --ref hr/ --scale 4 --baseline runs/x4 --max-drop psnr-y=0.05
  srqa evaluate new/ --ref hr/ --scale 4 --fail-if 'ssim-y<0.8' --fail-if 'any(ssim-y)<0.7'
"""


@click.command("evaluate", epilog=EXAMPLES)
@click.argument("outputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.pairing
@click.option(
    "-m",
    "--metrics",
    metavar="LIST",
    help="Metrics, with commas between.  [psnr-y,ssim-y,lpips,dists,niqe,brisque]",
)
@options.reading
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the Run.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted Run in --out.")
@click.option("--overwrite", is_flag=True, help="Replace a Run in --out.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "markdown", "latex", "csv", "json"]),
    default="table",
    show_default=True,
    help="What is printed.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option(
    "--fail-if", multiple=True, metavar="COND", help="Exit with 1 if so: 'ssim-y<0.8'. Repeatable."
)
@click.option(
    "--baseline", metavar="RUN[:METHOD]", help="A Run that --max-drop holds the results against."
)
@click.option(
    "--max-drop",
    multiple=True,
    metavar="METRIC=X",
    help="Exit with 1 if a metric's mean became worse by more. Repeatable.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--batch-size", type=int, help="Pictures computed together.  [1 on a CPU, else 16]")
@click.option("--workers", type=int, help="Threads.  [all cores]")
@click.option(
    "--memory", metavar="SIZE", help="For networks' maps alone, as 8GB.  [half of what is free]"
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="In which networks compute; bfloat16 is quicker, less exact, and marked.",
)
@click.option(
    "--ma", type=click.Path(path_type=Path), help="Ma scores for pi: CSV with image and ma."
)
@click.option("--offline", is_flag=True, help="Fetch no weights.")
@click.option(
    "--accept-licence",
    is_flag=True,
    help="Use metrics whose code or weights forbid commercial use.",
)
@click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache of scores.")
@click.option(
    "--rehash", is_flag=True, help="Read every file, even if its size and times are as they were."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(outputs: tuple[Path, ...], **given: Any) -> int:
    """Compute metrics of super-resolved pictures.

    OUTPUTS is a folder of pictures, a folder of methods or datasets, several folders, or files.
    """
    from srqa.engine import gates
    from srqa.engine.choice import named
    from srqa.engine.evaluate import evaluate

    conditions = [gates.parse_condition(text) for text in given["fail_if"]]
    drops = [gates.parse_drop(text) for text in given["max_drop"]]
    metrics = given["metrics"]
    gates.check_computed([spec.name for spec in named(metrics)], conditions, drops)
    baseline, method = _baseline(given["baseline"], bool(drops))
    with _fetching(given["quiet"]) as fetching, _progress(given["quiet"], given["out"]) as progress:
        run = evaluate(
            list(outputs),
            **options.collecting(given),
            metrics=metrics,
            **options.pixels(given),
            out=given["out"],
            resume=given["resume"],
            overwrite=given["overwrite"],
            device=given["device"],
            batch_size=given["batch_size"],
            workers=given["workers"],
            memory=given["memory"],
            dtype=given["dtype"],
            ma=given["ma"],
            offline=given["offline"],
            accept_licence=given["accept_licence"],
            cache=not given["no_cache"],
            rehash=given["rehash"],
            progress=progress,
            fetching=fetching,
            command=command_line(),
        )
    with reader_may_leave():
        show(run, "json" if given["as_json"] else given["output_format"])
    if not given["quiet"]:
        remarks(run)
    if not given["quiet"] or not any(row.n or row.n_infinite for row in run.summary_rows):
        list_absent(run.not_applicable)
    list_pictures("failed", "red", run.problems)
    if run.path and not given["quiet"]:
        click.echo(f"Run written to {run.path}; `srqa report {run.path}` makes a page.", err=True)
    failures = gates.check_conditions(run, conditions)
    if baseline is not None:
        failures += gates.check_drops(run, baseline, drops, method)
    for failure in failures:
        complain(f"Gate failed: {failure}.")
    if failures:
        return 1
    return some_failed(run)


def _baseline(text: str | None, has_drops: bool) -> tuple[Run | None, str]:
    from srqa.engine.results import Run

    if not text:
        if has_drops:
            raise click.UsageError("--max-drop needs --baseline RUN.")
        return None, ""
    if not has_drops:
        raise click.UsageError("--baseline needs --max-drop METRIC=NUMBER.")
    if Path(text).is_dir():
        return Run.load(text), ""
    folder, _, method = text.rpartition(":")
    return Run.load(folder or text), method if folder else ""


def command_line() -> str:
    """The command as it was typed, for manifests."""
    import shlex

    return shlex.join(["srqa", *sys.argv[1:]])


def _progress(quiet: bool, out: Path | None) -> Any:
    from srqa.cli.progress import pictures

    resume = f"--out {out} --resume goes on with it" if out else ""
    return pictures("evaluating", quiet=quiet, on_interrupt=resume)


def _fetching(quiet: bool) -> Any:
    from contextlib import nullcontext

    from srqa.cli.weights import fetching

    return nullcontext() if quiet else fetching()


def show(run: Run, output_format: str) -> None:
    """Print a Run's summary on standard output."""
    from srqa.report import tables

    if output_format == "json":
        print_json(run.to_json())
    elif output_format == "table":
        for part in tables.terminal(run):
            out().print(part)
    else:
        make = {"markdown": tables.markdown, "latex": tables.latex, "csv": tables.summary_csv}
        click.echo(make[output_format](run), nl=False)


def remarks(run: Run) -> None:
    """Pairing and warnings, on standard error."""
    for used in run.manifest["pairing"]:
        if used["rule"] not in ("same relative path", ""):
            label = " ".join(filter(None, (used["method"], used["dataset"])))
            click.echo(f"paired {label}: {used['rule']} ({used['n']} pairs)", err=True)
    for warning in run.warnings:
        click.echo(click.style("note: ", fg="yellow") + warning, err=True)


def list_absent(entries: list[dict[str, str]]) -> None:
    """Metrics without a value and why, each reason once with its first pictures."""
    from srqa.images.collection import some

    reasons: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        key = (entry["metrics"], entry["problem"])
        reasons.setdefault(key, []).append(entry["image"])
    list_pictures(
        "n/a",
        "yellow",
        [
            {"image": some(images), "metrics": metrics, "problem": problem}
            for (metrics, problem), images in reasons.items()
        ],
    )


def list_pictures(word: str, colour: str, entries: list[dict[str, str]]) -> None:
    """Pictures without a value and why, the first ten, on standard error."""
    for entry in entries[:10]:
        text = entry["problem"].removeprefix("n/a: ")
        label = click.style(f"{word}: ", fg=colour)
        click.echo(f"{label}{entry['image']} ({entry['metrics']}): {text}", err=True)
    if len(entries) > 10:
        click.echo(f"... and {len(entries) - 10} more ({word})", err=True)


def some_failed(run: Run) -> int:
    """The exit code that a Run deserves, and why, on standard error."""
    failed = {row.image for row in run.score_rows if row.failed and row.level == "image"}
    whole = {(r.dataset, r.scale, r.method) for r in run.score_rows if r.failed and not r.image}
    if whole and not failed:
        complain(f"{len(whole)} of the sets have no value.")
        return 5
    if not failed:
        return 0
    images = {row.image for row in run.score_rows if row.level == "image"}
    rest = "; the others are scored" if len(failed) < len(images) else ""
    complain(f"{len(failed)} of {len(images)} pictures failed{rest}.")
    return 5
