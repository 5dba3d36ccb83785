"""Figures of pictures that come in clusters (several methods of one content), with intervals.

Pictures of one content are alike, so contents are drawn again, never pictures. A sample is a row of
multiplicities: values are sorted once, and what a sample's ranks are follows from running sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from srqa.statistics.intervals import student_quantile

Floats = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.int64]]
RESAMPLES = 1000
FEWEST_CLUSTERS = 6
"""Fewer clusters than this give no interval."""
_CELLS = 400_000
_THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Which pictures belong together.

    Attributes:
        codes: (n,) the cluster of each picture, 0 to size - 1.
        size: number of clusters.
        effective: number of equally large clusters that are as good, ``n^2 / sum of squared sizes``
            (Kish, Survey sampling, 1965), at least 3.
        resamples: how many samples are drawn.
        seed: equal seeds draw equal samples.
    """

    codes: Codes
    size: int = field(init=False)
    effective: float = field(init=False)
    resamples: int = RESAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        sizes = np.bincount(self.codes).astype(np.float64)
        object.__setattr__(self, "size", len(sizes))
        squares = float(sizes @ sizes)
        effective = len(self.codes) ** 2 / squares if squares else 0.0
        object.__setattr__(self, "effective", max(3.0, effective))

    @property
    def enough(self) -> bool:
        """Whether there are clusters enough for an interval."""
        return self.size >= FEWEST_CLUSTERS

    @property
    def single(self) -> bool:
        """Whether every picture is a cluster of its own."""
        return self.size == len(self.codes)

    def draws(self) -> Iterator[Floats]:
        """Blocks of (clusters, samples): how often each cluster is in each sample."""
        rng = np.random.default_rng(self.seed)
        step = max(8, min(64, _CELLS // max(1, len(self.codes))))
        for start in range(0, self.resamples, step):
            count = min(step, self.resamples - start)
            drawn = rng.integers(0, self.size, size=(self.size, count)) * count + np.arange(count)
            times = np.bincount(drawn.ravel(), minlength=self.size * count)
            yield times.reshape(self.size, count).astype(np.float64)

    def weights(self) -> Iterator[Floats]:
        """Blocks of (pictures, samples): how often each picture is in each sample."""
        for draw in self.draws():
            yield draw[self.codes]

    def spread(self, influence: Floats) -> float:
        """Standard error of a figure from its pictures' influences, summed over clusters."""
        sums = np.bincount(self.codes, influence, self.size)
        return math.sqrt(float(sums @ sums))

    def widening(self, ranks: bool = False) -> float:
        """By how much standard errors from few clusters are widened.

        Errors from drawn clusters are a jackknife's times ``(G - 1) / G``, to first order. That is
        made up for where influences are bounded (ranks); elsewhere the variance itself is told by
        few clusters, and ``G / (G - 2)`` is what holds in simulation (benchmarks).

        Args:
            ranks: the figure takes ranks alone.
        """
        return self.effective / (self.effective - (1 if ranks else 2))

    def quantile(self, level: float) -> float:
        """Of Student's t with a degree of freedom less than there are effective clusters."""
        return student_quantile((1 + level) / 2, max(1, round(self.effective) - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Ranker:
    """Values sorted once, whose ranks in any sample are running sums."""

    order: Codes
    last: Codes | None
    """Places at which runs of equal values end; None where no two are equal."""
    run: Codes | None

    @staticmethod
    def of(values: Floats) -> Ranker:
        """Prepare (n,) values."""
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        ends = np.append(ordered[1:] != ordered[:-1], True)
        if ends.all():
            return Ranker(order, None, None)
        run = np.append(0, np.cumsum(ends)[:-1])
        return Ranker(order, np.flatnonzero(ends), run)

    def sorted_ranks(self, sorted_weights: Floats) -> Floats:
        """Middle ranks, without the half, of weights (n, samples) in the order of the values."""
        running = np.cumsum(sorted_weights, axis=0)
        if self.last is None or self.run is None:
            running -= sorted_weights / 2
            return running
        above = running[self.last]
        below = np.concatenate([np.zeros((1, above.shape[1])), above[:-1]])
        middle: Floats = ((above + below) / 2)[self.run]
        return middle


def spearman_samples(columns: Floats, scores: Floats, clusters: Clusters) -> Floats:
    """Spearman's correlation of each column with the scores in every bootstrap sample.

    Equal to ranking each sample anew, ties included.

    Args:
        columns: (n, k) values of metrics.
        scores: (n,) human scores.
        clusters: of the pictures.

    Returns:
        (samples, k); NaN where a sample does not vary.
    """
    rankers = [Ranker.of(column) for column in columns.T]
    human = Ranker.of(scores)
    parts = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for weight in clusters.weights():
            half = weight.sum(axis=0) / 2
            rank = np.empty_like(weight)
            rank[human.order] = human.sorted_ranks(weight[human.order])
            rank -= half
            power = np.einsum("ij,ij,ij->j", weight, rank, rank)
            rank *= weight
            one = partial(_one_against, weight=weight, half=half, human=rank, power=power)
            parts.append(np.stack(list(pool.map(one, rankers)), axis=1))
    return np.concatenate(parts)


def _one_against(
    ranker: Ranker, weight: Floats, half: Floats, human: Floats, power: Floats
) -> Floats:
    """A metric's correlation with weighted, centred ranks (n, samples) in each sample."""
    ordered = np.take(weight, ranker.order, axis=0)
    own = ranker.sorted_ranks(ordered)
    own -= half
    together = np.einsum("ij,ij->j", own, np.take(human, ranker.order, axis=0))
    own_power = np.einsum("ij,ij,ij->j", ordered, own, own)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = together / np.sqrt(own_power * power)
    return found


def pearson_samples(columns: Floats, scores: Floats, clusters: Clusters) -> Floats:
    """Pearson's correlation of each column with the scores in every bootstrap sample.

    Args:
        columns: (n, k), for instance mapped values: the mapping stays as it was fitted, which is
            right to first order, since the fit makes this very correlation the largest.
        scores: (n,) human scores.
        clusters: of the pictures.

    Returns:
        (samples, k).
    """
    a, b = columns - columns.mean(axis=0), scores - scores.mean()
    moments = np.concatenate([a, a**2, a * b[:, None], b[:, None], (b**2)[:, None]], axis=1)
    k = a.shape[1]
    sums = weighted_sums(moments, clusters)
    total = weighted_sums(np.ones((len(b), 1)), clusters)
    sums /= total
    x, xx, xy, y, yy = (
        sums[:, :k],
        sums[:, k : 2 * k],
        sums[:, 2 * k : -2],
        sums[:, -2:-1],
        sums[:, -1:],
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (xy - x * y) / np.sqrt(np.maximum(xx - x**2, 0) * np.maximum(yy - y**2, 0))
    return np.clip(found, -1, 1)


def weighted_sums(columns: Floats, clusters: Clusters) -> Floats:
    """Sums of columns in every bootstrap sample, (samples, k); added up over clusters first."""
    sums = np.stack(
        [np.bincount(clusters.codes, column, clusters.size) for column in columns.T], axis=1
    )
    return np.concatenate([draw.T @ sums for draw in clusters.draws()])


def correlation_interval(
    r: float, samples: Floats, clusters: Clusters, level: float = 0.95, ranks: bool = False
) -> tuple[float, float]:
    """Interval of a correlation from its bootstrap samples.

    The samples give the standard error of Fisher's z, widened for few clusters, and Student's t
    with a degree of freedom less than there are clusters the width: percentiles alone are too
    narrow.

    Args:
        r: the correlation of all pictures.
        samples: of `spearman_samples` or `pearson_samples`.
        clusters: that they were drawn from.
        level: share of intervals that should hold the truth.
        ranks: whether r is of ranks.

    Returns:
        NaN for fewer than `FEWEST_CLUSTERS` clusters.
    """
    if not clusters.enough or math.isnan(r):
        return math.nan, math.nan
    if abs(r) >= 1 - 1e-12:
        return r, r
    kept = samples[np.isfinite(samples)]
    if len(kept) < 20:
        return math.nan, math.nan
    z = np.arctanh(np.clip(kept, -1 + 1e-12, 1 - 1e-12))
    half = clusters.quantile(level) * float(z.std(ddof=1)) * clusters.widening(ranks)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def difference_tests(
    values: Floats, samples: Floats, clusters: Clusters, ranks: bool = False
) -> Floats:
    """p values of the differences between correlations, all pairs, from common samples.

    The difference of Fisher's z values over its bootstrap standard error, by Student's t.

    Args:
        values: (k,) correlations.
        samples: (samples, k) of `spearman_samples` or `pearson_samples`.
        clusters: that they were drawn from.
        ranks: whether the correlations are of ranks.

    Returns:
        (k, k) two-sided p values, 1 on the diagonal, NaN where there is no test.
    """
    from scipy.stats import t

    k = len(values)
    p = np.full((k, k), math.nan)
    np.fill_diagonal(p, 1.0)
    if not clusters.enough:
        return p
    limit = 1 - 1e-12
    z, drawn = (
        np.arctanh(np.clip(values, -limit, limit)),
        np.arctanh(np.clip(samples, -limit, limit)),
    )
    for i in range(k):
        for j in range(i + 1, k):
            apart = drawn[:, i] - drawn[:, j]
            apart = apart[np.isfinite(apart)]
            drawn_error = float(apart.std(ddof=1)) if len(apart) >= 20 else math.nan
            error = drawn_error * clusters.widening(ranks)
            difference = abs(float(z[i] - z[j]))
            if difference < 1e-12:
                p[i, j] = p[j, i] = 1.0
            elif error > 0:
                p[i, j] = p[j, i] = 2 * float(t.sf(difference / error, clusters.effective - 1))
    return p


def linear_interval(
    value: float, error: float, clusters: Clusters, level: float = 0.95, ranks: bool = False
) -> tuple[float, float]:
    """``value +- t * error``, the error widened for few clusters; NaN for too few."""
    if not clusters.enough or not math.isfinite(error):
        return math.nan, math.nan
    half = clusters.quantile(level) * error * clusters.widening(ranks)
    return value - half, value + half
