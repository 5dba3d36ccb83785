"""From answers to results: every choice named, every number with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from srqa.errors import UsageError
from srqa.ratings.analysis.choices import (
    JOD_MARGIN,
    MOS_MARGIN,
    RATED,
    Choices,
    Corrected,
    Method,
    Recover,
    Scale,
    settle_method,
    settle_recovery,
)
from srqa.ratings.analysis.chosen import Chosen, analyze_choices
from srqa.ratings.analysis.rated import Progress, Rated, analyze_ratings, differences_of
from srqa.ratings.analysis.standings import FEW_OBSERVERS, Standings, unit_of
from srqa.ratings.analysis.steps import Expected, Screened
from srqa.ratings.analysis.steps import screen as apply_checks
from srqa.ratings.answers import Answers
from srqa.ratings.between import Test
from srqa.ratings.choice_models import TieRule
from srqa.ratings.differences import Variant
from srqa.ratings.paired import Prior
from srqa.ratings.scores import Interval

LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What answers say, and how it was worked out.

    Attributes:
        given: the answers as they came.
        screened: what screening left of them.
        choices: every choice made.
        rated: what ratings say; None for choices between pictures.
        chosen: what choices say; None for ratings.
        notes: what a reader of the numbers must know.
    """

    given: Answers
    screened: Screened
    choices: Choices
    rated: Rated | None
    chosen: Chosen | None
    notes: tuple[str, ...]

    @property
    def standings(self) -> Standings:
        """Methods (or pictures) from the best to the worst, in tiers."""
        part = self.rated or self.chosen
        if part is None:
            raise UsageError("The analysis is empty.")
        return part.standings

    @property
    def unit(self) -> str:
        """Of the scores: MOS, DMOS, CMOS or JOD."""
        return unit_of(self.choices.method)


def analyze(
    answers: Answers,
    method: Method | Literal["auto"] = "auto",
    *,
    recover: Recover = "auto",
    screen: Sequence[str] = (),
    gold: Expected | None = None,
    trap: Expected | None = None,
    interval: Interval = "t",
    reference_votes: Variant = "per_subject",
    crush: bool = False,
    scale: Scale = "jod",
    ties: TieRule = "model",
    prior: Prior = "gaussian",
    sigma: float = 2.0,
    side_bias: bool | None = None,
    anchor: str | None = None,
    test: Test = "t",
    correction: Corrected = "auto",
    margin: float | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    progress: Progress | None = None,
) -> Analysis:
    """Screen answers, make scores of them, measure agreement, and compare methods.

    Args:
        answers: ratings or choices; `srqa.ratings.load` reads them.
        method: how people were asked; "auto" sees it from the answers (references among ACR are
            not taken for hidden ones unless "acr-hr" is said).
        recover: model of observers; "none" for mean opinion scores. "auto" is "regularised" where
            not everybody rated everything, else "none".
        screen: checks in their order, as `srqa.ratings.analysis.steps.screen` takes them.
        gold, trap: control stimuli and the values that are right.
        interval: of mean opinion scores without a model.
        reference_votes, crush: of "acr-hr"; see `srqa.ratings.differences.hidden_reference`.
        scale: of choices: "jod" by Thurstone's case V, "bt" by Bradley and Terry; both in JOD.
        ties, prior, sigma, side_bias: as for `srqa.ratings.paired.scale_pairs`.
        anchor: the picture at 0 JOD; without, the sum is 0.
        test: between methods; of ratings.
        correction: over all pairs of methods. "auto" is Holm for ratings; for choices it is
            "max-t", simultaneous intervals by drawing observers again, where there are at least
            ten of them, else Holm on the scale's own errors.
        margin: nearer than this is the same for practical purposes; 0.25 on a scale from 1 to 5
            (and in proportion on others), 0.3 JOD.
        alpha: below which a p value tells methods apart.
        seed: of chance.
        progress: called with what is being done, how much of it is done, and of how much (0 where
            that is unknown).

    Returns:
        The analysis; `srqa.report.ratings.save` writes it.

    Raises:
        UsageError: a choice is unknown or does not go with the method.
        InputError: the answers do not allow what is asked.

    Example:
        >>> from srqa.ratings.answers import from_matrix
        >>> votes = np.array([[5.0, 4, 5, 4, 5], [3, 3, 2, 4, 3], [1, 2, 1, 1, 2], [4, 4, 3, 4, 5]])
        >>> found = analyze(from_matrix(votes), screen=["bt500"])
        >>> found.choices.method, found.rated.scores.mos.round(1).tolist()
        ('acr', [4.6, 3.0, 1.4, 4.0])
    """
    settled, why = settle_method(answers, method)
    _check_numbers(margin, alpha)
    _check_fits(settled, crush, reference_votes, recover)
    wanted = answers.is_rating if settled in RATED else ~answers.is_rating
    concerned = answers if wanted.all() else answers.select(wanted)
    screened = apply_checks(concerned, screen, gold, trap)
    reasons = {"method": why} if why else {}
    if settled in RATED:
        choices = Choices(
            method=settled, screen=tuple(screen), recover="none", interval=interval,
            reference_votes=reference_votes if settled == "acr-hr" else None,
            crush=crush if settled == "acr-hr" else None,
            scale=None, ties=None, prior=None, sigma=None, side_bias=None, anchor=None,
            test=test, correction=_of_ratings(correction), margin=margin, alpha=alpha,
            level=LEVEL, seed=seed, reasons=reasons,
        )  # fmt: skip
        return _ratings(answers, screened, choices, recover, margin, progress)
    if margin is None:
        reasons["margin"] = f"{JOD_MARGIN:g} JOD"
    chosen_correction, why = _of_choices(correction, screened.answers)
    if why:
        reasons["correction"] = why
    choices = Choices(
        method=settled, screen=tuple(screen), recover=None, interval=None, reference_votes=None,
        crush=None, scale=scale, ties=ties, prior=prior,
        sigma=sigma if prior == "gaussian" else None, side_bias=side_bias, anchor=anchor,
        test=None, correction=chosen_correction,
        margin=JOD_MARGIN if margin is None else margin,
        alpha=alpha, level=LEVEL, seed=seed, reasons=reasons,
    )  # fmt: skip
    found = analyze_choices(screened.answers, choices, progress)
    if side_bias is None:
        sided = bool(found.scale.problem.sided)
        because = "pictures stood on both sides" if sided else "sides do not tell it from quality"
        choices = replace(
            choices, side_bias=sided, reasons={**choices.reasons, "side_bias": because}
        )
    notes = (*answers.notes, *screened.notes, *found.notes)
    return Analysis(answers, screened, choices, None, found, tuple(dict.fromkeys(notes)))


def _ratings(
    answers: Answers,
    screened: Screened,
    choices: Choices,
    recover: Recover,
    margin: float | None,
    progress: Progress | None,
) -> Analysis:
    values = differences_of(screened.answers, choices)
    model, why = settle_recovery(values, recover)
    reasons = {**choices.reasons, **({"recover": why} if why else {})}
    if margin is None:
        span = answers.rating_scale.high - answers.rating_scale.low
        margin = MOS_MARGIN * span / 4 if span > 0 and math.isfinite(span) else MOS_MARGIN
        reasons["margin"] = f"a sixteenth of the scale, {answers.rating_scale}"
    choices = replace(
        choices,
        recover=model,
        interval=choices.interval if model == "none" else None,
        margin=margin,
        reasons=reasons,
    )
    found = analyze_ratings(screened.answers, values, choices, progress)
    notes = (*answers.notes, *screened.notes, *found.notes)
    return Analysis(answers, screened, choices, found, None, tuple(dict.fromkeys(notes)))


def _of_ratings(correction: Corrected) -> Literal["holm", "bh", "none"]:
    if correction == "max-t":
        raise UsageError(
            "Simultaneous intervals by drawing observers again are for choices between pictures.",
            hint="Correct tests of ratings by holm or bh.",
        )
    return "holm" if correction == "auto" else correction


def _of_choices(
    correction: Corrected, answers: Answers
) -> tuple[Literal["holm", "bh", "none", "max-t"], str]:
    if correction != "auto":
        return correction, ""
    people = len(np.unique(answers.observer))
    if people >= FEW_OBSERVERS:
        return "max-t", f"{people} observers are enough to draw from"
    return "holm", f"{people} observers are too few to draw from"


def _check_numbers(margin: float | None, alpha: float) -> None:
    if margin is not None and not (margin > 0 and math.isfinite(margin)):
        raise UsageError(f"The margin of equivalence must be above 0, not {margin:g}.")
    if not 0 < alpha < 1:
        raise UsageError(f"Alpha lies between 0 and 1, not at {alpha:g}.")


def _check_fits(method: Method, crush: bool, reference_votes: Variant, recover: Recover) -> None:
    if reference_votes not in get_args(Variant):
        raise UsageError(f"There is no variant {reference_votes!r} of a hidden reference.")
    if method != "acr-hr" and (crush or reference_votes != "per_subject"):
        raise UsageError(
            f"Hidden references belong to the method acr-hr, not to {method}.",
            hint="Say method acr-hr.",
        )
    if method not in RATED and recover not in ("auto", "none"):
        raise UsageError(
            f"Models of raters such as {recover} are for ratings, not for choices.",
            hint="Leave recover away; observers out of line are found by the check likelihood.",
        )
