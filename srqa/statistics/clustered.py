"""Pictures in clusters (several methods of one content): which to leave out or to draw again.

Pictures of one content are alike, so contents are left out or drawn, never pictures. A sample is a
column of multiplicities: values are sorted once, and what a sample's ranks are follows from running
sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.int64]]
RESAMPLES = 1000
FEWEST_CLUSTERS = 6
"""Fewer clusters than this give no interval."""
PARTS = 200
"""More clusters than this are left out in so many parts."""
_CELLS = 400_000
_THREADS, _THREADED = 2, 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Which pictures belong together.

    Attributes:
        codes: (n,) the cluster of each picture, 0 to size - 1.
        size: number of clusters.
        effective: number of equally large clusters that are as good, ``n^2 / sum of squared sizes``
            (Kish, Survey sampling, 1965), at least 3.
        parts: (n,) the part with which each picture is left out: its cluster; where there are more
            than `PARTS`, clusters are put into so many parts by chance (Kott, The delete-a-group
            jackknife, Journal of Official Statistics 17, 2001).
        count: number of parts.
        resamples: how many samples are drawn.
        seed: equal seeds draw equal samples.
    """

    codes: Codes
    size: int = field(init=False)
    effective: float = field(init=False)
    parts: Codes = field(init=False)
    count: int = field(init=False)
    resamples: int = RESAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        sizes = np.bincount(self.codes).astype(np.float64)
        object.__setattr__(self, "size", len(sizes))
        squares = float(sizes @ sizes)
        effective = len(self.codes) ** 2 / squares if squares else 0.0
        object.__setattr__(self, "effective", max(3.0, effective))
        part = np.arange(len(sizes))
        if len(sizes) > PARTS:
            part = np.random.default_rng(self.seed).permutation(len(sizes)) % PARTS
        object.__setattr__(self, "parts", part[self.codes])
        object.__setattr__(self, "count", min(len(sizes), PARTS))

    @property
    def enough(self) -> bool:
        """Whether there are clusters enough for an interval."""
        return self.size >= FEWEST_CLUSTERS

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

    def without(self) -> Iterator[Floats]:
        """Blocks of (pictures, parts): 0 where a picture is of the part left out, else 1."""
        step = max(8, min(64, _CELLS // max(1, len(self.codes))))
        for start in range(0, self.count, step):
            yield (self.parts[:, None] != np.arange(start, min(start + step, self.count))) + 0.0

    def sums(self, column: Floats) -> Floats:
        """(parts,) sums of a column over the pictures of each part."""
        return np.asarray(np.bincount(self.parts, column, self.count), dtype=np.float64)

    @property
    def degrees(self) -> float:
        """Degrees of freedom of a standard error: a degree less than there are clusters."""
        return min(self.effective, self.count) - 1


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


def spearman_weighted(columns: Floats, scores: Floats, weights: Iterable[Floats]) -> Floats:
    """Spearman's correlation of each column with the scores, under many weightings.

    Equal to repeating and ranking the pictures anew, ties included.

    Args:
        columns: (n, k) values of metrics.
        scores: (n,) human scores.
        weights: blocks of (n, samples), of `Clusters.weights` or `Clusters.without`.

    Returns:
        (samples, k); NaN where a sample does not vary.
    """
    rankers = [Ranker.of(column) for column in columns.T]
    human = Ranker.of(scores)
    parts = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for weight in weights:
            half = weight.sum(axis=0) / 2
            rank = np.empty_like(weight)
            rank[human.order] = human.sorted_ranks(weight[human.order])
            rank -= half
            power = np.einsum("ij,ij,ij->j", weight, rank, rank)
            rank *= weight
            one = partial(_one_against, weight=weight, half=half, human=rank, power=power)
            each = pool.map(one, rankers) if weight.size > _THREADED else map(one, rankers)
            parts.append(np.stack(list(each), axis=1))
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
