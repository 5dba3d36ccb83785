"""Answers that were collected elsewhere, into the store: each observer becomes a participant."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from srqa.errors import InputError
from srqa.ratings.answers import NONE, Answers
from srqa.ratings.formats import read
from srqa.study import tables as t
from srqa.study import tokens
from srqa.study.store import utcnow
from srqa.study.study import Study

_WORDS = {1: "left", 0: "tie", -1: "right"}


def import_answers(study: Study, file: Path | str) -> tuple[int, int]:
    """Add the answers of a table to a study, all or none.

    An observer who was imported before is refused, so that nothing counts twice.

    Args:
        study: prepared; its stimuli must have the names of the table.
        file: a table that `srqa.ratings.load` reads.

    Returns:
        People and answers that were added.

    Raises:
        InputError: the table speaks of other stimuli or of another method, or was imported before.
    """
    scale = None
    if not study.definition.is_paired:
        scale = study.method.rating_scale(study.definition.scale.points)
    answers = read(file, rating_scale=scale)
    controls = answers.has_flag("training") | answers.has_flag("trap") | answers.has_flag("gold")
    if controls.any():
        answers = answers.select(~controls)
    rows = _rows(study, answers)
    known = {row["external_hash"] for row in study.store.participants()}
    now = utcnow()
    with study.store.database.writing("participants") as c:
        for observer, mine in rows.items():
            external = tokens.keyed(study.key, "import", observer)
            if external in known:
                raise InputError(
                    f"The answers of {observer} were imported before.",
                    hint="`srqa study forget` removes a participant.",
                )
            who = tokens.new_id()
            c.execute(
                t.participant.insert().values(
                    id=who, study=study.store.study, external_hash=external,
                    token_hash=tokens.hashed(tokens.new_token()), state="finished", step="done",
                    reason="imported", synthetic=False, created=now, started=now, finished=now,
                    seen=now,
                )
            )  # fmt: skip
            c.execute(t.session.insert().values(participant=who, number=1, started=now))
            for place, (asked, given) in enumerate(mine):
                made = c.execute(
                    t.assignment.insert().values(
                        participant=who, position=place, block=1, payload={}, state="done",
                        lease=now, **asked,
                    )
                )  # fmt: skip
                key = made.inserted_primary_key
                c.execute(
                    t.response.insert().values(
                        assignment=key[0] if key else None, participant=who, at=now, session=1,
                        **given,
                    )
                )  # fmt: skip
        study.store._add_event(c, "imported", {"people": len(rows), "answers": len(answers)})
    return len(rows), len(answers)


def _rows(study: Study, answers: Answers) -> dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """For each observer what was asked and what was answered."""
    by_name = {name: row["id"] for name, row in study.by_name.items()}
    unknown = sorted(set(answers.names) - set(by_name))
    if unknown:
        raise InputError(
            f"The table speaks of {unknown[0]!r}, which is no stimulus of the study {study.name} "
            f"({len(unknown)} such names).",
            hint="`srqa study export` shows how stimuli are named.",
        )
    numbers = [by_name[name] for name in answers.names]
    paired = study.definition.is_paired
    found: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for k in range(len(answers)):
        if bool(answers.is_rating[k]) == paired:
            raise InputError(
                f"Row {k + 1} is {'a rating' if paired else 'a choice'}, but the study asks by "
                f"{study.definition.method}."
            )
        asked = _asked(study, answers, numbers, k)
        time = float(answers.response_ms[k])
        given = {
            "value": None if paired else float(answers.value[k]),
            "choice": _WORDS[int(answers.choice[k])] if paired else None,
            "response_ms": time if math.isfinite(time) else 0.0,
        }
        again = int(answers.repetition[k]) > 0
        asked["kind"] = "repeat" if again else asked["kind"]
        found.setdefault(answers.observers[answers.observer[k]], []).append((asked, given))
    return found


def _asked(study: Study, answers: Answers, numbers: list[int], k: int) -> dict[str, Any]:
    left, right = int(answers.left[k]), int(answers.right[k])
    if study.method.shows != "two":
        number = numbers[answers.stimulus[k]]
        return {"kind": "test", "unit": str(number), "first": number, "second": None, "swapped": 0}
    if NONE in (left, right):
        raise InputError(f"Row {k + 1} does not say which two pictures were shown.")
    shown = (numbers[left], numbers[right])
    if study.definition.method == "ccr":
        first = numbers[answers.stimulus[k]]
        second = shown[1] if shown[0] == first else shown[0]
    else:
        first, second = sorted(shown)
    return {
        "kind": "identical" if first == second else "test",
        "unit": f"{first}-{second}",
        "first": first,
        "second": second,
        "swapped": int(shown[0] != first),
    }
