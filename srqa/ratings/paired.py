"""Choices between two pictures to a scale in JOD: Thurstone case V and Bradley-Terry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.choice_fit import Floats, Information, Problem, expected_weights, fit
from srqa.ratings.choice_models import ChoiceModel, ModelName, TieRule
from srqa.ratings.comparisons import (
    Cells,
    Comparisons,
    Integers,
    count_cells,
    groups_of,
    listed_groups,
    winning_groups_of,
)

if TYPE_CHECKING:
    from srqa.ratings.answers import Stimulus

Prior = Literal["gaussian", "none", "pwcmp"]
SIGMA = 2.0
"""Standard deviation of the Gaussian prior, in JOD."""
_EXACT_ITEMS = 2000
_DRAWS = 400
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
        half = _quantile(self.level) * self.se
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
        half = _quantile(self.level) * se
        p = 2 * NormalDist().cdf(-abs(gap) / se) if se > 0 else 1.0
        share = _preferred(self.model, gap)
        return JodDifference(*names, gap, gap - half, gap + half, p, share)

    def _code(self, item: str) -> int:
        if item not in self.items:
            raise InputError(f"There is no item {item!r} on the scale.")
        return self.items.index(item)


def scale_pairs(
    comparisons: Comparisons,
    model: ModelName = "thurstone",
    ties: TieRule = "model",
    side_bias: bool | None = None,
    prior: Prior = "gaussian",
    sigma: float = SIGMA,
    reference: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> PairedScale:
    """Scale items by the choices between pairs of them.

    Thurstone's case V: the left is chosen with probability Phi((q_l - q_r + delta) / 1.4826), q in
    JOD. Bradley-Terry: a logistic curve in place of the normal one, with the same 75 % at 1 JOD.

    Args:
        comparisons: the answers.
        model: "thurstone" or "bradley-terry".
        ties: "model" (a threshold where there are ties: Glenn and David for Thurstone, Rao and
            Kupper for Bradley-Terry), "davidson" (Bradley-Terry only), or "half", half a win to
            either, as tools without ties do it.
        side_bias: whether the preference for the left is estimated; by default where items stood
            on both sides.
        prior: "gaussian" (maximum a posteriori; values of each group of linked items lie around
            its middle with `sigma` JOD), "none" (maximum likelihood) or "pwcmp" (compatibility).
        sigma: of the Gaussian prior, in JOD.
        reference: the item that is 0, one for each group of linked items; without, the sum of each
            group is 0.
        level: of intervals.

    Returns:
        The scale. Its covariance is the inverse of the expected information, answers taken as
        independent; `srqa.ratings.paired_bootstrap` gives what holds when observers differ.

    Raises:
        InputError: maximum likelihood has no finite optimum, or nothing determines the scale.
        UsageError: arguments that contradict each other.

    Reference:
        Thurstone, A law of comparative judgment, Psychological Review 34, 1927; Bradley and Terry,
        Rank analysis of incomplete block designs, Biometrika 39, 1952; Perez-Ortiz and Mantiuk, A
        practical guide and software for analysing pairwise comparison experiments, 2017.

    Example:
        >>> from srqa.ratings.comparisons import from_wins
        >>> chain = from_wins(np.array([[0, 25, 0], [75, 0, 25], [0, 75, 0]]))
        >>> scale_pairs(chain, prior="none", reference="2").jod.round(6).tolist()
        [-1.0, 0.0, 1.0]
    """
    _check_arguments(model, ties, prior, sigma, level)
    rule, choice_model = _tie_model(comparisons, model, ties)
    sided = _is_sided(comparisons, side_bias)
    groups = groups_of(comparisons)
    notes = _notes(comparisons, groups, rule, choice_model, sided, prior, sigma)
    if prior == "none":
        _check_finite_optimum(comparisons, groups, choice_model)
    cells = count_cells(comparisons, sided)
    if rule == "half":
        cells = _halved(cells)
    precision = (choice_model.jod_per_unit / sigma) ** 2 if prior == "gaussian" else 0.0
    problem = Problem(len(comparisons.items), cells, choice_model, sided, precision)
    if prior == "pwcmp":
        from srqa.ratings.pwcmp import scale_as_pwcmp

        problem, theta = scale_as_pwcmp(problem, groups)
    else:
        found = fit(problem, cells.counts[None])
        if not found.converged[0]:
            raise InputError(
                "The likelihood of these answers has no finite optimum.",
                hint='Use prior="gaussian", or ask more pairs.',
            )
        theta = found.theta[0]
    references = _references(comparisons, reference, groups)
    return _result(
        comparisons, problem, theta, groups, references, rule, prior, sigma, level, notes
    )


def _result(
    comparisons: Comparisons,
    problem: Problem,
    theta: Floats,
    groups: Integers,
    references: tuple[int, ...],
    rule: TieRule,
    prior: Prior,
    sigma: float,
    level: float,
    notes: list[str],
) -> PairedScale:
    model, n = problem.model, problem.items
    information = Information.of(problem, expected_weights(problem, theta, problem.cells.totals))
    unit = model.jod_per_unit
    jod = _anchored(theta[:n, None] * unit, groups, references)[:, 0]
    side = side_se = tie = math.nan
    if problem.extras:
        spread = np.sqrt(np.maximum(np.diag(information.extras_covariance()), 0))
        if problem.sided:
            side, side_se = float(theta[n]) * unit, float(spread[0]) * unit
            notes.extend(_side_notes(side, side_se, level))
        if model.has_ties:
            tie = float(theta[-1]) * (unit if model.ties == "threshold" else 1.0)
    if n > _EXACT_ITEMS:
        notes.append(
            f"Standard errors of {n} items are estimated from {_DRAWS} draws (to about 4 %)."
        )
    reached = problem.outcomes(theta[None]).log_p[0]
    counts = problem.cells.counts
    return PairedScale(
        items=comparisons.items,
        jod=jod,
        se=_standard_errors(problem, theta, information, groups, references),
        groups=groups,
        votes=comparisons.votes,
        model=model,
        ties=rule,
        prior=prior,
        sigma=sigma,
        anchor=_anchor(comparisons.items, groups, references),
        side_bias=side,
        side_bias_se=side_se,
        tie_parameter=tie,
        log_likelihood=float((counts * np.where(counts > 0, reached, 0)).sum()),
        level=level,
        notes=tuple(notes),
        problem=problem,
        theta=theta,
        information=information,
        references=references,
    )


def _standard_errors(
    problem: Problem,
    theta: Floats,
    information: Information,
    groups: Integers,
    references: tuple[int, ...],
) -> Floats:
    n, unit = problem.items, problem.model.jod_per_unit
    if n <= _EXACT_ITEMS:
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
    for start in range(0, _DRAWS, 20):
        parts = rng.standard_normal((2, min(20, _DRAWS - start), len(first)))
        scores = _scores(problem, first * parts[0], second * parts[0] + third * parts[1], rng)
        drawn = _anchored(information.solve_all(scores)[:n] * unit, groups, references)
        total += (drawn**2).sum(axis=1)
    return np.sqrt(total / _DRAWS)


def _scores(problem: Problem, by_eta: Floats, by_tie: Floats, rng: np.random.Generator) -> Floats:
    """(parameters, draws) with the information matrix as covariance."""
    from srqa.ratings.choice_fit import scatter

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
    return _anchored(information.solve(balanced) * unit**2, groups, references)


def _anchored(values: Floats, groups: Integers, references: tuple[int, ...]) -> Floats:
    """(items, k) minus the group's mean or its reference."""
    if references:
        level = np.empty(len(references))
        level[groups[list(references)]] = references
        return values - values[level.astype(np.int64)[groups]]
    size = np.bincount(groups)
    means = np.stack([np.bincount(groups, column) / size for column in values.T], axis=-1)
    return np.asarray(values - means[groups])


def _balanced(columns: Floats, groups: Integers, references: tuple[int, ...]) -> Floats:
    """The transpose of `_anchored`."""
    if not references:
        return _anchored(columns, groups, ())
    found = columns.copy()
    for item in references:
        found[item] -= columns[groups == groups[item]].sum(axis=0)
    return found


def _references(
    comparisons: Comparisons, reference: str | Sequence[str] | None, groups: Integers
) -> tuple[int, ...]:
    if reference is None:
        return ()
    names = [reference] if isinstance(reference, str) else list(reference)
    codes = tuple(comparisons.code_of(name) for name in names)
    if sorted(groups[list(codes)]) != list(range(int(groups.max()) + 1)):
        raise InputError(
            f"{len(codes)} reference items are given for {int(groups.max()) + 1} groups of linked "
            f"items: {listed_groups(comparisons.items, groups)}.",
            hint="Name one reference in each group, or none.",
        )
    return codes


def _anchor(items: Sequence[str], groups: Integers, references: tuple[int, ...]) -> str:
    if references:
        return " and ".join(items[code] for code in references) + " at 0"
    return "sum to zero" if groups.max() == 0 else "sum to zero in each group of linked items"


def _tie_model(
    comparisons: Comparisons, model: ModelName, ties: TieRule
) -> tuple[TieRule, ChoiceModel]:
    named: TieRule = ties
    if ties == "model":
        named = "glenn-david" if model == "thurstone" else "rao-kupper"
    if ties == "half" or comparisons.ties == 0:
        return named, ChoiceModel(model, "none")
    if not (comparisons.choice[comparisons.left != comparisons.right] != 0).any():
        raise InputError(
            "Every answer is a tie, so no item can be told from another.",
            hint="Ask for a choice, or show pairs that differ more.",
        )
    return named, ChoiceModel(model, "davidson" if named == "davidson" else "threshold")


def _is_sided(comparisons: Comparisons, side_bias: bool | None) -> bool:
    decided = comparisons.choice[comparisons.choice != 0]
    one_side = len(np.unique(decided)) < 2
    if side_bias is None:
        turned = float((comparisons.left > comparisons.right).mean())
        return not one_side and (0.2 <= turned <= 0.8 or comparisons.identical)
    if side_bias and one_side:
        raise InputError(
            "All choices are for the same side, so a side bias cannot be told from quality.",
            hint="Counts of wins do not say who stood left; set side_bias=False.",
        )
    return side_bias


def _halved(cells: Cells) -> Cells:
    counts = cells.counts.copy()
    counts[:, 0] += counts[:, 1] / 2
    counts[:, 2] += counts[:, 1] / 2
    counts[:, 1] = 0
    return Cells(cells.left, cells.right, counts, cells.of_row, cells.turned)


def _check_finite_optimum(comparisons: Comparisons, groups: Integers, model: ChoiceModel) -> None:
    items = comparisons.items
    if groups.max() > 0:
        raise InputError(
            f"No comparison links these groups of items: {listed_groups(items, groups)}; maximum "
            "likelihood cannot place them on one scale.",
            hint='Ask pairs that link them, scale each by itself, or use prior="gaussian".',
        )
    winning = winning_groups_of(comparisons)
    if winning.max() > 0:
        raise InputError(
            f"The answers are unanimous between these groups of items: "
            f"{listed_groups(items, winning)}; maximum likelihood would set them infinitely far "
            "apart.",
            hint='Use prior="gaussian", or ask more observers.',
        )


def _notes(
    comparisons: Comparisons,
    groups: Integers,
    rule: TieRule,
    model: ChoiceModel,
    sided: bool,
    prior: Prior,
    sigma: float,
) -> list[str]:
    notes, items = [], comparisons.items
    if groups.max() > 0:
        notes.append(
            f"No comparison links these groups of items: {listed_groups(items, groups)}. Each has "
            "its own zero; values of different groups must not be compared."
        )
    winning = winning_groups_of(comparisons)
    for group in range(int(groups.max()) + 1):
        if len(np.unique(winning[groups == group])) > 1:
            notes.append(
                "Some items won or lost all comparisons with the others; how far out they lie is "
                f"settled by the prior ({prior}"
                + (f", {sigma:g} JOD)." if prior == "gaussian" else ").")
            )
            break
    if rule == "half" and comparisons.ties:
        notes.append(
            f"{comparisons.ties} ties were counted as half a win for either item; intervals take "
            "them for choices."
        )
    if comparisons.identical and not sided:
        notes.append("Pairs of one picture with itself were not used: no side bias is estimated.")
    unseen = [items[i] for i in np.flatnonzero(comparisons.votes == 0)]
    if unseen:
        notes.append(f"No answer speaks of {', '.join(unseen[:5])}; the value is the prior's.")
    return notes


def _side_notes(side: float, se: float, level: float) -> list[str]:
    if abs(side) <= _quantile(level) * se:
        return []
    where = "left" if side > 0 else "right"
    return [
        f"Observers prefer the {where} side by {abs(side):.2f} JOD (standard error {se:.2f}); the "
        "scale is freed of it."
    ]


def _check_arguments(
    model: ModelName, ties: TieRule, prior: Prior, sigma: float, level: float
) -> None:
    if model not in ("thurstone", "bradley-terry"):
        raise UsageError(f"There is no model {model!r}.", hint="thurstone or bradley-terry.")
    allowed = {"thurstone": ("glenn-david",), "bradley-terry": ("rao-kupper", "davidson")}[model]
    if ties not in ("model", "half", *allowed):
        raise UsageError(
            f"The rule {ties!r} for ties does not go with {model}.",
            hint=f"model, half or {' or '.join(allowed)}.",
        )
    if prior not in ("gaussian", "none", "pwcmp"):
        raise UsageError(f"There is no prior {prior!r}.", hint="gaussian, none or pwcmp.")
    if prior == "pwcmp" and (model != "thurstone" or ties not in ("half", "model")):
        raise UsageError("The prior of pwcmp goes with Thurstone's model and halved ties only.")
    if not sigma > 0:
        raise UsageError(f"The standard deviation of the prior must be above 0, not {sigma}.")
    if not 0 < level < 1:
        raise UsageError(f"The level of intervals lies between 0 and 1, not at {level}.")


def _preferred(model: ChoiceModel, jod: float) -> float:
    plain = ChoiceModel(model.name, "none")
    return float(plain.probabilities(np.array(jod / model.jod_per_unit))[0])


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
