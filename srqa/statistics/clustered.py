"""Pictures in clusters (several methods of one content): which to leave out or to draw again.

Pictures of one content are alike, so contents are left out or drawn, never pictures. A sample is a
column of multiplicities: values are sorted once, and what a sample's ranks are follows from running
sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

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

    def drawn_sums(self, columns: Sequence[Floats]) -> Floats:
        """(samples, columns) sums over the pictures of each sample.

        Without BLAS, whose threads would wait for each other longer than it takes.
        """
        sums = np.stack([np.bincount(self.codes, c, self.size) for c in columns], axis=1)
        return np.concatenate([np.einsum("ij,ik->jk", draw, sums) for draw in self.draws()])

    @property
    def degrees(self) -> float:
        """Degrees of freedom of a standard error: a degree less than there are clusters."""
        return min(self.effective, self.count) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Ranker:
    """Values sorted once, whose ranks in any sample are running sums.

    Attributes:
        order: of the values.
        starts: places in the order at which runs of equal values begin; None where no two are
            equal.
    """

    order: Codes
    starts: Codes | None

    @staticmethod
    def of(values: Floats) -> Ranker:
        """Prepare (n,) values."""
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        new = np.append(True, ordered[1:] != ordered[:-1])
        return Ranker(order, None if new.all() else np.flatnonzero(new))

    def ranks(self, weight: Floats) -> Floats:
        """Middle ranks less their mean, (n, samples), of weights (n, samples)."""
        ordered = weight[self.order]
        middle = np.cumsum(ordered, axis=0)
        if self.starts is None:
            middle -= ordered / 2
        else:
            runs = np.add.reduceat(ordered, self.starts, axis=0)
            sizes = np.diff(np.append(self.starts, len(ordered)))
            middle = np.repeat(np.cumsum(runs, axis=0) - runs / 2, sizes, axis=0)
        middle -= ordered.sum(axis=0) / 2
        found = np.empty_like(middle)
        found[self.order] = middle
        return found


class _Sample(NamedTuple):
    """What all metrics are compared with, in a block of samples.

    Attributes:
        weight: (n, samples).
        human: (n, samples) weighted, centred ranks of the human scores.
        power: (samples,) sums of squared ranks of the human scores.
        apart: (samples,) sums of squared ranks where no two pictures are equal.
        own: (samples,) sums of half the weights with the weighted ranks.
    """

    weight: Floats
    human: Floats
    power: Floats
    apart: Floats
    own: Floats


def spearman_weighted(columns: Floats, scores: Floats, weights: Iterable[Floats]) -> Floats:
    """Spearman's correlation of each column with the scores, under many weightings.

    Equal to repeating and ranking the pictures anew, ties included: squared ranks of N pictures, of
    which t are equal, add up to (N^3 - sum of t^3) / 12.

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
            rank = human.ranks(weight)
            power = np.einsum("ij,ij,ij->j", weight, rank, rank)
            rank *= weight
            apart = weight.sum(axis=0) ** 3 - np.einsum("ij,ij,ij->j", weight, weight, weight)
            own = np.einsum("ij,ij->j", weight, rank) / 2
            one = partial(_one_against, sample=_Sample(weight, rank, power, apart / 12, own))
            each = pool.map(one, rankers) if weight.size > _THREADED else map(one, rankers)
            parts.append(np.stack(list(each), axis=1))
    return np.concatenate(parts)


def _one_against(ranker: Ranker, sample: _Sample) -> Floats:
    """A metric's correlation in each sample.

    The human ranks add up to nothing, so that the metric's need not be centred.
    """
    running = np.take(sample.weight, ranker.order, axis=0)
    human = np.take(sample.human, ranker.order, axis=0)
    if ranker.starts is None:
        np.cumsum(running, axis=0, out=running)
        together, power = np.einsum("ij,ij->j", running, human) - sample.own, sample.apart
    else:
        runs = np.add.reduceat(running, ranker.starts, axis=0)
        middle = np.cumsum(runs, axis=0) - runs / 2
        together = np.einsum("ij,ij->j", middle, np.add.reduceat(human, ranker.starts, axis=0))
        power = (runs.sum(axis=0) ** 3 - np.einsum("ij,ij,ij->j", runs, runs, runs)) / 12
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = together / np.sqrt(power * sample.power)
    return found
