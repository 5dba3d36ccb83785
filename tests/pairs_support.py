"""Simulated choices between pairs."""

import numpy as np

from srqa.ratings.choice_models import ChoiceModel
from srqa.ratings.comparisons import Comparisons


def simulated(values, left, right, rng, *, model="thurstone", ties="none", tie=0.0, side=0.0,
              observers=30):  # fmt: skip
    """Answers to pairs by people who follow the model; `tie` and `side` in JOD (log nu: as is)."""
    choice = ChoiceModel(model, ties)
    unit = choice.jod_per_unit
    eta = (values[left] - values[right] + side) / unit
    p = choice.probabilities(eta, tie if ties == "davidson" else tie / unit)
    drawn = rng.random(len(left))
    answer = np.where(drawn < p[:, 0], 1, np.where(drawn < p[:, 0] + p[:, 1], 0, -1))
    people = tuple(f"o{k}" for k in range(observers))
    return Comparisons(
        items=tuple(f"i{k}" for k in range(len(values))),
        left=np.asarray(left),
        right=np.asarray(right),
        choice=answer,
        observers=people,
        observer=rng.permutation(len(left)) % observers,
    )


def full_design(items, times, rng):
    """All pairs, `times` each, sides by chance."""
    first, second = np.triu_indices(items, 1)
    first, second = np.tile(first, times), np.tile(second, times)
    turned = rng.random(len(first)) < 0.5
    return np.where(turned, second, first), np.where(turned, first, second)


def partial_design(items, count, rng):
    """Pairs at random, sides by chance, every item linked to the next at least once."""
    left = np.concatenate([np.arange(items - 1), rng.integers(0, items, count)])
    step = np.concatenate([np.ones(items - 1, int), rng.integers(1, items, count)])
    right = (left + step) % items
    turned = rng.random(len(left)) < 0.5
    return np.where(turned, right, left), np.where(turned, left, right)
