"""`srqa study simulate`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from srqa.cli.console import out, print_json
from srqa.cli.study.options import opened, which


@click.command("simulate")
@which
@click.option("--observers", type=click.IntRange(2), default=24, show_default=True,
              help="People who come.")  # fmt: skip
@click.option("--leaving", type=click.FloatRange(0, 0.9), default=0.05, show_default=True,
              help="Share of people who leave halfway.")  # fmt: skip
@click.option("--bias", type=click.FloatRange(0), default=0.35, show_default=True,
              help="Standard deviation of their biases, on five points.")  # fmt: skip
@click.option("--inconsistency", type=click.FloatRange(0.01), default=0.55, show_default=True,
              help="Median standard deviation of a person's answers, on five points.")  # fmt: skip
@click.option("--lapses", type=click.FloatRange(0, 1), default=0.02, show_default=True,
              help="Share of answers without looking.")  # fmt: skip
@click.option("--side", type=click.FloatRange(0), default=0.1, show_default=True,
              help="Standard deviation of the preference for a side, in JOD.")  # fmt: skip
@click.option("--quality", default="", metavar="FILE|RUN:METRIC",
              help="What they see: a table of qualities from 1 to 5, or the ranks by a metric of a "
              "Run; drawn by chance without.")  # fmt: skip
@click.option("--out", "folder", type=click.Path(path_type=Path),
              help="Write their scores here, as `srqa study analyze` does: for `srqa correlate "
              "--ratings`.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace results in --out.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of chance.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def simulate(study: str, home: str | None, database: str | None, observers: int, leaving: float,
             bias: float, inconsistency: float, lapses: float, side: float, quality: str,
             folder: Path | None, overwrite: bool, seed: int, quiet: bool,
             as_json: bool) -> None:  # fmt: skip
    """Try a study with synthetic people, and see what it would find.

    They answer through the real routes into a database of their own, which the real analysis
    reads. --database names an empty one (PostgreSQL, say); a temporary file is used without.

    \b
    srqa study simulate my-study --observers 24
    srqa study simulate my-study --observers 60 --leaving 0.2 --lapses 0.1
    srqa study simulate my-study --quality runs/x4:lpips --out simulated
    """
    from srqa.cli.progress import steps
    from srqa.study.observers import People
    from srqa.study.simulate import simulate_study

    if folder is not None and not overwrite:
        from srqa.report.ratings.saving import refuse_old

        refuse_old(folder)
    opening = opened(study, home, None)
    people = People(bias=bias, inconsistency=inconsistency, lapses=lapses, side=side)
    with steps(quiet=quiet) as bar:

        def progress(done: int, total: int) -> None:
            if bar:
                bar(f"{done} of {total} people", done, total)

        found = simulate_study(
            opening, observers, people, seed, leaving, database, progress, quality
        )
    if folder is not None:
        from srqa.report.ratings.saving import save

        save(found.analysis, folder, overwrite=overwrite)
    if as_json:
        from srqa.ratings.analysis.document import without_nan

        print_json(without_nan(found.document()))
        return
    _print(found, opening.definition.stop)
    drawn = f"is that of {quality}" if quality else f"was drawn by chance (--seed {seed})"
    click.echo(
        f"What synthetic people like {drawn}: this tells how well the study would find out, not "
        "how good your pictures are.", err=True,
    )  # fmt: skip
    click.echo(f"Next: srqa {_next(study, quality, folder)}", err=True)


def _next(study: str, quality: str, folder: Path | None) -> str:
    if folder is None:
        return f"study serve {study}"
    from srqa.study.qualities import split

    source = split(quality)[0] if quality else None
    run = source if source and source.is_dir() else "RUN"
    return f"correlate --ratings {folder} --scores {run}"


def _print(found: Any, stop: Any) -> None:
    from srqa.report.ratings import terminal

    true, seen = found.method_order
    median, reached = found.half_width
    lines = [
        ("people", f"{found.observers} finished, {found.left} left halfway, "
                   f"{found.flagged} failed the control questions"),
        ("answers", f"{found.answers:,}; {found.votes[0]} to {found.votes[1]} votes a stimulus"),
        ("a session", f"{found.minutes:.0f} minutes of trials (median)"),
        ("intervals", f"±{median:.2f} {found.unit} (median), ±{reached:.2f} for "
                      f"{stop.quantile:.0%} of the stimuli"),
        ("stop rule", "met" if found.stop_met else f"not met (±{stop.ci_half_width:g}, "
                                                   f"{stop.min_votes} votes)"),
        ("rank correlation", f"{found.rank_correlation:.3f} with the truth, over stimuli"),
    ]  # fmt: skip
    if math.isfinite(found.coverage):
        lines += [
            ("error", f"{found.rmse:.2f} {found.unit} (root mean square)"),
            ("coverage", f"{found.coverage:.0%} of the 95 % intervals hold the truth"),
        ]
    same = "as in truth" if seen == true[: len(seen)] else f"but in truth {', '.join(true)}"
    lines += [
        ("methods", f"{', '.join(seen)}, {same}"),
        ("power", f"{found.power:.0%} of the pairs of methods told apart"
                  + (f", {found.wrong:.0%} wrongly" if found.wrong else "")),
    ]  # fmt: skip
    out().print(terminal.key_table(lines))


COMMANDS = {"simulate": simulate}
