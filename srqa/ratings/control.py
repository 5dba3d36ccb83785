"""Screening by control questions and by how an answer was given: gold, traps, time, repeats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import NONE, Answers, Floats, Mask
from srqa.ratings.screening import Flag, Screening, flag_observers


def gold(
    answers: Answers,
    expected: Mapping[str, float],
    tolerance: float = 1.0,
    least: float = 0.8,
    check: str = "gold",
) -> Screening:
    """Observers who rate stimuli of known quality wrongly.

    Args:
        answers: ratings.
        expected: name of a stimulus to its value.
        tolerance: how far a right answer may be away.
        least: share of right answers that an observer needs.
        check: name in the record.

    Returns:
        Screening with the figure right_share; NaN for observers who saw none (and a note).

    Raises:
        InputError: no answer speaks of one of the stimuli.

    Reference:
        The gold questions of the P.910 crowdsourcing toolkit.
    """
    people = len(answers.observers)
    asked, right = np.zeros(people), np.zeros(people)
    for name, value in expected.items():
        rows = answers.stimulus == answers.code_of(name)
        if not rows.any():
            raise InputError(f"Nobody rated the control stimulus {name}.")
        near = np.abs(answers.value[rows] - value) <= tolerance
        asked += np.bincount(answers.observer[rows], minlength=people)
        right += np.bincount(answers.observer[rows], near, people)
    with np.errstate(invalid="ignore"):
        share = right / asked
    reasons = [
        f"{r:.0f} of {a:.0f} control questions right" for r, a in zip(right, asked, strict=True)
    ]
    flags = flag_observers(check, answers, share < least, reasons)
    unseen = int((asked == 0).sum())
    notes = (f"{unseen} observers saw no {check} question.",) if unseen else ()
    settings = f"right within {tolerance:g} in at least {least:.0%}"
    return Screening(check, settings, flags, {"right_share": share}, notes)


def trap(answers: Answers, expected: Mapping[str, float], least: float = 1.0) -> Screening:
    """Observers who miss a question whose answer was told to them, such as "choose 2".

    Args:
        answers: ratings.
        expected: name of a stimulus to the value asked for; only that very value is right.
        least: share of right answers that an observer needs.

    Raises:
        InputError: no answer speaks of one of the stimuli.

    Reference:
        The trapping questions of the P.910 crowdsourcing toolkit.
    """
    return gold(answers, expected, tolerance=0.0, least=least, check="trap")


def wrong_choices(answers: Answers, least: float = 0.75, flag: str = "trap") -> Screening:
    """Observers who prefer the plainly worse picture in choices that carry the flag "trap".

    In a trap one of the pictures is the reference of the other, and so the better one.

    Args:
        answers: choices.
        least: share of right choices that an observer needs; a tie is wrong.
        flag: the word that marks traps in the column `flags`.

    Raises:
        InputError: no choice carries the flag, or in one of them neither picture is the other's
            reference.
    """
    rows = np.flatnonzero(answers.has_flag(flag) & ~answers.is_rating)
    if not len(rows):
        raise InputError(f"No choice carries the flag {flag!r}.")
    reference = np.array([s.reference for s in answers.stimuli], dtype=object)
    names = np.array(answers.names, dtype=object)
    left, right = answers.left[rows], answers.right[rows]
    better = (reference[right] == names[left]).astype(int) - (reference[left] == names[right])
    if (better == 0).any():
        odd = int(rows[np.flatnonzero(better == 0)[0]])
        raise InputError(
            f"Row {odd + 1} is flagged {flag!r}, but neither picture is the other's reference."
        )
    people = len(answers.observers)
    who = answers.observer[rows]
    asked = np.bincount(who, minlength=people).astype(float)
    got = np.bincount(who, answers.choice[rows] == better, people)
    with np.errstate(invalid="ignore"):
        share = got / asked
    reasons = [f"{g:.0f} of {a:.0f} traps right" for g, a in zip(got, asked, strict=True)]
    flags = flag_observers(flag, answers, share < least, reasons)
    return Screening(flag, f"at least {least:.0%} right", flags, {"right_share": share})


def response_time(
    answers: Answers, fastest_ms: float = 300.0, slowest_ms: float = 120_000.0, most: float = 0.3
) -> Screening:
    """Answers given too fast to have looked or so late that attention had gone.

    Args:
        answers: with response times; answers without are not judged.
        fastest_ms, slowest_ms: an answer outside is flagged.
        most: an observer with a larger share of flagged answers is flagged as a whole.

    Returns:
        Screening with the figures odd_share and median_ms.

    Raises:
        InputError: no answer has a response time.
    """
    timed = np.isfinite(answers.response_ms)
    if not timed.any():
        raise InputError(
            "No answer has a response time.", hint="It belongs into the column `response_ms`."
        )
    time, people = answers.response_ms, len(answers.observers)
    odd = timed & ((time < fastest_ms) | (time > slowest_ms))
    with np.errstate(invalid="ignore"):
        share = np.bincount(answers.observer, odd, people) / np.bincount(
            answers.observer, timed, people
        )
    median = _by_observer(answers, timed, time)
    whole = share > most
    reasons = [f"{x:.0%} of the answers came too fast or too late" for x in share]
    single = [
        Flag("time", answers.observers[answers.observer[row]], int(row), f"{time[row]:.0f} ms")
        for row in np.flatnonzero(odd & ~whole[answers.observer])
    ]
    flags = (*flag_observers("time", answers, whole, reasons), *single)
    settings = f"{fastest_ms:g} to {slowest_ms:g} ms; observers above {most:.0%}"
    untimed = int((~timed).sum())
    notes = (f"{untimed} answers have no response time and were not judged.",) if untimed else ()
    return Screening("time", settings, flags, {"odd_share": share, "median_ms": median}, notes)


def _by_observer(answers: Answers, rows: Mask, values: Floats) -> Floats:
    found = np.full(len(answers.observers), np.nan)
    for i in range(len(found)):
        own = values[rows & (answers.observer == i)]
        found[i] = np.median(own) if len(own) else np.nan
    return found


def variance(answers: Answers, least: float = 0.15) -> Screening:
    """Observers who, in some session, gave (nearly) always the same rating.

    Args:
        answers: ratings.
        least: sample variance of a session's ratings below which the observer is flagged; in
            units of a 5-point scale, and scaled to the scale in use.

    Returns:
        Screening with the figure lowest_variance over the sessions of at least two ratings.

    Raises:
        InputError: there are no ratings.

    Reference:
        The session variance of the P.910 crowdsourcing toolkit.
    """
    rated = answers.is_rating
    if not rated.any():
        raise InputError("There is no rating whose variance could be taken.")
    unit = ((answers.rating_scale.high - answers.rating_scale.low) / 4) ** 2
    sittings = len(answers.sessions)
    cell = answers.observer[rated].astype(np.int64) * sittings + answers.session[rated]
    value, size = answers.value[rated], len(answers.observers) * sittings
    n = np.bincount(cell, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cell, value, size) / n
        spread = np.bincount(cell, (value - mean[cell]) ** 2, size) / (n - 1)
    spread = np.where(n > 1, spread, np.inf).reshape(-1, sittings)
    lowest = spread.min(axis=1)
    reasons = [f"variance {x:.3f} of a session's ratings" for x in lowest]
    flags = flag_observers("variance", answers, lowest < least * unit, reasons)
    figures = {"lowest_variance": np.where(np.isfinite(lowest), lowest, np.nan)}
    return Screening("variance", f"below {least * unit:g} in a session", flags, figures)


def repeats(answers: Answers, most: float = 1.0, fewest: int = 2) -> Screening:
    """Observers who contradict themselves when they judge the same again.

    Args:
        answers: ratings with repetitions (or the same stimulus in several sessions).
        most: mean absolute difference between an observer's first and later votes on a stimulus
            above which they are flagged, in units of a 5-point scale.
        fewest: repeated votes needed for a judgement.

    Returns:
        Screening with the figures mean_difference and repeated.

    Raises:
        InputError: nobody rated anything twice.
    """
    unit = (answers.rating_scale.high - answers.rating_scale.low) / 4
    first, later = repeated_rows(answers)
    if not len(first):
        raise InputError(
            "Nobody rated a stimulus twice.",
            hint="Repetitions have numbers in column `repetition`.",
        )
    people = len(answers.observers)
    who = answers.observer[first]
    count = np.bincount(who, minlength=people).astype(float)
    apart = np.abs(answers.value[first] - answers.value[later])
    with np.errstate(invalid="ignore"):
        mean = np.bincount(who, apart, people) / count
    reasons = [
        f"mean difference {m:.2f} over {c:.0f} repeated votes"
        for m, c in zip(mean, count, strict=True)
    ]
    flags = flag_observers("repeats", answers, (mean > most * unit) & (count >= fewest), reasons)
    figures = {"mean_difference": mean, "repeated": count}
    return Screening("repeats", f"mean difference above {most * unit:g}", flags, figures)


def repeated_rows(
    answers: Answers,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Rows of an observer's first rating of a stimulus, beside those of each later one."""
    rated = np.flatnonzero(answers.stimulus != NONE)
    cell = (
        answers.stimulus[rated].astype(np.int64) * len(answers.observers) + answers.observer[rated]
    )
    order = np.lexsort(
        (answers.order[rated], answers.repetition[rated], answers.session[rated], cell)
    )
    rows, cell = rated[order], cell[order]
    start = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
    first = np.repeat(rows[start], np.diff(np.r_[start, len(rows)]))
    later = np.ones(len(rows), dtype=np.bool_)
    later[start] = False
    return first[later], rows[later]


def far_votes(answers: Answers, z: float = 3.29) -> Screening:
    """Single votes many standard deviations from the mean of the others' votes on the stimulus.

    Off by default in all procedures here: an honest extreme opinion is an opinion.

    Args:
        answers: ratings.
        z: in standard deviations of the stimulus's votes; 3.29 leaves 1 in 1000 normal votes.

    Raises:
        UsageError: `z` is not positive.
        InputError: there are no ratings.

    Reference:
        The outlier rule of the P.910 crowdsourcing toolkit.
    """
    if not z > 0:
        raise UsageError(f"A limit of {z} standard deviations flags everything.")
    rated = np.flatnonzero(answers.is_rating)
    if not len(rated):
        raise InputError("There is no rating to look at.")
    stimulus, value, size = answers.stimulus[rated], answers.value[rated], len(answers.stimuli)
    n = np.bincount(stimulus, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(stimulus, value, size) / n
        sd = np.sqrt(np.bincount(stimulus, (value - mean[stimulus]) ** 2, size) / (n - 1))
        away = np.abs(value - mean[stimulus]) / sd[stimulus]
    flags = tuple(
        Flag("far", answers.observers[answers.observer[rated[k]]], int(rated[k]),
             f"{away[k]:.2f} standard deviations from the mean")
        for k in np.flatnonzero(away >= z)
    )  # fmt: skip
    return Screening("far", f"from {z:g} standard deviations on", flags, {})
