"""Which method is better: paired differences over images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srqa.statistics.intervals import bootstrap_intervals

_Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Paired comparison of two methods over the same images.

    Attributes:
        mean: mean of (first - second) over images; NaN without a finite pair.
        ci_low, ci_high: 95 % bootstrap interval of `mean`.
        p: two-sided p value of the Wilcoxon signed-rank test; NaN if it cannot be had.
        p_adjusted: `p` after Holm's correction over all pairs of methods.
        n: finite pairs; n_first and n_second: images on which the one or the other is larger.
    """

    first: str
    second: str
    mean: float
    ci_low: float
    ci_high: float
    p: float
    p_adjusted: float
    n: int
    n_first: int
    n_second: int


def signed_rank(differences: _Floats) -> float:
    """Two-sided p value of Wilcoxon's signed-rank test (Wilcoxon 1945); zeros are left out.

    Exact up to 50 differences without ties, else by the normal approximation with the correction
    for ties. NaN when no difference is left.
    """
    values = differences[differences != 0]
    if len(values) == 0:
        return math.nan if len(differences) == 0 else 1.0
    from scipy.stats import wilcoxon

    return float(wilcoxon(values, zero_method="wilcox", method="auto").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Holm 1979); NaN stays NaN and is not counted.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted = [math.nan] * len(p_values)
    order = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    largest = 0.0
    for rank, (p, i) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        adjusted[i] = largest
    return adjusted


def compare_columns(names: Sequence[str], values: _Floats) -> list[Difference]:
    """Compare each pair of columns.

    Args:
        names: of the methods, one a column.
        values: (images, methods). A row in which one of two methods is missing or infinite does
            not count for that pair; two equal infinite values (both pictures perfect) differ by 0.

    Returns:
        All pairs in the order of the columns, p values corrected by Holm over all of them.
    """
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    found = []
    for i, j in pairs:
        both_infinite = np.isinf(values[:, i]) & (values[:, i] == values[:, j])
        with np.errstate(invalid="ignore"):
            difference = np.where(both_infinite, 0.0, values[:, i] - values[:, j])
        difference = difference[np.isfinite(difference)]
        low, high = bootstrap_intervals(difference[:, None])[0]
        found.append((difference, float(low), float(high), signed_rank(difference)))
    adjusted = holm([p for *_, p in found])
    return [
        Difference(
            first=names[i],
            second=names[j],
            mean=float(difference.mean()) if len(difference) else math.nan,
            ci_low=low,
            ci_high=high,
            p=p,
            p_adjusted=p_holm,
            n=len(difference),
            n_first=int((difference > 0).sum()),
            n_second=int((difference < 0).sum()),
        )
        for (i, j), (difference, low, high, p), p_holm in zip(pairs, found, adjusted, strict=True)
    ]
