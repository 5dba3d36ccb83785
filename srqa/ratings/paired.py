"""Choices between two pictures to a scale in JOD: Thurstone case V and Bradley-Terry."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
from srqa.ratings.paired_scale import (
    DRAWS,
    EXACT_ITEMS,
    JodDifference,
    PairedScale,
    Prior,
    anchored,
    quantile,
    standard_errors,
)

SIGMA = 2.0
"""Standard deviation of the Gaussian prior, in JOD."""
__all__ = ["SIGMA", "JodDifference", "PairedScale", "Prior", "scale_pairs"]


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
    jod = anchored(theta[:n, None] * unit, groups, references)[:, 0]
    side = side_se = tie = math.nan
    if problem.extras:
        spread = np.sqrt(np.maximum(np.diag(information.extras_covariance()), 0))
        if problem.sided:
            side, side_se = float(theta[n]) * unit, float(spread[0]) * unit
            notes.extend(_side_notes(side, side_se, level))
        if model.has_ties:
            tie = float(theta[-1]) * (unit if model.ties == "threshold" else 1.0)
    if n > EXACT_ITEMS:
        notes.append(
            f"Standard errors of {n} items are estimated from {DRAWS} draws (to about 4 %)."
        )
    reached = problem.outcomes(theta[None]).log_p[0]
    counts = problem.cells.counts
    return PairedScale(
        items=comparisons.items,
        jod=jod,
        se=standard_errors(problem, theta, information, groups, references),
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
    if abs(side) <= quantile(level) * se:
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
