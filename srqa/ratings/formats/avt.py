"""Matrices of the AVT subject rating analysis: CSV with `video_name`, then a column an observer."""

from __future__ import annotations

from pathlib import Path

from srqa.errors import InputError
from srqa.ratings.answers import ACR5, Answers
from srqa.ratings.formats import wide


def read(path: Path) -> Answers:
    """Read an AVT matrix (5-point ratings).

    Raises:
        InputError: it is none, or a cell is no rating from 1 to 5.
    """
    rows = wide.read_rows(path)
    if rows[0][0] != "video_name":
        raise InputError(
            f"{path} is no AVT matrix: its first column is {rows[0][0]!r}, not 'video_name'.",
            hint="Read it with the format `wide`.",
        )
    return wide.read(path, ACR5)


def write(answers: Answers, path: Path) -> Path:
    """Write an AVT matrix.

    Raises:
        InputError: there are no ratings.
        OutputError: it cannot be written.
    """
    return wide.write(answers, path, corner="video_name")
