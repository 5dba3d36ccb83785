"""Finding observers and answers not to trust. Each check gives flags; `apply` takes them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import NONE, Answers, Floats, Mask, Stimulus, shortened

FEW = 20
"""BT.500 means its screening for fewer observers than this."""
SUSPICIOUS_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Flag:
    """One observer, or one answer of theirs, that a check does not trust.

    Attributes:
        check: which check.
        observer: whose.
        row: of the answer among the answers that were checked; None for the whole observer.
        reason: in words, with the figures.
    """

    check: str
    observer: str
    row: int | None
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Screening:
    """What a check found.

    Attributes:
        check: its name.
        settings: in words.
        flags: who or what is not trusted.
        figures: name of a figure to its value for each of the observers, flagged or not.
        notes: sentences that a reader should know.
    """

    check: str
    settings: str
    flags: tuple[Flag, ...]
    figures: Mapping[str, Floats]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Screened:
    """Answers with the flagged ones taken out, and what is needed to undo it.

    Attributes:
        answers: what is left.
        before: as they were.
        removed: (rows of `before`,) True where an answer was taken out.
        flags: why, in the order of the checks.
        steps: a sentence a check, for the methods section.
        notes: sentences that a reader should know.
    """

    answers: Answers
    before: Answers
    removed: Mask
    flags: tuple[Flag, ...]
    steps: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def removed_observers(self) -> tuple[str, ...]:
        """Observers of whom nothing is left."""
        left = set(self.answers.observers)
        return tuple(name for name in self.before.observers if name not in left)


def apply(answers: Answers, screenings: Sequence[Screening]) -> Screened:
    """Take out what checks of the same answers flagged. Checks do not see each other's effect.

    Args:
        answers: the very answers that the checks were run on.
        screenings: their findings.

    Raises:
        UsageError: a finding does not fit the answers.
        InputError: nothing would be left.

    Example:
        >>> from srqa.ratings.answers import from_matrix
        >>> votes = np.array([[1.0, 1, 5], [2, 2, 4], [3, 3, 3], [4, 4, 2], [5, 5, 1]])
        >>> answers = from_matrix(votes, observers=["ann", "bob", "cat"])
        >>> apply(answers, [correlation(answers)]).removed_observers
        ('cat',)
    """
    codes = {name: i for i, name in enumerate(answers.observers)}
    removed = np.zeros(len(answers), dtype=np.bool_)
    steps: list[str] = []
    notes: list[str] = []
    for screening in screenings:
        whole, single = set(), 0
        for flag in screening.flags:
            if flag.observer not in codes or (flag.row is not None and flag.row >= len(answers)):
                raise UsageError(
                    f"The check {screening.check} was run on other answers: it flags "
                    f"{flag.observer}."
                )
            if flag.row is None:
                whole.add(flag.observer)
                removed |= answers.observer == codes[flag.observer]
            else:
                single += 1
                removed[flag.row] = True
        steps.append(_step(screening, sorted(whole, key=codes.__getitem__), single, len(codes)))
        notes += screening.notes
    if removed.all():
        raise InputError(
            f"The checks {shortened([s.check for s in screenings])} would take out every answer.",
            hint="Loosen them, or look at the answers again.",
        )
    left = answers.select(~removed) if removed.any() else answers
    if lost := sorted(set(answers.names) - set(left.names)):
        notes.append(f"No answer is left about {shortened(lost)}.")
    gone = len(answers.observers) - len(left.observers)
    if gone > SUSPICIOUS_SHARE * len(answers.observers):
        notes.append(
            f"{gone} of {len(answers.observers)} observers were taken out; more than a fifth hints "
            "at a fault of the study, or of the checks."
        )
    flags = tuple(flag for screening in screenings for flag in screening.flags)
    return Screened(left, answers, removed, flags, tuple(steps), tuple(notes))


def _step(screening: Screening, whole: Sequence[str], single: int, people: int) -> str:
    parts = []
    if whole:
        parts.append(f"{len(whole)} of {people} observers ({shortened(whole)})")
    if single:
        parts.append(f"{single} answers")
    return f"{screening.check} ({screening.settings}): took out {' and '.join(parts) or 'nothing'}."


def flag_observers(
    check: str, answers: Answers, wrong: Mask, reasons: Sequence[str]
) -> tuple[Flag, ...]:
    return tuple(
        Flag(check, answers.observers[int(i)], None, reasons[int(i)]) for i in np.flatnonzero(wrong)
    )


def bt500(answers: Answers, convention: Literal["standard", "sureal"] = "standard") -> Screening:
    """Observers whose votes lie far from the others' on both sides, by BT.500.

    A vote is far if it is 2 standard deviations from its stimulus's mean, where the kurtosis of
    the votes is 2 to 4, else sqrt(20). An observer is flagged when more than 5 % of their votes are
    far, about as many above as below (``|P - Q| / (P + Q) < 0.3``). Run it once.

    Args:
        answers: ratings; choices are not looked at.
        convention: "standard" uses sample standard deviations, leaves out stimuli whose votes all
            agree, and divides by the observer's own votes. "sureal" divides the deviations by n,
            lets votes on unanimous stimuli count on both sides, and divides by the number of
            stimuli (times repetitions) even if the observer did not rate all.

    Returns:
        Screening with the figures far_share (r1) and balance (r2, NaN without far votes). If all
        would be flagged, none is.

    Raises:
        InputError: there are no ratings.

    Reference:
        Rec. ITU-R BT.500-15, Annex 1, clause 2.3.1.
    """
    rated = answers.ratings()
    stimulus, observer, value = rated.stimulus, rated.observer, rated.value
    size, people = len(rated.stimuli), len(rated.observers)
    n = np.bincount(stimulus, minlength=size)
    mean = np.bincount(stimulus, value, size) / n
    away = value - mean[stimulus]
    m2, m4 = (np.bincount(stimulus, away**k, size) / n for k in (2, 4))
    with np.errstate(invalid="ignore", divide="ignore"):
        kurtosis = m4 / m2**2
        spread = np.sqrt(m2 if convention == "sureal" else m2 * n / (n - 1))
    times = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20.0))
    limit = times * spread
    looked = np.ones(size, bool) if convention == "sureal" else m2 > 0
    above = looked[stimulus] & (value >= (mean + limit)[stimulus])
    below = looked[stimulus] & (value <= (mean - limit)[stimulus])
    p, q = np.bincount(observer, above, people), np.bincount(observer, below, people)
    votes: Floats = rated.votes_per_observer
    if convention == "sureal":
        votes = np.full(people, float(size * (rated.repetition.max() + 1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        share, balance = (p + q) / votes, np.abs(p - q) / (p + q)
    wrong = (share > 0.05) & (balance < 0.3)
    notes = []
    if wrong.all():
        wrong[:] = False
        notes.append("BT.500 would reject every observer, so it rejects none.")
    if people >= FEW:
        notes.append(f"BT.500 means this check for fewer than {FEW} observers; there are {people}.")
    reasons = [
        f"{share[i]:.1%} of the votes lie far from the others', {p[i]:.0f} above and "
        f"{q[i]:.0f} below"
        for i in range(people)
    ]
    figures = _spread_out(answers, rated, {"far_share": share, "balance": balance})
    flags = flag_observers("bt500", rated, wrong, reasons)
    settings = "far votes above 5 %, balance below 0.3" + (
        ", as sureal" if convention == "sureal" else ""
    )
    return Screening("bt500", settings, flags, figures, tuple(notes))


def correlation(
    answers: Answers,
    threshold: float | None = None,
    leave_one_out: bool = True,
) -> Screening:
    """Observers whose votes follow the others' mean opinion scores badly (Pearson).

    Args:
        answers: ratings.
        threshold: correlations up to it are flagged; by default 0.7 if ``mean - sd`` of all
            observers' correlations is above it, else ``mean - sd``, which always flags someone
            in a poor panel.
        leave_one_out: correlate with the means of the others. Without it, an observer's own votes
            are part of what they are compared to, as in sureal.

    Returns:
        Screening with the figure r; NaN (and a note) where an observer's votes do not vary.

    Raises:
        InputError: there are no ratings.

    Reference:
        After Rec. ITU-T P.913, clause 12.
    """
    rated = answers.ratings()
    r = correlations(rated, leave_one_out)
    known = r[np.isfinite(r)]
    if threshold is None:
        lowest = float(known.mean() - known.std()) if len(known) else 0.7
        threshold = min(0.7, lowest)
    flat = [rated.observers[i] for i in np.flatnonzero(~np.isfinite(r))]
    notes = (f"No correlation for {shortened(flat)}: their votes do not vary.",) if flat else ()
    against = "the others'" if leave_one_out else "all"
    reasons = [f"correlation {x:.3f} with {against} mean opinion scores" for x in r]
    flags = flag_observers("correlation", rated, r <= threshold, reasons)
    settings = f"at most {threshold:.3f} with {against} means"
    return Screening("correlation", settings, flags, _spread_out(answers, rated, {"r": r}), notes)


def p913(answers: Answers, least: float = 0.75, least_by_condition: float = 0.8) -> Screening:
    """Observers who follow the others badly, stimulus by stimulus and condition by condition.

    A condition is a method at a scale; its score is the mean over contents. Who is below both
    limits is flagged; with fewer than three conditions, who is below the first.

    Args:
        answers: ratings.
        least: of r1, over stimuli.
        least_by_condition: of r2, over conditions.

    Returns:
        Screening with the figures r1 and r2, both against the others' scores.

    Raises:
        InputError: there are no ratings.

    Reference:
        The post-screening by correlation of Rec. ITU-T P.913.
    """
    rated = answers.ratings()
    kinds = [(s.dataset, s.scale, s.method) for s in rated.stimuli]
    conditions = {kind: i for i, kind in enumerate(dict.fromkeys(kinds))}
    code = np.array([conditions[kind] for kind in kinds], dtype=np.int32)
    r1, r2 = correlations(rated), np.full(len(rated.observers), np.nan)
    wrong = r1 < least
    if len(conditions) > 2 and all(s.method for s in rated.stimuli):
        names = tuple(Stimulus(str(kind)) for kind in conditions)
        r2 = correlations(replace(rated, stimuli=names, stimulus=code[rated.stimulus]))
        wrong &= r2 < least_by_condition
    reasons = [
        f"correlation {a:.3f} over stimuli, {b:.3f} over conditions"
        for a, b in zip(r1, r2, strict=True)
    ]
    flags = flag_observers("p913", rated, wrong, reasons)
    figures = _spread_out(answers, rated, {"r1": r1, "r2": r2})
    return Screening("p913", f"r1 below {least:g}, r2 below {least_by_condition:g}", flags, figures)


def correlations(answers: Answers, leave_one_out: bool = True, ranks: bool = False) -> Floats:
    """(observers,) correlation of each one's votes with the mean opinion scores of the others."""
    stimulus, observer, value = answers.stimulus, answers.observer, answers.value
    size, people = len(answers.stimuli), len(answers.observers)
    total, n = np.bincount(stimulus, value, size), np.bincount(stimulus, minlength=size)
    found = np.full(people, np.nan)
    order = np.argsort(observer, kind="stable")
    for i, rows in enumerate(
        np.split(order, np.cumsum(np.bincount(observer, minlength=people))[:-1])
    ):
        own, inverse = np.unique(stimulus[rows], return_inverse=True)
        own_n = np.bincount(inverse)
        own_total = np.bincount(inverse, value[rows])
        less = 1 if leave_one_out else 0
        others = n[own] - less * own_n
        with np.errstate(invalid="ignore", divide="ignore"):
            x, y = own_total / own_n, (total[own] - less * own_total) / others
        x, y = x[others > 0], y[others > 0]
        if ranks:
            from scipy.stats import rankdata

            x, y = rankdata(x), rankdata(y)
        if len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0:
            found[i] = np.corrcoef(x, y)[0, 1]
    return found


def _spread_out(
    answers: Answers, rated: Answers, figures: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Figures of the observers who rated, as figures of all observers."""
    if rated.observers == answers.observers:
        return dict(figures)
    where = {name: i for i, name in enumerate(rated.observers)}
    rows = np.array([where.get(name, NONE) for name in answers.observers])
    return {key: np.append(values, np.nan)[rows] for key, values in figures.items()}
