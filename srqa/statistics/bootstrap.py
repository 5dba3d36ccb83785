"""Intervals and tests from figures of samples of contents, drawn with replacement.

What differs between the samples is what would differ between studies of other contents, less the
share that drawing with replacement takes away. Samples are those of `Clusters.draws`, so that
figures of one call belong to the same samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from srqa.statistics.clustered import Clusters, Codes, Floats
from srqa.statistics.intervals import student_quantile
from srqa.statistics.jackknife import NOTHING, Interval, Scale

_CELLS = 2_000_000
_FEWEST_SAMPLES = 100
_FEWEST_USABLE = 50


# -- figures of samples ---------------------------------------------------------------------------


def pearson_drawn(columns: Floats, scores: Floats, clusters: Clusters) -> Floats:
    """Pearson's correlation of (n, k) columns with the scores in each sample, (samples, k)."""
    y = scores - scores.mean()
    x = columns - columns.mean(axis=0)
    parts = [np.ones_like(y), y, y * y]
    parts += [part for own in x.T for part in (own, own * own, own * y)]
    drawn = clusters.drawn_sums(parts)
    count, sum_y, power_y = (column[:, None] for column in drawn[:, :3].T)
    sum_x, power_x, both = (drawn[:, 3 + i :: 3] for i in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        spreads = (power_x - sum_x**2 / count) * (power_y - sum_y**2 / count)
        found = (both - sum_x * sum_y / count) / np.sqrt(spreads)
    return np.asarray(np.clip(found, -1, 1), dtype=np.float64)


class _Level(NamedTuple):
    """A level of a merge sort, in which the late half of each block looks into the early one.

    Attributes:
        early: places of the early points, sorted by y in their blocks.
        late: places of the late points, block by block.
        low, high: of each late point, how many early ones come before it: without those of its
            block that are equal to it, and with them.
        blocks: where blocks begin among the late points.
        first, last: of each block, how many early ones come before it, and with it.
    """

    early: Codes
    late: Codes
    low: Codes
    high: Codes
    blocks: Codes
    first: Codes
    last: Codes

    def agree(self, weight: Floats) -> Floats:
        """(samples,) pairs in order less those against it, of weights (n, samples)."""
        running = np.zeros((len(self.early) + 1, weight.shape[1]))
        np.cumsum(np.take(weight, self.early, axis=0), axis=0, out=running[1:])
        late = np.take(weight, self.late, axis=0)
        below = np.einsum("ij,ij->j", late, np.take(running, self.low, axis=0))
        if self.high is self.low:
            below *= 2
        else:
            below += np.einsum("ij,ij->j", late, np.take(running, self.high, axis=0))
        ends = running[self.first] + running[self.last]
        of_blocks = np.einsum("ij,ij->j", np.add.reduceat(late, self.blocks, axis=0), ends)
        return np.asarray(below - of_blocks, dtype=np.float64)


def kendall_drawn(x: Floats, y: Floats, clusters: Clusters) -> Floats:
    """Kendall's tau-b of two columns in each sample; of large sets in fewer samples, at least 100.

    Equal to repeating the pictures. At each level of a merge sort by x, points look up the weight
    of the other half of their block that lies below and above them in y.

    Returns:
        (samples,); NaN where a sample does not vary.
    """
    rank = np.unique(y, return_inverse=True)[1]
    order = np.lexsort((rank, x))
    key = rank[order].astype(np.int64)
    levels = list(_levels(key))
    same_x = np.unique(x[order], return_inverse=True)[1]
    same = np.unique(same_x * (key.max() + 1) + key, return_inverse=True)[1]
    wanted = max(_FEWEST_SAMPLES, min(clusters.resamples, _CELLS // len(x)))
    found: list[Floats] = []
    for weight in clusters.weights():
        w = weight[order]
        tied_x, tied_y, tied = (_squares(w, code) for code in (same_x, key, same))
        agree = sum(level.agree(w) for level in levels) - (tied_x - tied) / 2
        every = w.sum(axis=0) ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(2 * agree / np.sqrt((every - tied_x) * (every - tied_y)))
        if sum(map(len, found)) >= wanted:
            break
    return np.concatenate(found)


def _levels(key: Codes) -> Iterator[_Level]:
    n, place, step = len(key), np.arange(len(key)), len(key) + 1
    untied = len(np.unique(key)) == n
    width = 1
    while width < n:
        block, is_late = place // (2 * width), (place // width) % 2 == 1
        tagged = key + block * step
        early, late = np.flatnonzero(~is_late), np.flatnonzero(is_late)
        early = early[np.argsort(tagged[early], kind="stable")]
        ordered, asked = tagged[early], tagged[late]
        low = np.searchsorted(ordered, asked)
        blocks, starts = np.unique(block[late], return_index=True)
        yield _Level(
            early, late, low, low if untied else np.searchsorted(ordered, asked, side="right"),
            starts, np.searchsorted(ordered, blocks * step),
            np.searchsorted(ordered, (blocks + 1) * step),
        )  # fmt: skip
        width *= 2


def _squares(weight: Floats, codes: Codes) -> Floats:
    """Sums of the squared weights of points with equal codes, (samples,)."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) > 0])
    if len(starts) == len(codes):
        return np.asarray(np.einsum("ij,ij->j", weight, weight), dtype=np.float64)
    sums = np.add.reduceat(weight[order], starts, axis=0)
    return np.asarray(np.einsum("ij,ij->j", sums, sums), dtype=np.float64)


# -- intervals and tests --------------------------------------------------------------------------


def bootstrap_interval(
    value: float, samples: Floats, clusters: Clusters, scale: Scale, level: float = 0.95
) -> Interval:
    """Interval of a figure by its standard deviation among samples, less what drawing with
    replacement makes that too small, and Student's t.

    On the scales of the jackknife's intervals: percentiles of the samples hold less, those of an
    error far less, since a curve fits a sample with repeated contents better than new contents.

    Args:
        value: of all pictures.
        samples: (samples,) of drawn clusters; those that are NaN are left out.
        clusters: that were drawn.
        scale: of the figure (`jackknife.RANKS`, `LINEAR`, `ERRORS`).
        level: share of intervals that should hold the truth.

    Returns:
        NaN for too few clusters or samples.

    Reference:
        Efron, Tibshirani, An introduction to the bootstrap, 1993, chapters 6, 10 and 12.
    """
    if not clusters.enough or math.isnan(value):
        return NOTHING
    with np.errstate(divide="ignore"):
        one, drawn = float(scale.to(np.float64(value))), scale.to(samples)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < _FEWEST_USABLE or math.isinf(one):
        return NOTHING
    centre = 2 * one - float(drawn.mean()) if scale.biased else one
    degrees = math.floor(clusters.degrees + 1e-9)
    half = student_quantile((1 + level) / 2, degrees) * float(drawn.std()) / _few(clusters)
    low, high = sorted((scale.back(centre - half), scale.back(centre + half)))
    return low, high


def _few(clusters: Clusters) -> float:
    """What drawing with replacement leaves of a standard deviation."""
    return (clusters.effective - 1) / clusters.effective


def bootstrap_tests(
    values: Floats, samples: Floats, clusters: Clusters, scale: Callable[[Any], Any]
) -> Floats:
    """p values between (k,) figures by their common samples of drawn clusters, (samples, k).

    The difference on a scale without bounds over its standard deviation among the samples, less
    what drawing with replacement makes that too small, by Student's t.
    """
    from scipy.stats import t

    k = len(values)
    value, drawn = scale(values), scale(samples)
    p = np.ones((k, k))
    for i in range(k):
        for j in range(i + 1, k):
            apart = drawn[:, i] - drawn[:, j]
            apart = apart[np.isfinite(apart)]
            difference = abs(float(value[i] - value[j]))
            if len(apart) < _FEWEST_USABLE or np.isnan(difference):
                p[i, j] = p[j, i] = np.nan
            elif difference >= 1e-12:
                error = float(apart.std()) / _few(clusters)
                p[i, j] = p[j, i] = 2 * float(t.sf(difference / error, clusters.degrees))
    return p
