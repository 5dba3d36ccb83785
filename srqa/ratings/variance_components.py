"""Variances of stimuli, observers and the rest by restricted maximum likelihood, unbalanced too."""

from __future__ import annotations

from typing import Any

import numpy as np

from srqa.errors import InputError
from srqa.ratings.answers import Answers, Floats
from srqa.ratings.bias_system import count_matrix

MOST = 3000
"""Observers or stimuli, whichever are fewer, that the dense equations take."""
_BOUNDS = (-16.0, 8.0)


def one_way(answers: Answers) -> tuple[float, float]:
    """Variances between and within stimuli.

    Raises:
        InputError: no stimulus has two votes.
    """
    from scipy.optimize import minimize_scalar

    n = answers.votes_per_stimulus
    if (n < 2).all():
        raise InputError("No stimulus has two votes.")
    mean = np.bincount(answers.stimulus, answers.value, len(n)) / n
    within = float(((answers.value - mean[answers.stimulus]) ** 2).sum())
    free = len(answers) - 1

    def parts(log_ratio: float) -> tuple[float, float]:
        ratio = np.exp(log_ratio)
        weight = n / (1 + n * ratio)
        centre = (weight * mean).sum() / weight.sum()
        squares = within + (weight * (mean - centre) ** 2).sum()
        log_det = np.log1p(n * ratio).sum() + np.log(weight.sum())
        return float(free * np.log(squares) + log_det), float(squares)

    if within == 0:
        return float(mean.var(ddof=1)), 0.0
    found = minimize_scalar(
        lambda x: parts(x)[0], bounds=_BOUNDS, method="bounded", options={"xatol": 1e-9}
    )
    rest = parts(found.x)[1] / free
    ratio = float(np.exp(found.x)) if found.x > _BOUNDS[0] + 0.01 else 0.0
    return ratio * rest, rest


def two_way(answers: Answers) -> tuple[float, float, float]:
    """Variances of stimuli, of observers and of the rest, as crossed random effects.

    Raises:
        InputError: more than 3,000 of both, or no votes are left for the rest.

    Reference:
        Patterson and Thompson, Biometrika 58(3), 1971.
    """
    from scipy.optimize import minimize

    counts = count_matrix(answers).T.tocsr()
    if min(counts.shape) > MOST:
        raise InputError(
            f"Agreement of {counts.shape[1]} observers on {counts.shape[0]} stimuli takes too much "
            "memory.",
            hint="Use Krippendorff's alpha.",
        )
    if len(answers) <= sum(counts.shape):
        raise InputError(
            f"{len(answers)} votes are too few to part stimuli, observers and the rest.",
            hint="Use Krippendorff's alpha.",
        )
    if counts.shape[0] > counts.shape[1]:
        counts = counts.T.tocsr()
        small_code, large_code = answers.observer, answers.stimulus
    else:
        small_code, large_code = answers.stimulus, answers.observer
    problem = _Crossed(counts, small_code, large_code, answers.value)

    def criterion(log_ratios: Floats) -> float:
        return problem.criterion(log_ratios)[0]

    found = minimize(
        criterion, np.array([-0.5, -0.5]), method="Nelder-Mead",
        bounds=[_BOUNDS] * 2, options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 500},
    )  # fmt: skip
    rest = problem.criterion(found.x)[1]
    ratios = [float(np.exp(x)) if x > _BOUNDS[0] + 0.01 else 0.0 for x in found.x]
    small, large = (ratio * rest for ratio in ratios)
    return (small, large, rest) if small_code is answers.stimulus else (large, small, rest)


class _Crossed:
    """The restricted likelihood of ``y = mean + small_i + large_j + rest``, large eliminated."""

    def __init__(self, counts: Any, small: Any, large: Any, value: Floats) -> None:
        self.counts = counts
        self.n_small = np.asarray(counts.sum(axis=1)).ravel()
        self.n_large = np.asarray(counts.sum(axis=0)).ravel()
        self.centre = value.mean()
        y = value - self.centre
        self.squares = float((y**2).sum())
        self.y_small = np.bincount(small, y, len(self.n_small))
        self.y_large = np.bincount(large, y, len(self.n_large))
        self.votes = len(value)

    def criterion(self, log_ratios: Floats) -> tuple[float, float]:
        """-2 log likelihood but for constants, and the variance of the rest."""
        from scipy.linalg import cho_factor, cho_solve

        small, large = np.exp(log_ratios)
        inverse = 1 / (self.n_large + 1 / large)
        scaled = self.counts.multiply(inverse).tocsr()
        size = len(self.n_small)
        matrix = np.empty((size + 1, size + 1))
        matrix[:size, :size] = -(scaled @ self.counts.T).toarray()
        matrix[np.arange(size), np.arange(size)] += self.n_small + 1 / small
        side = self.n_small - scaled @ self.n_large
        matrix[size, :size] = matrix[:size, size] = side
        matrix[size, size] = self.votes - (inverse * self.n_large**2).sum()
        right = np.empty(size + 1)
        right[:size] = self.y_small - scaled @ self.y_large
        right[size] = -(inverse * self.n_large * self.y_large).sum()
        factor = cho_factor(matrix, check_finite=False)
        explained = right @ cho_solve(factor, right, check_finite=False)
        left = self.squares - (inverse * self.y_large**2).sum() - explained
        free = self.votes - 1
        log_det = (
            2 * np.log(np.diagonal(factor[0])).sum()
            - np.log(inverse).sum()
            + size * np.log(small)
            + len(self.n_large) * np.log(large)
        )
        return float(free * np.log(left) + log_det), float(left / free)
