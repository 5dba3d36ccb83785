"""Choices as pwcmp keeps them (CSV), in either of the two forms of its examples.

`observer, session_id, scene, condition_B, condition_A, is_A_selected` of its tone-mapping example,
or `Observer, Session, Scene, Condition_1, Condition_2, Selection` (1 or 2) of its README; case does
not matter. Condition A and condition 1 become `left`. The form has no ties, order or sides.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from srqa.errors import InputError
from srqa.files import write_text
from srqa.ratings.answers import Answers
from srqa.ratings.formats.wide import read_rows
from srqa.ratings.tables import from_frame

_FORMS = (
    ("condition_a", "condition_b", "is_a_selected", {"1": "left", "0": "right"}),
    ("condition_1", "condition_2", "selection", {"1": "left", "2": "right"}),
)


def is_header(names: Sequence[str]) -> bool:
    """Whether a header is one of the two forms."""
    return "observer" in names and any({a, b, c} <= set(names) for a, b, c, _ in _FORMS)


def read(path: Path) -> Answers:
    """Read choices.

    An observer's repeated choices on a pair are numbered in the order of the file.

    Raises:
        InputError: a column is missing or a selection is none of the form's.
    """
    import pandas as pd

    header, *body = read_rows(path)
    header = [name.lower() for name in header]
    form = next((f for f in _FORMS if set(f[:3]) <= set(header)), None)
    if form is None or "observer" not in header:
        raise InputError(
            f"{path} has the columns {', '.join(header)}, not those of a pwcmp table.",
            hint="observer, scene, condition_A, condition_B, is_A_selected are needed.",
        )
    rows = [dict(zip(header, row, strict=True)) for row in body]
    first, second, selection, meaning = form
    seen: dict[tuple[str, ...], int] = {}
    table = []
    for number, row in enumerate(rows, 2):
        if row[selection] not in meaning:
            raise InputError(
                f"{row[selection]!r} in row {number} of {path} is none of {', '.join(meaning)}."
            )
        scene = row.get("scene") or row.get("content", "")
        left, right = (f"{scene}/{row[c]}" if scene else row[c] for c in (first, second))
        session = row.get("session_id") or row.get("session", "")
        key = (row["observer"], session, left, right)
        table.append(
            {
                "observer": row["observer"], "session": session, "content": scene,
                "left": left, "right": right, "choice": meaning[row[selection]],
                "repetition": seen.get(key, 0),
            }
        )  # fmt: skip
        seen[key] = seen.get(key, 0) + 1
    try:
        return from_frame(pd.DataFrame(table))
    except InputError as error:
        raise InputError(f"{path}: {error}", hint=error.hint) from error


def write(answers: Answers, path: Path) -> Path:
    """Write choices in the form with `is_A_selected`.

    Raises:
        InputError: there are no choices, or ties, which the form cannot hold.
        OutputError: it cannot be written.
    """
    chosen = ~answers.is_rating
    if not chosen.any():
        raise InputError("pwcmp's table holds choices between two pictures; there are none.")
    if ties := int((answers.choice[chosen] == 0).sum()):
        raise InputError(
            f"pwcmp's table has no ties; there are {ties}.",
            hint="Take ties out, or keep the tidy table.",
        )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["observer", "session_id", "scene", "condition_B", "condition_A", "is_A_selected"]
    )
    for row in chosen.nonzero()[0]:
        left, right = (answers.stimuli[c[row]] for c in (answers.left, answers.right))
        scene = left.content if left.content == right.content else ""
        names = [s.method if scene and s.method else s.name for s in (right, left)]
        writer.writerow(
            [
                answers.observers[answers.observer[row]], answers.sessions[answers.session[row]],
                scene, *names, int(answers.choice[row] == 1),
            ]
        )  # fmt: skip
    write_text(path, out.getvalue())
    return path
