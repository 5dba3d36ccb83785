"""ZREC: bias and inconsistency measured in each stimulus's own standard deviations."""

from __future__ import annotations

import numpy as np

from srqa.errors import InputError
from srqa.ratings.answers import Answers, Floats, shortened
from srqa.ratings.checks import need_variety
from srqa.ratings.recovery import Observers, Recovery
from srqa.ratings.scores import NORMAL_QUANTILE, Scores, moments


def zrec(answers: Answers) -> Recovery:
    """Scores as means of votes without bias, weighted by the observers' consistency.

    ``z = (o - mu_j) / s_j``; an observer's bias is the mean of z (here given in the units of the
    scale, times the mean s_j), the inconsistency its standard deviation (in z). Standard
    deviations divide by n, as in the authors' code. The half interval is 1.95996 weighted standard
    deviations over the root of the stimulus's votes.

    Stimuli whose votes all agree have no z; they keep their mean and count for nobody.

    Raises:
        InputError: no ratings, too few to tell observers apart, or an observer of whose votes
            none or all z are equal, so that the weight would be infinite.

    Reference:
        Zhu, Ak, Le Callet, Sethuraman, Rahul, ZREC: robust recovery of mean and percentile opinion
        scores, ICIP 2023.
    """
    answers = answers.ratings()
    need_variety(answers)
    stimulus, observer = answers.stimulus, answers.observer
    n, mean, sd = moments(answers)
    spread = np.nan_to_num(sd) * np.sqrt(np.maximum(n - 1, 0) / n)
    bias, inconsistency = _habits(answers, mean, spread)
    corrected = answers.value - bias[observer] * spread[stimulus]
    weight = 1 / inconsistency[observer] ** 2
    total = np.bincount(stimulus, weight, len(n))
    quality = np.bincount(stimulus, weight * corrected, len(n)) / total
    squares = np.bincount(stimulus, weight * (corrected - quality[stimulus]) ** 2, len(n))
    half = NORMAL_QUANTILE * np.sqrt(squares / total / n)
    half[n < 2] = np.nan
    scores = Scores(answers.stimuli, quality, sd, n, quality - half, quality + half, "zrec")
    unit = float(spread[spread > 0].mean())
    nothing = np.full(len(bias), np.nan)
    observers = Observers(
        answers.observers, answers.votes_per_observer,
        bias * unit, nothing, nothing, inconsistency * unit, nothing, nothing,
    )  # fmt: skip
    return Recovery(scores, observers, None, 1)


def percentile(answers: Answers, percent: float = 25.0) -> Floats:
    """A percentile of each stimulus's opinions, weighted as `zrec` does, bias taken out.

    Args:
        answers: ratings.
        percent: 0 < percent <= 100; 25 is usual for the satisfied-user ratio.

    Returns:
        (stimuli,) the smallest corrected vote at which the weights reach `percent` of their sum.

    Raises:
        InputError: as `zrec`.

    Reference:
        As `zrec`.
    """
    answers = answers.ratings()
    need_variety(answers)
    stimulus, observer = answers.stimulus, answers.observer
    n, mean, sd = moments(answers)
    spread = np.nan_to_num(sd) * np.sqrt(np.maximum(n - 1, 0) / n)
    bias, inconsistency = _habits(answers, mean, spread)
    corrected = answers.value - bias[observer] * spread[stimulus]
    rows = np.lexsort((corrected, stimulus))
    weight = 1 / inconsistency[observer[rows]] ** 2
    running = np.cumsum(weight)
    total = np.bincount(stimulus, weight[np.argsort(rows)], len(n))
    ends = np.cumsum(n).astype(np.int64)
    before = running[ends - 1] - total
    chosen = np.searchsorted(running, before + total * percent / 100 * (1 - 1e-12))
    found: Floats = corrected[rows][np.minimum(chosen, ends - 1)]
    return found


def _habits(answers: Answers, mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each observer's z."""
    observer, people = answers.observer, len(answers.observers)
    kept = spread[answers.stimulus] > 0
    who, what = observer[kept], answers.stimulus[kept]
    z = (answers.value[kept] - mean[what]) / spread[what]
    count = np.bincount(who, minlength=people)
    with np.errstate(invalid="ignore", divide="ignore"):
        bias = np.bincount(who, z, people) / count
        inconsistency = np.sqrt(np.bincount(who, (z - bias[who]) ** 2, people) / count)
    odd = ~(inconsistency > 1e-9)
    if odd.any():
        names = [answers.observers[i] for i in np.flatnonzero(odd)]
        raise InputError(
            f"ZREC cannot weigh {shortened(names)}: their votes vary by nothing once the stimuli "
            "are taken out.",
            hint="Take these observers out, or use the regularised model.",
        )
    return bias, inconsistency
