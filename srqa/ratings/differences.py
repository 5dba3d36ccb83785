"""Ratings against a reference: ACR-HR, DSCQS and CCR become differences."""

from __future__ import annotations

from typing import Literal

import numpy as np

from srqa.errors import InputError
from srqa.ratings.answers import (
    NONE,
    Answers,
    Codes,
    Floats,
    RatingScale,
    shortened,
)

Variant = Literal["per_subject", "mean_ref", "clamped"]


def hidden_reference(
    answers: Answers, variant: Variant = "per_subject", crush: bool = False
) -> Answers:
    """Difference ratings of ACR with hidden reference: ``o - o_ref + high``.

    Means of the result are DMOS: `high` (5) is as good as the reference, more is better than it.

    Args:
        answers: ratings of stimuli and of the references that they name.
        variant: "per_subject" takes each observer's own vote for the reference (P.910);
            "mean_ref" the reference's mean opinion score (sureal); "clamped" is that with means
            above `high` cut off, as the P.910 crowd toolkit prints them: the votes are shifted
            by one amount a stimulus so that its mean is the cut one.
        crush: differences above `high` (5) are softened: ``7 d / (2 + d)`` on a 5-point scale,
            in general ``(high + 2) d / (2 + d)``.

    Returns:
        Answers of the stimuli that have a reference, with differences as values.

    Raises:
        InputError: no stimulus names a reference, a reference has no votes, or (per_subject) an
            observer rated a stimulus but not its reference.

    Reference:
        Rec. ITU-T P.910 (ACR-HR, differential viewer scores and the crushing function).
    """
    answers = answers.ratings()
    high = answers.rating_scale.high
    reference = _references(answers)
    kept = reference[answers.stimulus] != NONE
    base = _reference_votes(answers, reference, kept, variant)
    difference = np.where(kept, answers.value - base + high, answers.value)
    if crush:
        softened = (high + 2) * difference / (2 + difference)
        difference = np.where(kept & (difference > high), softened, difference)
    chosen = answers.with_values(difference).select(kept)
    if variant == "clamped":
        n = chosen.votes_per_stimulus
        mean = np.bincount(chosen.stimulus, chosen.value, len(n)) / n
        over = np.maximum(mean - high, 0)
        chosen = chosen.with_values(chosen.value - over[chosen.stimulus])
    scale = answers.rating_scale
    wider = RatingScale(scale.low, 2 * high - scale.low, scale.step)
    return chosen.with_values(chosen.value, wider)


def _references(answers: Answers) -> Codes:
    """Code of each stimulus's reference; -1 for references and stimuli that name none."""
    codes = {name: j for j, name in enumerate(answers.names)}
    named = {s.reference for s in answers.stimuli if s.reference and s.reference != s.name}
    if not named:
        raise InputError(
            "No stimulus names its reference, so there is nothing to take a difference to.",
            hint="Fill the column `reference` with the reference's name in column `stimulus`.",
        )
    missing = sorted(named - codes.keys())
    if missing:
        raise InputError(
            f"The reference {shortened(missing)} has no votes.",
            hint="With a hidden reference, observers rate the reference like any other picture.",
        )
    targets = [s.reference if s.reference != s.name else "" for s in answers.stimuli]
    return np.array([codes.get(target, NONE) for target in targets], dtype=np.int32)


def _reference_votes(
    answers: Answers,
    reference: Codes,
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]],
    variant: Variant,
) -> Floats:
    """What to subtract from each answer."""
    size = len(answers.stimuli)
    n = answers.votes_per_stimulus
    target = np.where(kept, reference[answers.stimulus], 0)
    if variant != "per_subject":
        means: Floats = np.bincount(answers.stimulus, answers.value, size) / n
        return means[target]
    people = len(answers.observers)
    cell = answers.stimulus.astype(np.int64) * people + answers.observer
    cells, where = np.unique(cell, return_inverse=True)
    own = np.bincount(where, answers.value) / np.bincount(where)
    wanted = target.astype(np.int64) * people + answers.observer
    found = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
    lacking = kept & (cells[found] != wanted)
    if lacking.any():
        row = int(np.flatnonzero(lacking)[0])
        raise InputError(
            f"{answers.observers[answers.observer[row]]} rated "
            f"{answers.stimuli[answers.stimulus[row]].name} but not its reference "
            f"{answers.stimuli[target[row]].name} ({int(lacking.sum())} such ratings).",
            hint="Use the variant mean_ref, or take these ratings out.",
        )
    return own[found]


def dscqs(answers: Answers) -> Answers:
    """Differences of the double-stimulus continuous-quality scale: reference minus test.

    Both pictures of a trial are rated: two rows with the same observer, session, repetition, `left`
    and `right`, one for each picture. The test picture names the other as its reference.

    Returns:
        A row a trial; 0 is as good as the reference, higher is worse.

    Raises:
        InputError: a trial lacks one of its two ratings, or neither picture is the other's
            reference.

    Reference:
        Rec. ITU-R BT.500-15, DSCQS.
    """
    trials: dict[tuple[int, ...], dict[int, int]] = {}
    columns = ("observer", "session", "repetition", "left", "right")
    for row, key in enumerate(zip(*(getattr(answers, name) for name in columns), strict=True)):
        if answers.stimulus[row] != NONE and answers.left[row] != NONE:
            trials.setdefault(tuple(map(int, key)), {})[int(answers.stimulus[row])] = row
    if not trials:
        raise InputError(
            "No rating says which two pictures were shown together.",
            hint="DSCQS needs the columns `left` and `right`.",
        )
    values, kept = answers.value.copy(), np.zeros(len(answers), dtype=np.bool_)
    for (person, *_, left, right), rows in trials.items():
        shown = [answers.stimuli[left], answers.stimuli[right]]
        pairs = [(a, b) for a, b in (shown, shown[::-1]) if a.reference == b.name and a != b]
        if len(pairs) != 1:
            raise InputError(f"Neither of {shown[0].name} and {shown[1].name} names the other as its reference.")  # noqa: E501  # fmt: skip
        test, reference = (left, right) if pairs[0][0] == shown[0] else (right, left)
        if test not in rows or reference not in rows:
            raise InputError(
                f"{answers.observers[person]} rated only one of {shown[0].name} and "
                f"{shown[1].name}."
            )
        values[rows[test]] = answers.value[rows[reference]] - answers.value[rows[test]]
        kept[rows[test]] = True
    span = answers.rating_scale.high - answers.rating_scale.low
    scale = RatingScale(-span, span, answers.rating_scale.step)
    return answers.with_values(values, scale).select(kept).ratings()


def ccr(answers: Answers) -> Answers:
    """Comparison ratings (-3 to 3) with the order of presentation taken out.

    A row rates the second picture against the first. `left` is the picture shown first, `right`
    the second; one of them is the stimulus, the other its reference.

    Returns:
        Ratings of the stimulus against its reference; their mean is the CMOS.

    Raises:
        InputError: a row does not say which picture came first.

    Reference:
        Rec. ITU-T P.910 and P.800 (CCR).
    """
    rated = answers.is_rating
    second = answers.right == answers.stimulus
    first = answers.left == answers.stimulus
    unknown = rated & ~(first ^ second)
    if unknown.any() or not rated.any():
        row = int(np.flatnonzero(unknown)[0]) if unknown.any() else 0
        raise InputError(
            f"Row {row + 1} does not say whether the stimulus was shown first or second "
            f"({int(unknown.sum())} such rows).",
            hint="CCR needs the columns `left` (shown first) and `right` (shown second).",
        )
    sign = np.where(second, 1.0, -1.0)
    return answers.with_values(answers.value * sign).ratings()
