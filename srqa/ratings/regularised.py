"""Our P.910 model for partial designs: observers are a sample, and few votes weigh little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from srqa.ratings.answers import Answers, Floats, shortened
from srqa.ratings.bias_system import (
    EXACT_ON_THE_WAY,
    EXACT_UP_TO,
    BiasSystem,
    count_matrix,
)
from srqa.ratings.checks import islands, need_variety
from srqa.ratings.recovery import Observers, Recovery, observer_fit
from srqa.ratings.scores import Scores, moments

PRIOR_VOTES = 10.0
"""How many votes the panel's variance counts as in an observer's and a stimulus's own."""
FEWEST_VOTES = 5
"""Observers with fewer take the panel's variance."""
TOLERANCE = 1e-7
MOST_ITERATIONS = 200
DEGENERATE = 1e-3
_SMALLEST = 1e-8


@dataclass(slots=True)
class _State:
    """What the iterations pass on: see `regularised` for the model."""

    quality: Floats
    bias: Floats
    observer_variance: Floats
    bias_variance: float


def regularised(
    answers: Answers, prior_votes: float = PRIOR_VOTES, level: float = 0.95
) -> Recovery:
    """Scores, biases and inconsistencies with intervals for the population of observers.

    ``o = quality_j + bias_i + inconsistency_i * noise`` as in P.910, with two changes. Biases are
    drawn from a normal distribution whose variance is estimated, so that a bias seen in few votes
    is shrunk, that parts of a design hang together, and that intervals count that another panel
    has another mean bias. And an observer's variance is a mean of their own residuals' and the
    panel's, which counts as `prior_votes` votes; both divide by degrees of freedom that are left,
    not by votes. A stimulus's interval is scaled by its own residuals in the same way.

    Args:
        answers: ratings.
        prior_votes: how many votes the panel's variance counts as.
        level: what share of intervals should hold the true score.

    Returns:
        Recovery; the mean of the scores' panel is the population's estimated mean bias, 0.

    Raises:
        InputError: no ratings, or too few to tell observers apart.

    Reference:
        The model of Rec. ITU-T P.910 Annex E as a mixed model: Henderson's equations, Biometrics
        31(2), 1975, with variances by expectation-maximisation. Coverage: docs/ratings.md.
    """
    answers = answers.ratings()
    need_variety(answers)
    state = _start(answers)
    votes, counts = answers.votes_per_observer, count_matrix(answers)
    for iterations in range(1, MOST_ITERATIONS + 1):
        before = state.quality
        variances = (state.observer_variance, state.bias_variance)
        system = BiasSystem.build(counts, *variances, EXACT_ON_THE_WAY)
        state.quality, state.bias = system.solve(answers, state.observer_variance, state.bias)
        squares = _residual(answers, state) ** 2
        own = 1 - system.bias_posterior / state.bias_variance
        free = np.maximum(votes - system.share_of_stimuli() - own, 0)
        common = max(squares.sum() / max(free.sum(), 1.0), _SMALLEST)
        by_observer = np.bincount(answers.observer, squares, len(votes))
        own_variance = (by_observer + prior_votes * common) / (free + prior_votes)
        state.observer_variance = np.where(votes < FEWEST_VOTES, common, own_variance)
        state.bias_variance = max(float((state.bias**2 + system.bias_posterior).mean()), _SMALLEST)
        if iterations > 2 and np.abs(state.quality - before).max() < TOLERANCE:
            break
    variances = (state.observer_variance, state.bias_variance)
    system = BiasSystem.build(counts, *variances, EXACT_UP_TO)
    scores = _scores(answers, state, system, prior_votes, level)
    observers = _observers(answers, state, system, free + prior_votes)
    effective = len(state.quality) + own.sum() + (free / (free + prior_votes)).sum() + 2
    sd = np.sqrt(state.observer_variance)
    fit = observer_fit("regularised", _residual(answers, state), sd, answers, float(effective))
    return Recovery(scores, observers, fit, iterations)


def _start(answers: Answers) -> _State:
    n, votes = answers.votes_per_stimulus, answers.votes_per_observer
    quality = np.bincount(answers.stimulus, answers.value, len(n)) / n
    away = answers.value - quality[answers.stimulus]
    bias = np.bincount(answers.observer, away, len(votes)) / votes
    residual = away - bias[answers.observer]
    common = float((residual**2).sum()) / max(len(answers) - len(n) - len(votes), 1)
    common = max(common, _SMALLEST)
    return _State(quality, bias, np.full(len(votes), common), max(float(bias.var()), common / 100))


def _residual(answers: Answers, state: _State) -> Floats:
    found: Floats = answers.value - state.quality[answers.stimulus] - state.bias[answers.observer]
    return found


def _scores(
    answers: Answers, state: _State, system: BiasSystem, prior_votes: float, level: float
) -> Scores:
    """Intervals: the model's variance, its noise part scaled by each stimulus's residuals."""
    from scipy.stats import t

    n, _, sd = moments(answers)
    weight = 1 / state.observer_variance[answers.observer]
    squares = _residual(answers, state) ** 2 * weight
    size = len(n)
    free = np.bincount(answers.stimulus, 1 - weight / system.precision[answers.stimulus], size)
    free = np.maximum(free, 0)
    factor = (np.bincount(answers.stimulus, squares, size) + prior_votes) / (free + prior_votes)
    noise = 1 / system.precision
    variance = np.maximum(system.quality_variance - noise, 0) + factor * noise
    half = t.ppf((1 + level) / 2, free + prior_votes) * np.sqrt(variance)
    quality = state.quality
    return Scores(
        answers.stimuli, quality, sd, n, quality - half, quality + half, "regularised", level,
        _notes(answers, state),
    )  # fmt: skip


def _observers(answers: Answers, state: _State, system: BiasSystem, free: Floats) -> Observers:
    from scipy.stats import chi2, norm

    half = norm.ppf(0.975) * np.sqrt(system.bias_posterior)
    sd = np.sqrt(state.observer_variance)
    low, high = np.sqrt(free / chi2.ppf(0.975, free)), np.sqrt(free / chi2.ppf(0.025, free))
    return Observers(
        answers.observers, answers.votes_per_observer,
        state.bias, state.bias - half, state.bias + half, sd, low * sd, high * sd,
    )  # fmt: skip


def _notes(answers: Answers, state: _State) -> tuple[str, ...]:
    notes = []
    votes, n = answers.votes_per_observer, answers.votes_per_stimulus
    raw = np.bincount(answers.observer, _residual(answers, state) ** 2, len(votes)) / votes
    if (flat := (raw < DEGENERATE**2) & (votes >= FEWEST_VOTES)).any():
        names = [answers.observers[i] for i in np.flatnonzero(flat)]
        notes.append(f"{shortened(names)} answered exactly as the model expects, which is odd.")
    if (votes < FEWEST_VOTES).any():
        notes.append(
            f"{int((votes < FEWEST_VOTES).sum())} observers gave fewer than {FEWEST_VOTES} votes; "
            "they are taken to be as consistent as the panel."
        )
    if len(set(islands(answers))) > 1:
        notes.append(
            "Parts of the design share no observer: scores of different parts compare only if "
            "observers were assigned to the parts at random."
        )
    if n.min() < 12:
        notes.append(
            f"Intervals were checked in simulation from 12 votes a stimulus on; here some have "
            f"{int(n.min())}."
        )
    return tuple(notes)
