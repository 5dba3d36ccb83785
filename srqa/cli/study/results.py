"""`srqa study analyze`, `report`, `export` and `import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from srqa.cli.study.options import opened, tell, which

if TYPE_CHECKING:
    from srqa.ratings.analysis import Analysis
    from srqa.study.study import Study

_PATH = click.Path(path_type=Path)
FORMS = ("csv", "parquet", "wide", "avt", "sureal", "pwcmp")


@click.command("analyze")
@which
@click.option("--out", "folder", type=_PATH, help="Where to write; data/results without.")
@click.option("--no-metrics", is_flag=True, help="Do not compute the definition's metrics.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def analyze(study: str, home: str | None, database: str | None, folder: Path | None,
            no_metrics: bool, quiet: bool, as_json: bool) -> None:  # fmt: skip
    """Scores with intervals by the study's settings; tables, figures and a methods paragraph."""
    from srqa.cli.ratings import _print_document, _print_result

    opening = opened(study, home, database)
    found, written = results(opening, folder, not no_metrics, quiet)
    if as_json:
        _print_document(found)
    else:
        _print_result(found)
        _print_more(opening)
    tell(found.notes)
    click.echo(f"{len(written)} files were written to {written[0].parent}.", err=True)


def results(
    study: Study, folder: Path | None, with_metrics: bool, quiet: bool
) -> tuple[Analysis, tuple[Path, ...]]:
    """Analyse a study and write the folder of results."""
    from srqa.cli.progress import pictures, steps
    from srqa.files import replacing
    from srqa.report.ratings.saving import save
    from srqa.study.analysis import analyze_study
    from srqa.study.values import compute_metrics, metric_table

    target = folder or study.data / "results"
    with steps(quiet=quiet) as progress:
        found = analyze_study(study, progress)
        written = save(found, target, overwrite=True, progress=progress)
    if with_metrics and study.definition.analysis.metrics:
        with pictures("computing metrics", quiet=quiet) as bar:
            compute_metrics(study, progress=bar)
        with replacing(target / "metrics.csv") as temporary:
            metric_table(study).to_csv(temporary, index=False)
        written = (*written, target / "metrics.csv")
    return found, written


def _print_more(study: Study) -> None:
    from srqa.study import admin
    from srqa.study.analysis import retest_of

    again = retest_of(study)
    if again is not None:
        click.echo(
            f"\nRepeated trials: {again.pairs} pairs, mean difference {again.mean_difference:.2f}, "
            f"{again.exact:.0%} equal, weighted kappa {again.kappa:.2f}."
        )
    frame = admin.correlations(study)
    for row in frame.to_dict("records"):
        click.echo(
            f"{row['metric']}: SROCC {row['srocc']:.3f} [{row['ci_low']:.3f}, "
            f"{row['ci_high']:.3f}], PLCC {row['plcc']:.3f} over {row['n']} stimuli"
        )


@click.command("report")
@which
@click.option("--out", "file", type=_PATH, help="The HTML file; data/results/report.html without.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def report(
    study: str, home: str | None, database: str | None, file: Path | None, quiet: bool
) -> None:
    """One self-contained HTML page with all that the study found."""
    from srqa.report.study import write_study_report

    opening = opened(study, home, database)
    target = file or opening.data / "results" / "report.html"
    found, _ = results(opening, None, True, quiet)
    write_study_report(opening, found, target)
    click.echo(f"Open {target} in a browser.", err=True)


@click.command("export")
@which
@click.option("--as", "form", type=click.Choice(FORMS), default="csv", show_default=True)
@click.option("--out", "file", type=_PATH, help="The file; below data/exports without.")
@click.option("--overwrite", is_flag=True, help="Replace the file.")
def export(study: str, home: str | None, database: str | None, form: str, file: Path | None,
           overwrite: bool) -> None:  # fmt: skip
    """Write all answers as a table; participants are called o001, o002, ...

    \b
    srqa study export my-study --out answers.csv
    srqa study export my-study --as sureal --out dataset.py
    """
    from srqa.errors import OutputError
    from srqa.study.exporting import default_name, export_answers

    opening = opened(study, home, database, prepare=False)
    target = file or opening.data / "exports" / default_name(opening, form)
    if target.exists() and not overwrite and file is not None:
        raise OutputError(f"{target} is there already.", hint="Say --overwrite to replace it.")
    number, notes = export_answers(opening, target, form)
    tell(notes)
    click.echo(f"{number:,} answers were written to {target}.", err=True)


@click.command("import")
@which
@click.argument("file", type=_PATH)
def import_(study: str, home: str | None, database: str | None, file: Path) -> None:
    """Add answers that were collected elsewhere, as a table with srqa's columns.

    Stimuli are named as `srqa study export` names them; each observer becomes a participant.
    """
    from srqa.study.importing import import_answers

    opening = opened(study, home, database)
    people, answers = import_answers(opening, file)
    click.echo(f"{answers:,} answers by {people:,} people were added.", err=True)


COMMANDS = {"analyze": analyze, "report": report, "export": export, "import": import_}
