"""`srqa data`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import complain

if TYPE_CHECKING:
    from srqa.images.testsets import Finding


@click.group("data", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """The test sets of the literature: where yours lie, and whether they are what they should be.

    \b
    srqa data list
    srqa data add set5 ~/data/Set5/HR
    srqa data check
    srqa leaderboard set5 --models bicubic,dat-light --out runs/set5

    srqa carries no pictures of these sets; `srqa data show NAME` says how to get one.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_sets(as_json: bool) -> None:
    """All sets that are known, and yours, a line each."""
    from srqa.cli.console import out, print_json
    from srqa.images import testsets

    have = testsets.entries()
    names = [*testsets.KNOWN, *(name for name in have if name not in testsets.KNOWN)]
    if as_json:
        print_json([_facts(name) for name in names])
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "pictures", "what", "where"):
        table.add_column(column, justify="right" if column == "pictures" else "left")
    for name in names:
        known, entry = testsets.KNOWN.get(name), have.get(name)
        count = len(entry.hashes) if entry else known.pictures if known else 0
        shows = known.shows if known else "your own"
        table.add_row(name, str(count), shows, str(entry.path) if entry else "-")
    out().print(table)


@command.command("add")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
def add(name: str, folder: Path) -> None:
    """Say where a set lies, and check it.

    \b
    srqa data add set5 ~/data/Set5/HR
    srqa data add mine ~/pictures/test        # any set of your own

    FOLDER holds the high-resolution pictures and nothing else.
    """
    from srqa.cli.progress import pictures
    from srqa.images import testsets

    with pictures("reading") as progress:
        entry, findings = testsets.add(name, folder, progress)
    click.echo(f"{entry.name}  {len(entry.hashes)} pictures in {entry.path}")
    _show_findings(findings)


@command.command("check")
@click.argument("names", nargs=-1, metavar="[NAME...]")
def check(names: tuple[str, ...]) -> int:
    """Compare sets with what they were when they were added, and with what is published.

    \b
    srqa data check
    srqa data check set5
    """
    from srqa.cli.progress import pictures
    from srqa.errors import InputError
    from srqa.images import testsets

    have = testsets.entries()
    for name in names:
        if name.lower() not in have:
            testsets.find(name)
    wanted = [have[name.lower()] for name in names] or list(have.values())
    if not wanted:
        raise InputError("No set was added.", "`srqa data add NAME FOLDER`.")
    bad = []
    for entry in wanted:
        with pictures(entry.name) as progress:
            findings = testsets.check(entry, progress)
        serious = any(one.serious for one in findings)
        word = "not as it should be" if serious else "good"
        click.echo(f"{entry.name}  {word}  {entry.path}")
        _show_findings(findings)
        bad += [entry.name] if serious else []
    if bad:
        complain(f"{len(bad)} of {len(wanted)} sets are not as they should be: {', '.join(bad)}.")
        return 3
    return 0


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, as_json: bool) -> None:
    """What a set is, where yours lies, and how to get it.

    \b
    srqa data show urban100
    """
    from srqa.cli.console import print_json
    from srqa.errors import UsageError
    from srqa.images import testsets

    facts = _facts(name.lower())
    if name.lower() not in testsets.KNOWN and facts["path"] is None:
        raise UsageError(f"There is no test set {name!r}.", "`srqa data list` names the sets.")
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if value:
            click.echo(f"{key:9} {value}")


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget where a set lies; its pictures stay where they are."""
    from srqa.images import testsets

    testsets.remove(name)


def _facts(name: str) -> dict[str, Any]:
    from srqa.images import testsets

    known, entry = testsets.KNOWN.get(name), testsets.entries().get(name)
    return {
        "name": name,
        "title": known.title if known else "",
        "shows": known.shows if known else "",
        "pictures": known.pictures if known else len(entry.hashes) if entry else 0,
        "paper": known.paper if known else "",
        "path": str(entry.path) if entry else None,
        "get": known.get if known else "",
    }


def _show_findings(findings: list[Finding]) -> None:
    for finding in findings:
        colour = "red" if finding.serious else "yellow"
        word = "wrong: " if finding.serious else "note: "
        click.echo(click.style(word, fg=colour) + finding.sentence, err=True)
