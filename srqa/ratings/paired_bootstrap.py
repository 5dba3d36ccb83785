"""Simultaneous intervals of differences: observers are drawn again, the scale is fitted again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srqa.errors import InputError
from srqa.ratings.choice_fit import DENSE_ITEMS, Floats, fit
from srqa.ratings.comparisons import Comparisons
from srqa.ratings.paired import PairedScale

RESAMPLES = 1000
FEW_OBSERVERS = 10
_BLOCK = 3_000_000


@dataclass(frozen=True, slots=True, eq=False)
class SimultaneousIntervals:
    """Intervals that hold all differences at once with the level's probability.

    Attributes:
        items: names.
        first, second: (pairs,) codes of the items of each difference.
        jod: (pairs,) first minus second.
        se: (pairs,) bootstrap standard errors.
        critical: quantile of the largest studentised difference; `jod` plus or minus
            ``critical * se`` are the simultaneous intervals.
        ci: (pairs, 2) simultaneous intervals; `marginal`: (pairs, 2) intervals of one each.
        resamples: that could be fitted, and `failed`, those that could not.
        observers: how many were drawn from.
        notes: what a reader must know.
    """

    items: tuple[str, ...]
    first: np.ndarray[Any, np.dtype[np.int64]]
    second: np.ndarray[Any, np.dtype[np.int64]]
    jod: Floats
    se: Floats
    critical: float
    ci: Floats
    marginal: Floats
    resamples: int
    failed: int
    observers: int
    notes: tuple[str, ...]

    def differs(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(pairs,) whether the simultaneous interval leaves 0 out."""
        return np.asarray((self.ci[:, 0] > 0) | (self.ci[:, 1] < 0))


def simultaneous_intervals(
    comparisons: Comparisons,
    scale: PairedScale,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> SimultaneousIntervals:
    """Intervals of all differences within groups of linked items, observers drawn as wholes.

    The critical value is the level's quantile of ``max |t|`` over all differences, t being the
    resampled difference's distance from the estimate in standard errors. What one observer answers
    stays together, so that observers who differ from each other widen the intervals.

    Args:
        comparisons: the answers that `scale` was made of.
        scale: the fitted scale; resamples are fitted the same way.
        level: of both kinds of intervals.
        resamples: how many.
        seed: of the drawing; equal input gives equal output.
        progress: called with the resamples done and wanted.

    Raises:
        InputError: fewer than three observers, or too few resamples that can be fitted.

    Reference:
        Westfall and Young, Resampling-based multiple testing, 1993; Davison and Hinkley, Bootstrap
        methods and their application, 1997, section 3.8 (clusters).
    """
    people = np.unique(comparisons.observer)
    if len(people) < 3:
        raise InputError(
            f"Observers are drawn again, but there are {len(people)}.",
            hint="Three are the least, ten are advisable; one observer has intervals by model.",
        )
    drawn, failed = _resample(comparisons, scale, len(people), resamples, seed, progress)
    if len(drawn) < max(50, resamples // 2):
        raise InputError(
            f"Only {len(drawn)} of {resamples} resamples have a finite optimum.",
            hint='Scale with prior="gaussian".',
        )
    first, second = np.triu_indices(len(scale.items), 1)
    linked = scale.groups[first] == scale.groups[second]
    first, second = first[linked], second[linked]
    jod = scale.jod[first] - scale.jod[second]
    few = math.sqrt(len(people) / (len(people) - 1))
    se, largest = _studentised(drawn, first, second, jod)
    critical = float(np.quantile(largest, level))
    half = critical * few * se
    single = np.array([_t_quantile(level, len(people) - 1)]) * few * se
    notes = []
    if len(people) < FEW_OBSERVERS:
        notes.append(
            f"{len(people)} observers are few to draw from: the intervals tend to be too narrow."
        )
    if failed:
        notes.append(f"{failed} of {resamples} resamples had no finite optimum and were left out.")
    return SimultaneousIntervals(
        items=scale.items,
        first=first,
        second=second,
        jod=jod,
        se=few * se,
        critical=critical,
        ci=np.stack([jod - half, jod + half], axis=-1),
        marginal=np.stack([jod - single, jod + single], axis=-1),
        resamples=len(drawn),
        failed=failed,
        observers=len(people),
        notes=tuple(notes),
    )


def observer_counts(comparisons: Comparisons, scale: PairedScale) -> Any:
    """(observers, cells * 3) sparse counts of answers, as `scale` counted them."""
    from scipy.sparse import coo_array

    cells = scale.problem.cells
    choice = np.where(cells.turned, -comparisons.choice, comparisons.choice).astype(np.int64)
    column, weights = 1 - choice, comparisons.row_weights
    rows, where, amount = comparisons.observer, cells.of_row * 3 + column, weights
    if not scale.model.has_ties:
        tied = column == 1
        base, half = cells.of_row[tied] * 3, weights[tied] / 2
        rows = np.concatenate([rows[~tied], rows[tied], rows[tied]])
        where = np.concatenate([where[~tied], base, base + 2])
        amount = np.concatenate([weights[~tied], half, half])
    shape = (len(comparisons.observers), 3 * len(cells.left))
    return coo_array((amount, (rows, where)), shape=shape).tocsr()


def _resample(
    comparisons: Comparisons,
    scale: PairedScale,
    people: int,
    resamples: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Floats, int]:
    counts = observer_counts(comparisons, scale)
    present = np.unique(comparisons.observer)
    rng = np.random.default_rng(seed)
    problem, n = scale.problem, len(scale.items)
    cells = len(problem.cells.left)
    dense = n <= DENSE_ITEMS
    step = max(1, min(250, _BLOCK // (3 * cells + n * n))) if dense else 1
    found: list[Floats] = []
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        times = rng.multinomial(people, np.full(people, 1 / people), size=size)
        every = np.zeros((size, len(comparisons.observers)))
        every[:, present] = times
        drawn = (counts.T @ every.T).T.reshape(size, cells, 3)
        began = np.tile(scale.theta, (size, 1))
        fitted = fit(problem, drawn, began)
        values = fitted.theta[fitted.converged, :n] * scale.model.jod_per_unit
        found.append(values)
        if progress is not None:
            progress(min(start + size, resamples), resamples)
    drawn_values = np.concatenate(found)
    return drawn_values, resamples - len(drawn_values)


def _studentised(
    drawn: Floats,
    first: np.ndarray[Any, np.dtype[np.int64]],
    second: np.ndarray[Any, np.dtype[np.int64]],
    jod: Floats,
) -> tuple[Floats, Floats]:
    """Standard errors of the differences, and the largest |t| of each resample."""
    se = np.empty(len(first))
    largest = np.zeros(len(drawn))
    block = max(1, _BLOCK // len(drawn))
    for start in range(0, len(first), block):
        part = slice(start, start + block)
        gaps = drawn[:, first[part]] - drawn[:, second[part]]
        se[part] = gaps.std(axis=0, ddof=1)
        safe = np.maximum(se[part], 1e-12)
        largest = np.maximum(largest, (np.abs(gaps - jod[part]) / safe).max(axis=1))
    return se, largest


def _t_quantile(level: float, degrees: int) -> float:
    from srqa.statistics.intervals import student_quantile

    return student_quantile((1 + level) / 2, degrees)


def without_observers(comparisons: Comparisons, scale: PairedScale) -> Floats:
    """(observers, parameters) the fit without each observer; NaN where no optimum is finite."""
    counts = observer_counts(comparisons, scale)
    total = np.asarray(counts.sum(axis=0)).ravel()
    people, cells = len(comparisons.observers), len(scale.problem.cells.left)
    n = scale.problem.items
    step = max(1, min(250, _BLOCK // (3 * cells + n * n))) if n <= DENSE_ITEMS else 1
    rows = []
    problem = replace(scale.problem)
    for start in range(0, people, step):
        own = counts[start : start + step].toarray()
        left_out = (total - own).reshape(len(own), cells, 3)
        fitted = fit(problem, left_out, np.tile(scale.theta, (len(own), 1)))
        fitted.theta[~fitted.converged] = math.nan
        rows.append(fitted.theta)
    return np.concatenate(rows)
