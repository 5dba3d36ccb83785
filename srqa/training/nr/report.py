"""How well a head does on photographs that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from srqa.training.nr.fitting import Checked, Judged
from srqa.training.nr.guards import held
from srqa.training.nr.pairs import SURE

PURPOSE = {
    "for": "choosing among several outputs of one content: which of them people would probably "
    "prefer",
    "not for": "comparing different contents, or telling true detail from invented",
    "learned": "without people: from ranks by other metrics against a pristine crop, and from "
    "artefacts in steps",
}
"""What the card of every head says first."""
_REPLICATES = 2000


def figures(places: Sequence[Judged], checked: Checked, seed: int = 0) -> dict[str, Any]:
    """What cross-validation found, as plain values.

    Returns:
        "srocc": the mean over places of Spearman's correlation of scores with labels, and "srocc
        interval": 95 % by bootstrap over photographs; "one input": the share of pairs of outputs of
        one input that are ordered as the labels have them; "pristine": the share of samples that
        score below their pristine crop; "series": for each kind of artefact the share of steps that
        score below the step before, on the pristine crop; "guards": for each of
        `srqa.training.nr.guards` the share of places at which it scores below the pristine crop,
        every step of a series below the one before, and "guards interval" as for "srocc"; and
        counts.
    """
    from scipy.stats import spearmanr

    each, names, choices, below = [], [], [], []
    series: dict[str, list[bool]] = {}
    for place, sums in zip(places, checked.sums, strict=True):
        samples, pairs = place.samples, place.pairs
        labels = samples.labels()
        each.append(float(spearmanr(sums[: len(labels)], labels).statistic))
        names.append(place.photograph)
        right = sums[pairs.first] > sums[pairs.second]
        output = samples.families == "output"
        one = output[pairs.first] & output[pairs.second]
        one &= samples.groups[pairs.first] == samples.groups[pairs.second]
        one &= np.abs(pairs.target - 0.5) > 0.05
        choices += list(right[one] == (pairs.target[one] > 0.5))
        below.append(float((sums[1 : len(labels)] < sums[0]).mean()))
        steps = (pairs.target == SURE) & (samples.bases[pairs.second] == 0)
        for at in np.flatnonzero(steps):
            series.setdefault(str(samples.kinds[pairs.second[at]]), []).append(bool(right[at]))
    parted = np.array(names)
    guarded = held([place.samples for place in places], checked.sums)
    low, high = interval(np.array(each), parted, seed)
    return {
        "srocc": round(float(np.mean(each)), 4),
        "srocc interval": [low, high],
        "one input": round(float(np.mean(choices)), 4) if choices else None,
        "pristine": round(float(np.mean(below)), 4),
        "series": _shares(series),
        "guards": _shares(guarded),
        "guards interval": {
            kind: list(interval(each.astype(float), parted, seed)) for kind, each in guarded.items()
        },
        "decay": checked.decay,
        "photographs": len(set(names)),
        "places": len(places),
        "samples": sum(len(place.samples.names) for place in places),
    }


def _shares(found: Mapping[str, Any]) -> dict[str, float]:
    return {kind: round(float(np.mean(each)), 4) for kind, each in sorted(found.items())}


def interval(values: Any, names: Any, seed: int) -> tuple[float, float]:
    """95 % of the mean, whole photographs being drawn again."""
    unique, at = np.unique(names, return_inverse=True)
    totals, counts = np.bincount(at, values), np.bincount(at)
    drawn = np.random.default_rng(seed).integers(0, len(unique), (_REPLICATES, len(unique)))
    means = totals[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)
