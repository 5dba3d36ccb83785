"""Can a metric tell which pictures differ to people, and which is better? Krasula's analysis.

Pairs of pictures are "different" where people's scores differ by more than chance, else "similar".
A good metric's difference is large on different pairs, small on similar ones, and has the right
sign. Pairs share pictures, so errors are counted over pictures (or contents), not over pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from srqa.errors import InputError
from srqa.statistics.clustered import Clusters, Codes, Floats
from srqa.statistics.jackknife import area_interval

Verdicts = np.ndarray[Any, np.dtype[np.int8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
LIMIT = 1.96
"""|z| beyond which two scores differ; "vmaf" takes 2."""
_ALL_PAIRS = 2000
"""Pictures up to which all pairs are taken."""


def placements(positive: Floats, negative: Floats) -> tuple[float, Floats, Floats]:
    """Area under the ROC curve, and each score's placement among the other class.

    Args:
        positive: (p,) scores that should be high.
        negative: (m,) scores that should be low.

    Returns:
        AUC; for each positive the share of negatives below it (ties a half); for each negative the
        share of positives above it.

    Reference: DeLong, DeLong, Clarke-Pearson, Biometrics 44(3), 1988.
    """
    low, high = np.sort(negative), np.sort(positive)
    above = _below(low, positive) / len(negative)
    under = 1 - _below(high, negative) / len(positive)
    return float(above.mean()), above, under


def _below(ordered: Floats, asked: Floats) -> Floats:
    left = np.searchsorted(ordered, asked, side="left")
    right = np.searchsorted(ordered, asked, side="right")
    found: Floats = (left + right) / 2
    return found


def auc(positive: Floats, negative: Floats) -> float:
    """Area under the ROC curve: how often a positive is above a negative, ties a half.

    Example:
        >>> auc(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
        0.875
    """
    return placements(positive, negative)[0]


def delong(positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
    """Areas of several scores on the same cases, and their covariance (DeLong 1988).

    Cases are taken as independent; for pairs of pictures use `discriminate`, which counts pictures.

    Args:
        positive: (k, p) scores that should be high.
        negative: (k, m) scores that should be low.

    Returns:
        (k,) areas and (k, k) covariances.
    """
    parts = [placements(a, b) for a, b in zip(positive, negative, strict=True)]
    above, under = np.stack([p[1] for p in parts]), np.stack([p[2] for p in parts])
    covariance = np.atleast_2d(np.cov(above)) / above.shape[1]
    covariance = covariance + np.atleast_2d(np.cov(under)) / under.shape[1]
    return np.array([p[0] for p in parts]), covariance


def hanley_mcneil(area: float, positives: int, negatives: int) -> float:
    """Standard error of an area under the ROC curve.

    Reference: Hanley, McNeil, Radiology 143(1), 1982.

    Example:
        >>> round(hanley_mcneil(0.8, 50, 60), 4)
        0.0422
    """
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    square = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    return math.sqrt(square / (positives * negatives))


def hanley_mcneil_difference(first: float, second: float, r: float) -> float:
    """Standard error of the difference of two areas on the same cases.

    ``sqrt(se1^2 + se2^2 - 2 r se1 se2)``: what both have in common takes away from the error. Some
    programs add it, which makes errors twice too large where areas are alike.

    Args:
        first, second: standard errors of the areas.
        r: correlation between the areas.

    Reference: Hanley, McNeil, Radiology 148(3), 1983.
    """
    return math.sqrt(max(0.0, first**2 + second**2 - 2 * r * first * second))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of pictures with people's verdict.

    Attributes:
        first, second: (p,) places of the pictures.
        verdict: (p,) 1 where the first is better, -1 where the second is, 0 where people's scores
            do not tell them apart.
        within: whether both pictures are always of one content.
        left_out: pictures left out to keep the number of pairs in bounds.
    """

    first: Codes
    second: Codes
    verdict: Verdicts
    within: bool
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.verdict)

    @property
    def different(self) -> int:
        """How many pairs people tell apart."""
        return int(np.count_nonzero(self.verdict))


def make_pairs(
    scores: Floats,
    errors: Floats,
    contents: Codes,
    among: Literal["content", "all"] = "content",
    limit: float = LIMIT,
    seed: int = 0,
) -> Pairs:
    """Pairs of pictures, and whether their scores differ by more than chance.

    ``z = (score_i - score_j) / sqrt(error_i^2 + error_j^2)``, different beyond `limit`.

    Args:
        scores: (n,) MOS or the like.
        errors: (n,) standard errors of the scores.
        contents: (n,) codes of contents.
        among: pairs of one content only (which method is better on this picture), or all.
        limit: of |z|; 1.96 is 5 %, without a correction for the number of pairs.
        seed: which pictures are taken where all pairs would be too many.

    Raises:
        InputError: there is no pair.
    """
    usable = np.flatnonzero(np.isfinite(scores) & np.isfinite(errors) & (errors >= 0))
    left_out = 0
    if among == "content":
        first, second = _within(usable, contents)
    else:
        if len(usable) > _ALL_PAIRS:
            left_out = len(usable) - _ALL_PAIRS
            rng = np.random.default_rng(seed)
            usable = np.sort(rng.choice(usable, _ALL_PAIRS, replace=False))
        i, j = np.triu_indices(len(usable), 1)
        first, second = usable[i], usable[j]
    if not len(first):
        raise InputError("There are no two pictures of one content with scores and intervals.")
    apart = scores[first] - scores[second]
    error = np.hypot(errors[first], errors[second])
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(apart == 0, 0.0, apart / error)
    verdict = (np.sign(apart) * (np.abs(z) > limit)).astype(np.int8)
    return Pairs(first, second, verdict, among == "content", left_out)


def _within(usable: Codes, contents: Codes) -> tuple[Codes, Codes]:
    order = usable[np.argsort(contents[usable], kind="stable")]
    code = contents[order]
    starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    ends = np.r_[starts[1:], len(code)]
    parts = [np.triu_indices(end - start, 1) for start, end in zip(starts, ends, strict=True)]
    first = np.concatenate([order[s + i] for s, (i, _) in zip(starts, parts, strict=True)])
    second = np.concatenate([order[s + j] for s, (_, j) in zip(starts, parts, strict=True)])
    return first, second


@dataclass(frozen=True, slots=True)
class Area:
    """An area under a ROC curve, or a share, with its clustered interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Discrimination:
    """What a metric's differences say about pairs of pictures.

    Attributes:
        different_similar: AUC of |difference|, different against similar pairs.
        better_worse: AUC of the signed difference among different pairs, each taken both ways.
        correct: C0, share of different pairs of which the metric prefers the better picture.
        threshold: 95th percentile of |difference| on similar pairs, in the metric's unit: a larger
            difference is rarely one that people do not see.
        influence_ds, influence_bw: (clusters,) of the clusters on the two areas.
    """

    different_similar: Area
    better_worse: Area
    correct: Area
    threshold: Area
    influence_ds: Floats
    influence_bw: Floats


def discriminate(
    values: Floats, pairs: Pairs, clusters: Clusters, quantile: float = 0.95, level: float = 0.95
) -> Discrimination:
    """Krasula's analysis of one metric, with intervals that count contents.

    Args:
        values: (n,) of the metric, higher is better.
        pairs: of `make_pairs`.
        clusters: of the pictures; the areas' errors follow from the clusters' influences, the
            threshold's interval from drawing clusters again.
        quantile: of the threshold.
        level: share of intervals that should hold the truth.

    Returns:
        NaN where one of the two classes of pairs is empty.

    References:
        Krasula, Fliegel, Le Callet, Klima, On the accuracy of objective image and video quality
        models: new methodology for performance evaluation, QoMEX 2016.
    """
    apart = values[pairs.first] - values[pairs.second]
    return discriminate_differences(apart, pairs.verdict, pairs, clusters, quantile, level)


def discriminate_differences(
    apart: Floats,
    verdict: Verdicts,
    pairs: Pairs | None = None,
    clusters: Clusters | None = None,
    quantile: float = 0.95,
    level: float = 0.95,
) -> Discrimination:
    """The same from differences alone, then without intervals.

    Args:
        apart: (p,) the metric's difference of each pair, first minus second, higher is better.
        verdict: (p,) 1, 0 or -1.
        pairs, clusters: who is in the pairs, for intervals.
        quantile: of the threshold.
        level: share of intervals that should hold the truth.

    Example:
        >>> found = discriminate_differences(
        ...     np.array([2.0, -1.0, 0.1, -0.2]), np.array([1, -1, 0, 0], np.int8))
        >>> found.different_similar.value, found.correct.value
        (1.0, 1.0)
    """
    different = verdict != 0
    size = np.abs(apart)
    areas, influences = [], []
    for positive, negative, value_set in (
        (different, ~different, "ds"),
        (different, different, "bw"),
    ):
        if not positive.any() or not negative.any():
            areas.append(math.nan)
            influences.append(np.zeros(len(apart)))
            continue
        toward = apart * verdict
        high = size[positive] if value_set == "ds" else toward[positive]
        low = size[negative] if value_set == "ds" else -toward[negative]
        area, above, under = placements(high, low)
        influence = np.zeros(len(apart))
        influence[positive] += (above - area) / len(high)
        influence[negative] += (under - area) / len(low)
        areas.append(area)
        influences.append(influence)
    signs = np.sign(apart[different]) * verdict[different]
    correct = float((signs > 0).mean()) if len(signs) else math.nan
    share = np.zeros(len(apart))
    if len(signs):
        share[different] = ((signs > 0) - correct) / len(signs)
    similar = size[~different]
    threshold = float(np.quantile(similar, quantile)) if len(similar) else math.nan
    if pairs is None or clusters is None:
        plain = [Area(v, math.nan, math.nan) for v in (*areas, correct, threshold)]
        return Discrimination(plain[0], plain[1], plain[2], plain[3], np.zeros(0), np.zeros(0))
    ds, bw, c0 = (_of_clusters(i, pairs, clusters) for i in (*influences, share))
    low, high_end = _threshold_interval(size, ~different, pairs, clusters, quantile, level)
    different_similar, better_worse, correct_share = (
        Area(value, *area_interval(value, influence, clusters, level))
        for value, influence in ((areas[0], ds), (areas[1], bw), (correct, c0))
    )
    return Discrimination(
        different_similar, better_worse, correct_share, Area(threshold, low, high_end), ds, bw
    )


def _of_clusters(influence: Floats, pairs: Pairs, clusters: Clusters) -> Floats:
    """Influences of pairs on a figure as influences of clusters: those that a pair's are of."""
    a, b = clusters.codes[pairs.first], clusters.codes[pairs.second]
    other = np.where(a == b, 0.0, influence)
    sums = np.bincount(a, influence, clusters.size) + np.bincount(b, other, clusters.size)
    return np.asarray(sums, dtype=np.float64)


def _threshold_interval(
    size: Floats, similar: Mask, pairs: Pairs, clusters: Clusters, quantile: float, level: float
) -> tuple[float, float]:
    """Percentiles of the threshold over samples of clusters."""
    from srqa.statistics.intervals import expanded_tail

    places = np.flatnonzero(similar)
    if not clusters.enough or len(places) < 20:
        return math.nan, math.nan
    places = places[np.argsort(size[places], kind="stable")]
    a, b = clusters.codes[pairs.first[places]], clusters.codes[pairs.second[places]]
    ordered = size[places]
    wanted = max(100, min(clusters.resamples, 10_000_000 // len(places)))
    found: list[float] = []
    for draw in clusters.draws():
        times = draw[a]
        if not pairs.within:
            times = np.where((a == b)[:, None], times, times * draw[b])
        running = np.cumsum(times, axis=0)
        running = running[:, running[-1] > 0]
        at = (running < quantile * running[-1]).sum(axis=0)
        found.extend(ordered[np.minimum(at, len(ordered) - 1)].tolist())
        if len(found) >= wanted:
            break
    if len(found) < 50:
        return math.nan, math.nan
    tail = expanded_tail(max(3, round(clusters.effective)), level)
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)
