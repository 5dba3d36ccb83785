"""Intervals and tests from figures with one content left out at a time.

Contents are what is independent, so each in turn is left out, with all its pictures. How far the
figure moves tells its standard error (Tukey's jackknife); Student's t the width. Where few contents
make up most of the error it has fewer degrees of freedom than there are contents.

Intervals of rank correlations and of areas (Somers' D) are symmetric in Fisher's z. Those of PLCC
and RMSE, which single contents sway, are symmetric on scales that bend more, ``r / sqrt(1 - r^2)``
and ``1 / error^2``: there a figure that came out too good by chance, whose standard error then is
too small as well, is about as likely to be missed as one that came out too bad (docs/correlation.md
has measurements).
Differences between metrics that are equally good are symmetric on any scale, and tested on Fisher's
z and on the logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from srqa.statistics.clustered import Clusters, spearman_weighted
from srqa.statistics.correlation import concordance, untied
from srqa.statistics.intervals import student_quantile, wilson

Floats = np.ndarray[Any, np.dtype[np.float64]]
Interval = tuple[float, float]
NOTHING: Interval = (math.nan, math.nan)
_LIMIT = 1 - 1e-12


# -- figures without a content --------------------------------------------------------------------


def spearman_without(columns: Floats, scores: Floats, clusters: Clusters) -> Floats:
    """Spearman's correlation of (n, k) columns with the scores without each part, (parts, k)."""
    return spearman_weighted(columns, scores, clusters.without())


def pearson_without(columns: Floats, scores: Floats, clusters: Clusters) -> Floats:
    """Pearson's correlation of (n, k) columns with the scores without each part, (parts, k)."""
    count = _left(np.ones(len(scores)), clusters)
    y = scores - scores.mean()
    sum_y = _left(y, clusters)
    power_y = _left(y * y, clusters) - sum_y**2 / count
    found = []
    for column in columns.T:
        x = column - column.mean()
        sum_x = _left(x, clusters)
        power = (_left(x * x, clusters) - sum_x**2 / count) * power_y
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append((_left(x * y, clusters) - sum_x * sum_y / count) / np.sqrt(power))
    return np.clip(np.stack(found, axis=1), -1, 1)


def kendall_without(x: Floats, y: Floats, clusters: Clusters) -> Floats:
    """Kendall's tau-b of two columns without each part, (parts,).

    A part's pairs are those among all its points less those among its own, which are counted in one
    go: with parts set apart on both axes, pairs of two parts are in order.
    """
    step = clusters.parts * (len(x) + 1.0)
    apart = [np.unique(column, return_inverse=True)[1] + step for column in (x, y)]
    others = len(x) - np.bincount(clusters.parts)[clusters.parts]

    def pairs(of_each: Floats, with_parts_apart: Floats) -> Floats:
        own = clusters.sums(with_parts_apart - others) / 2
        return np.asarray(of_each.sum() / 2 - clusters.sums(of_each) + own, dtype=np.float64)

    agree = pairs(concordance(x, y), concordance(*apart))
    untied_x, untied_y = (
        pairs(untied(c), untied(a)) for c, a in zip((x, y), apart, strict=True)
    )  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = agree / np.sqrt(untied_x * untied_y)
    return found


def _left(column: Floats, clusters: Clusters) -> Floats:
    """Sums of a column without each part."""
    return np.asarray(column.sum() - clusters.sums(column), dtype=np.float64)


# -- intervals and tests --------------------------------------------------------------------------


def fisher_z(r: Any) -> Any:
    """``atanh(r)``, finite."""
    return np.arctanh(np.clip(r, -_LIMIT, _LIMIT))


def signal_to_noise(r: Any) -> Any:
    """``r / sqrt(1 - r^2)``, finite: what Student's t of a correlation is proportional to."""
    inside = np.clip(r, -_LIMIT, _LIMIT)
    return inside / np.sqrt(1 - inside**2)


def _correlation(ratio: float) -> float:
    """The correlation of a signal to noise ratio."""
    return ratio / math.hypot(1, ratio)


def spread(value: float, without: Floats) -> float:
    """Standard error of a figure: ``sqrt((m - 1) / m * sum of squared moves)`` (Tukey, 1958)."""
    m = len(without)
    return math.sqrt((m - 1) / m * float(((without - value) ** 2).sum()))


def degrees_of(moves: Floats, clusters: Clusters) -> int:
    """Degrees of freedom of the standard error that moves of a figure tell, rounded down.

    A variance has ``2 / (its squared coefficient of variation)`` degrees of freedom, and that
    coefficient follows from the kurtosis of the moves: about as many as there are clusters where
    the moves are normal, two where a single cluster makes up all of the error. They are at most
    `Clusters.degrees`.

    Args:
        moves: (m,) how far the figure moves without each part, or the parts' influences on it.
        clusters: whose they are.

    References:
        Satterthwaite, Biometrics Bulletin 2, 1946; Potthoff, Woodbury, Manton, "Equivalent sample
        size" and "equivalent degrees of freedom" refinements for inference using survey weights
        under superpopulation models, JASA 87, 1992.
    """
    m, found = len(moves), clusters.degrees
    away = moves - moves.mean()
    square = float(away @ away)
    if m > 3 and square > 0:
        kurtosis = m * float((away**4).sum()) / square**2
        beyond = kurtosis - (m - 3) / (m - 1)
        found = min(found, 2 * m / beyond) if beyond > 0 else found
    return max(1, math.floor(found + 1e-9))


def _half(moves: Floats, error: float, clusters: Clusters, level: float) -> float:
    return student_quantile((1 + level) / 2, degrees_of(moves, clusters)) * error


class Scale(NamedTuple):
    """Where a figure's errors are symmetric.

    Attributes:
        to: from the figure.
        back: to the figure.
        biased: whether the figure's bias is to be taken off.
    """

    to: Callable[[Any], Any]
    back: Callable[[float], float]
    biased: bool = False


def _error_of(precision: float) -> float:
    return precision**-0.5 if precision > 0 else math.inf


RANKS = Scale(fisher_z, math.tanh)
LINEAR = Scale(signal_to_noise, _correlation)
ERRORS = Scale(lambda error: error**-2.0, _error_of, biased=True)


def correlation_interval(
    r: float, without: Floats, clusters: Clusters, level: float = 0.95
) -> Interval:
    """Interval of a linear correlation, symmetric in ``r / sqrt(1 - r^2)``.

    Args:
        r: of all pictures.
        without: (parts,) the same without each part.
        clusters: whose parts they are.
        level: share of intervals that should hold the truth.

    Returns:
        NaN for fewer than `FEWEST_CLUSTERS` clusters, or where the rest does not vary.
    """
    return (r, r) if abs(r) >= _LIMIT else _on_a_scale(r, without, clusters, level, LINEAR)


def rank_interval(r: float, without: Floats, clusters: Clusters, level: float = 0.95) -> Interval:
    """Interval of a correlation of ranks, symmetric in Fisher's z: no picture sways ranks far.

    Args:
        r, without, clusters, level: as for `correlation_interval`.
    """
    return (r, r) if abs(r) >= _LIMIT else _on_a_scale(r, without, clusters, level, RANKS)


def error_interval(
    value: float, without: Floats, clusters: Clusters, level: float = 0.95
) -> Interval:
    """Interval of an error such as RMSE, symmetric in ``1 / error^2``.

    The curve is fitted to the very contents whose errors are counted, which makes these too small;
    by how much the jackknife tells (Quenouille, Biometrika 43, 1956), and that is taken off.

    Args:
        value, without, clusters, level: as for `correlation_interval`.

    Returns:
        NaN for fewer than `FEWEST_CLUSTERS` clusters; an infinite end where so few contents decide
        that the error has no upper bound.
    """
    if not value > 0 or not (without > 0).all():
        return NOTHING
    return _on_a_scale(value, without, clusters, level, ERRORS)


def _on_a_scale(
    value: float, without: Floats, clusters: Clusters, level: float, scale: Scale
) -> Interval:
    if not clusters.enough or math.isnan(value) or not np.isfinite(without).all():
        return NOTHING
    one, others = float(scale.to(value)), scale.to(without)
    centre = unbiased(one, others) if scale.biased else one
    half = _half(others - one, spread(one, others), clusters, level)
    low, high = sorted((scale.back(centre - half), scale.back(centre + half)))
    return low, high


def unbiased(value: float, without: Floats) -> float:
    """A figure less its bias, as Quenouille's jackknife tells it."""
    m = len(without)
    return m * value - (m - 1) * float(without.mean())


def share_interval(
    share: float, without: Floats, clusters: Clusters, level: float = 0.95
) -> Interval:
    """Interval of a share: Wilson's, with as many trials as give the share this standard error.

    Args:
        share, without, clusters, level: as for `correlation_interval`.
    """
    if not clusters.enough or math.isnan(share) or not np.isfinite(without).all():
        return NOTHING
    variance, degrees = spread(share, without) ** 2, degrees_of(without - share, clusters)
    return wilson(share, variance, degrees, clusters.effective, level)


def area_interval(
    area: float, influence: Floats, clusters: Clusters, level: float = 0.95
) -> Interval:
    """Interval of an area under a ROC curve, or of a share of right answers.

    ``D = 2 area - 1`` is a correlation (Somers'); the interval is symmetric in its Fisher's z. At 0
    and 1, where no cluster differs from another, Wilson's interval takes each cluster for a trial.

    Args:
        area: from 0 to 1.
        influence: (clusters,) what each cluster changes, of the first order.
        clusters: of the pictures.
        level: share of intervals that should hold the truth.

    Reference:
        Newson, Confidence intervals for rank statistics: Somers' D and extensions, The Stata
        Journal 6(3), 2006.
    """
    if not clusters.enough or math.isnan(area):
        return NOTHING
    if not 1 - _LIMIT < area < _LIMIT:
        return wilson(area, 0.0, clusters.degrees, clusters.effective, level)
    d = 2 * area - 1
    half = _half(influence, 2 * _of_influences(influence, clusters) / (1 - d * d), clusters, level)
    low, high = (math.tanh(math.atanh(d) + way) for way in (-half, half))
    return (1 + low) / 2, (1 + high) / 2


def area_difference(first: Floats, second: Floats, difference: float, clusters: Clusters) -> float:
    """p value of the difference of two areas from the clusters' influences on them."""
    from scipy.stats import t

    if not clusters.enough or math.isnan(difference):
        return math.nan
    error = _of_influences(first - second, clusters)
    if not error > 0:
        return 1.0 if difference == 0 else math.nan
    return 2 * float(t.sf(abs(difference) / error, degrees_of(first - second, clusters)))


def _of_influences(influence: Floats, clusters: Clusters) -> float:
    """Standard error, as large as the jackknife's, which goes beyond the first order."""
    few = (clusters.effective - 1) / clusters.effective
    return math.sqrt(float(influence @ influence)) / few


def difference_test(first: float, second: float, without: Floats, clusters: Clusters) -> float:
    """p value of a difference of two figures on the same scale, by Student's t.

    Args:
        first, second: the figures, on a scale without bounds.
        without: (parts,) the difference without each part.
        clusters: whose parts they are.

    Returns:
        NaN for too few clusters.
    """
    from scipy.stats import t

    apart = first - second
    if not clusters.enough or math.isnan(apart) or not np.isfinite(without).all():
        return math.nan
    if abs(apart) < 1e-12:
        return 1.0
    error, degrees = spread(apart, without), degrees_of(without - apart, clusters)
    return 2 * float(t.sf(abs(apart) / error, degrees)) if error > 0 else math.nan


def difference_tests(values: Floats, without: Floats, clusters: Clusters) -> Floats:
    """(k, k) p values between (k,) figures by (parts, k) the same without each part."""
    k = len(values)
    p = np.ones((k, k))
    for i in range(k):
        for j in range(i + 1, k):
            apart = without[:, i] - without[:, j]
            p[i, j] = p[j, i] = difference_test(values[i], values[j], apart, clusters)
    return p
