"""The part of an analysis that is about ratings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from srqa.errors import InputError
from srqa.ratings.analysis.choices import MOS_MARGIN, Choices
from srqa.ratings.analysis.standings import Standings, no_standings, of_ranking
from srqa.ratings.answers import Answers, Floats, RatingScale
from srqa.ratings.between import compare_methods
from srqa.ratings.checks import need_variety, remarks
from srqa.ratings.differences import ccr, dscqs, hidden_reference
from srqa.ratings.recovery import Fit, Model, Observers, Recovery, mos_fit, recover
from srqa.ratings.reliability import (
    Intraclass,
    SplitHalf,
    TestRetest,
    icc,
    krippendorff_alpha,
    retest,
    split_half,
)
from srqa.ratings.scores import Distribution, Scores, SosFit, distribution, mos, sos_fit
from srqa.ratings.screening import correlations

Progress = Callable[[str, int, int], None]
COMPARED: tuple[Model, ...] = ("p913", "p910", "regularised")
MOST_LEVELS = 2000
"""Different values beyond which Krippendorff's alpha takes too much memory."""
MOST_FOR_COMPONENTS = 30_000_000
"""Ratings times the fewer of observers and stimuli beyond which unbalanced intraclass correlations
would take minutes."""
_TRIED = 50_000_000
"""Answers times splits that split-half correlations are drawn from at most."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far observers agree.

    Attributes:
        icc: the six intraclass correlations; empty where they cannot be had.
        alpha_interval, alpha_ordinal: Krippendorff's alpha; NaN where it cannot be had.
        split_half: and the noise ceiling; None with fewer than four observers.
        retest: None without repeated judgements.
        notes: why something is missing.
    """

    icc: tuple[Intraclass, ...]
    alpha_interval: float
    alpha_ordinal: float
    split_half: SplitHalf | None
    retest: TestRetest | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """What an analysis makes of ratings.

    Attributes:
        answers: the ratings, or differences to references, that the scores are made of.
        scores: of the stimuli.
        distribution: of the votes.
        observers: bias and inconsistency; None where they cannot be told. By `observers_by`.
        observers_by: the model that they come from.
        correlations: (observers,) with the others' mean opinion scores.
        fits: models by their normalised BIC, the best first.
        reliability: of the ratings.
        sos: None where it does not apply.
        expected: (answers,) what the model expects of each.
        residual: (answers,) minus that.
        spread: (answers,) standard deviation of the residual by the model.
        higher_is_better: False for DSCQS, whose scores are losses.
        crushed: whether the scale was softened above its top.
        standings: of the methods.
        notes: what a reader must know.
    """

    answers: Answers
    scores: Scores
    distribution: Distribution
    observers: Observers | None
    observers_by: str
    correlations: Floats
    fits: tuple[Fit, ...]
    reliability: Reliability
    sos: SosFit | None
    expected: Floats
    residual: Floats
    spread: Floats
    higher_is_better: bool
    standings: Standings
    notes: tuple[str, ...]


def differences_of(answers: Answers, choices: Choices) -> Answers:
    """The numbers that are averaged: ratings themselves, or differences to references.

    Raises:
        InputError: the answers lack what the method needs.
    """
    if choices.method == "acr-hr":
        variant = choices.reference_votes or "per_subject"
        return hidden_reference(answers, variant, bool(choices.crush))
    if choices.method == "dscqs":
        return dscqs(answers)
    if choices.method == "ccr":
        return ccr(answers)
    return answers.ratings()


def analyze_ratings(
    raw: Answers, answers: Answers, choices: Choices, progress: Progress | None = None
) -> Rated:
    """Scores, observers, agreement and comparison of methods.

    Args:
        raw: the ratings as they were given.
        answers: by `differences_of`.
        choices: settled ones.
        progress: called with what is being done, how much of it, of how much (0: unknown).
    """
    say = progress or (lambda what, done, total: None)
    say("Fitting models of observers", 0, 0)
    recoveries, why = _recoveries(answers, choices, say)
    chosen = recoveries.get(choices.recover or "none")
    scores = chosen.scores if chosen else mos(answers, choices.interval or "t", seed=choices.seed)
    describing = chosen or recoveries.get("regularised")
    fits = [recovery.fit for recovery in recoveries.values() if recovery.fit]
    fits = sorted([mos_fit(answers), *fits], key=lambda fit: fit.nbic)
    plain = choices.method == "acr"
    say("Measuring agreement", 0, 0)
    reliability = measure_agreement(
        raw.ratings() if choices.method in ("acr", "acr-hr") else answers, choices.seed, say
    )
    sos, sos_notes = _sos(answers) if plain else (None, ())
    say("Comparing methods", 0, 0)
    higher = choices.method != "dscqs"
    expected, spread = _expected(answers, scores, chosen)
    standings, lacking = _standings(answers, choices, higher)
    notes = [*remarks(answers), *scores.notes, *why, *sos_notes, *lacking, *standings.notes]
    return Rated(
        answers=answers,
        scores=scores,
        distribution=distribution(answers),
        observers=describing.observers if describing else None,
        observers_by=describing.scores.model if describing else "",
        correlations=correlations(answers),
        fits=tuple(fits),
        reliability=reliability,
        sos=sos,
        expected=expected,
        residual=answers.value - expected,
        spread=spread,
        higher_is_better=higher,
        standings=standings,
        notes=tuple(dict.fromkeys(notes)),
    )


def _recoveries(
    answers: Answers, choices: Choices, say: Progress
) -> tuple[dict[str, Recovery], tuple[str, ...]]:
    """The model asked for, and those that it is compared with."""
    asked = choices.recover if choices.recover != "none" else None
    found: dict[str, Recovery] = {}
    if asked:
        found[asked] = recover(answers, asked)
    try:
        need_variety(answers)
    except InputError as error:
        return found, (f"No biases of observers are told. {error}",)
    others = [model for model in COMPARED if model not in found]
    for done, model in enumerate(others):
        say("Fitting models of observers", done, len(others))
        found[model] = recover(answers, model)
    return found, ()


def _expected(answers: Answers, scores: Scores, recovery: Recovery | None) -> tuple[Floats, Floats]:
    expected = scores.mos[answers.stimulus]
    if recovery is None:
        return expected, scores.sd[answers.stimulus]
    bias, own = recovery.observers.bias, recovery.observers.inconsistency
    return expected + bias[answers.observer], own[answers.observer]


def _standings(
    answers: Answers, choices: Choices, higher: bool
) -> tuple[Standings, tuple[str, ...]]:
    scored = answers
    if not higher:
        scale = answers.rating_scale
        turned = RatingScale(-scale.high, -scale.low, scale.step)
        scored = answers.with_values(-answers.value, turned)
    if len({s.method for s in answers.stimuli if s.method}) < 2:
        note = "Methods are not compared: the answers name fewer than two."
        return no_standings(choices), (note,)
    correction = choices.correction
    ranking = compare_methods(
        scored,
        choices.test or "t",
        "holm" if correction is None or correction == "max-t" else correction,
        choices.margin or MOS_MARGIN,
        choices.alpha,
    )
    return of_ranking(ranking, choices, higher), ()


def _sos(answers: Answers) -> tuple[SosFit | None, tuple[str, ...]]:
    try:
        found = sos_fit(mos(answers), answers.rating_scale)
    except InputError as error:
        return None, (str(error),)
    return found, (found.note,) if found.note else ()


def measure_agreement(answers: Answers, seed: int, progress: Progress | None = None) -> Reliability:
    """All measures of agreement that the ratings allow; why the others are missing is noted."""
    notes: list[str] = []

    def tried(function: Callable[[], Any]) -> Any:
        try:
            return function()
        except InputError as error:
            notes.append(str(error))
            return None

    single = float(answers.votes_per_stimulus.max()) < 2
    within: tuple[Intraclass, ...] = ()
    smaller = min(len(answers.observers), len(answers.stimuli))
    if answers.is_partial and len(answers) * smaller > MOST_FOR_COMPONENTS:
        notes.append(
            f"Intraclass correlations of {len(answers):,} ratings in a partial design would take "
            "minutes; Krippendorff's alpha says the same in another way."
        )
    elif not single:
        within = tried(lambda: tuple(icc(answers))) or ()
    alphas = [math.nan, math.nan]
    if len(np.unique(answers.value)) > MOST_LEVELS:
        notes.append(
            f"Krippendorff's alpha is not computed for more than {MOST_LEVELS:,} different values."
        )
    else:
        found = tried(lambda: [krippendorff_alpha(answers, k) for k in ("interval", "ordinal")])
        alphas = found or alphas
    splits = int(np.clip(_TRIED // len(answers), 20, 200))
    if progress:
        progress("Splitting the panel in halves", 0, 0)
    halves = tried(lambda: split_half(answers, splits, seed)) if not single else None
    again = None
    if _judged_again(answers):
        again = tried(lambda: retest(answers))
    return Reliability(within, alphas[0], alphas[1], halves, again, tuple(dict.fromkeys(notes)))


def _judged_again(answers: Answers) -> bool:
    cells = answers.stimulus.astype(np.int64) * len(answers.observers) + answers.observer
    return len(np.unique(cells)) < len(answers)
