"""`srqa ratings`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from srqa.cli.console import out, print_json
from srqa.cli.ratings_input import FORMATS, TABLE, expected, load, reading

if TYPE_CHECKING:
    from srqa.ratings.analysis import Analysis

_PATH = click.Path(path_type=Path)
METHODS = ("auto", "acr", "acr-hr", "dscqs", "ccr", "pair", "triplet")
MODELS = ("auto", "none", "p913", "p913-iterated", "p910", "p910-ap", "regularised", "zrec")
_OF_RATINGS = ("recover", "interval", "reference_votes", "crush", "test")
_OF_CHOICES = ("scale", "ties", "prior", "sigma", "side_bias", "anchor")

CHECKS = """\b
Checks (--screen, in their order, parted by commas):
  bt500[:sureal]         far votes on both sides, by BT.500
  correlation[:0.7]      follows the others' means badly
  p913                   the same over stimuli and over methods
  gold[:1], trap         wrong on control stimuli (--gold, --trap; CSV: stimulus,value)
  time, variance[:0.15]  too fast or late; always the same rating
  repeats[:1], far[:3.3] contradicts themselves; single votes far away
  likelihood             choices that the others' scale makes unlikely
\b
Examples:
  srqa ratings analyze answers.csv --out results/
  srqa ratings analyze answers.csv --method acr --recover p910 --screen bt500 --out results/
  srqa ratings analyze answers.csv --method acr-hr --crush --screen trap,bt500 --trap traps.csv
  srqa ratings analyze pairs.csv --method pair --scale jod --anchor bicubic
"""


@click.group("ratings", context_settings={"help_option_names": ["-h", "--help"]}, epilog=TABLE)
def command() -> None:
    """Turn people's answers into scores with honest uncertainty.

    \b
    srqa ratings show answers.csv
    srqa ratings analyze answers.csv --out results/
    srqa ratings plan --method acr --stimuli 240 --effect 0.3
    srqa ratings convert dataset.py --to answers.parquet
    """


def _tell(notes: Any) -> None:
    for note in notes:
        click.echo(click.style("note: ", fg="yellow") + note, err=True)


@command.command("show", epilog=TABLE)
@reading
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(as_json: bool, **source: Any) -> None:
    """What is in a table of answers: method, stimuli, observers, gaps, agreement, problems."""
    from dataclasses import asdict

    from srqa.ratings.analysis.document import without_nan
    from srqa.ratings.overview import overview
    from srqa.report.ratings import terminal

    found = overview(load(**source))
    if as_json:
        print_json(without_nan(asdict(found)))
        return
    out().print(terminal.key_table(terminal.overview_lines(found)))
    if found.problems:
        click.echo("\nTo look at:")
    for problem in found.problems:
        out().print(f"- {problem}", markup=False)


@command.command("analyze", epilog=CHECKS)
@reading
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="auto",
    show_default=True,
    help="How people were asked; auto sees it from the answers.",
)
@click.option(
    "--recover",
    type=click.Choice(MODELS),
    default="auto",
    show_default=True,
    help="Model of observers; auto is regularised for partial designs, else none.",
)
@click.option("--screen", metavar="LIST", help="Checks in their order; see below.")
@click.option("--gold", type=_PATH, help="CSV of stimuli of known quality: stimulus,value.")
@click.option("--trap", type=_PATH, help="CSV of stimuli that ask for an answer: stimulus,value.")
@click.option(
    "--interval",
    type=click.Choice(["t", "normal", "bootstrap"]),
    default="t",
    show_default=True,
    help="Of means without a model.",
)
@click.option(
    "--reference-votes",
    type=click.Choice(["per_subject", "mean_ref", "clamped"]),
    default="per_subject",
    show_default=True,
    help="What acr-hr subtracts.",
)
@click.option("--crush", is_flag=True, help="Soften acr-hr above the top of the scale.")
@click.option(
    "--scale",
    type=click.Choice(["jod", "bt"]),
    default="jod",
    show_default=True,
    help="Of choices: Thurstone's case V, or Bradley and Terry.",
)
@click.option(
    "--ties",
    type=click.Choice(["model", "davidson", "half"]),
    default="model",
    show_default=True,
    help="A model of ties, or half a win for either.",
)
@click.option(
    "--prior",
    type=click.Choice(["gaussian", "none", "pwcmp"]),
    default="gaussian",
    show_default=True,
    help="What keeps unanimous choices finite.",
)
@click.option("--sigma", type=float, default=2.0, show_default=True, help="Of the prior, in JOD.")
@click.option(
    "--side-bias/--no-side-bias",
    default=None,
    help="Estimate a preference for the left; seen from the design.",
)
@click.option("--anchor", metavar="PICTURE", help="The picture at 0 JOD.")
@click.option(
    "--test",
    type=click.Choice(["t", "wilcoxon", "mixed"]),
    default="t",
    show_default=True,
    help="Between methods, over observers.",
)
@click.option(
    "--correct",
    type=click.Choice(["auto", "holm", "bh", "none", "max-t"]),
    default="auto",
    show_default=True,
    help="For many pairs of methods.",
)
@click.option("--margin", type=float, help="Nearer is equivalent; 0.25 points of five, 0.3 JOD.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Level of the tests.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of chance.")
@click.option("--out", "folder", type=_PATH, help="Write tables, figures and methods here.")
@click.option("--overwrite", is_flag=True, help="Replace results in --out.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def analyze(
    as_json: bool, folder: Path | None, overwrite: bool,
            quiet: bool, **given: Any) -> None:  # fmt: skip
    """Scores with intervals, screened observers, agreement, and which method is better.

    Prints the result; --out writes tables (CSV, Parquet), figures (SVG, PNG), a methods paragraph
    (Markdown, LaTeX) and analysis.json with every choice that was made.
    """
    from srqa.cli.progress import steps

    if folder is not None and not overwrite:
        from srqa.report.ratings.saving import refuse_old

        refuse_old(folder)
    with steps(quiet=quiet) as progress:
        found = _analysis(given, progress)
        written: tuple[Path, ...] = ()
        if folder is not None:
            from srqa.report.ratings.saving import save

            written = save(found, folder, overwrite, progress)
    if as_json:
        _print_document(found)
    else:
        _print_result(found)
    _tell(found.notes)
    if written:
        click.echo(f"{len(written)} files were written to {folder}.", err=True)
        if not any(path.suffix == ".svg" for path in written):
            _tell(["No figures were drawn: they need matplotlib (pip install 'srqa[plots]')."])


def _analysis(given: dict[str, Any], progress: Any) -> Analysis:
    from srqa.ratings.analysis import analyze as run
    from srqa.ratings.analysis.choices import RATED, settle_method

    names = ("file", "form", "rating_scale", "study", "stimuli")
    answers = load(**{name: given.pop(name) for name in names})
    method, _ = settle_method(answers, given["method"])
    context = click.get_current_context()
    idle = _OF_CHOICES if method in RATED else _OF_RATINGS
    for name in idle:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            kind = "choices between pictures" if method in RATED else "ratings"
            raise click.UsageError(
                f"--{name.replace('_', '-')} is for {kind}, not for the method {method}.", context
            )
    checks = given.pop("screen")
    return run(
        answers,
        given.pop("method"),
        screen=[name.strip() for name in checks.split(",")] if checks else (),
        gold=expected(given.pop("gold")),
        trap=expected(given.pop("trap")),
        correction=given.pop("correct"),
        progress=progress,
        **given,
    )


def _print_document(found: Analysis) -> None:
    from srqa.ratings.analysis.document import document, without_nan
    from srqa.ratings.analysis.tables import tables

    record = document(found)
    record["tables"] = {
        name: without_nan(frame.astype(object).where(frame.notna(), None).to_dict("records"))
        for name, frame in tables(found).items()
        if name != "jod_covariance"
    }
    print_json(record)


def _print_result(found: Analysis) -> None:
    from srqa.report.ratings import terminal

    console = out()
    console.print(terminal.key_table(terminal.result_lines(found)))
    for table in (terminal.standings_table(found), terminal.differences_table(found)):
        if table is not None:
            console.print()
            console.print(table)
    standings = found.standings
    if standings.names and standings.of == "stimuli":
        return
    scores, left = terminal.scores_table(found)
    console.print()
    console.print(scores)
    if left:
        console.print(f"and {left:,} more; --out writes all.")


@command.command("plan")
@click.option(
    "--method",
    type=click.Choice(["acr", "acr-hr", "dscqs", "ccr", "pair"]),
    default="acr",
    show_default=True,
    help="How people will be asked.",
)
@click.option("--stimuli", type=click.IntRange(2), required=True, help="Pictures to be judged.")
@click.option(
    "--effect",
    type=float,
    required=True,
    help="The difference to be found: points of the scale, or JOD.",
)
@click.option("--power", type=float, default=0.8, show_default=True, help="The chance to find it.")
@click.option(
    "--alpha", type=float, default=0.05, show_default=True, help="The chance of a false alarm."
)
@click.option(
    "--comparisons",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Pairs that are tested; alpha is shared among them.",
)
@click.option(
    "--sd",
    type=float,
    default=0.8,
    show_default=True,
    help="Of an observer's difference between two pictures, on the scale.",
)
@click.option("--methods", type=click.IntRange(1), help="By which the pictures were made.")
@click.option("--seconds", type=float, help="To look and answer; 5 to 30 by method.")
@click.option(
    "--session",
    type=float,
    default=30.0,
    show_default=True,
    metavar="MINUTES",
    help="The longest session.",
)
@click.option("--simulate", is_flag=True, help="Try the design with synthetic observers.")
@click.option(
    "--studies", type=click.IntRange(10), default=200, show_default=True, help="That are simulated."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of chance.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def plan(simulate: bool, studies: int, seed: int, quiet: bool, as_json: bool, session: float,
         **given: Any) -> None:  # fmt: skip
    """How many observers, minutes and votes a stimulus a study needs.

    \b
    srqa ratings plan --method acr --stimuli 240 --effect 0.3 --power 0.8
    srqa ratings plan --method acr --stimuli 240 --methods 6 --effect 0.3 --simulate
    srqa ratings plan --method pair --stimuli 60 --methods 6 --effect 0.5
    """
    from dataclasses import asdict

    from srqa.cli.progress import steps
    from srqa.errors import UsageError
    from srqa.ratings.analysis.document import without_nan
    from srqa.ratings.designs import design_study, try_design
    from srqa.report.ratings import terminal

    design = design_study(session_minutes=session, **given)
    trials = []
    if simulate:
        if given["methods"] is None:
            raise UsageError(
                "Simulation compares methods, and their number is not known.",
                hint="Say it with --methods.",
            )
        with steps(quiet=quiet) as progress:
            for k in range(len(design.schedules)):

                def count(done: int, total: int, which: int = k) -> None:
                    if progress:
                        progress(f"Simulating design {which + 1}", done, total)

                trials.append(
                    try_design(design, given["methods"], k, studies, seed, progress=count)
                )
    if as_json:
        print_json(without_nan({**asdict(design), "trials": [asdict(t) for t in trials]}))
        return
    for line in terminal.plan_lines(design):
        out().print(line)
    out().print()
    out().print(terminal.plan_table(design))
    unit = "JOD" if design.method == "pair" else "points"
    for schedule, trial in zip(design.schedules, trials, strict=False):
        out().print(terminal.trial_sentence(schedule.name.capitalize(), trial, unit))
    _tell(design.notes)


@command.command("convert", epilog=TABLE)
@reading
@click.option("--to", "target", type=_PATH, required=True, help="The file to write.")
@click.option(
    "--as", "as_form", type=click.Choice(FORMATS), help="Its format; sureal for .py, else tidy."
)
@click.option("--overwrite", is_flag=True, help="Replace the file.")
def convert(target: Path, as_form: str | None, overwrite: bool, **source: Any) -> None:
    """Write answers in another format.

    \b
    srqa ratings convert dataset.py --to answers.parquet
    srqa ratings convert answers.csv --to matrix.csv --as wide
    """
    from srqa.errors import OutputError
    from srqa.ratings.formats import write

    if target.exists() and not overwrite:
        raise OutputError(f"{target} is there already.", hint="Say --overwrite to replace it.")
    answers = load(**source)
    write(answers, target, as_form or ("sureal" if target.suffix == ".py" else "tidy"))
    _tell(answers.notes)
    click.echo(
        f"{len(answers):,} answers by {len(answers.observers):,} observers about "
        f"{len(answers.stimuli):,} pictures were written to {target}.",
        err=True,
    )
