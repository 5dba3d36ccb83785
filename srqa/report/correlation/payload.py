"""What the page's scripts draw, as plain values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srqa.correlation.analysis import Correlation
from srqa.report.correlation.thumbnails import Thumbnails
from srqa.report.numbers import decimals
from srqa.report.payload import SHAPES, colour_of, shape_of

POINTS = 1500
"""Pictures that a scatter plot shows."""
_CURVE = 96
_FIGURES = ("srocc", "plcc", "krcc", "within", "plcc_raw", "plcc_cv", "rmse", "outlier_ratio")


def payload(found: Correlation, thumbs: Thumbnails) -> dict[str, Any]:
    """Columns of values; metrics stand in the order of the table, the best SROCC first."""
    data = found.data
    order = [data.names.index(name) for name in found.table["metric"]]
    frame = data.frame
    rows = shown_rows(found, thumbs)
    methods = list(dict.fromkeys(frame["method"]))
    contents = list(dict.fromkeys(frame["content"]))
    ceiling = found.humans.ceiling
    return {
        "metrics": [_metric(found, k) for k in order],
        "methods": [m or "all pictures" for m in methods],
        "colours": [colour_of(i) for i in range(len(methods))],
        "shapes": [SHAPES[shape_of(i)] for i in range(len(methods))],
        "contents": contents,
        "unit": found.humans.unit,
        "ceiling": _number(ceiling.value) if ceiling else None,
        "figures": {name: [_figure(found, i, name) for i in range(len(order))]
                    for name in _FIGURES},
        "points": {
            "of": len(frame),
            "method": [methods.index(m) for m in frame["method"].iloc[rows]],
            "content": [contents.index(c) for c in frame["content"].iloc[rows]],
            "name": [str(n) for n in frame["stimulus"].iloc[rows]],
            "score": _numbers(frame["score"].to_numpy(np.float64)[rows]),
            "half": _numbers(data.half[rows]),
            "values": [_numbers(frame[data.names[k]].to_numpy(np.float64)[rows]) for k in order],
            "thumbs": [thumbs.small.get(int(row), "") for row in rows],
        },
        "steps": _steps(found, order),
        # What base.js expects of every page.
        "rows": [], "values": [], "summary": [],
    }  # fmt: skip


def shown_rows(found: Correlation, thumbs: Thumbnails) -> Any:
    """Rows that are drawn: all, or so many at random."""
    n = len(found.data)
    if n <= POINTS:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, POINTS, replace=False))


def _metric(found: Correlation, k: int) -> dict[str, Any]:
    metric, mapping = found.data.metrics[k], found.figures.mappings[k]
    values = found.data.values[:, k]
    at = np.linspace(float(values.min()), float(values.max()), _CURVE)
    way = 1 if found.humans.higher_is_better else -1
    return {
        "name": metric.name, "sign": metric.sign, "unit": metric.unit,
        "places": decimals(metric.name), "family": "", "level": "image",
        "tier": found.tiers[metric.name],
        "curve": [] if mapping.kind == "none" else
                 [_numbers(metric.sign * at), _numbers(way * mapping(at))],
    }  # fmt: skip


def _figure(found: Correlation, i: int, name: str) -> list[Any]:
    row = found.table.iloc[i]
    low, high = (row.get(f"{name}_{end}", math.nan) for end in ("low", "high"))
    return [_number(row[name]), _number(low), _number(high)]


def _steps(found: Correlation, order: list[int]) -> list[Any]:
    if found.noticed is None:
        return []
    names = [found.data.names[k] for k in order]
    by_name = dict(iter(found.noticed.steps.groupby("metric")))
    table = found.noticed.table.set_index("metric")
    columns = ["low", "high", "pairs", "agree", "undecided", "disagree"]
    return [
        {
            "classes": [_numbers(np.array(r)) for r in by_name[name][columns].to_numpy().tolist()],
            "threshold": [_number(table.loc[name, c])
                          for c in ("threshold", "threshold_low", "threshold_high")],
        }
        for name in names
    ]  # fmt: skip


def _numbers(values: Any) -> list[float | None]:
    return [_number(v) for v in np.asarray(values, dtype=np.float64).tolist()]


def _number(value: Any) -> float | None:
    number = float(value)
    return float(f"{number:.6g}") if math.isfinite(number) else None
