"""What an analysis can be asked for, and what it settles on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import Answers
from srqa.ratings.between import Test
from srqa.ratings.choice_models import TieRule
from srqa.ratings.differences import Variant
from srqa.ratings.paired import Prior
from srqa.ratings.recovery import Model
from srqa.ratings.scores import Interval

Method = Literal["acr", "acr-hr", "dscqs", "ccr", "pair", "triplet"]
Recover = Literal["auto", "none"] | Model
Scale = Literal["jod", "bt"]
Corrected = Literal["auto", "holm", "bh", "none", "max-t"]
RATED: tuple[Method, ...] = ("acr", "acr-hr", "dscqs", "ccr")
CHOSEN: tuple[Method, ...] = ("pair", "triplet")
MOS_MARGIN = 0.25
"""Of equivalence, on a scale from 1 to 5."""
JOD_MARGIN = 0.3
FEWEST_FOR_RECOVERY = 3
"""Median votes an observer below which biases are not worth estimating."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Every choice that an analysis made. What does not concern its method is None.

    Attributes:
        method: how people were asked.
        recover: the model of observers, or "none".
        interval: of mean opinion scores without a model.
        reference_votes: what is subtracted with a hidden reference; crush: differences above the
            scale are softened.
        scale: "jod" (Thurstone's case V) or "bt" (Bradley-Terry); ties, prior, sigma, side_bias,
            anchor: as for `srqa.ratings.paired.scale_pairs`.
        screen: the checks in their order.
        test, correction, margin, alpha: of differences between methods; "max-t" are simultaneous
            intervals by drawing observers again.
        level: of all intervals.
        seed: of chance.
        reasons: name of a choice that was left open to why it was settled so.
    """

    method: Method
    screen: tuple[str, ...]
    recover: Literal["none"] | Model | None
    interval: Interval | None
    reference_votes: Variant | None
    crush: bool | None
    scale: Scale | None
    ties: TieRule | None
    prior: Prior | None
    sigma: float | None
    side_bias: bool | None
    anchor: str | None
    test: Test | None
    correction: Literal["holm", "bh", "none", "max-t"] | None
    margin: float | None
    alpha: float
    level: float
    seed: int
    reasons: Mapping[str, str]


def settle_method(answers: Answers, method: Method | Literal["auto"]) -> tuple[Method, str]:
    """The method of the answers, and why if it was left open.

    Raises:
        UsageError: an unknown method, or ratings and choices stand in one table and neither is
            asked for.
        InputError: the answers are of another kind.
    """
    if method not in ("auto", *get_args(Method)):
        raise UsageError(
            f"There is no method {method!r}.", hint=f"Known are {', '.join(get_args(Method))}."
        )
    rated = answers.is_rating
    if method in RATED and not rated.any():
        raise InputError(
            f"There is no rating among the {len(answers):,} answers, so {method} cannot be it.",
            hint="Choices between two pictures are analysed with the method pair.",
        )
    if method in CHOSEN and rated.all():
        raise InputError(
            f"There is no choice between two pictures among the {len(answers):,} answers, only "
            "ratings.",
            hint="Ratings are analysed with the method acr.",
        )
    if method != "auto":
        return method, ""
    if rated.any() and not rated.all():
        raise UsageError(
            f"The table holds both ratings ({int(rated.sum()):,}) and choices "
            f"({int((~rated).sum()):,}).",
            hint="Say which to analyse: method acr or pair.",
        )
    if not rated.any():
        return "pair", "every answer is a choice between two pictures"
    return _kind_of_ratings(answers)


def _kind_of_ratings(answers: Answers) -> tuple[Method, str]:
    scale = answers.rating_scale
    paired = (answers.left >= 0) & (answers.right >= 0)
    if paired.all():
        if scale.low == -scale.high:
            return "ccr", f"ratings from {scale} of the second picture against the first"
        return "dscqs", "both pictures of a trial are rated"
    if paired.any():
        raise InputError(
            f"{int(paired.sum()):,} of {len(answers):,} ratings say with which picture they were "
            "shown, the others do not.",
            hint="Keep methods in tables of their own.",
        )
    named = {s.reference for s in answers.stimuli if s.reference and s.reference != s.name}
    if named and named <= set(answers.names):
        return "acr", "single pictures are rated; references too, so acr-hr is possible"
    return "acr", "single pictures are rated"


def settle_recovery(answers: Answers, recover: Recover) -> tuple[Literal["none"] | Model, str]:
    """The model of observers, and why if it was left open.

    Raises:
        UsageError: an unknown model.
    """
    from srqa.ratings.checks import need_variety

    if recover not in ("auto", "none", *get_args(Model)):
        raise UsageError(
            f"There is no model {recover!r}.",
            hint=f"Known are none, {', '.join(get_args(Model))} and auto.",
        )
    if recover != "auto":
        return recover, ""
    if not answers.is_partial:
        return "none", "everybody rated everything, so no bias moves one score against another"
    median = float(np.median(answers.votes_per_observer))
    if median < FEWEST_FOR_RECOVERY:
        return "none", (
            f"observers gave {median:g} votes (median), too few to estimate their biases"
        )
    try:
        need_variety(answers)
    except InputError as error:
        return "none", str(error)[:1].lower() + str(error)[1:].rstrip(".")
    return "regularised", "not everybody rated everything"
