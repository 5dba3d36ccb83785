"""Ratings and choices between pictures on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.choice_fit import Floats
from srqa.ratings.choice_models import JOD_PER_UNIT, ChoiceModel
from srqa.ratings.comparisons import Comparisons, Integers, count_cells
from srqa.ratings.paired import SIGMA

_MOST_ITEMS = 2000


@dataclass(frozen=True, slots=True)
class RatingLine:
    """How one set of ratings lies on the scale: rating = a q + b + noise of a c 1.0484.

    Attributes:
        name: of the set.
        a: rating steps for 1 JOD; a_se its standard error.
        b: the rating of an item at 0 JOD.
        c: noise of a rating in that of one percept of a comparison; above 1, ratings are the
            noisier.
    """

    name: str
    a: float
    a_se: float
    b: float
    c: float


@dataclass(frozen=True, slots=True, eq=False)
class UnifiedScale:
    """A scale from ratings and comparisons together, in JOD; the sum is 0.

    Attributes:
        items: names.
        jod, se: (items,) values and standard errors; covariance: (items, items).
        n_pairs, n_ratings: (items,) answers of either kind.
        lines: one for each set of ratings.
        log_likelihood: of all answers.
        level: of `intervals`.
        notes: what a reader must know.
    """

    items: tuple[str, ...]
    jod: Floats
    se: Floats
    covariance: Floats
    n_pairs: Floats
    n_ratings: Floats
    lines: tuple[RatingLine, ...]
    log_likelihood: float
    level: float
    notes: tuple[str, ...]

    @property
    def intervals(self) -> Floats:
        """(items, 2) intervals of `jod`."""
        half = NormalDist().inv_cdf((1 + self.level) / 2) * self.se
        return np.stack([self.jod - half, self.jod + half], axis=-1)

    def table(self) -> list[dict[str, Any]]:
        """Rows dataset, content, scale, method, jod, ci_low, ci_high, n."""
        total = self.n_pairs + self.n_ratings
        return [
            {
                "dataset": "",
                "content": "",
                "scale": None,
                "method": item,
                "jod": float(self.jod[k]),
                "ci_low": float(low),
                "ci_high": float(high),
                "n": round(float(total[k])),
            }
            for k, (item, (low, high)) in enumerate(zip(self.items, self.intervals, strict=True))
        ]


def scale_ratings_and_pairs(
    comparisons: Comparisons,
    item: Integers,
    value: Floats,
    rating_set: Integers | None = None,
    names: Sequence[str] = ("ratings",),
    prior: Literal["gaussian", "published"] = "gaussian",
    sigma: float = SIGMA,
    level: float = 0.95,
) -> UnifiedScale:
    """Fit one scale to ratings and to comparisons.

    Comparisons follow Thurstone's case V; ratings are normal around ``a q + b`` with standard
    deviation ``a c 1.4826 / sqrt(2)``. All is fitted together by maximum a posteriori.

    Args:
        comparisons: choices between pairs; `comparisons.items` lists all items, also those that
            were rated only. Ties count half.
        item: (n,) codes of the rated items.
        value: (n,) ratings, larger for better.
        rating_set: (n,) which set a rating belongs to (its own a, b, c); one set without.
        names: of the sets.
        prior: of the values around 0: "gaussian" with `sigma`, or "published", the paper's
            standard deviation of sqrt(items) 1.0484 JOD.
        sigma: in JOD.
        level: of intervals.

    Returns:
        The scale. Intervals take answers as independent and the ratings' noise as normal.

    Raises:
        InputError: no rating, NaN, unknown codes, fewer than three rated items in a set, ratings
            that are all equal, or ratings that run against the comparisons.

    Reference:
        Perez-Ortiz, Mikhailiuk, Zerman, Hulusic, Valenzise and Mantiuk, From pairwise comparisons
        and rating to a unified quality scale, IEEE Transactions on Image Processing 29, 2019.
    """
    n = len(comparisons.items)
    sets = np.zeros(len(value), np.int64) if rating_set is None else np.asarray(rating_set)
    _check(comparisons, item, value, sets, names, sigma)
    work = _Work.of(comparisons, item, value, sets, len(names), _spread_of(prior, sigma, n))
    theta = work.optimum()
    information = work.information(theta)
    covariance = np.linalg.inv(information)
    centre = np.eye(n) - 1 / n
    unit = JOD_PER_UNIT["thurstone"]
    spread = centre @ covariance[:n, :n] @ centre * unit**2
    q, lines = theta[:n] * unit, []
    for k, name in enumerate(names):
        slope, level_at_zero, noise = theta[n + 3 * k : n + 3 * k + 3]
        # theta holds the slope for one standard deviation of a comparison, not for one JOD.
        lines.append(
            RatingLine(
                name=name,
                a=float(slope / unit),
                a_se=float(math.sqrt(covariance[n + 3 * k, n + 3 * k]) / unit),
                b=float(level_at_zero + slope / unit * q.mean()),
                c=float(math.exp(noise) / (slope / math.sqrt(2))),
            )
        )
    backward = [line.name for line in lines if line.a <= 0]
    if backward:
        raise InputError(
            f"The ratings {backward[0]!r} fall where the comparisons rise.",
            hint="Ratings must be larger for better items; turn the scale round.",
        )
    return UnifiedScale(
        items=comparisons.items,
        jod=q - q.mean(),
        se=np.sqrt(np.diag(spread)),
        covariance=spread,
        n_pairs=comparisons.votes,
        n_ratings=np.bincount(item, minlength=n).astype(np.float64),
        lines=tuple(lines),
        log_likelihood=-work.loss(theta, with_prior=False)[0],
        level=level,
        notes=_notes(comparisons, work, n),
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """Counts of pairs and sums of ratings; parameters are q, then slope, level, log noise a set."""

    n: int
    left: Integers
    right: Integers
    counts: Floats
    item: Integers
    value: Floats
    sets: Integers
    kinds: int
    precision: float

    @classmethod
    def of(
        cls,
        comparisons: Comparisons,
        item: Integers,
        value: Floats,
        sets: Integers,
        kinds: int,
        spread: float,
    ) -> _Work:
        cells = count_cells(comparisons, sided=False)
        counts = cells.counts[:, [0, 2]] + cells.counts[:, [1]] / 2
        different = cells.left != cells.right
        return cls(
            n=len(comparisons.items),
            left=cells.left[different],
            right=cells.right[different],
            counts=counts[different],
            item=np.asarray(item),
            value=np.asarray(value, dtype=np.float64),
            sets=sets,
            kinds=kinds,
            precision=spread**-2,
        )

    def loss(self, theta: Floats, with_prior: bool = True) -> tuple[float, Floats]:
        """Negative log posterior and its gradient."""
        n = self.n
        q = theta[:n]
        lines = theta[n:].reshape(self.kinds, 3)
        found = ChoiceModel("thurstone", "none").outcomes(q[self.left] - q[self.right], np.zeros(1))
        total = float((self.counts * found.log_p[:, [0, 2]]).sum())
        slope = (self.counts * found.by_eta[:, [0, 2]]).sum(axis=1)
        gradient = np.zeros_like(theta)
        gradient[:n] = np.bincount(self.left, slope, n) - np.bincount(self.right, slope, n)
        a, b, log_s = lines[self.sets].T
        error = (self.value - a * q[self.item] - b) * np.exp(-log_s)
        total -= float((0.5 * error**2 + log_s).sum()) + 0.5 * len(error) * math.log(2 * math.pi)
        pull = error * np.exp(-log_s)
        gradient[:n] += np.bincount(self.item, a * pull, n)
        by_line = (pull * q[self.item], pull, error**2 - 1)
        for k, part in enumerate(by_line):
            gradient[n + k :: 3] = np.bincount(self.sets, part, self.kinds)
        if with_prior:
            total -= 0.5 * self.precision * float((q**2).sum())
            gradient[:n] -= self.precision * q
        return -total, -gradient

    def optimum(self) -> Floats:
        """The parameters, from the ratings' means as a start."""
        from scipy.optimize import minimize

        theta = np.zeros(self.n + 3 * self.kinds)
        lines = theta[self.n :].reshape(self.kinds, 3)
        for k in range(self.kinds):
            own = self.value[self.sets == k]
            lines[k] = own.std(), own.mean(), math.log(own.std())
        times = np.bincount(self.item, minlength=self.n)
        scaled = (self.value - lines[self.sets, 1]) / lines[self.sets, 0]
        theta[: self.n] = np.bincount(self.item, scaled, self.n) / np.maximum(times, 1)
        rough = minimize(self.loss, theta, jac=True, method="L-BFGS-B", options={"maxiter": 5000})
        found = np.asarray(rough.x)
        for _ in range(50):
            _, gradient = self.loss(found)
            step = np.linalg.solve(self.information(found), -gradient)
            before = self.loss(found)[0]
            size = 1.0
            while self.loss(found + size * step)[0] > before + 1e-12 and size > 1e-6:
                size /= 2
            found = found + size * step
            if np.abs(step).max() < 1e-9:
                break
        return found

    def information(self, theta: Floats) -> Floats:
        """Expected information, with the prior."""
        n, size = self.n, len(theta)
        q, lines = theta[:n], theta[n:].reshape(self.kinds, 3)
        matrix = np.zeros((size, size))
        model = ChoiceModel("thurstone", "none")
        found = model.outcomes(q[self.left] - q[self.right], np.zeros(1))
        p = np.exp(found.log_p[:, [0, 2]])
        weight = self.counts.sum(axis=1) * (p * found.by_eta[:, [0, 2]] ** 2).sum(axis=1)
        for rows, columns, sign in (
            (self.left, self.left, 1), (self.right, self.right, 1),
            (self.left, self.right, -1), (self.right, self.left, -1),
        ):  # fmt: skip
            np.add.at(matrix, (rows, columns), sign * weight)
        a, _, log_s = lines[self.sets].T
        precise = np.exp(-2 * log_s)
        slope_at, level_at = n + 3 * self.sets, n + 3 * self.sets + 1
        mean_slopes = ((self.item, a), (slope_at, q[self.item]), (level_at, np.ones_like(a)))
        for rows, first in mean_slopes:
            for columns, second in mean_slopes:
                np.add.at(matrix, (rows, columns), precise * first * second)
        noise = n + 3 * np.arange(self.kinds) + 2
        matrix[noise, noise] += 2 * np.bincount(self.sets, minlength=self.kinds)
        matrix[np.arange(n), np.arange(n)] += self.precision
        return matrix


def _spread_of(prior: str, sigma: float, items: int) -> float:
    if prior not in ("gaussian", "published"):
        raise UsageError(f"There is no prior {prior!r}.", hint="gaussian or published.")
    unit = JOD_PER_UNIT["thurstone"]
    return sigma / unit if prior == "gaussian" else math.sqrt(items / 2)


def _notes(comparisons: Comparisons, work: _Work, n: int) -> tuple[str, ...]:
    notes = []
    neither = (comparisons.votes == 0) & (np.bincount(work.item, minlength=n) == 0)
    if neither.any():
        names = [comparisons.items[i] for i in np.flatnonzero(neither)]
        notes.append(f"No answer speaks of {', '.join(names[:5])}; the value is the prior's.")
    if comparisons.ties:
        notes.append(f"{comparisons.ties} ties were counted as half a win for either item.")
    return tuple(notes)


def _check(
    comparisons: Comparisons,
    item: Integers,
    value: Floats,
    sets: Integers,
    names: Sequence[str],
    sigma: float,
) -> None:
    n = len(comparisons.items)
    if n > _MOST_ITEMS:
        raise UsageError(f"{n} items are too many for one scale; {_MOST_ITEMS} are the most.")
    if not sigma > 0:
        raise UsageError(f"The standard deviation of the prior must be above 0, not {sigma}.")
    if not len(item) == len(value) == len(sets):
        raise InputError(
            f"There are {len(item)} items, {len(value)} values and {len(sets)} sets of ratings."
        )
    if len(value) == 0:
        raise InputError("There is no rating.", hint="Scale comparisons alone with scale_pairs.")
    if not np.isfinite(value).all():
        raise InputError(f"{int((~np.isfinite(value)).sum())} ratings are not finite numbers.")
    if item.min() < 0 or item.max() >= n:
        raise InputError(f"A rating names the item {int(item.max())}; there are {n} items.")
    if sets.min() < 0 or sets.max() >= len(names):
        raise InputError(f"A rating names the set {int(sets.max())}; {len(names)} are named.")
    for k, name in enumerate(names):
        own = sets == k
        if len(np.unique(item[own])) < 3:
            raise InputError(
                f"The ratings {name!r} are of fewer than three items, too few for their line."
            )
        if value[own].std() == 0:
            raise InputError(f"The ratings {name!r} are all equal.")
