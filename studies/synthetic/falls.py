"""What each method loses against its own score on bicubic inputs, and gains over interpolation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srqa.engine.results import Run
from srqa.errors import InputError

from ..tables import mean_with_ends, number, signed
from .conditions import BASE

INTERPOLATION = "bicubic"


@dataclass(frozen=True, slots=True)
class Fall:
    """A method under a condition, by one metric.

    Differences are taken content by content; their 95 % intervals are bootstrapped over contents.

    Attributes:
        condition, method, metric: what is told of.
        n: contents.
        mean: score.
        change, change_low, change_high: mean of score less that on bicubic inputs.
        gain, gain_low, gain_high: mean of score less that of bicubic interpolation.
    """

    condition: str
    method: str
    metric: str
    n: int
    mean: float
    change: float
    change_low: float
    change_high: float
    gain: float
    gain_low: float
    gain_high: float


def falls(run: Run) -> list[Fall]:
    """All falls of a Run whose datasets are conditions, in the Run's order of metrics.

    Raises:
        InputError: a picture lacks a score, or what to compare with is missing.
    """
    if run.problems:
        raise InputError(f"{run.problems[0]['image']} has no score: {run.problems[0]['problem']}")
    found = []
    for metric in run.metrics:
        by_pair: dict[tuple[str, str], dict[str, float]] = {}
        for row in run.score_rows:
            if row.metric == metric:
                by_pair.setdefault((row.dataset, row.method), {})[row.content] = row.value
        for (condition, method), scores in by_pair.items():
            base = by_pair.get((BASE, method), {})
            other = by_pair.get((condition, INTERPOLATION), {})
            if not scores.keys() == base.keys() == other.keys():
                raise InputError(f"{condition}: not all contents of {method} can be compared.")
            change = [value - base[content] for content, value in scores.items()]
            gain = [value - other[content] for content, value in scores.items()]
            mean = float(np.mean(list(scores.values())))
            found.append(
                Fall(
                    condition,
                    method,
                    metric,
                    len(scores),
                    mean,
                    *mean_with_ends(change),
                    *mean_with_ends(gain),
                )
            )
    return found


def table(rows: Sequence[Fall], conditions: dict[str, str]) -> str:
    """Markdown: a row a condition; a method's mean, and below a metric's worse intervals.

    Args:
        rows: of one metric.
        conditions: what each is, in words; their order is that of the rows.
    """
    methods = list(dict.fromkeys(row.method for row in rows))
    cells = {(row.condition, row.method): row for row in rows}
    lines = ["| input | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
    for name, words in conditions.items():
        if (name, methods[0]) in cells:
            shown = " | ".join(_cell(cells[name, method]) for method in methods)
            lines.append(f"| {words} | {shown} |")
    return "\n".join(lines) + "\n"


def _cell(row: Fall) -> str:
    mean = number(row.mean, row.metric)
    if row.condition == BASE:
        return mean
    told = signed(row.change, row.metric)
    if math.isnan(row.change_low):
        return f"{mean} ({told})"
    half = (row.change_high - row.change_low) / 2
    return f"{mean} ({told} ± {number(half, row.metric)})"


def of(rows: Sequence[Fall], metric: str) -> list[Fall]:
    """The rows of one metric."""
    return [row for row in rows if row.metric == metric]


def array(rows: Sequence[Fall], field: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """One column as numbers."""
    return np.array([getattr(row, field) for row in rows], dtype=np.float64)
