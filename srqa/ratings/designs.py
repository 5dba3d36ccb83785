"""A study planned as a whole: observers, votes, minutes and sessions for what is to be found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from srqa.errors import UsageError
from srqa.ratings.answers import ACR5
from srqa.ratings.planning import (
    JOD_SPREAD,
    MOST,
    Progress,
    Trial,
    observers_needed,
    try_pairs,
    try_ratings,
)

Planned = Literal["acr", "acr-hr", "dscqs", "ccr", "pair"]
SESSION_MINUTES = 30.0
"""Longer, people tire: BT.500 and P.910 advise half an hour."""
SECONDS = {"acr": 10.0, "acr-hr": 10.0, "dscqs": 30.0, "ccr": 15.0, "pair": 5.0}
"""To look and answer."""
SD = 0.8
"""Of one observer's difference between two pictures on five points, as in published studies."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One way to spread the answers.

    Attributes:
        name: "everybody answers everything" or "one session each".
        observers: how many people.
        answers_each: of one person.
        answers: of all.
        minutes_each: of one person, at `Design.seconds` an answer.
        sessions_each: of at most half an hour.
        hours: of all.
    """

    name: str
    observers: int
    answers_each: int
    answers: int
    minutes_each: float
    sessions_each: int
    hours: float


@dataclass(frozen=True, slots=True)
class Design:
    """What a study needs.

    Attributes:
        method: how people are asked.
        stimuli: pictures to be judged.
        questions: pictures, or pairs of them, that are shown.
        effect: that is to be found, in points of the scale, or JOD.
        power, alpha, comparisons: the chance to find it, of a false alarm over all comparisons,
            and how many those are.
        sd: of an observer's difference between two pictures; NaN for pairs.
        votes: for each picture, or each pair, so that an effect of this size between two of them
            is found.
        half_width: of the 95 % interval of a picture's score with so many votes, in the middle of
            the scale (SOS parameter 0.25); NaN for pairs.
        seconds: of one answer.
        schedules: ways to get the votes.
        notes: what a reader must know.
    """

    method: Planned
    stimuli: int
    questions: int
    effect: float
    power: float
    alpha: float
    comparisons: int
    sd: float
    votes: int
    half_width: float
    seconds: float
    schedules: tuple[Schedule, ...]
    notes: tuple[str, ...]


def design_study(
    method: Planned,
    stimuli: int,
    effect: float,
    power: float = 0.8,
    alpha: float = 0.05,
    comparisons: int = 1,
    sd: float = SD,
    methods: int | None = None,
    seconds: float | None = None,
    session_minutes: float = SESSION_MINUTES,
) -> Design:
    """How many people, votes and minutes it takes to tell two pictures apart.

    Ratings: the paired t test of two pictures, exact. Choices: the exact sign test of one pair,
    which the scale, drawing on all other pairs too, can only better.

    Args:
        method: "acr", "acr-hr", "dscqs", "ccr" or "pair".
        stimuli: pictures to be judged, hidden references not counted.
        effect: the difference to be found, on the scale, or in JOD.
        power: the chance to find it.
        alpha: the chance of a false alarm over all comparisons.
        comparisons: how many pairs of pictures are tested.
        sd: of one observer's difference between two pictures, on the scale.
        methods: of which the pictures were made. For pairs only methods on one content are
            compared, and "acr-hr" needs a reference a content.
        seconds: to look and answer; 5 to 30 by method.
        session_minutes: after which people should rest.

    Raises:
        UsageError: an argument is out of its range.

    References:
        Brunnström, Barkowsky, J. Electronic Imaging 27(5), 2018 (ratings); ITU-R BT.500-15
        (sessions of at most half an hour).

    Example:
        >>> found = design_study("acr", stimuli=240, effect=0.3)
        >>> found.votes, found.schedules[0].sessions_each
        (58, 2)
    """
    _check(method, stimuli, methods, seconds, session_minutes)
    notes: list[str] = []
    if method == "pair":
        votes = answers_needed(effect, power, alpha, comparisons)
        width = math.nan
        notes.append(
            "Counted is one pair by itself; a scale draws on all pairs, so fewer answers a pair "
            "may do: --simulate tells."
        )
    else:
        votes = observers_needed(effect, sd, power, alpha, comparisons)
        width = _half_width(votes) if method in ("acr", "acr-hr") else math.nan
    questions = _questions(method, stimuli, methods)
    duration = seconds or SECONDS[method]
    schedules = [_schedule("everybody answers everything", votes, questions, questions, duration,
                           session_minutes)]  # fmt: skip
    most = max(1, int(session_minutes * 60 // duration))
    if schedules[0].sessions_each > 1:
        people = -(-votes * questions // most)
        schedules.append(
            _schedule("one session each", people, most, questions, duration, session_minutes)
        )
        notes.append(
            "Where nobody answers everything, recover scores with the regularised model, whose "
            "intervals hold for partial designs."
        )
    return Design(
        method=method, stimuli=stimuli, questions=questions, effect=effect, power=power,
        alpha=alpha, comparisons=comparisons, sd=math.nan if method == "pair" else sd, votes=votes,
        half_width=width, seconds=duration, schedules=tuple(schedules), notes=tuple(notes),
    )  # fmt: skip


def answers_needed(
    effect: float, power: float = 0.8, alpha: float = 0.05, comparisons: int = 1
) -> int:
    """Answers on one pair for the exact two-sided sign test to find a difference in JOD.

    Args:
        effect: in JOD.
        power, alpha, comparisons: as for `srqa.ratings.planning.observers_needed`.

    Returns:
        The number from which on the power stays above `power`; it moves up and down with the
        number of answers, for counts are whole.

    Raises:
        UsageError: an argument is out of its range, or no reasonable number is enough.

    Example:
        >>> answers_needed(1.0)
        35
    """
    from scipy.stats import binom, norm

    if not (effect > 0 and math.isfinite(effect)):
        raise UsageError("A study cannot be planned with an effect so small.")
    if not (0 < power < 1 and 0 < alpha < 1 and comparisons >= 1):
        raise UsageError("Power and alpha lie between 0 and 1, and there is a comparison or more.")
    share = float(norm.cdf(effect / JOD_SPREAD))
    tail = alpha / comparisons / 2
    rough = ((norm.isf(tail) / 2 + norm.ppf(power) * math.sqrt(share * (1 - share))) / (share - 0.5)) ** 2  # noqa: E501  # fmt: skip
    if rough > MOST:
        raise UsageError(
            f"A difference of {effect:g} JOD needs more than {MOST:,} answers on a pair.",
            hint="Look for a larger effect, or test fewer pairs.",
        )
    n = np.arange(1, int(1.5 * rough) + 60)
    critical = binom.isf(tail, n, 0.5) + 1
    found = binom.sf(critical - 1, n, share)
    return int(n[np.flatnonzero(found < power)[-1] + 1])


def try_design(
    design: Design,
    methods: int,
    schedule: int = 0,
    studies: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trial:
    """Simulate a design with synthetic observers: two methods that differ by the effect.

    Args:
        design: by `design_study`.
        methods: of which the pictures were made.
        schedule: which of the design's.
        studies, seed, progress: as for `srqa.ratings.planning.try_ratings`.

    Raises:
        UsageError: methods do not divide the pictures, or there are no such observers for this
            method.
    """
    if methods < 2 or design.stimuli % methods:
        raise UsageError(
            f"{design.stimuli} pictures cannot be made by {methods} methods on the same contents.",
            hint="--methods should be at least 2 and divide --stimuli.",
        )
    if design.method not in ("acr", "pair"):
        raise UsageError(f"Simulation knows observers of acr and pair, not of {design.method}.")
    plan = design.schedules[schedule]
    each = None if plan.answers_each == design.questions else plan.answers_each
    simulated = try_pairs if design.method == "pair" else try_ratings
    return simulated(
        methods, design.stimuli // methods, plan.observers, design.effect, each,
        seconds_per_vote=design.seconds, studies=studies, seed=seed, progress=progress,
    )  # fmt: skip


def _questions(method: Planned, stimuli: int, methods: int | None) -> int:
    if method == "pair":
        if methods is None:
            return stimuli * (stimuli - 1) // 2
        return stimuli // methods * (methods * (methods - 1) // 2)
    if method == "acr-hr":
        return stimuli + (stimuli // methods if methods else 1)
    return stimuli


def _schedule(
    name: str, observers: int, each: int, questions: int, seconds: float, session: float
) -> Schedule:
    minutes = each * seconds / 60
    return Schedule(
        name, observers, each, observers * each, minutes, max(1, math.ceil(minutes / session)),
        observers * minutes / 60,
    )  # fmt: skip


def _half_width(votes: int) -> float:
    """Of the t interval in the middle of the 5-point scale, by the SOS parameter 0.25."""
    from scipy.stats import t

    middle = (ACR5.high - ACR5.low) ** 2 / 4
    return float(t.ppf(0.975, votes - 1)) * math.sqrt(0.25 * middle / votes)


def _check(
    method: str, stimuli: int, methods: int | None, seconds: float | None, session: float
) -> None:
    if method not in SECONDS:
        raise UsageError(f"There is no method {method!r}.", hint=f"Known are {', '.join(SECONDS)}.")
    if stimuli < 2:
        raise UsageError("A study compares two pictures at least.")
    if methods is not None and (methods < 1 or stimuli % methods):
        raise UsageError(
            f"{stimuli} pictures cannot be made by {methods} methods on the same contents.",
            hint="--methods should divide --stimuli.",
        )
    if method == "pair" and methods == 1:
        raise UsageError("Pairs are of two methods at least.")
    for number in (seconds, session):
        if number is not None and not (number > 0 and math.isfinite(number)):
            raise UsageError(f"A duration of {number:g} is none.")
