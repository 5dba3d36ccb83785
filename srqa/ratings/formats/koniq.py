"""Histograms as KonIQ-10k publishes them: `image_name`, `c1` to `c5`, how many gave each rating.

Who gave which is not told. Each vote becomes an answer of an observer of its own, named after the
picture, so that nothing is taken to be known: mean opinion scores, SOS and Krippendorff's alpha are
right, models of observers refuse such answers.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from srqa.errors import InputError
from srqa.files import write_text
from srqa.ratings.answers import ACR5, NONE, Answers, Stimulus, from_matrix
from srqa.ratings.formats.wide import read_rows
from srqa.ratings.scores import moments

LEVELS = ("c1", "c2", "c3", "c4", "c5")


def read(path: Path) -> Answers:
    """Read histograms.

    Raises:
        InputError: a column is missing, a count is no whole number, a picture has no votes or
            stands there twice, or `c_total` or `MOS` contradict the counts.
    """
    header, *body = read_rows(path)
    if not {"image_name", *LEVELS} <= set(header):
        raise InputError(f"{path} lacks one of the columns image_name, {', '.join(LEVELS)}.")
    rows = [dict(zip(header, row, strict=True)) for row in body]
    names = [row["image_name"] for row in rows]
    try:
        counts = np.array([[float(row[c]) for c in LEVELS] for row in rows]).reshape(-1, 5)
    except ValueError as error:
        raise InputError(f"A count in {path} is not a number: {error}.") from error
    if not rows or (counts < 0).any() or (counts != np.rint(counts)).any():
        raise InputError(f"The counts in {path} should be whole numbers.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"The picture {twice!r} stands twice in {path}.")
    votes = counts.sum(axis=1)
    _check(path, rows, counts)
    stimulus = np.repeat(np.arange(len(names)), votes.astype(int)).astype(np.int32)
    value = np.concatenate([np.repeat(np.arange(1.0, 6), c.astype(int)) for c in counts])
    people = tuple(
        f"{names[j]} vote {k + 1}" for j in range(len(names)) for k in range(int(votes[j]))
    )
    one = from_matrix(np.array([[3.0]]), rating_scale=ACR5)
    size = len(value)
    blank = np.full(size, NONE, dtype=np.int32)
    zero = np.zeros(size, dtype=np.int32)
    return replace(
        one,
        stimuli=tuple(Stimulus(name, content=Path(name).stem) for name in names),
        observers=people,
        observer=np.arange(size, dtype=np.int32),
        stimulus=stimulus,
        value=value,
        left=blank,
        right=blank,
        choice=zero.astype(np.int8),
        session=zero,
        repetition=zero,
        order=blank,
        response_ms=np.full(size, np.nan),
        flags=zero,
        notes=("The histograms do not say who gave which vote: each has an observer of its own.",),
    )


def _check(
    path: Path,
    rows: list[dict[str, str]],
    counts: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    for row, count in zip(rows, counts, strict=True):
        total = count.sum()
        if total == 0:
            raise InputError(f"The picture {row['image_name']!r} in {path} has no votes.")
        mean = (count @ np.arange(1, 6)) / total
        for column, found in (("c_total", total), ("MOS", mean)):
            if row.get(column) and abs(float(row[column]) - found) > 0.01:
                raise InputError(
                    f"{path} gives {column} {row[column]} for {row['image_name']}, but its counts "
                    f"make {found:.4g}."
                )


def write(answers: Answers, path: Path) -> Path:
    """Write histograms of 5-point ratings; who gave which is lost.

    Raises:
        InputError: ratings are not whole numbers from 1 to 5.
        OutputError: it cannot be written.
    """
    answers = answers.ratings()
    if not np.isin(answers.value, np.arange(1, 6)).all():
        raise InputError("KonIQ histograms hold whole ratings from 1 to 5 only.")
    size = len(answers.stimuli)
    cells = answers.stimulus * 5 + answers.value.astype(np.int32) - 1
    counts = np.bincount(cells, minlength=size * 5).reshape(size, 5)
    n, mean, sd = moments(answers)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["image_name", *LEVELS, "c_total", "MOS", "SD"])
    for j, name in enumerate(answers.names):
        spread = "" if np.isnan(sd[j]) else f"{sd[j]:.6f}"
        writer.writerow([name, *counts[j], int(n[j]), f"{mean[j]:.6f}", spread])
    write_text(path, out.getvalue())
    return path
