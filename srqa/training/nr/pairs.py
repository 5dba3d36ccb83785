"""Which of two samples of one place is better, how surely, and how much it counts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from srqa.training.nr.artefacts import ALWAYS_WORSE, UNORDERED
from srqa.training.nr.samples import Samples, mean_ranks

SURE = 0.98
"""How surely a sample is better than itself with an artefact."""
SHARES = {
    "one input": 0.22, "known": 0.09, "outputs": 0.13, "others": 0.08, "drill": 0.28, "blur": 0.2
}  # fmt: skip
"""What pairs of each kind count for at a place, together: real choices and artefacts in balance.

Of the drills, blur alone takes detail away and nearly all others add some: neither way may weigh
more, or a score would come to like the one or the other.
"""
_STEP, _STEP_WITHIN = 0.08, 0.2
"""Differences of labels that make odds of e to 1, over a place and within one input's outputs."""


class Pairs(NamedTuple):
    """Pairs of samples of one place.

    Attributes:
        first, second: numbers of the samples.
        target: how surely the first is better, 0 to 1.
        weight: what a pair counts; the sum over a place is 1.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    target: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]


def pairs(samples: Samples) -> Pairs:
    """All pairs of a place.

    Labels say which is better, but for two kinds of pairs. Outputs of one input, which is what
    people choose between, are ranked among themselves: in the ranks of the whole place they would
    all but tie. And a step of a series is known to be worse than the step before it, and than what
    it was laid on, wherever that is pristine or the artefact can mend nothing: labels are half
    blind to some artefacts, to grids of two pixels above all, which people see at once.
    """
    labels = samples.labels()
    first, second = np.triu_indices(len(labels), 1)
    target = _logistic((labels[first] - labels[second]) / _STEP)
    kind = np.full(len(first), "others", dtype="<U9")
    output = samples.families == "output"
    kind[output[first] | output[second]] = "outputs"

    together = output[first] & output[second] & (samples.groups[first] == samples.groups[second])
    kind[together] = "one input"
    within = labels.copy()
    for number in np.unique(samples.groups[output]):
        members = np.flatnonzero(output & (samples.groups == number))
        within[members] = mean_ranks(samples.measured[members])
    target[together] = _logistic((within[first] - within[second]) / _STEP_WITHIN)[together]

    known = _known(samples)  # of two, the better stands first
    surely = known[first, second]
    kind[surely] = "known"
    target[surely] = SURE
    known[:, : len(labels)] = False
    better, worse = np.nonzero(known)
    first, second = np.append(first, better), np.append(second, worse)
    target = np.append(target, np.full(len(better), SURE))
    kind = np.append(kind, np.where(samples.kinds[worse] == "blur", "blur", "drill"))
    weight = np.zeros(len(first))
    present = {name: share for name, share in SHARES.items() if (kind == name).any()}
    for name, share in present.items():
        weight[kind == name] = share / sum(present.values()) / (kind == name).sum()
    return Pairs(first, second, target, weight)


def _known(samples: Samples) -> npt.NDArray[np.bool_]:
    """Whether the first (row) of two samples is better (than the column) by how they were made."""
    n = len(samples.names)
    found = np.zeros((n, n), bool)
    sure = np.isin(samples.kinds, list(ALWAYS_WORSE)) | (samples.bases == 0)
    sure &= ~np.isin(samples.kinds, list(UNORDERED))
    stepped = np.isin(samples.families, ["series", "drill"])
    for at in np.flatnonzero(stepped & sure):
        found[samples.bases[at], at] = True
        same = stepped & (samples.groups == samples.groups[at])
        same &= samples.families == samples.families[at]
        found[np.flatnonzero(same[:at]), at] = True
    return found


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))
