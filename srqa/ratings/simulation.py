"""Synthetic observers: what a population would answer, and what is true of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from srqa.errors import UsageError
from srqa.ratings.answers import ACR5, Answers, Floats, RatingScale, from_matrix

_NODES = 64


@dataclass(frozen=True, slots=True)
class Population:
    """The people that observers are drawn from.

    A rating is ``quality + bias + inconsistency * noise``, rounded to the scale's steps and cut off
    at its ends; in a lapse any category comes with equal chance.

    Attributes:
        bias: standard deviation of the observers' biases.
        inconsistency: median of the observers' standard deviations.
        inconsistency_spread: standard deviation of their logarithm.
        lapses: share of answers given without looking.
        scale: what values are possible.
    """

    bias: float = 0.35
    inconsistency: float = 0.55
    inconsistency_spread: float = 0.4
    lapses: float = 0.0
    scale: RatingScale = ACR5

    def expected(self, quality: Floats) -> Floats:
        """The population's expected rating after rounding and clipping: what MOS estimates.

        Args:
            quality: (n,) before rounding and clipping.
        """
        from scipy.stats import norm

        middles = norm.ppf((np.arange(_NODES) + 0.5) / _NODES)
        inconsistency = self.inconsistency * np.exp(self.inconsistency_spread * middles)
        spread = np.sqrt(self.bias**2 + inconsistency**2)
        levels = self._levels()
        borders = (levels[1:] + levels[:-1]) / 2
        above = norm.sf((borders[:, None, None] - quality[:, None]) / spread)
        seen = levels[0] + (np.diff(levels)[:, None] * above.mean(axis=-1)).sum(axis=0)
        found: Floats = (1 - self.lapses) * seen + self.lapses * levels.mean()
        return found

    def _levels(self) -> Floats:
        step = self.scale.step or (self.scale.high - self.scale.low) / 100
        return np.arange(self.scale.low, self.scale.high + step / 2, step)


def simulate(
    quality: Floats,
    observers: int,
    votes_per_observer: int | None,
    population: Population,
    rng: np.random.Generator,
) -> Answers:
    """Ratings of a full or of a balanced partial design.

    Args:
        quality: (stimuli,) before rounding and clipping.
        observers: drawn anew from the population.
        votes_per_observer: different stimuli that each rates, so that all get (nearly) the same
            number of votes; None for all stimuli.
        population: the people.
        rng: of chance.

    Raises:
        UsageError: more votes than stimuli are asked of an observer.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> len(simulate(np.linspace(1.5, 4.5, 10), 8, 5, Population(), rng))
        40
    """
    size = len(quality)
    votes = size if votes_per_observer is None else votes_per_observer
    if not 0 < votes <= size:
        raise UsageError(f"An observer cannot give {votes} votes for {size} stimuli, one each.")
    seen = assign(size, observers, votes, rng)
    bias = rng.normal(0, population.bias, observers)
    noise = population.inconsistency * np.exp(
        rng.normal(0, population.inconsistency_spread, observers)
    )
    levels = population._levels()
    chance = rng.standard_normal(seen.shape)
    latent = quality[seen] + bias[:, None] + noise[:, None] * chance
    step = levels[1] - levels[0]
    place = np.clip(np.rint((latent - levels[0]) / step), 0, len(levels) - 1).astype(int)
    lapsed = rng.random(place.shape) < population.lapses
    place = np.where(lapsed, rng.integers(0, len(levels), place.shape), place)
    matrix = np.full((size, observers), np.nan)
    np.put_along_axis(matrix, seen.T, levels[place].T, axis=0)
    return from_matrix(matrix, rating_scale=population.scale)


def assign(
    stimuli: int, observers: int, votes: int, rng: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(observers, votes) stimuli, none twice for an observer, each nearly as often as any other."""
    given = np.empty((observers, votes), dtype=np.int64)
    waiting: list[int] = []
    for row in given:
        taken: list[int] = []
        while len(taken) < votes:
            left = [stimulus for stimulus in waiting if stimulus not in taken]
            fresh = left[: votes - len(taken)]
            taken += fresh
            waiting = [stimulus for stimulus in waiting if stimulus not in fresh]
            if len(taken) < votes:
                waiting += [int(stimulus) for stimulus in rng.permutation(stimuli)]
        row[:] = taken
    return given
