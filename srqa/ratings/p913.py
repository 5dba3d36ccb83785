"""Bias removal of P.913: subtract what each observer rates above the panel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from srqa.ratings.answers import Answers, Floats
from srqa.ratings.checks import islands, need_variety
from srqa.ratings.recovery import Observers, Recovery, spread_fit, with_notes
from srqa.ratings.scores import Interval, mos

TOLERANCE = 1e-10
MOST_ITERATIONS = 20_000


def p913(
    answers: Answers, iterate: bool = False, interval: Interval = "t", level: float = 0.95
) -> Recovery:
    """Mean opinion scores of votes from which each observer's bias is subtracted.

    Args:
        answers: ratings.
        iterate: fit stimuli and observers together by least squares; without it, as the standard
            has it, a bias is the mean distance to the means of what the observer happened to rate,
            which is wrong where others rated other stimuli.
        interval: as for `mos`, of the corrected votes. It counts neither the uncertainty of the
            biases nor that another panel has another mean bias, so it is too short for the score
            of the population.
        level: what share of intervals should hold the true score.

    Raises:
        InputError: no ratings, or too few to tell observers apart.

    Reference:
        Rec. ITU-T P.913, clause 12.4; Janowski and Pinson, The accuracy of subjects in a quality
        experiment, IEEE Trans. Multimedia 17(12), 2015.
    """
    answers = answers.ratings()
    need_variety(answers)
    value, stimulus, observer = answers.value, answers.stimulus, answers.observer
    n, votes = answers.votes_per_stimulus, answers.votes_per_observer
    quality = np.bincount(stimulus, value, len(n)) / n
    bias = np.bincount(observer, value - quality[stimulus], len(votes)) / votes
    iterations = 1
    while iterate and iterations < MOST_ITERATIONS:
        before = bias
        quality = np.bincount(stimulus, value - bias[observer], len(n)) / n
        bias = np.bincount(observer, value - quality[stimulus], len(votes)) / votes
        bias -= bias.mean()
        iterations += 1
        if np.abs(bias - before).max() < TOLERANCE:
            break
    corrected = answers.with_values(value - bias[observer])
    scores = mos(corrected, interval, level)
    residual = corrected.value - scores.mos[stimulus]
    name = "p913-iterated" if iterate else "p913"
    fit = spread_fit(name, corrected, scores, 2 * len(n) + len(votes) * repetitions(answers))
    observers = _observers(answers, bias, residual)
    scores = replace(scores, model=f"{name} {interval}")
    found = Recovery(scores, observers, fit, iterations)
    if iterate and len(set(islands(answers))) > 1:
        note = "Parts of the design share no observer: scores of different parts do not compare."
        return with_notes(found, [note])
    if answers.is_partial and not iterate:
        note = (
            "Not everybody rated everything: biases by P.913 then depend on who rated what. "
            "Use regularised or p913-iterated."
        )
        return with_notes(found, [note])
    return found


def repetitions(answers: Answers) -> int:
    """How often, at most, an observer rated a stimulus."""
    cells = answers.stimulus.astype(np.int64) * len(answers.observers) + answers.observer
    return int(np.unique(cells, return_counts=True)[1].max())


def _observers(answers: Answers, bias: Floats, residual: Floats) -> Observers:
    n = answers.votes_per_observer
    mean = np.bincount(answers.observer, residual, len(n)) / n
    squares = np.bincount(answers.observer, (residual - mean[answers.observer]) ** 2, len(n))
    spread = np.sqrt(squares / n)
    nothing = np.full(len(n), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = 1.96 * spread / np.sqrt(n)
    return Observers(answers.observers, n, bias, bias - half, bias + half, spread, nothing, nothing)
