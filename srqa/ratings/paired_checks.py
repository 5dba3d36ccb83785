"""Whether a scale fits the choices: observers out of line, goodness of fit, cyclic triads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from srqa.ratings.choice_fit import Floats
from srqa.ratings.comparisons import Comparisons, Integers
from srqa.ratings.paired import PairedScale
from srqa.ratings.paired_bootstrap import observer_counts, without_observers

OUT_OF_LINE = 1.5
"""Distances (pwcmp's, in interquartile ranges) above this are flagged."""
_MOST_ITEMS = 400
_SPARSE = 5.0


@dataclass(frozen=True, slots=True)
class ObserverFit:
    """How one observer's answers agree with the scale of all others.

    Attributes:
        observer: the name.
        answers: how many.
        log10_likelihood: mean over the observer's pairs of the log10 binomial likelihood under the
            scale fitted without the observer; NaN where that has no finite optimum.
        distance: how far below the first quartile of all observers, in interquartile ranges; 0 for
            the others.
        z: total log likelihood minus what is expected of an observer who follows the scale, in
            standard deviations. Unlike `distance` it allows for some having had harder pairs.
        flagged: whether `distance` is above 1.5.
        reason: for a flag, in words.
    """

    observer: str
    answers: float
    log10_likelihood: float
    distance: float
    z: float
    flagged: bool
    reason: str


@dataclass(frozen=True, slots=True)
class GoodnessOfFit:
    """Deviance and chi-square of the counts of each pair against the scale.

    Attributes:
        deviance, chi2: the statistics; both chi-square distributed with `degrees` if the scale
            holds and pairs have answers enough.
        p_deviance, p_chi2: upper tail probabilities; NaN without degrees of freedom.
        left, right: (cells,) codes of the pairs.
        answers: (cells,) of each.
        observed, expected: (cells,) share of the left (ties half).
        residual: (cells,) standardised (Pearson) residual of the left's wins, ties half.
        notes: what a reader must know.
    """

    deviance: float
    chi2: float
    degrees: int
    p_deviance: float
    p_chi2: float
    left: Integers
    right: Integers
    answers: Floats
    observed: Floats
    expected: Floats
    residual: Floats
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CyclicTriads:
    """Contradictions of one observer: a over b, b over c, c over a.

    Attributes:
        observer: the name.
        triads: triples of items of which the observer decided all three pairs.
        cyclic: how many of them are cyclic.
        by_chance: cyclic ones expected of coin tosses, a quarter.
        by_model: cyclic ones expected of an observer who follows the scale.
        zeta: Kendall's coefficient of consistence, 1 without contradiction, 0 for as many as can
            be; NaN unless the observer decided every pair of some items.
    """

    observer: str
    triads: int
    cyclic: int
    by_chance: float
    by_model: float
    zeta: float


def observers_out_of_line(comparisons: Comparisons, scale: PairedScale) -> list[ObserverFit]:
    """Compare each observer with the scale of all others.

    Args:
        comparisons: the answers that `scale` was made of.
        scale: the fitted scale.

    Returns:
        One a person, in the order of `comparisons.observers`; those without answers are left out.
        A flag is a reason to look, not to exclude: with few answers, distances are mostly chance.

    Reference:
        Perez-Ortiz and Mantiuk 2017, section on outliers.
    """
    from scipy.special import gammaln

    fits = without_observers(comparisons, scale)
    counts = observer_counts(comparisons, scale)
    cells = len(scale.problem.cells.left)
    found: list[tuple[int, float, float, float]] = []
    for person in range(len(comparisons.observers)):
        own = counts[[person]].toarray().reshape(cells, 3)
        used = own.sum(axis=1) > 0
        if not used.any():
            continue
        own, total = own[used], own[used].sum(axis=1)
        log_p = scale.problem.outcomes(fits[person][None]).log_p[0][used]
        p = np.exp(log_p)
        if not scale.model.has_ties:
            p[:, 1] = 0
        ways = gammaln(total + 1) - gammaln(own + 1).sum(axis=1)
        likelihood = (ways + (own * log_p).sum(axis=1)) / math.log(10)
        entropy = (p * log_p).sum(axis=1)
        spread = total * ((p * log_p**2).sum(axis=1) - entropy**2)
        surprise = (own * log_p).sum() - (total * entropy).sum()
        z = surprise / math.sqrt(spread.sum()) if spread.sum() > 0 else math.nan
        found.append((person, float(total.sum()), float(likelihood.mean()), float(z)))
    likelihoods = np.array([row[2] for row in found])
    low, high = np.nanquantile(likelihoods, [0.25, 0.75])
    width = high - low
    return [
        _observer(comparisons.observers[person], answers, value, z, float(low), float(width))
        for person, answers, value, z in found
    ]


def _observer(
    name: str, answers: float, value: float, z: float, low: float, width: float
) -> ObserverFit:
    distance = (low - value) / width if value < low and width > 0 else 0.0
    flagged = distance > OUT_OF_LINE
    reason = (
        f"log10 likelihood {value:.2f} a pair lies {distance:.1f} interquartile ranges below the "
        f"first quartile of observers (z = {z:.1f})"
        if flagged
        else ""
    )
    return ObserverFit(name, answers, value, distance, z, flagged, reason)


def goodness_of_fit(scale: PairedScale) -> GoodnessOfFit:
    """Test whether one number an item explains the counts of each pair.

    Example:
        >>> from srqa.ratings.comparisons import from_wins
        >>> from srqa.ratings.paired import scale_pairs
        >>> wins = np.array([[0, 30, 40], [20, 0, 30], [10, 20, 0]])
        >>> goodness_of_fit(scale_pairs(from_wins(wins), prior="none")).degrees
        1
    """
    from scipy.stats import chi2 as distribution

    cells, model = scale.problem.cells, scale.model
    counts, total = cells.counts, cells.totals
    p = scale.probabilities(cells.left, cells.right)
    expected = p * total[:, None]
    used = np.array([0, 1, 2]) if model.has_ties else np.array([0, 2])
    seen, hoped = counts[:, used], expected[:, used]
    ratio = np.log(np.where(seen > 0, seen, 1) / np.where(seen > 0, hoped, 1))
    deviance = float(2 * (seen * ratio).sum())
    chi2 = float(((seen - hoped) ** 2 / np.maximum(hoped, 1e-300)).sum())
    groups = int(scale.groups.max()) + 1
    free = len(scale.items) - groups + scale.problem.extras
    degrees = int((total > 0).sum()) * (len(used) - 1) - free
    score, mean = (counts[:, 0] - counts[:, 2]) / 2, (expected[:, 0] - expected[:, 2]) / 2
    spread = total * ((p[:, 0] + p[:, 2]) - (p[:, 0] - p[:, 2]) ** 2) / 4
    notes = []
    if degrees <= 0:
        notes.append("No more pairs were asked than the scale has values, so nothing is tested.")
    elif float((hoped < _SPARSE).mean()) > 0.2:
        notes.append(
            f"{100 * float((hoped < _SPARSE).mean()):.0f} % of the expected counts are below 5: "
            "the p values are rough."
        )

    def tail(statistic: float) -> float:
        return float(distribution.sf(statistic, degrees)) if degrees > 0 else math.nan

    return GoodnessOfFit(
        deviance=deviance,
        chi2=chi2,
        degrees=max(degrees, 0),
        p_deviance=tail(deviance),
        p_chi2=tail(chi2),
        left=cells.left,
        right=cells.right,
        answers=total,
        observed=score / total + 0.5,
        expected=mean / total + 0.5,
        residual=(score - mean) / np.sqrt(np.maximum(spread, 1e-300)),
        notes=tuple(notes),
    )


def cyclic_triads(comparisons: Comparisons, scale: PairedScale) -> list[CyclicTriads]:
    """Count each observer's contradictions, beside what chance and the scale let expect.

    Where an observer saw a pair several times the more frequent choice counts; ties decide
    nothing. Observers who judged more than 400 items are left out.

    Reference:
        Kendall and Babington Smith, On the method of paired comparisons, Biometrika 31, 1940.
    """
    found = []
    for person, name in enumerate(comparisons.observers):
        rows = comparisons.observer == person
        left, right = comparisons.left[rows], comparisons.right[rows]
        items, coded = np.unique(np.concatenate([left, right]), return_inverse=True)
        if not 3 <= len(items) <= _MOST_ITEMS:
            continue
        first, second = np.split(coded, 2)
        found.append(
            _triads(
                name,
                _net_wins(first, second, comparisons.choice[rows], len(items)),
                _expected_wins(items, scale),
            )
        )
    return found


def _net_wins(first: Integers, second: Integers, choice: Integers, n: int) -> Any:
    net = np.zeros((n, n))
    np.add.at(net, (first, second), choice)
    return (net - net.T) > 0


def _expected_wins(items: Integers, scale: PairedScale) -> Floats:
    theta = scale.theta[items]
    p = scale.model.probabilities(
        theta[:, None] - theta[None, :], float(scale.theta[-1]) if scale.model.has_ties else 0.0
    )
    return np.asarray(p[..., 0] / (p[..., 0] + p[..., 2]))


def _triads(name: str, beats: Any, likely: Floats) -> CyclicTriads:
    n = len(beats)
    wins, decided = beats.astype(np.float64), (beats | beats.T).astype(np.float64)
    likely = likely * decided
    triads = round(float(np.trace(decided @ decided @ decided)) / 6)
    cyclic = round(float(np.trace(wins @ wins @ wins)) / 3)
    most = (n**3 - n) / 24 if n % 2 else (n**3 - 4 * n) / 24
    whole = triads == n * (n - 1) * (n - 2) // 6
    return CyclicTriads(
        observer=name,
        triads=triads,
        cyclic=cyclic,
        by_chance=triads / 4,
        by_model=float(np.trace(likely @ likely @ likely)) / 3,
        zeta=1 - cyclic / most if whole else math.nan,
    )
