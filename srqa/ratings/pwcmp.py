"""The prior of pwcmp, for results that must be comparable with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from srqa.errors import UsageError
from srqa.ratings.choice_fit import Floats, Problem, fit
from srqa.ratings.choice_models import JOD_PER_UNIT
from srqa.ratings.comparisons import Cells, Integers, added_up

_FLOOR = 0.1
_MOST_PAIRS = 2000


def scale_as_pwcmp(problem: Problem, groups: Integers) -> tuple[Problem, Floats]:
    """Maximise pwcmp's likelihood with its prior on distances.

    The prior of a pair's distance is the mean-normalised likelihood of that distance under the
    answers to each of the compared pairs, unanimous ones moved by one answer towards the middle;
    ``ln(prior + 0.1)`` is added for each pair. Groups of items that no comparison links are joined
    by one win either way between their best items, as pwcmp does.

    Args:
        problem: Thurstone's model without ties and prior; a side bias is not estimated.
        groups: (items,) numbers of the linked items.

    Returns:
        The problem with the linking answers, and the values in standard deviations.

    Raises:
        UsageError: more pairs than the prior, which compares each with each, can be had for, or
            answers that are not whole numbers.

    Reference:
        Perez-Ortiz and Mantiuk, A practical guide and software for analysing pairwise comparison
        experiments, arXiv 1712.03686, 2017, and the code published with it.
    """
    from scipy.optimize import minimize

    if problem.sided:
        raise UsageError("pwcmp knows no side bias; set side_bias=False with its prior.")
    cells = _linked(problem, groups)
    if len(cells.left) > _MOST_PAIRS:
        raise UsageError(
            f"The prior of pwcmp compares each pair with each; {len(cells.left)} pairs are too "
            "many for it.",
            hint='Use prior="gaussian".',
        )
    linked = replace(problem, cells=cells)
    wins, losses = cells.counts[:, 0], cells.counts[:, 2]
    unanimous = np.minimum(wins, losses) == 0
    moved = np.where(unanimous, np.where(wins == 0, 1, wins - 1), wins)
    total = wins + losses

    def loss(values: Floats) -> tuple[float, Floats]:
        found = linked.model.outcomes(values[cells.left] - values[cells.right], np.zeros(1))
        logs, slopes = found.log_p[:, [0, 2]], found.by_eta[:, [0, 2]]
        own = (wins * logs[:, 0] + losses * logs[:, 1]).sum()
        slope = wins * slopes[:, 0] + losses * slopes[:, 1]
        prior, prior_slope = _prior(logs, slopes, moved, total)
        by_cell = slope + prior_slope
        gradient = added_up(cells.left, by_cell, len(values))
        gradient -= added_up(cells.right, by_cell, len(values))
        mean = values.mean() * JOD_PER_UNIT["thurstone"]
        gradient -= 0.01 * mean * JOD_PER_UNIT["thurstone"] / len(values)
        return -(own + prior - 0.005 * mean**2), -gradient

    start = fit(replace(linked, precision=0.25), cells.counts[None]).theta[0]
    best = min(
        (
            minimize(loss, first, jac=True, method="BFGS", options={"gtol": 1e-8})
            for first in (np.zeros(problem.items), start)
        ),
        key=lambda found: float(found.fun),
    )
    return linked, np.asarray(best.x - best.x.mean())


def _prior(logs: Floats, slopes: Floats, moved: Floats, total: Floats) -> tuple[float, Floats]:
    """Sum of ln(prior + 0.1) over pairs, and its derivatives by the pairs' distances.

    pwcmp goes through each pair in both directions and so counts likelihood and prior twice; half
    of that is the same optimum.
    """
    both, back = np.concatenate([logs, logs[:, ::-1]]), np.concatenate([slopes, slopes[:, ::-1]])
    k = np.concatenate([moved, total - moved])[:, None]
    n = np.concatenate([total, total])[:, None]
    under = k * both[None, :, 0] + (n - k) * both[None, :, 1]
    share = np.exp(under - under.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    prior = share.sum(axis=0)
    by_distance = k * back[None, :, 0] + (n - k) * back[None, :, 1]
    outer = 1 / (prior + _FLOOR)
    weight = share * (outer[None, :] - (share * outer).sum(axis=1, keepdims=True))
    gradient = (weight * by_distance).sum(axis=0)
    size = len(logs)
    return float(np.log(prior + _FLOOR).sum() / 2), (gradient[:size] + gradient[size:]) / 2


def _linked(problem: Problem, groups: Integers) -> Cells:
    cells = problem.cells
    if groups.max() == 0:
        return cells
    total = np.maximum(cells.totals, 1)
    share = np.arcsin(np.sqrt(cells.counts[:, 0] / total)) * 12 / np.pi - 3
    merit = np.bincount(cells.left, share, problem.items)
    merit -= np.bincount(cells.right, share, problem.items)
    best = [
        int(np.flatnonzero(groups == g)[np.argmax(merit[groups == g])])
        for g in range(int(groups.max()) + 1)
    ]
    pairs = [(a, b) for k, a in enumerate(best) for b in best[k + 1 :]]
    added = np.array(pairs, dtype=np.int64)
    return Cells(
        left=np.concatenate([cells.left, added[:, 0]]),
        right=np.concatenate([cells.right, added[:, 1]]),
        counts=np.concatenate([cells.counts, np.tile([1.0, 0.0, 1.0], (len(added), 1))]),
        of_row=cells.of_row,
        turned=cells.turned,
    )
