"""Means over pairs of groups (second-order U-statistics), with an interval for them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from srqa.statistics.intervals import MIN_FOR_INTERVAL, student_quantile

_Floats = np.ndarray[Any, np.dtype[np.float64]]


class PairMean(NamedTuple):
    """A mean over pairs with its interval (NaN where there is none)."""

    value: float
    low: float
    high: float


def mean_over_pairs(sums: _Floats, sizes: _Floats, level: float = 0.95) -> PairMean:
    """The mean of a symmetric function of two samples, over all pairs from different groups.

    Samples of one group (the patches of one picture) are alike, so pairs inside a group are left
    out, which makes the mean unbiased, and groups are what the interval counts: the jackknife
    leaves out one group at a time, and Student's t has a degree of freedom less than there are
    groups. The jackknife is wide rather than narrow where the function has no part that depends on
    one sample alone, as for two equal distributions (Efron and Stein). Resampling groups with
    replacement, which pairs a group with itself, did no better in simulation and fails for few
    groups.

    Args:
        sums: (C, C), the function summed over the pairs of two groups; the diagonal is not used.
        sizes: (C,), samples in each group, at least 1.
        level: the share of intervals that should hold the true mean.

    Returns:
        The mean, NaN for fewer than 2 groups; its ends, NaN for fewer than 5.

    References:
        Hoeffding, A class of statistics with asymptotically normal distribution, Annals of
        Mathematical Statistics 19, 1948; Efron, Stein, The jackknife estimate of variance, Annals
        of Statistics 9(3), 1981.

    Example:
        >>> import numpy as np
        >>> mean_over_pairs(np.array([[9.0, 2.0], [2.0, 9.0]]), np.array([1.0, 1.0])).value
        2.0
    """
    groups = len(sizes)
    if groups < 2:
        return PairMean(math.nan, math.nan, math.nan)
    rows = sums.sum(1) - np.diag(sums)
    pairs = sizes * (sizes.sum() - sizes)
    value = float(rows.sum() / pairs.sum())
    if groups < MIN_FOR_INTERVAL:
        return PairMean(value, math.nan, math.nan)
    without = (rows.sum() - 2 * rows) / (pairs.sum() - 2 * pairs)
    spread = ((without - without.mean()) ** 2).sum() * (groups - 1) / groups
    half = student_quantile((1 + level) / 2, groups - 1) * math.sqrt(spread)
    return PairMean(value, value - half, value + half)
