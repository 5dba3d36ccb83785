"""What the commands of `srqa study` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from srqa.study.study import Study

F = TypeVar("F", bound=Callable[..., Any])


def which(function: F) -> F:
    """The study, and where its data lie."""
    for option in reversed(
        (
            click.argument("study"),
            click.option("--home", metavar="FOLDER", help="Folder of studies; ./studies without."),
            click.option(
                "--database",
                metavar="FILE|ADDRESS",
                help="An SQLite file, or postgresql://...; SRQA_DATABASE, or a file of the "
                "study's, without.",
            ),
        )
    ):
        function = option(function)
    return function


def opened(study: str, home: str | None, database: str | None, prepare: bool = True) -> Study:
    """Open a study, with a progress bar for its pictures, and tell what was noticed."""
    from srqa.cli.progress import pictures
    from srqa.study.study import open_study

    found = open_study(study, home, database)
    if prepare:
        with pictures("preparing stimuli") as progress:
            notes = found.prepare(progress)
        tell(notes)
    return found


def tell(notes: Any) -> None:
    """Notes on standard error."""
    for note in notes:
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
