"""A scale in JOD, with the covariance of its values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srqa.errors import InputError
from srqa.ratings.choice_fit import Floats, Information, Problem, expected_weights, scatter
from srqa.ratings.choice_models import ChoiceModel, TieRule
from srqa.ratings.comparisons import Integers

if TYPE_CHECKING:
    from srqa.ratings.answers import Stimulus

Prior = Literal["gaussian", "none", "pwcmp"]
EXACT_ITEMS = 2000
"""Standard errors of more items are estimated from draws."""
DRAWS = 400
_BLOCK = 128


@dataclass(frozen=True, slots=True)
class JodDifference:
    """How far two items are apart.

    Attributes:
        first, second: their names.
        jod: first minus second; NaN if no chain of comparisons links them.
        ci_low, ci_high: interval of the difference.
        p: two-sided p value (Wald) of no difference.
        preferred: the share of answers expected for the first, ties left aside.
    """

    first: str
    second: str
    jod: float
    ci_low: float
    ci_high: float
    p: float
    preferred: float


@dataclass(frozen=True, slots=True, eq=False)
class PairedScale:
    """A scale of items. 1 JOD apart, the better one is chosen in 75 % of the answers.

    Attributes:
        items: names.
        jod: (items,) values, 0 at the anchor.
        se: (items,) standard errors, from the anchor.
        groups: (items,) the same number for items that comparisons link.
        votes: (items,) answers in which each took part.
        model: of the choice, and of ties.
        ties: the rule for ties that was applied.
        prior: and `sigma`, its standard deviation in JOD (of "gaussian").
        anchor: what is 0, in words.
        side_bias: preference for the left in JOD, NaN if not estimated; `side_bias_se` its error.
        tie_parameter: threshold in JOD, or log nu (Davidson); NaN without.
        log_likelihood: of the answers, natural logarithm, without the prior.
        level: of intervals.
        notes: what a reader must know, in words.
        problem, theta, information: the fit itself, in the model's unit.
        references: codes of the items held at 0.
    """

    items: tuple[str, ...]
    jod: Floats
    se: Floats
    groups: Integers
    votes: Floats
    model: ChoiceModel
    ties: TieRule
    prior: Prior
    sigma: float
    anchor: str
    side_bias: float
    side_bias_se: float
    tie_parameter: float
    log_likelihood: float
    level: float
    notes: tuple[str, ...]
    problem: Problem
    theta: Floats
    information: Information
    references: tuple[int, ...]

    @property
    def intervals(self) -> Floats:
        """(items, 2) intervals of `jod` from the anchor. Two items whose intervals overlap may
        well differ: ask `difference` for that."""
        half = quantile(self.level) * self.se
        return np.stack([self.jod - half, self.jod + half], axis=-1)

    def covariance(self) -> Floats:
        """(items, items) covariance of `jod` in JOD squared; dense, made when asked for."""
        n = len(self.items)
        unit = np.eye(n)
        found = np.empty((n, n))
        for start in range(0, n, _BLOCK):
            columns = unit[:, start : start + _BLOCK]
            found[:, start : start + _BLOCK] = self._spread(columns)
        return (found + found.T) / 2

    def difference(self, first: str, second: str) -> JodDifference:
        """The difference of two items with its own interval.

        Raises:
            InputError: an item is unknown, or no chain of comparisons links the two.
        """
        i, j = self._code(first), self._code(second)
        if self.groups[i] != self.groups[j]:
            raise InputError(
                f"No chain of comparisons links {first!r} and {second!r}, so their difference "
                "cannot be told.",
                hint="Ask pairs that link the groups of items.",
            )
        ends = np.zeros((len(self.items), 1))
        ends[i, 0] += 1
        ends[j, 0] -= 1
        variance = float((ends * self._spread(ends)).sum())
        return self._difference(i, j, variance)

    def differences(self) -> list[JodDifference]:
        """All pairs of items; NaN where no chain of comparisons links them."""
        covariance = self.covariance()
        variance = np.diag(covariance)
        return [
            self._difference(i, j, float(variance[i] + variance[j] - 2 * covariance[i, j]))
            for i in range(len(self.items))
            for j in range(i + 1, len(self.items))
        ]

    def table(self, facts: Mapping[str, Stimulus] | None = None) -> list[dict[str, Any]]:
        """Rows dataset, content, scale, method, jod, ci_low, ci_high, n.

        Args:
            facts: what is known of the items; without, an item's name is the method.
        """
        rows = []
        for k, (item, (low, high)) in enumerate(zip(self.items, self.intervals, strict=True)):
            known = facts.get(item) if facts else None
            rows.append(
                {
                    "dataset": known.dataset if known else "",
                    "content": known.content if known else "",
                    "scale": known.scale if known else None,
                    "method": known.method if known else item,
                    "jod": float(self.jod[k]),
                    "ci_low": float(low),
                    "ci_high": float(high),
                    "n": round(float(self.votes[k])),
                }
            )
        return rows

    def probabilities(self, left: Integers, right: Integers) -> Floats:
        """(n, 3) expected shares of left, tie and right for pairs of codes."""
        eta = self.theta[left] - self.theta[right]
        if self.problem.sided:
            eta = eta + self.theta[len(self.items)]
        tie = float(self.theta[-1]) if self.model.has_ties else 0.0
        return self.model.probabilities(np.asarray(eta), tie)

    def _spread(self, columns: Floats) -> Floats:
        return _spread(
            self.information, columns, self.groups, self.references, self.model.jod_per_unit
        )

    def _difference(self, i: int, j: int, variance: float) -> JodDifference:
        names = self.items[i], self.items[j]
        if self.groups[i] != self.groups[j]:
            return JodDifference(*names, math.nan, math.nan, math.nan, math.nan, math.nan)
        gap, se = float(self.jod[i] - self.jod[j]), math.sqrt(max(variance, 0.0))
        half = quantile(self.level) * se
        p = 2 * NormalDist().cdf(-abs(gap) / se) if se > 0 else 1.0
        share = _preferred(self.model, gap)
        return JodDifference(*names, gap, gap - half, gap + half, p, share)

    def _code(self, item: str) -> int:
        if item not in self.items:
            raise InputError(f"There is no item {item!r} on the scale.")
        return self.items.index(item)


def standard_errors(
    problem: Problem,
    theta: Floats,
    information: Information,
    groups: Integers,
    references: tuple[int, ...],
) -> Floats:
    """(items,) standard errors of the anchored values, in JOD."""
    n, unit = problem.items, problem.model.jod_per_unit
    if n <= EXACT_ITEMS:
        variance = np.empty(n)
        for start in range(0, n, _BLOCK):
            columns = np.zeros((n, min(_BLOCK, n - start)))
            columns[np.arange(start, start + columns.shape[1]), np.arange(columns.shape[1])] = 1
            spread = _spread(information, columns, groups, references, unit)
            variance[start : start + columns.shape[1]] = (spread * columns).sum(axis=0)
        return np.sqrt(np.maximum(variance, 0))
    rng = np.random.default_rng(0)
    by_eta, by_both, by_tie = expected_weights(problem, theta, problem.cells.totals)
    first = np.sqrt(by_eta)
    second = np.divide(by_both, first, out=np.zeros_like(first), where=first > 0)
    third = np.sqrt(np.maximum(by_tie - second**2, 0))
    total = np.zeros(n)
    for start in range(0, DRAWS, 20):
        parts = rng.standard_normal((2, min(20, DRAWS - start), len(first)))
        scores = _scores(problem, first * parts[0], second * parts[0] + third * parts[1], rng)
        drawn = anchored(information.solve_all(scores)[:n] * unit, groups, references)
        total += (drawn**2).sum(axis=1)
    return np.sqrt(total / DRAWS)


def _scores(problem: Problem, by_eta: Floats, by_tie: Floats, rng: np.random.Generator) -> Floats:
    """(parameters, draws) with the information matrix as covariance."""
    found = scatter(problem, by_eta, by_tie).T
    bounded = problem.items + int(problem.sided)
    prior = rng.standard_normal((bounded, found.shape[1]))
    found[:bounded] += math.sqrt(problem.precision) * prior
    return found


def _spread(
    information: Information,
    columns: Floats,
    groups: Integers,
    references: tuple[int, ...],
    unit: float,
) -> Floats:
    """Covariance of the anchored values, in JOD squared, times the columns."""
    balanced = _balanced(columns, groups, references)
    return anchored(information.solve(balanced) * unit**2, groups, references)


def anchored(values: Floats, groups: Integers, references: tuple[int, ...]) -> Floats:
    """(items, k) minus the group's mean or its reference."""
    if references:
        level = np.empty(len(references))
        level[groups[list(references)]] = references
        return values - values[level.astype(np.int64)[groups]]
    size = np.bincount(groups)
    means = np.stack([np.bincount(groups, column) / size for column in values.T], axis=-1)
    return np.asarray(values - means[groups])


def _balanced(columns: Floats, groups: Integers, references: tuple[int, ...]) -> Floats:
    """The transpose of `anchored`."""
    if not references:
        return anchored(columns, groups, ())
    found = columns.copy()
    for item in references:
        found[item] -= columns[groups == groups[item]].sum(axis=0)
    return found


def _preferred(model: ChoiceModel, jod: float) -> float:
    plain = ChoiceModel(model.name, "none")
    return float(plain.probabilities(np.array(jod / model.jod_per_unit))[0])


def quantile(level: float) -> float:
    """How many standard errors either side of an estimate make an interval."""
    return NormalDist().inv_cdf((1 + level) / 2)
