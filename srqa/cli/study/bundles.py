"""`srqa study bundle` and `srqa study verify`."""

from __future__ import annotations

from pathlib import Path

import click

from srqa.cli.study.options import opened, tell, which

_PATH = click.Path(path_type=Path)


@click.command("bundle")
@which
@click.option("--out", "file", type=_PATH, help="The zip; data/bundles/STUDY.zip without.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def bundle(
    study: str, home: str | None, database: str | None, file: Path | None, quiet: bool
) -> None:
    """One zip: definition, hashes, anonymous answers, metrics, results, report, versions.

    `srqa study verify FILE` checks it and computes the results anew.
    """
    from srqa.cli.study.results import results
    from srqa.report.study import write_study_report
    from srqa.study.bundling import bundle as make

    opening = opened(study, home, database)
    found, _ = results(opening, None, True, quiet)
    page = opening.data / "results" / "report.html"
    write_study_report(opening, found, page)
    target = file or opening.data / "bundles" / f"{opening.name}.zip"
    make(opening, found, target, page)
    tell(found.notes)
    click.echo(f"{target} was written. Check it with: srqa study verify {target}", err=True)


@click.command("verify")
@click.argument("file", type=_PATH)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def verify(file: Path, quiet: bool) -> int:
    """Check a bundle: hashes of its files, and the analysis computed anew from its answers."""
    from srqa.cli.progress import steps
    from srqa.study.bundling import verify as check

    with steps(quiet=quiet) as progress:
        found = check(file, progress)
    for one in found:
        mark = click.style("ok", fg="green") if one.passed else click.style("differs", fg="red")
        click.echo(f"{mark}: {one.what} ({one.detail})")
    return 0 if all(one.passed for one in found) else 1


COMMANDS = {"bundle": bundle, "verify": verify}
