"""Triplets with a pivot: which of two pictures differs more from a third."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.choice_fit import Floats
from srqa.ratings.choice_models import JOD_PER_UNIT
from srqa.ratings.comparisons import Comparisons, Integers, Triplets, added_up, groups_of
from srqa.ratings.paired import SIGMA

_STARTS = 6
_MOST_ITEMS = 500


@dataclass(frozen=True, slots=True, eq=False)
class TripletScale:
    """A scale of items from triplets, in JOD; the sum is 0.

    Attributes:
        items: names.
        jod: (items,) values, se: their standard errors, covariance: (items, items).
        votes: (items,) answers in which each stood left or right.
        log_likelihood: of the answers.
        level: of `intervals`.
        notes: what a reader must know.
    """

    items: tuple[str, ...]
    jod: Floats
    se: Floats
    covariance: Floats
    votes: Floats
    log_likelihood: float
    level: float
    notes: tuple[str, ...]

    @property
    def intervals(self) -> Floats:
        """(items, 2) intervals of `jod`."""
        half = NormalDist().inv_cdf((1 + self.level) / 2) * self.se
        return np.stack([self.jod - half, self.jod + half], axis=-1)

    def difference(self, first: str, second: str) -> tuple[float, float, float]:
        """First minus second in JOD, and the ends of its interval."""
        for name in (first, second):
            if name not in self.items:
                raise InputError(f"There is no item {name!r} on the scale.")
        ends = np.zeros(len(self.items))
        ends[self.items.index(first)] += 1
        ends[self.items.index(second)] -= 1
        half = NormalDist().inv_cdf((1 + self.level) / 2)
        half *= math.sqrt(max(float(ends @ self.covariance @ ends), 0))
        gap = float(ends @ self.jod)
        return gap, gap - half, gap + half

    def table(self) -> list[dict[str, Any]]:
        """Rows dataset, content, scale, method, jod, ci_low, ci_high, n."""
        return [
            {
                "dataset": "",
                "content": "",
                "scale": None,
                "method": item,
                "jod": float(self.jod[k]),
                "ci_low": float(low),
                "ci_high": float(high),
                "n": round(float(self.votes[k])),
            }
            for k, (item, (low, high)) in enumerate(zip(self.items, self.intervals, strict=True))
        ]


def scale_triplets(
    triplets: Triplets,
    best: Sequence[str],
    sigma: float = SIGMA,
    level: float = 0.95,
    seed: int = 0,
) -> TripletScale:
    """Thurstone's case V for triplets with any pivot.

    Percepts X are independent normal around the items' values with a standard deviation of
    1.4826 / sqrt(2) JOD each, so that 1 JOD is 75 % in a plain comparison. The left is said to
    differ more if ``|X_l - X_p| > |X_r - X_p|``, that is if ``X_l - X_r`` and
    ``X_l + X_r - 2 X_p`` have the same sign. These two are independent, so that the probability is
    exactly ``Phi(u) Phi(v) + Phi(-u) Phi(-v)`` with ``u = (q_l - q_r) / 1.4826`` and
    ``v = (q_l + q_r - 2 q_p) / (sqrt(3) 1.4826)``. "Not sure" counts half for either side.

    Args:
        triplets: the answers. Where every pivot is an undistorted source,
            ``triplets.baseline(sources)`` with `scale_pairs` is what JPEG AIC-3 does: impairments
            are compared rather than unsigned distances, and ties can have a model.
        best: items known to lie at the upper end, such as the source; answers about differences do
            not say which end of the scale is the good one.
        sigma: of the Gaussian prior around the middle, in JOD.
        level: of intervals.
        seed: of the starting points; the likelihood has several maxima, and the best found is
            taken.

    Raises:
        InputError: items that no triplet links, or an unknown name in `best`.

    Reference:
        Ennis and Mullen, Theoretical aspects of sensory discrimination, Chemical Senses 11, 1986
        (the normal model of such triads); Men, Lin, Jenadeleh and Saupe,
        Subjective image quality assessment with boosted triplet comparisons, IEEE Access 9, 2021.

    Example:
        >>> import numpy as np
        >>> few = Triplets(
        ...     items=("source", "fine", "poor"), left=np.array([1, 2, 2]),
        ...     pivot=np.array([0, 0, 1]), right=np.array([2, 1, 0]), choice=np.array([-1, 1, 1]),
        ...     observers=("anna",), observer=np.zeros(3, int),
        ... )
        >>> scale = scale_triplets(few, best=["source"])
        >>> bool(scale.jod[0] > scale.jod[2])
        True
    """
    n = len(triplets.items)
    if n > _MOST_ITEMS:
        raise UsageError(f"Triplets of {n} items are too many; {_MOST_ITEMS} are the most.")
    if not sigma > 0:
        raise UsageError(f"The standard deviation of the prior must be above 0, not {sigma}.")
    top = _codes(triplets, best)
    _check_linked(triplets)
    trials = _count(triplets)
    precision = (JOD_PER_UNIT["thurstone"] / sigma) ** 2
    values = _best_of_starts(trials, n, precision, seed)
    rest = np.setdiff1d(np.arange(n), top)
    if len(rest) and values[top].mean() < values[rest].mean():
        values = -values
    return _scaled(triplets, trials, values - values.mean(), precision, level)


@dataclass(frozen=True, slots=True)
class _Trials:
    """Triplets counted: how often the left was said to differ more, of how many answers."""

    left: Integers
    pivot: Integers
    right: Integers
    wins: Floats
    total: Floats

    def by_items(self, left: Floats, pivot: Floats, right: Floats, n: int) -> Floats:
        """(n,) numbers of trials added up by item."""
        return np.asarray(
            np.bincount(self.left, left, n)
            + np.bincount(self.pivot, pivot, n)
            + np.bincount(self.right, right, n)
        )


def triplet_probability(left: Floats, pivot: Floats, right: Floats) -> Floats:
    """Probability that the left is said to differ more from the pivot; values in JOD."""
    unit = JOD_PER_UNIT["thurstone"]
    logs, _, _ = _log_probability(left / unit, pivot / unit, right / unit)
    return np.exp(logs)


def _log_probability(left: Floats, pivot: Floats, right: Floats) -> tuple[Floats, Floats, Floats]:
    """Log probability and its derivatives by u and v, in standard deviations."""
    from scipy.special import log_ndtr

    u, v = left - right, (left + right - 2 * pivot) / math.sqrt(3)
    log_p = np.logaddexp(log_ndtr(u) + log_ndtr(v), log_ndtr(-u) + log_ndtr(-v))
    scale = math.log(math.sqrt(2 * math.pi))
    by_u = np.exp(-0.5 * u * u - scale - log_p) * (1 - 2 * np.exp(log_ndtr(-v)))
    by_v = np.exp(-0.5 * v * v - scale - log_p) * (1 - 2 * np.exp(log_ndtr(-u)))
    return log_p, by_u, by_v


def _count(triplets: Triplets) -> _Trials:
    weights = triplets.weights if triplets.weights is not None else np.ones(len(triplets))
    rows = np.stack([triplets.left, triplets.pivot, triplets.right], axis=-1)
    unique, where = np.unique(rows, axis=0, return_inverse=True)
    where = where.ravel()
    wins = added_up(where, weights * (1 + triplets.choice) / 2, len(unique))
    total = added_up(where, weights, len(unique))
    return _Trials(unique[:, 0], unique[:, 1], unique[:, 2], wins, total)


def _best_of_starts(trials: _Trials, n: int, precision: float, seed: int) -> Floats:
    from scipy.optimize import minimize

    def loss(values: Floats) -> tuple[float, Floats]:
        q = values[trials.left], values[trials.pivot], values[trials.right]
        yes, yes_u, yes_v = _log_probability(*q)
        no, no_u, no_v = _log_probability(q[2], q[1], q[0])
        lost = trials.total - trials.wins
        total = (trials.wins * yes + lost * no).sum()
        # P(right) = 1 - P(left): the derivatives of `no` carry its own u = -u.
        by_u, by_v = trials.wins * yes_u - lost * no_u, trials.wins * yes_v + lost * no_v
        side = by_v / math.sqrt(3)
        gradient = trials.by_items(by_u + side, -2 * side, side - by_u, n) - precision * values
        return -(total - 0.5 * precision * (values**2).sum()), -gradient

    rng = np.random.default_rng(seed)
    starts = [_spectral_start(trials, n)]
    starts += [rng.normal(0, 1 / math.sqrt(precision), n) for _ in range(_STARTS - 1)]
    found = [
        minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 2000})
        for first in starts
    ]
    best = min(found, key=lambda one: float(one.fun))
    best = minimize(loss, best.x, jac=True, method="BFGS", options={"gtol": 1e-7})
    return np.asarray(best.x)


def _spectral_start(trials: _Trials, n: int) -> Floats:
    """The first axis of classical scaling of how often items were said to differ from a pivot."""
    seen, far = np.full((n, n), 1e-9), np.zeros((n, n))
    for item, share in ((trials.left, trials.wins), (trials.right, trials.total - trials.wins)):
        np.add.at(far, (trials.pivot, item), share)
        np.add.at(seen, (trials.pivot, item), trials.total)
    apart = np.where(seen > 0.5, far / seen, 0.5)
    apart = (apart + apart.T) / 2
    np.fill_diagonal(apart, 0)
    centre = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * centre @ (4 * apart) ** 2 @ centre)
    return np.asarray(vectors[:, -1] * math.sqrt(max(float(values[-1]), 1e-6)))


def _scaled(
    triplets: Triplets, trials: _Trials, values: Floats, precision: float, level: float
) -> TripletScale:
    from scipy.sparse import coo_array

    n, unit = len(values), JOD_PER_UNIT["thurstone"]
    q = values[trials.left], values[trials.pivot], values[trials.right]
    yes, by_u, by_v = _log_probability(*q)
    no, _, _ = _log_probability(q[2], q[1], q[0])
    weight = trials.total * np.exp(yes - no)
    side = by_v / math.sqrt(3)
    trial = np.tile(np.arange(len(trials.left)), 3)
    items = np.concatenate([trials.left, trials.pivot, trials.right])
    parts = np.concatenate([by_u + side, -2 * side, side - by_u])
    slopes = coo_array((parts, (items, trial)), shape=(n, len(trials.left))).tocsr()
    information = ((slopes * weight) @ slopes.T).toarray() + precision * np.eye(n)
    centre = np.eye(n) - 1 / n
    covariance = centre @ np.linalg.inv(information) @ centre * unit**2
    unsure = int((triplets.choice == 0).sum())
    notes = (f'{unsure} answers "not sure" were counted half for either side.',) if unsure else ()
    weights = triplets.weights if triplets.weights is not None else np.ones(len(triplets))
    votes = added_up(triplets.left, weights, n) + added_up(triplets.right, weights, n)
    return TripletScale(
        items=triplets.items,
        jod=values * unit,
        se=np.sqrt(np.diag(covariance)),
        covariance=covariance,
        votes=votes,
        log_likelihood=float((trials.wins * yes + (trials.total - trials.wins) * no).sum()),
        level=level,
        notes=notes,
    )


def _codes(triplets: Triplets, best: Sequence[str]) -> Integers:
    unknown = [name for name in best if name not in triplets.items]
    if unknown or not best:
        what = f"No triplet shows {unknown[0]!r}" if unknown else "No item is named as best"
        raise InputError(
            f"{what}; one that is known to be at the upper end must be named.",
            hint="Name the undistorted source.",
        )
    return np.array([triplets.items.index(name) for name in best])


def _check_linked(triplets: Triplets) -> None:
    ends = np.concatenate([triplets.left, triplets.left])
    others = np.concatenate([triplets.right, triplets.pivot])
    pairs = Comparisons(
        items=triplets.items,
        left=ends,
        right=others,
        choice=np.zeros(len(ends), np.int8),
        observers=("",),
        observer=np.zeros(len(ends), np.int32),
        identical=True,
    )
    groups = int(groups_of(pairs).max()) + 1
    if groups > 1:
        raise InputError(
            f"The items fall into {groups} groups that no triplet links.",
            hint="Scale each by itself.",
        )
