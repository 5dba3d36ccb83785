"""Correlations of metrics with human scores: coefficients, and intervals for each alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Interval = tuple[float, float]
NOTHING: Interval = (math.nan, math.nan)


def pearson(x: Floats, y: Floats) -> float:
    """The linear correlation coefficient; NaN where one side does not vary.

    Example:
        >>> round(pearson(np.array([1.0, 2, 3]), np.array([1.0, 2, 4])), 4)
        0.982
    """
    a, b = x - x.mean(), y - y.mean()
    power = float(np.einsum("i,i->", a, a)) * float(np.einsum("i,i->", b, b))
    if not power > 0 or _constant(x) or _constant(y):
        return math.nan
    return float(np.clip(float(np.einsum("i,i->", a, b)) / math.sqrt(power), -1, 1))


def _constant(values: Floats) -> bool:
    return float(np.ptp(values)) <= 1e-13 * float(np.abs(values).max())


def spearman(x: Floats, y: Floats) -> float:
    """The rank correlation coefficient, with middle ranks for ties.

    Example:
        >>> spearman(np.array([1.0, 2, 3]), np.array([1.0, 4, 9]))
        1.0
    """
    from scipy.stats import rankdata

    return pearson(np.asarray(rankdata(x)), np.asarray(rankdata(y)))


def kendall(x: Floats, y: Floats) -> float:
    """Kendall's tau-b, which counts ties on either side; NaN where one side does not vary.

    Reference: Kendall, Biometrika 33(3), 1945.

    Example:
        >>> round(kendall(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])), 4)
        0.6667
    """
    pairs = math.sqrt(untied(x).sum() * untied(y).sum())
    return float(concordance(x, y).sum() / pairs) if pairs > 0 else math.nan


def untied(values: Floats) -> Floats:
    """How many others differ from each."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(len(values) - times[place], dtype=np.float64)


def concordance(x: Floats, y: Floats) -> Floats:
    """For each point, the others that lie in order with it minus those against, O(n log^2 n).

    Points are sorted by x, and at each level of a merge sort every element looks up its place among
    the other half of its block; equal x, which the order tells apart, are taken back afterwards.

    Example:
        >>> concordance(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])).tolist()
        [2.0, 0.0, 0.0]
    """
    n = len(x)
    _, rank = np.unique(y, return_inverse=True)
    order = np.lexsort((rank, x))
    key = rank[order].astype(np.int64)
    found = np.zeros(n)
    place, step = np.arange(n), np.int64(n + 1)
    width = 1
    while width < n:
        block = place // (2 * width)
        late = (place // width) % 2 == 1
        tagged = key + block * step
        early_sorted, late_sorted = np.sort(tagged[~late]), np.sort(tagged[late])
        for mine, others, sign in ((late, early_sorted, 1), (~late, late_sorted, -1)):
            asked, home = tagged[mine], block[mine] * step
            first = np.searchsorted(others, home)
            last = np.searchsorted(others, home + step)
            below = np.searchsorted(others, asked) - first
            above = last - np.searchsorted(others, asked, side="right")
            found[mine] += sign * (below - above)
        width *= 2
    found -= _within_ties(x[order], key)
    result = np.empty(n)
    result[order] = found
    return result


def _within_ties(x: Floats, key: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
    """What the sorted order adds for points of one x: there all that differ in y are in order."""
    starts = np.flatnonzero(np.r_[True, x[1:] != x[:-1]])
    size = np.diff(np.r_[starts, len(x)])
    pair = np.r_[True, (x[1:] != x[:-1]) | (key[1:] != key[:-1])]
    first = np.flatnonzero(pair)
    times = np.diff(np.r_[first, len(x)])
    return np.asarray(np.repeat(size, size) - np.repeat(times, times), dtype=np.float64)


def fisher(r: float, n: int, level: float = 0.95) -> Interval:
    """Fisher's interval of a linear correlation, ``tanh(atanh r +- z / sqrt(n - 3))``.

    Reference: Fisher, Metron 1, 1921; Rec. ITU-T P.1401, 7.5.1.

    Example:
        >>> [round(end, 3) for end in fisher(0.9, 50)]
        [0.829, 0.942]
    """
    return _by_fisher_z(r, 1 / (n - 3) if n > 3 else math.nan, level)


def bonett_wright(r: float, n: int, level: float = 0.95) -> Interval:
    """Interval of Spearman's correlation: Fisher's with the variance (1 + r^2 / 2) / (n - 3).

    Reference: Bonett, Wright, Psychometrika 65(1), 2000.
    """
    return _by_fisher_z(r, (1 + r * r / 2) / (n - 3) if n > 3 else math.nan, level)


def fieller(tau: float, n: int, level: float = 0.95) -> Interval:
    """Interval of Kendall's tau: Fisher's with the variance 0.437 / (n - 4).

    Reference: Fieller, Hartley, Pearson, Biometrika 44, 1957.
    """
    return _by_fisher_z(tau, 0.437 / (n - 4) if n > 4 else math.nan, level)


def _by_fisher_z(r: float, variance: float, level: float) -> Interval:
    if math.isnan(r) or math.isnan(variance):
        return NOTHING
    if abs(r) >= 1:
        return (r, r)
    half = _normal_quantile(level) * math.sqrt(variance)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def rmse_interval(rmse: float, free: int, level: float = 0.95) -> Interval:
    """Interval of a root mean squared error by chi squared with `free` degrees of freedom.

    Reference: Rec. ITU-T P.1401, 7.5.2.
    """
    from scipy.stats import chi2

    if not free > 0 or math.isnan(rmse):
        return NOTHING
    high, low = (float(chi2.ppf((1 + side * level) / 2, free)) for side in (-1, 1))
    return rmse * math.sqrt(free / low), rmse * math.sqrt(free / high)


def share_interval(share: float, n: int, level: float = 0.95) -> Interval:
    """Wilson's interval of a share, such as the outlier ratio.

    Reference: Wilson, JASA 22, 1927 (P.1401 takes the normal one, which has no width at 0 and 1).

    Example:
        >>> [round(end, 3) for end in share_interval(0.1, 50)]
        [0.043, 0.214]
    """
    if not n > 0 or math.isnan(share):
        return NOTHING
    z2 = _normal_quantile(level) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def _normal_quantile(level: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level) / 2)
