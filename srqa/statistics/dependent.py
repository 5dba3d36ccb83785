"""Is one metric better than another: tests between figures on the same pictures."""

from __future__ import annotations

import math
from typing import NamedTuple


class Test(NamedTuple):
    """A statistic with its two-sided p value."""

    statistic: float
    p: float


_NONE = Test(math.nan, math.nan)


def _normal(z: float) -> Test:
    return Test(z, math.erfc(abs(z) / math.sqrt(2)))


def meng_rosenthal_rubin(first: float, second: float, between: float, n: int) -> Test:
    """Whether two metrics correlate differently with the same human scores.

    Args:
        first, second: correlations of the two metrics with the scores.
        between: correlation between the metrics.
        n: pictures, taken as independent: with several methods a content use the clustered
            bootstrap instead.

    Returns:
        z and p; NaN for n < 4 or where a correlation is NaN or perfect.

    Reference:
        Meng, Rosenthal, Rubin, Comparing correlated correlation coefficients, Psychological
        Bulletin 111(1), 1992, equation 1.

    Example:
        >>> round(meng_rosenthal_rubin(0.63, -0.03, -0.19, 15).statistic, 3)
        1.679
    """
    if not _usable(first, second, between, n):
        return _NONE
    if first == second:
        return Test(0.0, 1.0)
    mean = (first**2 + second**2) / 2
    f = min(1.0, (1 - between) / (2 * (1 - mean)))
    h = (1 - f * mean) / (1 - mean)
    apart = math.atanh(first) - math.atanh(second)
    variance = 2 * (1 - between) * h / (n - 3)
    return _normal(apart / math.sqrt(variance)) if variance > 0 else _NONE


def steiger(first: float, second: float, between: float, n: int) -> Test:
    """Steiger's test of two dependent correlations, with the mean correlation in its variance.

    Args:
        first, second, between, n: as for `meng_rosenthal_rubin`.

    Reference:
        Steiger, Tests for comparing elements of a correlation matrix, Psychological Bulletin
        87(2), 1980, equation 14 with the pooled estimate.
    """
    if not _usable(first, second, between, n):
        return _NONE
    if first == second:
        return Test(0.0, 1.0)
    mean2 = ((first + second) / 2) ** 2
    psi = between * (1 - 2 * mean2) - mean2 / 2 * (1 - 2 * mean2 - between**2)
    s = psi / (1 - mean2) ** 2
    if not s < 1:
        return _NONE
    apart = math.atanh(first) - math.atanh(second)
    return _normal(apart * math.sqrt(n - 3) / math.sqrt(2 - 2 * s))


def independent(first: float, second: float, n_first: int, n_second: int) -> Test:
    """Whether correlations on two different sets of pictures differ (Rec. ITU-T P.1401, 7.6.1).

    For two metrics on the same pictures it is too conservative: see `meng_rosenthal_rubin`.
    """
    if min(n_first, n_second) < 4 or not abs(first) < 1 or not abs(second) < 1:
        return _NONE
    error = math.sqrt(1 / (n_first - 3) + 1 / (n_second - 3))
    return _normal((math.atanh(first) - math.atanh(second)) / error)


def f_of_rmse(first: float, second: float, free_first: int, free_second: int) -> Test:
    """Whether two root mean squared errors differ (Rec. ITU-T P.1401, 7.6.2), two-sided.

    Args:
        first, second: RMSE of the two metrics.
        free_first, free_second: pictures less the parameters of the mapping.

    Example:
        >>> round(f_of_rmse(0.6, 0.5, 96, 96).p, 3)
        0.076
    """
    from scipy.stats import f

    if min(free_first, free_second) < 1 or not (first > 0 and second > 0):
        return _NONE
    if first < second:
        first, second = second, first
        free_first, free_second = free_second, free_first
    ratio = (first / second) ** 2
    return Test(ratio, min(1.0, 2 * float(f.sf(ratio, free_first, free_second))))


def two_shares(first: float, second: float, n_first: int, n_second: int) -> Test:
    """Whether two outlier ratios differ: the pooled z of two shares (Rec. ITU-T P.1401, 7.6.3)."""
    if min(n_first, n_second) < 1 or math.isnan(first) or math.isnan(second):
        return _NONE
    pooled = (first * n_first + second * n_second) / (n_first + n_second)
    variance = pooled * (1 - pooled) * (1 / n_first + 1 / n_second)
    if not variance > 0:
        return Test(0.0, 1.0)
    return _normal((first - second) / math.sqrt(variance))


def _usable(first: float, second: float, between: float, n: int) -> bool:
    return n > 3 and abs(first) < 1 and abs(second) < 1 and abs(between) <= 1
