"""Probabilities of left, tie and right under the models of paired comparison, with derivatives.

The argument `eta` is the difference of the scale values, left minus right plus the side bias, in
the model's own unit (logits or standard deviations); `tie` is the tie parameter, one for all
pairs. All log likelihoods are concave in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
ModelName = Literal["thurstone", "bradley-terry"]
TieRule = Literal["model", "rao-kupper", "davidson", "glenn-david", "half"]

JOD_PER_UNIT: dict[str, float] = {
    "thurstone": 1 / 0.6744897501960817,
    "bradley-terry": 1 / math.log(3.0),
}
"""JOD of one unit: a difference of 1 JOD is chosen in 75 % of the answers. 1.4826 for Thurstone."""

_LOG_ROOT_TWO_PI = 0.5 * math.log(2 * math.pi)
_SMALLEST_TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Log probabilities (..., 3) of left, tie, right, and derivatives of the same shape.

    Attributes:
        log_p: log probabilities.
        by_eta, by_tie: first derivatives.
        by_eta2, by_both, by_tie2: second derivatives.
    """

    log_p: Floats
    by_eta: Floats
    by_tie: Floats
    by_eta2: Floats
    by_both: Floats
    by_tie2: Floats


@dataclass(frozen=True, slots=True)
class ChoiceModel:
    """A model of a choice: the distribution of the difference, and what makes a tie.

    Attributes:
        name: "thurstone" (normal, case V) or "bradley-terry" (logistic).
        ties: "none" (two outcomes), "threshold" (a tie where the difference is felt to be below a
            threshold: Glenn and David 1960 for the normal, Rao and Kupper 1967 with
            theta = exp(threshold) for the logistic) or "davidson" (1970, nu = exp(parameter)).
    """

    name: ModelName
    ties: Literal["none", "threshold", "davidson"]

    @property
    def has_ties(self) -> bool:
        """Whether there is a tie parameter."""
        return self.ties != "none"

    @property
    def jod_per_unit(self) -> float:
        """JOD of one unit of the scale."""
        return JOD_PER_UNIT[self.name]

    def lowest_tie(self) -> float:
        """The tie parameter must stay above this."""
        return _SMALLEST_TIE if self.ties == "threshold" else -math.inf

    def first_tie(self, share: float) -> float:
        """A tie parameter to begin with, from the share of ties."""
        odds = max(share, 1e-4) / max(1 - share, 1e-4)
        return math.log(2 * odds) if self.ties == "davidson" else min(0.05 + 1.5 * odds, 5.0)

    def outcomes(self, eta: Floats, tie: Floats) -> Outcomes:
        """Log probabilities and derivatives.

        Args:
            eta: (...) differences.
            tie: tie parameters that broadcast against `eta`; ignored without ties.
        """
        if self.ties == "davidson":
            return _davidson(eta, tie)
        threshold = tie if self.has_ties else np.zeros_like(eta)
        work = _logistic if self.name == "bradley-terry" else _normal
        found = work(eta, np.broadcast_to(threshold, eta.shape), self.has_ties)
        return Outcomes(*(np.stack(column, axis=-1) for column in found))

    def probabilities(self, eta: Floats, tie: float = 0.0) -> Floats:
        """(..., 3) probabilities of left, tie and right; the tie's is 0 without a tie model."""
        p: Floats = np.exp(self.outcomes(eta, np.asarray(tie)).log_p)
        if not self.has_ties:
            p[..., 1] = 0
        return p


Columns = list[tuple[Floats, Floats, Floats]]


def _logistic(eta: Floats, threshold: Floats, ties: bool) -> Columns:
    from scipy.special import expit, log_expit

    upper, lower = eta - threshold, -eta - threshold
    log_left, log_right = log_expit(upper), log_expit(lower)
    left, right = expit(-upper), expit(-lower)
    spread_left, spread_right = left * (1 - left), right * (1 - right)
    none = np.zeros_like(eta)
    if not ties:
        return [
            (log_left, none, log_right),
            (left, none, -right),
            (none, none, none),
            (-spread_left, none, -spread_right),
            (none, none, none),
            (none, none, none),
        ]
    step = -np.expm1(-2 * threshold)
    log_tie = 2 * threshold + np.log(step) + log_left + log_right
    both = -spread_left - spread_right
    bend = -4 * np.exp(-2 * threshold) / step**2
    return [
        (log_left, log_tie, log_right),
        (left, left - right, -right),
        (-left, 2 / step - left - right, -right),
        (-spread_left, both, -spread_right),
        (spread_left, spread_left - spread_right, -spread_right),
        (-spread_left, both + bend, -spread_right),
    ]


def _normal(eta: Floats, threshold: Floats, ties: bool) -> Columns:
    from scipy.special import log_ndtr

    upper, lower = eta - threshold, -eta - threshold
    log_left, log_right = log_ndtr(upper), log_ndtr(lower)
    left = np.exp(_log_density(upper) - log_left)
    right = np.exp(_log_density(lower) - log_right)
    bend_left, bend_right = left * (left + upper), right * (right + lower)
    none = np.zeros_like(eta)
    if not ties:
        return [
            (log_left, none, log_right),
            (left, none, -right),
            (none, none, none),
            (-bend_left, none, -bend_right),
            (none, none, none),
            (none, none, none),
        ]
    size = np.abs(eta)
    log_outer = log_ndtr(threshold - size)
    log_tie = log_outer + np.log(-np.expm1(log_ndtr(-threshold - size) - log_outer))
    end, start = eta + threshold, eta - threshold
    at_end = np.exp(_log_density(end) - log_tie)
    at_start = np.exp(_log_density(start) - log_tie)
    by_eta, by_tie = at_end - at_start, at_end + at_start
    same = start * at_start - end * at_end
    cross = -end * at_end - start * at_start
    return [
        (log_left, log_tie, log_right),
        (left, by_eta, -right),
        (-left, by_tie, -right),
        (-bend_left, same - by_eta**2, -bend_right),
        (bend_left, cross - by_eta * by_tie, -bend_right),
        (-bend_left, same - by_tie**2, -bend_right),
    ]


def _davidson(eta: Floats, tie: Floats) -> Outcomes:
    terms = np.stack([eta / 2, np.broadcast_to(tie, eta.shape), -eta / 2], axis=-1)
    top = terms.max(axis=-1, keepdims=True)
    log_p = terms - top - np.log(np.exp(terms - top).sum(axis=-1, keepdims=True))
    p = np.exp(log_p)
    mean = ((p[..., 0] - p[..., 2]) / 2)[..., None]
    tied = p[..., 1:2]
    spread = (1 - tied) / 4 - mean**2
    every = np.ones_like(log_p)
    return Outcomes(
        log_p=log_p,
        by_eta=np.array([0.5, 0.0, -0.5]) - mean,
        by_tie=np.array([0.0, 1.0, 0.0]) - tied,
        by_eta2=-spread * every,
        by_both=mean * tied * every,
        by_tie2=-tied * (1 - tied) * every,
    )


def _log_density(x: Floats) -> Floats:
    return np.asarray(-0.5 * x * x - _LOG_ROOT_TWO_PI)
