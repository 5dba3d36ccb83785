"""`srqa leaderboard`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import complain

if TYPE_CHECKING:
    from srqa.engine.results import Run

EXAMPLES = """\b
Examples:
  srqa leaderboard hr/ --models bicubic,tv,dat-light,real-esrgan-x4plus --out runs/board
  srqa leaderboard hr/ --scale 2,3,4 --models bicubic,dat-light,my_swinir.pth --out runs/board
  srqa leaderboard set5 set14 --models bicubic,dat-light --out runs/board     # see `srqa data`
  srqa leaderboard hr/ --preset bd --scale 3 --models bicubic,dat-light --out runs/bd

The same command goes on where an interrupted one stopped; a model that is added or changed is all
that is computed.
"""


def _scales(context: click.Context, parameter: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        scales = tuple(dict.fromkeys(float(part) for part in value.split(",") if part.strip()))
    except ValueError:
        scales = ()
    if not scales or not all(1 <= scale < 1000 for scale in scales):
        raise click.BadParameter(f"{value!r} is no list of scales such as 2,3,4.")
    return scales


@click.command("leaderboard", epilog=EXAMPLES)
@click.argument("hr", nargs=-1, required=True)
@click.option(
    "--models",
    required=True,
    metavar="LIST",
    help="Names of `srqa models list` or checkpoints, with commas between.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the Run.")
@click.option(
    "--scale", default="4", show_default=True, callback=_scales, help="One or several: 2,3,4."
)
@click.option("-m", "--metrics", metavar="LIST", help="As of `srqa evaluate`.")
@click.option(
    "--preset",
    type=click.Choice(["bi", "bd", "dn", "jpeg", "real-esrgan"]),
    default="bi",
    show_default=True,
    help="How low resolution is made, as of `srqa degrade`.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the degradation.")
@click.option("--tile", default="auto", show_default=True, help="As of `srqa upscale`.")
@click.option("--ensemble", is_flag=True, help="Mean over the 8 turns and mirrorings of the input.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "float16", "bfloat16"]),
    default="auto",
    show_default=True,
    help="In which models compute.",
)
@click.option("--threads", type=int, help="Of the CPU.  [all cores]")
@click.option("--memory", metavar="SIZE", help="What may be taken, as 8GB.  [half of what is free]")
@click.option("--offline", is_flag=True, help="Fetch no weights.")
@click.option("--accept-licence", is_flag=True, help="As of `srqa evaluate`.")
@click.option("--overwrite", is_flag=True, help="Begin anew.")
@click.option("--pictures", type=int, default=6, show_default=True, help="Shown in the report.")
@click.option("--json", "as_json", is_flag=True, help="Print the Run as one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(hr: tuple[str, ...], as_json: bool, quiet: bool, **given: Any) -> int:
    """From high-resolution pictures to a ranking of models: degrade, upscale, evaluate, report.

    HR are folders, whose sub-folders are datasets, or names of test sets that were added
    (`srqa data`).
    """
    from contextlib import nullcontext

    from srqa.cli.console import reader_may_leave
    from srqa.cli.evaluate import command_line, list_absent, remarks, show
    from srqa.cli.progress import pictures, stages
    from srqa.cli.upscale import tile
    from srqa.cli.weights import fetching
    from srqa.engine.leaderboard import leaderboard
    from srqa.report.html import write_report

    shared = {key: given[key] for key in ("device", "offline", "memory")}
    running = shared | {key: given[key] for key in ("dtype", "ensemble", "threads")}
    with nullcontext() if quiet else fetching() as fetched, stages(quiet=quiet) as progress:
        run = leaderboard(
            list(hr),
            given["models"],
            out=given["out"],
            scale=given["scale"],
            metrics=given["metrics"],
            preset=given["preset"],
            seed=given["seed"],
            overwrite=given["overwrite"],
            running=running | {"tile": tile(given["tile"])},
            evaluating=shared | {"accept_licence": given["accept_licence"]},
            progress=progress,
            fetching=fetched,
            command=command_line(),
        )
    with reader_may_leave():
        show(run, "json" if as_json else "table")
        if not as_json:
            _show_costs(run)
    if not quiet:
        remarks(run)
        list_absent(run.not_applicable)
    with pictures("reading pictures", quiet=quiet) as progress:
        path = write_report(
            run, given["out"] / "report.html", pictures=given["pictures"], progress=progress
        )
    if not quiet:
        click.echo(f"Run written to {run.path}; open {path} in a browser.", err=True)
    return _some_failed(run)


def _show_costs(run: Run) -> None:
    from srqa.cli.console import out
    from srqa.report.costs import terminal

    out().print()
    out().print(terminal(run))


def _some_failed(run: Run) -> int:
    from srqa.cli.evaluate import some_failed

    told = [w for w in run.warnings if "has no output: " in w or w.startswith("Not degraded: ")]
    if told:
        word = "picture" if len(told) == 1 else "pictures"
        complain(f"{len(told)} {word} could not be made; the others are evaluated.")
        return 5
    return some_failed(run)
