"""Tables of stimuli by observers (CSV): a row a stimulus, a column an observer, empty = not rated.

With names (a header and a first column) or without. An observer's repeated votes stand in further
columns named "OBSERVER#2", "OBSERVER#3".
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from srqa.errors import InputError
from srqa.files import write_text
from srqa.ratings.answers import Answers, Floats, RatingScale, from_matrix

MISSING = ("", "nan", "na", "-", "null", "none")


def read(path: Path, rating_scale: RatingScale | None = None) -> Answers:
    """Read a table of stimuli by observers.

    Raises:
        InputError: it cannot be read, rows differ in length, or a cell is no number.
    """
    rows = read_rows(path)
    named = any(_number(cell) is None for cell in rows[0])
    if not named:
        return from_matrix(_cells(path, rows, 0, 1), rating_scale=rating_scale)
    header, body = rows[0][1:], rows[1:]
    if not header:
        raise InputError(f"{path} has one column only, so it is no table of answers.")
    if not body:
        raise InputError(f"{path} has a header but no stimuli.")
    names = [row[0] for row in body]
    table = _cells(path, [row[1:] for row in body], 1, 2)
    people = [name.split("#")[0] for name in header]
    unique = list(dict.fromkeys(people))
    depth = max(people.count(name) for name in unique)
    cube = np.full((len(names), len(unique), depth), np.nan)
    seen = dict.fromkeys(unique, 0)
    for column, (name, full) in enumerate(zip(people, header, strict=True)):
        if seen[name] and "#" not in full:
            raise InputError(f"{path} has two columns {full!r}.")
        cube[:, unique.index(name), seen[name]] = table[:, column]
        seen[name] += 1
    try:
        return from_matrix(cube, names, unique, rating_scale)
    except InputError as error:
        raise InputError(f"{path}: {error}", hint=error.hint) from error


def write(answers: Answers, path: Path, corner: str = "stimulus") -> Path:
    """Write ratings as a table of stimuli by observers.

    Raises:
        InputError: there are no ratings.
        OutputError: it cannot be written.
    """
    answers = answers.ratings()
    people = len(answers.observers)
    cell = answers.stimulus.astype(np.int64) * people + answers.observer
    order = np.lexsort((answers.repetition, answers.session, cell))
    first = np.r_[True, cell[order][1:] != cell[order][:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    turn = np.empty(len(order), dtype=np.int64)
    turn[order] = np.arange(len(order)) - start
    cube = np.full((len(answers.stimuli), people, int(turn.max()) + 1), np.nan)
    cube[answers.stimulus, answers.observer, turn] = answers.value
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = [(i, r) for i in range(people) for r in range(cube.shape[2])]
    columns = [(i, r) for i, r in columns if np.isfinite(cube[:, i, r]).any()]
    label = ["" if r == 0 else f"#{r + 1}" for _, r in columns]
    heads = [answers.observers[i] + mark for (i, _), mark in zip(columns, label, strict=True)]
    writer.writerow([corner, *heads])
    for name, row in zip(answers.names, cube, strict=True):
        writer.writerow([name, *(_text(row[i, r]) for i, r in columns)])
    write_text(path, out.getvalue())
    return path


def read_rows(path: Path) -> list[list[str]]:
    """The cells of a CSV file, all rows equally long.

    Raises:
        InputError: it cannot be read, is empty, or rows differ in length.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}.") from error
    if not rows:
        raise InputError(f"{path} is empty.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise InputError(
                f"Row {number} of {path} has {len(row)} cells, the first has {len(rows[0])}."
            )
    return rows


def _cells(path: Path, rows: list[list[str]], first_column: int, first_row: int) -> Floats:
    table = np.empty((len(rows), len(rows[0]) if rows else 0))
    for j, row in enumerate(rows):
        for i, cell in enumerate(row):
            value = _number(cell)
            if value is None:
                raise InputError(
                    f"{cell!r} in row {j + first_row}, column {i + first_column + 1} of {path} "
                    "is not a number."
                )
            table[j, i] = value
    return table


def _number(cell: str) -> float | None:
    if cell.lower() in MISSING:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return None


def _text(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value)).removesuffix(".0")
