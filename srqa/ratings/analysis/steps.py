"""Screening by name: steps in their order, each of which sees what the last one left."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings import control, screening
from srqa.ratings.answers import Answers, Floats, Mask, shortened
from srqa.ratings.screening import Flag, Screening

TRAINING = "training"
CONTROLS = ("training", "trap", "gold")
"""Answers with one of these flags are no opinions to be scaled."""
Expected = Mapping[str, float]
"""Name of a control stimulus to the value that is right."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check that can be named.

    Attributes:
        name: what the user says.
        argument: what may follow it after a colon, in words; '' if nothing may.
        summary: whom it flags.
        kind: of the answers that it looks at.
    """

    name: str
    argument: str
    summary: str
    kind: Literal["ratings", "choices", "all"]


CHECKS = (
    Check("bt500", "sureal", "votes far from the others' on both sides (BT.500)", "ratings"),
    Check("correlation", "THRESHOLD", "votes that follow the others' means badly", "ratings"),
    Check("p913", "", "the same over stimuli and over methods (P.913)", "ratings"),
    Check("gold", "TOLERANCE", "wrong on stimuli of known quality", "ratings"),
    Check("trap", "", "wrong where the answer was told", "all"),
    Check("time", "", "answers too fast or too late", "all"),
    Check("variance", "LEAST", "(nearly) the same rating throughout a session", "ratings"),
    Check("repeats", "MOST", "contradicts themselves when asked again", "ratings"),
    Check("far", "Z", "single votes many standard deviations away", "ratings"),
    Check("likelihood", "", "choices that the others' scale makes unlikely", "choices"),
)
_BY_NAME = {check.name: check for check in CHECKS}


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the screening did.

    Attributes:
        check: its name.
        settings: in words.
        observers: who was taken out as a whole.
        answers: single answers that were taken out besides.
        of: observers that were looked at.
        flags: who and why; rows are those of the answers as they were given.
        figures: name of a figure to its value for each observer of the given answers.
        notes: what a reader should know.
    """

    check: str
    settings: str
    observers: tuple[str, ...]
    answers: int
    of: int
    flags: tuple[Flag, ...]
    figures: Mapping[str, Floats]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Screened:
    """Answers that all steps left, and what is needed to undo them.

    Attributes:
        given: the answers as they were.
        kept: (rows of `given`,) which are left.
        answers: those.
        controls: how many answers were left aside for their flags, by flag.
        steps: in their order.
        notes: what a reader should know.
    """

    given: Answers
    kept: Mask
    answers: Answers
    controls: Mapping[str, int]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]

    @property
    def removed_observers(self) -> tuple[str, ...]:
        """Observers whom a step took out as a whole, in the order of the answers."""
        out = {name for step in self.steps for name in step.observers}
        return tuple(name for name in self.given.observers if name in out)


def screen(
    answers: Answers,
    steps: Sequence[str] = (),
    gold: Expected | None = None,
    trap: Expected | None = None,
) -> Screened:
    """Apply checks one after the other, and leave control questions aside.

    Args:
        answers: as they came.
        steps: names of `CHECKS` in their order, such as "trap" or "correlation:0.7".
        gold: stimuli of known quality and their values; they stay among the scores unless their
            answers carry the flag "gold".
        trap: stimuli that ask for a certain answer; they get no score.

    Returns:
        What is left. Each check sees the answers that the ones before left; all but "gold" and
        "trap" see no control questions.

    Raises:
        UsageError: an unknown check or a wrong argument.
        InputError: a check cannot be made of these answers, or nothing is left.

    Example:
        >>> from srqa.ratings.answers import from_matrix
        >>> votes = np.array([[1.0, 1, 5], [2, 2, 4], [3, 3, 3], [4, 4, 2], [5, 5, 1]])
        >>> screen(from_matrix(votes), ["correlation:0.5"]).removed_observers
        ('3',)
    """
    control_rows, counts = _controls(answers, trap)
    kept = ~answers.has_flag(TRAINING)
    done: list[Step] = []
    notes: list[str] = []
    for text in steps:
        name = text.partition(":")[0]
        seen = kept if name in ("gold", "trap") else kept & ~control_rows
        rows = np.flatnonzero(seen)
        if not len(rows):
            raise InputError(f"No answer is left for the check {name}.")
        part = answers.select(seen)
        left_gold, left_trap = _left(gold, answers, part), _left(trap, answers, part)
        if (name == "gold" and gold and not left_gold) or (
            name == "trap" and trap and not left_trap
        ):
            notes.append(f"No answer to a control question is left for the check {name}.")
            continue
        found = _run(text, part, left_gold, left_trap)
        step, removed = _applied(found, answers, part, rows)
        kept = kept & ~removed
        done.append(step)
        notes += step.notes
    left = kept & ~control_rows
    if not left.any():
        names = ", ".join(step.check for step in done)
        raise InputError(
            f"The checks {names} would take out every answer."
            if names
            else "No answer is left: all of them are flagged as training or control questions.",
            hint="Loosen them, or look at the answers again." if names else "",
        )
    final = answers if left.all() else answers.select(left)
    notes += _lost(answers.select(~control_rows), final) if done else []
    out = {name for step in done for name in step.observers}
    if len(out) > screening.SUSPICIOUS_SHARE * len(answers.observers):
        notes.append(
            f"{len(out)} of {len(answers.observers)} observers were taken out; more than a fifth "
            "hints at a fault of the study, or of the checks."
        )
    return Screened(answers, left, final, counts, tuple(done), tuple(dict.fromkeys(notes)))


def _left(expected: Expected | None, given: Answers, part: Answers) -> Expected | None:
    """Controls that are left; one that nobody was ever asked stays, to be complained about."""
    if not expected:
        return expected
    gone = set(given.names) - set(part.names)
    return {name: value for name, value in expected.items() if name not in gone}


def _controls(answers: Answers, trap: Expected | None) -> tuple[Mask, dict[str, int]]:
    rows = np.zeros(len(answers), dtype=np.bool_)
    counts = {}
    for word in CONTROLS:
        flagged = answers.has_flag(word)
        if word == "trap" and trap:
            codes = [answers.code_of(name) for name in trap]
            flagged = flagged | np.isin(answers.stimulus, codes)
        if flagged.any():
            counts[word] = int((flagged & ~rows).sum())
        rows |= flagged
    return rows, counts


def _applied(
    found: Screening, given: Answers, part: Answers, rows: np.ndarray[tuple[int], np.dtype[np.int_]]
) -> tuple[Step, Mask]:
    """The step in terms of the given answers, and which of their rows it takes out."""
    codes = {name: i for i, name in enumerate(given.observers)}
    flags = tuple(
        flag if flag.row is None else replace(flag, row=int(rows[flag.row])) for flag in found.flags
    )
    whole = dict.fromkeys(flag.observer for flag in flags if flag.row is None)
    single = [flag.row for flag in flags if flag.row is not None]
    removed = np.isin(given.observer, [codes[name] for name in whole])
    removed[single] = True
    place = {name: i for i, name in enumerate(part.observers)}
    where = np.array([place.get(name, -1) for name in given.observers])
    figures = {key: np.append(values, math.nan)[where] for key, values in found.figures.items()}
    step = Step(
        found.check, found.settings, tuple(whole), len(single), len(part.observers), flags, figures,
        found.notes,
    )  # fmt: skip
    return step, removed


def _lost(before: Answers, after: Answers) -> list[str]:
    lost = sorted(set(before.names) - set(after.names))
    return [f"No answer is left about {shortened(lost)}."] if lost else []


def _run(text: str, answers: Answers, gold: Expected | None, trap: Expected | None) -> Screening:
    name, _, argument = text.partition(":")
    if name not in _BY_NAME:
        raise UsageError(
            f"There is no check {name!r}.", hint=f"Known are {', '.join(c.name for c in CHECKS)}."
        )
    check = _BY_NAME[name]
    if argument and not check.argument:
        raise UsageError(f"The check {name} takes no {argument!r}.")
    if check.kind == "choices":
        return _likelihood(answers)
    if name == "bt500":
        if argument not in ("", "sureal"):
            raise UsageError(f"The check bt500 knows no {argument!r}, only bt500:sureal.")
        return screening.bt500(answers, "sureal" if argument else "standard")
    if name == "gold":
        expected = _needed(name, gold)
        return control.gold(answers, expected, _number(text, 1.0))
    if name == "trap":
        if trap or answers.is_rating.all():
            return control.trap(answers, _needed(name, trap))
        return control.wrong_choices(answers)
    if name == "correlation":
        return screening.correlation(answers, _number(text, math.nan) if argument else None)
    if name == "far":
        return control.far_votes(answers, _number(text, 3.29))
    if name == "variance":
        return control.variance(answers, _number(text, 0.15))
    if name == "repeats":
        return control.repeats(answers, _number(text, 1.0))
    plain: dict[str, Callable[[Answers], Screening]] = {
        "p913": screening.p913,
        "time": control.response_time,
    }
    return plain[name](answers)


def _needed(name: str, expected: Expected | None) -> Expected:
    if not expected:
        raise UsageError(
            f"The check {name} needs to know which stimuli are asked for what.",
            hint=f"On the command line, --{name} names a CSV file with columns stimulus and value.",
        )
    return expected


def _number(text: str, default: float) -> float:
    name, _, argument = text.partition(":")
    if not argument:
        return default
    try:
        number = float(argument)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{argument!r} in the check {name}:{argument} is not a number.")
    return number


def _likelihood(answers: Answers) -> Screening:
    """Observers far below the others in the likelihood of their choices."""
    from srqa.ratings.paired import scale_pairs
    from srqa.ratings.paired_checks import OUT_OF_LINE, observers_out_of_line

    pairs = answers.comparisons()
    fits = observers_out_of_line(pairs, scale_pairs(pairs))
    flags = tuple(Flag("likelihood", f.observer, None, f.reason) for f in fits if f.flagged)
    found = {f.observer: f.distance for f in fits}
    distance = np.array([found.get(name, math.nan) for name in answers.observers])
    settings = f"more than {OUT_OF_LINE:g} interquartile ranges below the first quartile"
    return Screening("likelihood", settings, flags, {"distance": distance})
