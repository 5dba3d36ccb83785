"""How `srqa ratings` reads answers: the options, and the small files beside the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from srqa.ratings.answers import Answers, RatingScale

F = TypeVar("F", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)
FORMATS = ("tidy", "wide", "avt", "sureal", "pwcmp", "koniq", "jpeg-aic")

TABLE = """\b
A table of answers (.csv, .tsv, .parquet) has a row an answer: observer, and
  stimulus, value                a rating
  left, right, choice            a choice: left, right or tie
Also understood: stimuli by observers (wide), AVT matrices, sureal's Python
datasets (read, never executed), pwcmp, KonIQ histograms, JPEG AIC triplets.
"""


def reading(function: F) -> F:
    """Options that say how answers are read."""
    for option in reversed(
        (
            click.argument("file", type=_PATH),
            click.option(
                "--from", "form", type=click.Choice(FORMATS), help="Format; seen from the file."
            ),
            click.option(
                "--rating-scale", metavar="LOW:HIGH[:STEP]", callback=_scale,
                help="What values were possible, such as 1:5 or 0:100:0 (continuous).",
            ),
            click.option("--study", help="Which one, where the table holds several."),
            click.option(
                "--stimuli", type=_PATH, help="All names that may occur, one a line.",
            ),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def _scale(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    if value is None:
        return None
    try:
        numbers = tuple(float(part) for part in value.split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) not in (2, 3) or not all(map(_finite, numbers)) or numbers[0] >= numbers[1]:
        raise click.BadParameter(f"{value!r} is not LOW:HIGH or LOW:HIGH:STEP, such as 1:5.")
    return numbers


def _finite(number: float) -> bool:
    return number - number == 0


def load(
    file: Path, form: str | None, rating_scale: Any, study: str | None, stimuli: Path | None
) -> Answers:
    from srqa.ratings.answers import RatingScale
    from srqa.ratings.formats import read

    scale: RatingScale | None = None
    if rating_scale is not None:
        scale = RatingScale(*rating_scale)
    known = _names(stimuli) if stimuli is not None else None
    return read(file, form, scale, study, known)


def _text(path: Path) -> str:
    from srqa.errors import InputError

    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"{path} cannot be read: {reason}.") from error


def _names(path: Path) -> list[str]:
    return [line.strip() for line in _text(path).splitlines() if line.strip()]


def expected(path: Path | None) -> dict[str, float] | None:
    """Control stimuli and their values, from a CSV file with the columns stimulus and value."""
    if path is None:
        return None
    import csv

    from srqa.errors import InputError

    rows = list(csv.DictReader(_text(path).splitlines()))
    if not rows or not {"stimulus", "value"} <= set(rows[0]):
        raise InputError(f"{path} should have rows with the columns stimulus and value.")
    found = {}
    for number, row in enumerate(rows, 2):
        try:
            found[row["stimulus"].strip()] = float(row["value"])
        except (TypeError, ValueError, AttributeError):
            raise InputError(f"{row['value']!r} in row {number} of {path} is no number.") from None
    return found
