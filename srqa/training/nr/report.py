"""How well a head does on photographs that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srqa.training.nr.fitting import Checked, Judged
from srqa.training.nr.pairs import SURE
from srqa.training.nr.samples import Samples

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
        every step of a series below the one before; and counts.
    """
    from scipy.stats import spearmanr

    each, names, choices, below = [], [], [], []
    series: dict[str, list[bool]] = {}
    guarded: dict[str, list[bool]] = {}
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
        for kind, passed in _guarded(samples, sums).items():
            guarded.setdefault(kind, []).append(passed)
    low, high = _interval(np.array(each), np.array(names), seed)
    return {
        "srocc": round(float(np.mean(each)), 4),
        "srocc interval": [round(low, 4), round(high, 4)],
        "one input": round(float(np.mean(choices)), 4) if choices else None,
        "pristine": round(float(np.mean(below)), 4),
        "series": _shares(series),
        "guards": _shares(guarded),
        "decay": checked.decay,
        "photographs": len(set(names)),
        "places": len(places),
        "samples": sum(len(place.samples.names) for place in places),
    }


def _guarded(samples: Samples, sums: Any) -> dict[str, bool]:
    """For each guard whether scores fall from the pristine crop on, step by step."""
    guard = samples.families == "guard"
    passed = {}
    for kind in dict.fromkeys(samples.kinds[guard].tolist()):
        steps = np.append(sums[0], sums[guard & (samples.kinds == kind)])
        passed[kind] = bool((np.diff(steps) < 0).all())
    return passed


def _shares(found: dict[str, list[bool]]) -> dict[str, float]:
    return {kind: round(float(np.mean(each)), 4) for kind, each in sorted(found.items())}


def _interval(values: Any, names: Any, seed: int) -> tuple[float, float]:
    """95 % of the mean, whole photographs being drawn again."""
    unique, at = np.unique(names, return_inverse=True)
    totals, counts = np.bincount(at, values), np.bincount(at)
    drawn = np.random.default_rng(seed).integers(0, len(unique), (_REPLICATES, len(unique)))
    means = totals[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
