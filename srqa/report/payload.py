"""What the report's scripts need, as compact JSON that cannot end its own script element."""

from __future__ import annotations

import json
import math
from typing import Any

from srqa.report.facts import Facts, Group
from srqa.report.pictures import Gallery
from srqa.report.words import Scrubber

_DIGITS = 7
# Marks of methods, drawn around (0, 0) within 10 units, so that colour is never alone.
SHAPES = (
    "M4 0A4 4 0 1 1 -4 0A4 4 0 1 1 4 0Z",
    "M-3.6 -3.6H3.6V3.6H-3.6Z",
    "M0 -4.6L4.6 3.6H-4.6Z",
    "M0 -5L5 0L0 5L-5 0Z",
    "M0 4.6L4.6 -3.6H-4.6Z",
    "M-1.6 -4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
    "M-4.6 -2.6L-2.6 -4.6L0 -2L2.6 -4.6L4.6 -2.6L2 0L4.6 2.6L2.6 4.6L0 2L-2.6 4.6L-4.6 2.6L-2 0Z",
    "M-5 -1.8H5V1.8H-5Z",
)
COLOURS = 8


def colour_of(index: int) -> int:
    """The palette entry of a method."""
    return index % COLOURS


def shape_of(index: int) -> int:
    """The mark of a method; methods of one colour have different marks."""
    return (index + index // COLOURS) % len(SHAPES)


def payload(facts: Facts, gallery: Gallery, scrub: Scrubber) -> dict[str, Any]:
    """All that the scripts draw, as plain values in columns; a row is an image of a method."""
    primary = facts.primary
    return {
        "metrics": [
            {
                "name": metric.name,
                "sign": metric.sign,
                "unit": metric.unit,
                "places": metric.places,
                "family": metric.family,
                "level": "set" if metric.name in facts.whole else "image",
            }
            for metric in facts.metrics
        ],
        "primary": facts.metrics.index(primary) if primary else 0,
        "methods": facts.methods,
        "colours": [colour_of(i) for i in range(len(facts.methods))],
        "shapes": [SHAPES[shape_of(i)] for i in range(len(facts.methods))],
        "groups": [{"title": g.title, "dataset": g.dataset} for g in facts.groups],
        "summary": _summary(facts),
        "exhibits": [
            {
                "group": facts.groups.index(e.choice.group),
                "content": e.choice.content,
                "x": e.origin[0],
                "y": e.origin[1],
            }
            for e in gallery.exhibits
        ],
        **_rows(facts, scrub),
    }


def _summary(facts: Facts) -> list[list[Any]]:
    groups = {group: i for i, group in enumerate(facts.groups)}
    methods = {method: i for i, method in enumerate(facts.methods)}
    metrics = {metric.name: i for i, metric in enumerate(facts.metrics)}
    return [
        [groups[g], methods[m], metrics[k], _number(s.mean), _number(s.ci_low), _number(s.ci_high)]
        for (g, m, k), s in facts.summary.items()
    ]


def _rows(facts: Facts, scrub: Scrubber) -> dict[str, Any]:
    groups = {group: i for i, group in enumerate(facts.groups)}
    methods = {method: i for i, method in enumerate(facts.methods)}
    metrics = {metric.name: i for i, metric in enumerate(facts.metrics)}
    contents: dict[str, int] = {}
    index: dict[tuple[int, str, int], int] = {}
    rows: list[list[Any]] = []
    problems: list[list[Any]] = []
    columns: list[list[Any]] = [[] for _ in metrics]
    for row in facts.images:
        group = groups[Group(row.dataset, row.scale)]
        key = (group, row.content, methods[row.method])
        at = index.setdefault(key, len(rows))
        if at == len(rows):
            content = contents.setdefault(row.content, len(contents))
            rows.append([group, content, key[2], scrub.text(row.image)])
            for column in columns:
                column.append(None)
        columns[metrics[row.metric]][at] = _number(row.value)
        if row.problem:
            problems.append([at, metrics[row.metric], scrub.text(row.problem)])
    return {"contents": list(contents), "rows": rows, "values": columns, "problems": problems}


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(f"{value:.{_DIGITS}g}")


def safe_json(value: Any) -> str:
    """JSON for a script element: no character that HTML or JavaScript could take for its end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # A lone surrogate (a file name that is no text) has no UTF-8 form.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
