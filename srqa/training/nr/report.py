"""How well a head does on photographs that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srqa.training.nr.fitting import Checked, Judged
from srqa.training.nr.pairs import SURE

_REPLICATES = 2000


def figures(places: Sequence[Judged], checked: Checked, seed: int = 0) -> dict[str, Any]:
    """What cross-validation found, as plain values.

    Returns:
        "srocc": the mean over places of Spearman's correlation of scores with labels, and "srocc
        interval": 95 % by bootstrap over photographs; "one input": the share of pairs of outputs of
        one input that are ordered as the labels have them; "pristine": the share of samples that
        score below their pristine crop; "series": for each kind of artefact the share of steps that
        score below the step before, on the pristine crop; and counts.
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
    low, high = _interval(np.array(each), np.array(names), seed)
    return {
        "srocc": round(float(np.mean(each)), 4),
        "srocc interval": [round(low, 4), round(high, 4)],
        "one input": round(float(np.mean(choices)), 4) if choices else None,
        "pristine": round(float(np.mean(below)), 4),
        "series": {kind: round(float(np.mean(found)), 4) for kind, found in sorted(series.items())},
        "decay": checked.decay,
        "photographs": len(set(names)),
        "places": len(places),
        "samples": sum(len(place.samples.names) for place in places),
    }


def _interval(values: Any, names: Any, seed: int) -> tuple[float, float]:
    """95 % of the mean, whole photographs being drawn again."""
    unique, at = np.unique(names, return_inverse=True)
    totals, counts = np.bincount(at, values), np.bincount(at)
    drawn = np.random.default_rng(seed).integers(0, len(unique), (_REPLICATES, len(unique)))
    means = totals[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
