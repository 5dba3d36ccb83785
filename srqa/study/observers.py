"""Synthetic people: they have a bias, are inconsistent, lapse, and prefer a side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from srqa.ratings.answers import RatingScale
from srqa.ratings.simulation import Population
from srqa.study.methods import Method
from srqa.study.study import Study

JOD_SD = 1.4826
"""Standard deviation of a difference in JOD, so that 1 JOD is preferred in 75 % of the cases."""
TIE_JOD = 0.35
"""Differences that seem smaller are no difference."""
REFERENCE, GOLD = 4.7, 0.6
"""Qualities of references and of control pictures, which are spoilt."""


@dataclass(frozen=True, slots=True)
class People:
    """What synthetic observers are like, on a scale from 1 to 5.

    Attributes:
        bias: standard deviation between observers.
        inconsistency: median standard deviation of an observer's answers.
        spread: of the logarithm of the inconsistency.
        lapses: share of answers given without looking.
        side: standard deviation of the preference for the left, in JOD.
    """

    bias: float = 0.35
    inconsistency: float = 0.55
    spread: float = 0.4
    lapses: float = 0.02
    side: float = 0.1

    def population(self, scale: RatingScale) -> Population:
        """The same people for `srqa.ratings.simulation`, on another scale."""
        unit = unit_of(scale)
        return Population(
            self.bias * unit, self.inconsistency * unit, self.spread, self.lapses, scale
        )


def unit_of(scale: RatingScale) -> float:
    """A step of a 5-point scale."""
    return (scale.high - scale.low) / 4


@dataclass(frozen=True, slots=True)
class Truth:
    """How good the stimuli really are.

    Attributes:
        quality: number of a stimulus to its quality on a scale from 1 to 5 (0 to 4 above the
            lowest), before rounding and clipping.
    """

    quality: Mapping[int, float]

    def latent(self, study: Study, scale: RatingScale) -> dict[int, float]:
        """The latent ratings of the test stimuli on a study's own scale."""
        unit = unit_of(scale)
        rows = study.stimuli
        if study.definition.method != "ccr":
            return {k: scale.low + (q - 1) * unit for k, q in self.quality.items()}
        by_name = {row["name"]: row["id"] for row in rows.values()}
        return {
            k: (q - self.quality[by_name[rows[k]["reference"]]]) * unit
            for k, q in self.quality.items()
            if rows[k]["reference"] in by_name
        }


def draw_truth(study: Study, rng: np.random.Generator) -> Truth:
    """Qualities of methods, contents and their meeting; references are best, spoilt ones worst."""
    rows = sorted(study.stimuli.values(), key=lambda row: row["name"])
    methods = sorted(
        {(row["method"], row["scale"]) for row in rows if row["role"] == "test"}, key=str
    )
    contents = sorted({(row["dataset"], row["content"]) for row in rows})
    steps = np.linspace(-1.1, 1.1, len(methods)) if len(methods) > 1 else np.zeros(1)
    level = dict(zip(methods, rng.permutation(steps), strict=True))
    shift = dict(zip(contents, rng.normal(0, 0.35, len(contents)), strict=True))
    quality = {}
    for row in rows:
        chance = float(rng.normal(0, 0.25))
        if row["role"] == "gold":
            quality[row["id"]] = GOLD
        elif row["role"] == "reference":
            quality[row["id"]] = REFERENCE
        else:
            place = level.get((row["method"], row["scale"]), 0.0)
            made = 3.0 + place + shift[row["dataset"], row["content"]] + chance
            quality[row["id"]] = float(np.clip(made, 1.0, 4.8))
    return Truth(quality)


class Observer:
    """One synthetic person."""

    def __init__(self, people: People, method: Method, scale: RatingScale, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.people, self.method, self.scale = people, method, scale
        unit = unit_of(scale) if method.kind != "choice" else 1.0
        self.bias = float(self.rng.normal(0, people.bias)) * unit
        factor = math.exp(self.rng.normal(0, people.spread))
        self.noise = people.inconsistency * factor * unit
        self.factor = factor
        self.side = float(self.rng.normal(0, people.side))

    def rate(self, latent: float) -> float:
        """A rating of what seems as good as `latent`."""
        step = self.scale.step or (self.scale.high - self.scale.low) / 100
        levels = np.arange(self.scale.low, self.scale.high + step / 2, step)
        seen = latent + self.bias + self.noise * float(self.rng.standard_normal())
        place = int(np.clip(np.rint((seen - levels[0]) / step), 0, len(levels) - 1))
        if self.rng.random() < self.people.lapses:
            place = int(self.rng.integers(len(levels)))
        return float(levels[place])

    def choose(self, left: float, right: float, values: Sequence[str]) -> str:
        """A choice between two qualities (in JOD)."""
        if self.rng.random() < self.people.lapses:
            return str(values[int(self.rng.integers(len(values)))])
        noise = JOD_SD * self.factor * float(self.rng.standard_normal())
        seen = left - right + self.side + noise
        if "tie" in values and abs(seen) < TIE_JOD:
            return "tie"
        return "left" if seen > 0 else "right"

    def response_ms(self) -> float:
        """How long an answer takes."""
        return 1000 * self.method.seconds * math.exp(float(self.rng.normal(-0.25, 0.4)))
