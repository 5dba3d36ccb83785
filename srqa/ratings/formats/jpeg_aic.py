"""Triplet answers of the JPEG AIC-3 studies (CSV): which of two pictures differs more from a pivot?

Columns as the README of the published sets lists them: worker, img_left, img_pivot, img_right,
codec_* and dlevel_*, is_bias, is_trap, question_order, response (left, right, not sure) and
response_time (s).
The pivot should be the source: then the picture that differs less is the better one, and a triplet
is a choice with the side turned round ("left" differs more -> the choice is right).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from srqa.errors import InputError
from srqa.files import write_text
from srqa.ratings.answers import Answers
from srqa.ratings.formats.wide import read_rows
from srqa.ratings.tables import from_frame

RESPONSES = {"left": "right", "right": "left", "not sure": "tie"}
_NEEDED = ("worker", "img_left", "img_pivot", "img_right", "response")
_COLUMNS = (
    "worker", "img_num", "codec_left", "codec_pivot", "codec_right", "dlevel_left", "dlevel_pivot",
    "dlevel_right", "img_left", "img_pivot", "img_right", "is_bias", "is_trap", "question_order",
    "response", "response_time",
)  # fmt: skip


def read(path: Path) -> Answers:
    """Read triplets as choices; the pivot becomes the pictures' reference.

    Flags: "trap" and "bias" (both sides alike). A worker's repeated answers on the same triplet
    are numbered in the order of the file.

    Raises:
        InputError: a column is missing, a response is unknown, or a pivot is not the source.
    """
    import pandas as pd

    header, *body = read_rows(path)
    if missing := [name for name in _NEEDED if name not in header]:
        raise InputError(f"{path} lacks the columns {', '.join(missing)} of JPEG AIC triplets.")
    seen: dict[tuple[str, ...], int] = {}
    table: list[dict[str, Any]] = []
    facts: dict[str, tuple[str, str]] = {}
    for number, cells in enumerate(body, 2):
        row = dict(zip(header, cells, strict=True))
        _check(path, number, row)
        key = tuple(row[name] for name in _NEEDED[:4])
        for side in ("left", "right"):
            facts[row[f"img_{side}"]] = (_method(row, side), row["img_pivot"])
        marks = [word for word in ("trap", "bias") if row.get(f"is_{word}", "0") in ("1", "true")]
        seconds = row.get("response_time", "")
        table.append(
            {
                "observer": row["worker"], "session": row.get("assignment", ""),
                "content": row.get("img_num", ""), "left": row["img_left"],
                "right": row["img_right"], "choice": RESPONSES[row["response"].lower()],
                "repetition": seen.get(key, 0), "order": row.get("question_order", ""),
                "response_ms": float(seconds) * 1000 if seconds else np.nan,
                "flags": ";".join(marks),
            }
        )  # fmt: skip
        seen[key] = seen.get(key, 0) + 1
    try:
        answers = from_frame(pd.DataFrame(table))
    except InputError as error:
        raise InputError(f"{path}: {error}", hint=error.hint) from error
    return _with_facts(answers, facts)


def _with_facts(answers: Answers, facts: dict[str, tuple[str, str]]) -> Answers:
    from dataclasses import replace

    stimuli = tuple(
        replace(
            s,
            method=facts[s.name][0],
            reference="" if facts[s.name][1] == s.name else facts[s.name][1],
        )
        for s in answers.stimuli
    )
    return replace(answers, stimuli=stimuli)


def _check(path: Path, number: int, row: dict[str, str]) -> None:
    if row["response"].lower() not in RESPONSES:
        raise InputError(
            f"The response {row['response']!r} in row {number} of {path} is none of "
            f"{', '.join(RESPONSES)}."
        )
    if row.get("dlevel_pivot", "0") not in ("0", "", "0.0"):
        raise InputError(
            f"The pivot in row {number} of {path} has distortion level {row['dlevel_pivot']}: it "
            "is not the source, so the nearer picture need not be the better one.",
            hint="Only triplets whose pivot is the source are choices of quality.",
        )


def _method(row: dict[str, str], side: str) -> str:
    parts = (row.get(f"codec_{side}", ""), row.get(f"dlevel_{side}", ""))
    return "/".join(filter(None, parts))


def write(answers: Answers, path: Path) -> Path:
    """Write choices as triplets whose pivot is the pictures' common reference.

    Raises:
        InputError: there are no choices, or a pair has no reference in common.
        OutputError: it cannot be written.
    """
    rows = np.flatnonzero(~answers.is_rating)
    if not len(rows):
        raise InputError("Triplets are choices between two pictures; there are none.")
    words = {1: "right", -1: "left", 0: "not sure"}
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        left, right = (answers.stimuli[c[row]] for c in (answers.left, answers.right))
        pivots = {s.reference or s.name for s in (left, right)}
        if len(pivots) != 1:
            raise InputError(
                f"{left.name} and {right.name} have no reference in common to be the pivot.",
                hint="Fill the column `reference`.",
            )
        cells = {
            "worker": answers.observers[answers.observer[row]],
            "img_num": left.content,
            "img_left": left.name, "img_pivot": pivots.pop(), "img_right": right.name,
            "response": words[int(answers.choice[row])],
            "question_order": "" if answers.order[row] < 0 else int(answers.order[row]),
            "dlevel_pivot": 0,
        }  # fmt: skip
        if np.isfinite(answers.response_ms[row]):
            cells["response_time"] = answers.response_ms[row] / 1000
        marks = answers.flag_sets[answers.flags[row]].split(";")
        cells |= {f"is_{word}": int(word in marks) for word in ("trap", "bias")}
        for side, stimulus in (("left", left), ("right", right)):
            codec, _, level = stimulus.method.rpartition("/")
            cells |= {f"codec_{side}": codec, f"dlevel_{side}": level}
        writer.writerow(cells)
    write_text(path, out.getvalue())
    return path
