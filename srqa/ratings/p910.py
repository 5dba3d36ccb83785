"""The P.910 model with one bias and one inconsistency an observer, by alternating projection."""

from __future__ import annotations

from typing import Literal

import numpy as np

from srqa.ratings.answers import Answers, Floats, shortened
from srqa.ratings.checks import islands, need_variety
from srqa.ratings.p913 import repetitions
from srqa.ratings.recovery import Observers, Recovery, observer_fit
from srqa.ratings.scores import NORMAL_QUANTILE, Scores, moments

TOLERANCE = 1e-8
MOST_ITERATIONS = 1000
EPSILON = 1e-8
DEGENERATE = 1e-3
"""An observer less inconsistent than this draws all weight to themselves."""


def p910(answers: Answers, interval: Literal["ap2", "ap"] = "ap2") -> Recovery:
    """Scores, biases and inconsistencies exactly as the standard's demo and sureal compute them.

    ``o = quality + bias + inconsistency * noise``. Use it to reproduce others' numbers; for own
    studies `regularised` is better: these intervals take the panel for the population, and with
    few votes an observer single people seem to be exact and take over the weights.

    Args:
        answers: ratings.
        interval: "ap2" by the residuals of each stimulus (the demo's `sos_j`; NaN for one vote);
            "ap" by the observers' inconsistencies.

    Raises:
        InputError: no ratings, or too few to tell observers apart.

    Reference:
        Rec. ITU-T P.910 Annex E, P.913 clause 12.6; Li et al., HVEI 2020. Half intervals are
        1.95996 standard errors; those of the inconsistency are by chi-squared quantiles, as sureal
        computes them.
    """
    answers = answers.ratings()
    need_variety(answers)
    value, stimulus, observer = answers.value, answers.stimulus, answers.observer
    n, votes = answers.votes_per_stimulus, answers.votes_per_observer
    size, people = len(n), len(votes)
    quality = np.bincount(stimulus, value, size) / n
    bias = np.bincount(observer, value - quality[stimulus], people) / votes
    iterations = 0
    while iterations < MOST_ITERATIONS:
        before = quality
        residual = value - quality[stimulus] - bias[observer]
        inconsistency = _deviation(residual, observer, votes)
        spread = _deviation(residual, stimulus, n)
        weight = 1 / (inconsistency**2 + EPSILON)
        total = np.bincount(stimulus, weight[observer], size)
        quality = np.bincount(stimulus, weight[observer] * (value - bias[observer]), size) / total
        bias = np.bincount(observer, value - quality[stimulus], people) / votes
        iterations += 1
        if np.linalg.norm(before - quality) < TOLERANCE:
            break
    residual = value - quality[stimulus] - bias[observer]
    shift = bias.mean()
    quality, bias = quality + shift, bias - shift
    if interval == "ap2":
        half = NORMAL_QUANTILE * np.where(n > 1, spread, np.nan) / np.sqrt(n)
    else:
        total = np.bincount(stimulus, 1 / inconsistency[observer] ** 2, size)
        half = NORMAL_QUANTILE / np.sqrt(total)
    _, _, sd = moments(answers)
    scores = Scores(
        answers.stimuli, quality, sd, n, quality - half, quality + half,
        "p910" if interval == "ap2" else "p910-ap",
        notes=_notes(answers, inconsistency),
    )  # fmt: skip
    parameters = size + 2 * people * repetitions(answers)
    fit = observer_fit(scores.model, residual, inconsistency, answers, parameters)
    return Recovery(scores, _observers(answers, bias, inconsistency), fit, iterations)


def _deviation(
    residual: Floats, code: np.ndarray[tuple[int], np.dtype[np.int32]], n: Floats
) -> Floats:
    mean = np.bincount(code, residual, len(n)) / n
    found: Floats = np.sqrt(np.bincount(code, (residual - mean[code]) ** 2, len(n)) / n)
    return found


def _observers(answers: Answers, bias: Floats, inconsistency: Floats) -> Observers:
    from scipy.stats import chi2

    n = answers.votes_per_observer
    half = NORMAL_QUANTILE * inconsistency / np.sqrt(n)
    low, high = np.sqrt(n / chi2.ppf(0.975, n)), np.sqrt(n / chi2.ppf(0.025, n))
    return Observers(
        answers.observers, n, bias, bias - half, bias + half,
        inconsistency, low * inconsistency, high * inconsistency,
    )  # fmt: skip


def _notes(answers: Answers, inconsistency: Floats) -> tuple[str, ...]:
    notes = []
    if (flat := inconsistency < DEGENERATE).any():
        names = [answers.observers[i] for i in np.flatnonzero(flat)]
        notes.append(
            f"The model is degenerate: {shortened(names)} would be exact and take all weight."
        )
    if answers.is_partial:
        notes.append(
            "Not everybody rated everything: intervals of the plain P.910 model are then far too "
            "short (as little as a fifth of them hold the score; docs/ratings.md). Use regularised."
        )
    else:
        notes.append(
            "Intervals of the plain P.910 model speak of these observers; for the population's "
            "score they are too short (84 to 92 % instead of 95; docs/ratings.md)."
        )
    if len(set(islands(answers))) > 1:
        notes.append(
            "Parts of the design share no observer: scores of different parts do not compare."
        )
    return tuple(notes)
