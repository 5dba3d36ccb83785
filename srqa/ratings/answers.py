"""The container of human answers: names, integer codes and numbers, one row an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import InputError

if TYPE_CHECKING:
    from srqa.ratings.comparisons import Comparisons

Floats = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.int32]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

NONE = -1
"""The code of a name that a row does not have."""


@dataclass(frozen=True, slots=True)
class RatingScale:
    """The numbers that an observer could give.

    Attributes:
        low, high: the ends of the scale.
        step: between neighbouring categories; 0 for a continuous scale.
    """

    low: float
    high: float
    step: float = 1.0

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


ACR5 = RatingScale(1, 5)
ACR11 = RatingScale(0, 10)
COMPARISON = RatingScale(-3, 3)
CONTINUOUS = RatingScale(0, 100, step=0)
STANDARD_SCALES = (ACR5, ACR11, COMPARISON, CONTINUOUS)


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A picture that was judged. `reference` is the name of the stimulus it derives from, or ''."""

    name: str
    dataset: str = ""
    content: str = ""
    scale: float | None = None
    method: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers of observers, ratings and choices between two pictures alike.

    A row is a rating (it has a `value`) or a choice (`left`, `right` and `choice`). A rating of one
    picture against another (CCR, DSCQS) has `left` and `right` too: the pictures shown first and
    second. All columns have the same length; memory grows with the answers, never with
    observers x stimuli.

    Attributes:
        study: the study's name.
        rating_scale: what values were possible.
        stimuli, observers, sessions, flag_sets: the names that the codes below point to.
        observer: (n,) codes.
        stimulus: (n,) codes of the rated picture; -1 in choices.
        value: (n,) the rating; NaN in choices.
        left, right: (n,) codes of the pictures of a pair; -1 without a pair.
        choice: (n,) 1 for left, 0 for a tie, -1 for right; 0 in ratings.
        session: (n,) codes.
        repetition: (n,) counts how often the observer had judged the same before.
        order: (n,) position in the session; -1 if unknown.
        response_ms: (n,) time to answer; NaN if unknown.
        flags: (n,) codes of sets of words such as "trap" or "training", parted by ';'.
        notes: sentences about what was done when the answers were read.
    """

    study: str
    rating_scale: RatingScale
    stimuli: tuple[Stimulus, ...]
    observers: tuple[str, ...]
    sessions: tuple[str, ...]
    flag_sets: tuple[str, ...]
    observer: Codes
    stimulus: Codes
    value: Floats
    left: Codes
    right: Codes
    choice: np.ndarray[Any, np.dtype[np.int8]]
    session: Codes
    repetition: Codes
    order: Codes
    response_ms: Floats
    flags: Codes
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.value)

    @property
    def is_rating(self) -> Mask:
        """(n,) whether a row is a rating rather than a choice."""
        rated: Mask = self.stimulus != NONE
        return rated

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stimuli."""
        return tuple(stimulus.name for stimulus in self.stimuli)

    @property
    def votes_per_stimulus(self) -> Floats:
        """(stimuli,) ratings of each."""
        kept = self.stimulus[self.is_rating]
        return np.bincount(kept, minlength=len(self.stimuli)).astype(np.float64)

    @property
    def votes_per_observer(self) -> Floats:
        """(observers,) ratings by each."""
        kept = self.observer[self.is_rating]
        return np.bincount(kept, minlength=len(self.observers)).astype(np.float64)

    @property
    def is_partial(self) -> bool:
        """Whether some observer did not rate some stimulus."""
        rated = self.is_rating
        cells = self.stimulus[rated].astype(np.int64) * len(self.observers) + self.observer[rated]
        return len(np.unique(cells)) < len(self.observers) * len(self.stimuli)

    def code_of(self, stimulus: str) -> int:
        """The code of a stimulus.

        Raises:
            InputError: there is no such stimulus.
        """
        try:
            return self.names.index(stimulus)
        except ValueError:
            raise InputError(
                f"No answer speaks of the stimulus {stimulus!r}.",
                hint="Names are compared letter by letter, with their suffix.",
            ) from None

    def has_flag(self, word: str) -> Mask:
        """(n,) rows whose flags contain a word."""
        sets = np.array([word in text.split(";") for text in self.flag_sets], dtype=np.bool_)
        found: Mask = sets[self.flags]
        return found

    def with_values(self, values: Floats, rating_scale: RatingScale | None = None) -> Answers:
        """The same answers with other ratings."""
        return replace(self, value=values, rating_scale=rating_scale or self.rating_scale)

    def select(self, rows: Mask) -> Answers:
        """Some of the rows; stimuli and observers that none of them mentions are left out.

        Raises:
            InputError: no row is left.
        """
        if not rows.any():
            raise InputError("No answer is left.", hint="Fewer should be taken out.")
        observers, observer = _compress(self.observers, self.observer[rows])
        columns = (self.stimulus[rows], self.left[rows], self.right[rows])
        stimuli, coded = _compress(self.stimuli, np.concatenate(columns))
        stimulus, left, right = np.split(coded, 3)
        return replace(
            self,
            stimuli=stimuli,
            observers=observers,
            observer=observer,
            stimulus=stimulus,
            left=left,
            right=right,
            value=self.value[rows],
            choice=self.choice[rows],
            session=self.session[rows],
            repetition=self.repetition[rows],
            order=self.order[rows],
            response_ms=self.response_ms[rows],
            flags=self.flags[rows],
        )

    def ratings(self) -> Answers:
        """The ratings alone, with the stimuli that were rated and without the pairs they stood in.

        Raises:
            InputError: there is none.
        """
        rated = self.is_rating
        if not rated.any():
            raise InputError(
                "There is no rating among the answers, only choices between two pictures.",
                hint="Scale choices with the method `pair`.",
            )
        if rated.all() and (self.left == NONE).all():
            return self
        nothing = np.full(len(self), NONE, dtype=np.int32)
        return replace(self, left=nothing, right=nothing).select(rated)

    def comparisons(self) -> Comparisons:
        """The choices between two pictures, for paired scaling.

        Raises:
            InputError: there is none.
        """
        from srqa.ratings.comparisons import Comparisons

        if not (~self.is_rating).any():
            raise InputError(
                "There is no choice between two pictures among the answers, only ratings.",
                hint="Ratings give mean opinion scores.",
            )
        kept = self.select(~self.is_rating)
        return Comparisons(
            items=kept.names,
            left=kept.left,
            right=kept.right,
            choice=kept.choice,
            observers=kept.observers,
            observer=kept.observer,
            order=kept.order if (kept.order != NONE).all() else None,
            identical=bool((kept.left == kept.right).any()),
        )


def from_matrix(
    matrix: Floats,
    stimuli: Sequence[str | Stimulus] | None = None,
    observers: Sequence[str] | None = None,
    rating_scale: RatingScale | None = None,
    study: str = "",
) -> Answers:
    """Answers from a table of stimuli by observers.

    Args:
        matrix: (stimuli, observers) or (stimuli, observers, repetitions); NaN was not rated.
        stimuli: their names; "1", "2", ... without.
        observers: their names; "1", "2", ... without.
        rating_scale: what values were possible; the narrowest standard scale without.
        study: a name.

    Returns:
        Answers in the order of stimuli.

    Raises:
        InputError: the table is empty, has the wrong shape, or holds values off the scale.

    Example:
        >>> answers = from_matrix(np.array([[4.0, 5.0], [2.0, np.nan]]))
        >>> len(answers), answers.is_partial
        (3, True)
    """
    cube = np.asarray(matrix, dtype=np.float64)
    cube = cube[:, :, None] if cube.ndim == 2 else cube
    if cube.ndim != 3 or cube.size == 0:
        raise InputError(f"A table of stimuli by observers is needed, not one of {cube.shape}.")
    names = stimuli if stimuli is not None else [str(j + 1) for j in range(cube.shape[0])]
    people = observers if observers is not None else [str(i + 1) for i in range(cube.shape[1])]
    if (len(names), len(people)) != cube.shape[:2]:
        raise InputError(
            f"There are {len(names)} names of stimuli and {len(people)} of observers "
            f"for a table of {cube.shape[0]} by {cube.shape[1]}."
        )
    facts = tuple(s if isinstance(s, Stimulus) else Stimulus(s) for s in names)
    for what, given in (("stimulus", [s.name for s in facts]), ("observer", list(people))):
        if len(set(given)) < len(given):
            twice = next(name for name in given if given.count(name) > 1)
            raise InputError(f"The {what} {twice!r} stands twice in the table.")
    rated = ~np.isnan(cube)
    if not rated.any():
        raise InputError("No cell of the table holds a rating.")
    if np.isinf(cube).any():
        raise InputError("A rating in the table is infinite.")
    stimulus, observer, repetition = (c.astype(np.int32) for c in np.nonzero(rated))
    value = cube[rated]
    empty = np.full(len(value), NONE, dtype=np.int32)
    found = Answers(
        study=study,
        rating_scale=rating_scale or infer_scale(value),
        stimuli=facts,
        observers=tuple(people),
        sessions=("",),
        flag_sets=("",),
        observer=observer,
        stimulus=stimulus,
        value=value,
        left=empty,
        right=empty,
        choice=np.zeros(len(value), dtype=np.int8),
        session=np.zeros(len(value), dtype=np.int32),
        repetition=repetition,
        order=empty,
        response_ms=np.full(len(value), math.nan),
        flags=np.zeros(len(value), dtype=np.int32),
    )
    check_values(found)
    if rating_scale is None:
        check_one_scale(found)
    lost = [s.name for s, n in zip(facts, found.votes_per_stimulus, strict=True) if n == 0]
    idle = [o for o, n in zip(people, found.votes_per_observer, strict=True) if n == 0]
    if not lost and not idle:
        return found
    notes = [f"No rating was given for {shortened(lost)}."] if lost else []
    notes += [f"No rating was given by {shortened(idle)}."] if idle else []
    return replace(found.select(np.ones(len(value), dtype=np.bool_)), notes=tuple(notes))


def infer_scale(values: Floats) -> RatingScale:
    """The narrowest of 1-5, 0-10, -3-3 and 0-100 that holds the values, else their range."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    for scale in STANDARD_SCALES:
        if scale.low <= low and high <= scale.high:
            return scale
    return RatingScale(low, high, step=0)


def check_values(answers: Answers) -> None:
    """Refuse values that lie off the scale.

    Raises:
        InputError: with the first such answer.
    """
    rated = np.flatnonzero(answers.is_rating)
    if not len(rated):
        return
    value, scale = answers.value[rated], answers.rating_scale
    off = rated[~((value >= scale.low) & (value <= scale.high))]
    if len(off):
        first = int(off[0])
        raise InputError(
            f"{len(off)} of {len(rated)} ratings lie outside the scale {scale}; the first is "
            f"{answers.value[first]:g}, by {answers.observers[answers.observer[first]]} for "
            f"{answers.stimuli[answers.stimulus[first]].name}.",
            hint="Name the scale that was used, or correct the table.",
        )


def check_one_scale(answers: Answers) -> None:
    """Refuse a table in which some observers seem to have used 1-5 and others 0-100.

    Raises:
        InputError: naming the observers.
    """
    rated = answers.is_rating
    value, observer = answers.value[rated], answers.observer[rated]
    if answers.rating_scale != CONTINUOUS:
        return
    people = len(answers.observers)
    votes = np.bincount(observer, minlength=people)
    on_five = np.isin(value, np.arange(ACR5.low, ACR5.high + 1))
    suspects = (votes >= 5) & (np.bincount(observer, on_five, people) == votes)
    total = np.bincount(observer, value, people)
    suspects &= ~np.isclose(total / np.maximum(votes, 1), 1.0)
    if suspects.any() and (value[~suspects[observer]] > ACR11.high).any():
        names = [answers.observers[i] for i in np.flatnonzero(suspects)]
        raise InputError(
            f"Two scales seem to be mixed: {shortened(names)} gave whole numbers from 1 to 5 only, "
            f"others values up to {value.max():g}.",
            hint="Keep studies on different scales in tables of their own, or name the scale.",
        )


def _compress(names: tuple[Any, ...], codes: Codes) -> tuple[tuple[Any, ...], Codes]:
    used = np.zeros(len(names) + 1, dtype=np.bool_)
    used[codes] = True
    used[NONE] = False
    renumbered = np.cumsum(used, dtype=np.int32) - 1
    renumbered[NONE] = NONE
    kept = tuple(name for name, there in zip(names, used, strict=False) if there)
    return kept, renumbered[codes].astype(np.int32)


def shortened(names: Sequence[str], most: int = 5) -> str:
    """Names for a sentence: the first few, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
