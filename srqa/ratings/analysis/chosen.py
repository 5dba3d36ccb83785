"""The part of an analysis that is about choices between two pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from srqa.errors import InputError
from srqa.ratings.analysis.choices import Choices
from srqa.ratings.analysis.rated import Progress
from srqa.ratings.analysis.standings import MOST, Standings, no_standings, of_scale
from srqa.ratings.answers import Answers, Stimulus, shortened
from srqa.ratings.comparisons import Comparisons
from srqa.ratings.paired import PairedScale, scale_pairs
from srqa.ratings.paired_checks import (
    CyclicTriads,
    GoodnessOfFit,
    ObserverFit,
    cyclic_triads,
    goodness_of_fit,
    observers_out_of_line,
)

MODELS: dict[str, Literal["thurstone", "bradley-terry"]] = {
    "jod": "thurstone",
    "bt": "bradley-terry",
}
_MOST_REFITS = 60_000
"""Items times observers up to which the scale is fitted again without each observer."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What an analysis makes of choices.

    Attributes:
        comparisons: that were scaled.
        facts: what is known of each item of the scale.
        scale: of the stimuli; values of different contents have zeros of their own where no
            comparison links them.
        methods: the scale of the methods over all contents; None where items are not methods on
            contents, or there is one content only.
        observers: how each agrees with the others; empty where nobody is named or it would take
            too long.
        triads: contradictions of each observer.
        fit: goodness of fit of `scale`.
        standings: of the methods, else of the stimuli.
        notes: what a reader must know.
    """

    comparisons: Comparisons
    facts: tuple[Stimulus, ...]
    scale: PairedScale
    methods: PairedScale | None
    observers: tuple[ObserverFit, ...]
    triads: tuple[CyclicTriads, ...]
    fit: GoodnessOfFit
    standings: Standings
    notes: tuple[str, ...]


def analyze_choices(answers: Answers, choices: Choices, progress: Progress | None = None) -> Chosen:
    """A scale, how it fits, who is out of line, and what is told apart.

    Args:
        answers: with choices.
        choices: settled ones.
        progress: called with what is being done, how much of it, of how much (0: unknown).

    Raises:
        InputError: as `srqa.ratings.paired.scale_pairs`; for triplets, a pair without a common
            reference.
    """
    say = progress or (lambda what, done, total: None)
    picked = answers.select(~answers.is_rating)
    comparisons = picked.comparisons()
    if choices.method == "triplet":
        _check_pivots(picked)
    say("Scaling choices", 0, 0)
    scale = _scaled(comparisons, choices, choices.anchor)
    notes = list(scale.notes)
    pooled = _by_method(picked, comparisons)
    methods = None
    if pooled is not None:
        methods = _scaled(pooled, choices, None)
        notes = [note for note in notes if not note.startswith("No comparison links")]
        known = {note.partition(" by ")[0] for note in notes}
        notes += [note for note in methods.notes if note.partition(" by ")[0] not in known]
        notes.append(
            "Each content has a zero of its own; the scale of methods takes all contents together."
        )
    observers: tuple[ObserverFit, ...] = ()
    people = len(np.unique(comparisons.observer))
    if people > 2 and people * len(scale.items) <= _MOST_REFITS:
        say("Scaling without each observer", 0, 0)
        observers = tuple(observers_out_of_line(comparisons, scale))
        out = [fit.observer for fit in observers if fit.flagged]
        if out:
            notes.append(f"Far from the others' scale, a reason to look: {shortened(out)}.")
    fit = goodness_of_fit(scale)
    standings = _standings(comparisons, scale, pooled, methods, choices, say)
    notes += [*fit.notes, *standings.notes]
    return Chosen(
        comparisons=comparisons,
        facts=picked.stimuli,
        scale=scale,
        methods=methods,
        observers=observers,
        triads=tuple(cyclic_triads(comparisons, scale)) if people > 1 else (),
        fit=fit,
        standings=standings,
        notes=tuple(dict.fromkeys(notes)),
    )


def _scaled(comparisons: Comparisons, choices: Choices, anchor: str | None) -> PairedScale:
    return scale_pairs(
        comparisons,
        model=MODELS[choices.scale or "jod"],
        ties=choices.ties or "model",
        side_bias=choices.side_bias,
        prior=choices.prior or "gaussian",
        sigma=choices.sigma or 2.0,
        reference=anchor,
        level=choices.level,
    )


def _standings(
    comparisons: Comparisons,
    scale: PairedScale,
    pooled: Comparisons | None,
    methods: PairedScale | None,
    choices: Choices,
    say: Progress,
) -> Standings:
    def count(done: int, total: int) -> None:
        say("Drawing observers again", done, total)

    if methods is not None and pooled is not None:
        return of_scale(pooled, methods, choices, "methods", count)
    if len(scale.items) > MOST:
        return no_standings(
            choices,
            [
                f"{len(scale.items)} items are too many to be compared each with each; "
                "jod_covariance holds what the interval of a difference needs."
            ],
        )
    if int(scale.groups.max()) > 0:
        return no_standings(
            choices,
            [
                "Pictures that no comparison links have no common order, so none are compared. "
                "With methods on contents (named content/method), methods would be."
            ],
        )
    return of_scale(comparisons, scale, choices, "stimuli", count)


def _by_method(answers: Answers, comparisons: Comparisons) -> Comparisons | None:
    """The same choices as choices between methods, where every pair shows one content."""
    stimuli = answers.stimuli
    names = _method_names(stimuli)
    places = [(s.dataset, s.content, s.scale) for s in stimuli]
    codes = {place: i for i, place in enumerate(dict.fromkeys(places))}
    place = np.array([codes[p] for p in places])
    if len(codes) < 2 or "" in names or (place[comparisons.left] != place[comparisons.right]).any():
        return None
    methods = tuple(dict.fromkeys(names))
    method = np.array([methods.index(name) for name in names], dtype=np.int32)
    left, right = method[comparisons.left], method[comparisons.right]
    if len(methods) < 2 or len(methods) == len(stimuli) or (left == right).all():
        return None
    return replace(
        comparisons, items=methods, left=left, right=right, identical=bool((left == right).any())
    )


def _method_names(stimuli: tuple[Stimulus, ...]) -> list[str]:
    referred = {s.reference for s in stimuli if s.reference}
    return [s.method or ("reference" if s.name in referred else "") for s in stimuli]


def _check_pivots(answers: Answers) -> None:
    for row in range(len(answers)):
        left, right = (answers.stimuli[c[row]] for c in (answers.left, answers.right))
        if (left.reference or left.name) != (right.reference or right.name):
            raise InputError(
                f"{left.name} and {right.name} have no reference in common that could have been "
                "the pivot.",
                hint="Fill the column `reference`, or use the method pair.",
            )


def side_share(comparisons: Comparisons) -> float:
    """Share of the left among decided choices; NaN without any."""
    decided = comparisons.choice != 0
    weights = comparisons.row_weights
    total = float(weights[decided].sum())
    return float(weights[comparisons.choice > 0].sum()) / total if total else math.nan
