"""A trial as browsers see it: opaque addresses, words, keys. Nothing tells what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import RowMapping

from srqa.study import tokens
from srqa.study.study import Study

STIMULUS_PATH = "/srqa/stimulus/"
ANSWER_PATH = "/srqa/answer"
EVENT_PATH = "/srqa/event"
SIDES = {"left": "ArrowLeft", "tie": "ArrowDown", "right": "ArrowRight"}


def trial_json(study: Study, row: RowMapping, locale: str, number: int, base: str = "") -> Any:
    """What the viewer needs to show an assignment and to send its answer.

    Args:
        study: the study.
        row: of the assignment.
        locale: language of the words.
        number: of the trial, from 1 on, as the participant counts.
        base: path under which the pages stand, "" or "/prefix".
    """
    made = example_json(study, dict(row), locale, base)
    made |= {
        "id": str(row["id"]),
        "token": tokens.sign(study.key, row["participant"], row["id"]),
        "position": number,
    }
    if row["kind"] == "trap":
        made["instruct"] = study.text(locale)(
            "trap.instruct", answer=_label(study, locale, row["payload"]["answer"])
        )
    return made


def example_json(study: Study, row: Mapping[str, Any], locale: str, base: str = "") -> Any:
    """A trial to look at, that cannot be answered."""
    display, checks = study.definition.display, study.definition.checks
    return {
        "method": study.definition.method,
        "show": "single" if study.method.shows == "one" else display.show,
        "images": _images(study, row, base),
        "scale": scale_json(study, locale),
        "timing": {
            "gap_ms": display.gap_ms,
            "min_response_ms": checks.min_response_ms,
            "show_ms": display.show_ms,
            "pause_ms": display.gap_ms,
        },
        "instruct": None,
    }


def scale_json(study: Study, locale: str) -> dict[str, Any]:
    """What may be answered, with its words and keys."""
    scale, method = study.definition.scale, study.method
    values, labels = method.values(scale.points), study.labels(locale)
    if method.kind == "slider":
        return {"type": "slider", "low": values[0], "high": values[-1], "step": 1, "ends": labels}
    if method.kind == "choice":
        keys = [SIDES[str(value)] for value in values]
        return {"type": "choice", "values": list(values), "labels": labels, "keys": keys}
    keys = list(scale.keys) if scale.keys else [str(k + 1) for k in range(len(values))]
    if len(values) > 9 and scale.keys is None:
        keys = [str(int(float(value))) if float(value) < 10 else "-" for value in values]
    return {
        "type": "categories",
        "values": [int(value) for value in values],
        "labels": labels,
        "keys": keys,
    }


def picture_json(study: Study, row: RowMapping, base: str = "") -> dict[str, Any]:
    """Address and size of a stimulus."""
    return {
        "id": row["opaque"],
        "url": f"{base}{STIMULUS_PATH}{row['opaque']}",
        "width": row["width"],
        "height": row["height"],
    }


def _images(study: Study, row: Mapping[str, Any], base: str) -> list[dict[str, Any]]:
    first = study.stimuli[row["first"]]
    method = study.method
    if method.shows == "one":
        return [{"role": "only", **picture_json(study, first, base)}]
    if method.shows == "reference":
        name = first["name"] if first["role"] == "reference" else first["reference"]
        reference = study.by_name[name]
        return [
            {"role": "reference", **picture_json(study, reference, base)},
            {"role": "only", **picture_json(study, first, base)},
        ]
    shown = [first, study.stimuli[row["second"]]]
    if row["swapped"]:
        shown.reverse()
    sequence = study.definition.display.show == "sequence"
    roles = ("first", "second") if sequence else ("left", "right")
    return [
        {"role": role, **picture_json(study, one, base)}
        for role, one in zip(roles, shown, strict=True)
    ]


def _label(study: Study, locale: str, answer: float | str) -> str:
    values = list(study.method.values(study.definition.scale.points))
    return study.labels(locale)[values.index(answer)]
