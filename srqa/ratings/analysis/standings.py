"""Which method (or picture) stands before which: one shape for ratings and for choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from srqa.ratings.analysis.choices import Choices
from srqa.ratings.answers import Floats
from srqa.ratings.between import MethodDifference, Ranking
from srqa.ratings.comparisons import Comparisons
from srqa.ratings.paired import PairedScale
from srqa.statistics.multiple import benjamini_hochberg, letters
from srqa.statistics.paired import holm

if TYPE_CHECKING:
    import pandas as pd

MOST = 120
"""Items that are compared each with each."""
FEW_OBSERVERS = 10
"""Below, observers are not drawn again for simultaneous intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """From the best to the worst, in tiers.

    Attributes:
        of: what is compared: "methods" over all contents, or "stimuli".
        unit: of the numbers: MOS, DMOS, CMOS or JOD.
        names: the best first; empty where nothing is compared.
        values: of each; low, high: their 95 % intervals, NaN for means of ratings.
        tiers: letters of each; those that share one are not told apart.
        differences: all pairs, the better one first.
        test, correction, margin: how they were tested.
        notes: what a reader must know.
    """

    of: Literal["methods", "stimuli"]
    unit: str
    names: tuple[str, ...]
    values: Floats
    low: Floats
    high: Floats
    tiers: tuple[str, ...]
    differences: tuple[MethodDifference, ...]
    test: str
    correction: str
    margin: float
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The differences as pandas: the table `differences`."""
        import pandas as pd

        names = list(MethodDifference.__dataclass_fields__)
        rows = [{n: getattr(d, n) for n in names} for d in self.differences]
        return pd.DataFrame(rows, columns=names)


def unit_of(method: str) -> str:
    """The name of the scores that a method gives."""
    return {"acr": "MOS", "ccr": "CMOS", "pair": "JOD", "triplet": "JOD"}.get(method, "DMOS")


def no_standings(choices: Choices, notes: Sequence[str] = ()) -> Standings:
    """Nothing was compared."""
    nothing = np.zeros(0)
    return Standings(
        "methods", unit_of(choices.method), (), nothing, nothing, nothing, (), (), "", "",
        choices.margin or math.nan, tuple(notes),
    )  # fmt: skip


def of_ranking(ranking: Ranking, choices: Choices, higher: bool) -> Standings:
    """The tests over observers; with losses, the signs are turned back."""
    sign = 1.0 if higher else -1.0
    differences = ranking.differences
    if not higher:
        differences = tuple(
            replace(d, mean=-d.mean, ci_low=-d.ci_high, ci_high=-d.ci_low) for d in differences
        )
    nothing = np.full(len(ranking.methods), math.nan)
    return Standings(
        of="methods",
        unit=unit_of(choices.method),
        names=ranking.methods,
        values=sign * np.array(ranking.means),
        low=nothing,
        high=nothing,
        tiers=ranking.tiers,
        differences=differences,
        test=ranking.test,
        correction=ranking.correction,
        margin=ranking.margin,
        notes=ranking.notes,
    )


def of_scale(
    comparisons: Comparisons,
    scale: PairedScale,
    choices: Choices,
    of: Literal["methods", "stimuli"],
    progress: Callable[[int, int], None] | None = None,
) -> Standings:
    """Differences on a scale from choices, with simultaneous intervals where observers allow."""
    from srqa.ratings.paired_bootstrap import simultaneous_intervals

    order = np.argsort(-scale.jod, kind="stable")
    low, high = scale.intervals.T
    n = len(order)
    first, second = np.triu_indices(n, 1)
    covariance = scale.covariance()
    spread = np.diag(covariance)
    gaps = scale.jod[order[first]] - scale.jod[order[second]]
    variance = spread[order[first]] + spread[order[second]]
    variance = variance - 2 * covariance[order[first], order[second]]
    se = np.sqrt(np.maximum(variance, 0))
    linked = scale.groups[order[first]] == scale.groups[order[second]]
    gaps, se = np.where(linked, gaps, math.nan), np.where(linked, se, math.nan)
    normal = NormalDist()
    p = np.array([_two_sided(g, s) for g, s in zip(gaps, se, strict=True)])
    half = normal.inv_cdf((1 + choices.level) / 2) * se
    correction = choices.correction or "holm"
    notes: list[str] = []
    if correction == "max-t":
        found = simultaneous_intervals(
            comparisons, scale, choices.level, seed=choices.seed,
            progress=progress,
        )  # fmt: skip
        notes += found.notes
        place = {(int(i), int(j)): k for k, (i, j) in enumerate(zip(found.first, found.second, strict=True))}  # noqa: E501  # fmt: skip
        codes = [
            place.get((min(i, j), max(i, j)), -1)
            for i, j in zip(order[first].tolist(), order[second].tolist(), strict=True)
        ]
        index = np.array(codes, dtype=np.int64)
        se = np.append(found.se, math.nan)[index]
        half = found.critical * se
        p = np.array([_two_sided(g, s) for g, s in zip(gaps, se, strict=True)])
        told = np.nan_to_num(np.abs(gaps) - half, nan=-1.0) > 0
        adjusted = np.full(len(p), math.nan)
    else:
        corrections: dict[str, Callable[[Sequence[float]], list[float]]] = {
            "holm": holm, "bh": benjamini_hochberg, "none": list,
        }  # fmt: skip
        adjusted = np.array(corrections[correction](p.tolist()), dtype=np.float64)
        told = np.nan_to_num(adjusted, nan=1.0) < choices.alpha
    apart = np.zeros((n, n), dtype=np.bool_)
    apart[first, second] = apart[second, first] = told
    margin = choices.margin or 0.3
    votes = len(np.unique(comparisons.observer))
    differences = tuple(
        _difference(
            (scale.items[order[first[k]]], scale.items[order[second[k]]]),
            (float(gaps[k]), float(half[k]), float(se[k])),
            (float(p[k]), float(adjusted[k])), bool(told[k]), margin, choices.alpha, votes,
        )
        for k in range(len(first))
    )  # fmt: skip
    return Standings(
        of=of,
        unit="JOD",
        names=tuple(scale.items[i] for i in order),
        values=scale.jod[order],
        low=low[order],
        high=high[order],
        tiers=tuple(letters(apart)),
        differences=differences,
        test="wald" if correction != "max-t" else "bootstrap over observers",
        correction=correction,
        margin=margin,
        notes=tuple(notes),
    )


def _two_sided(gap: float, se: float) -> float:
    if math.isnan(gap) or not se > 0:
        return math.nan
    return 2 * NormalDist().cdf(-abs(gap) / se)


def _difference(
    names: tuple[str, str],
    numbers: tuple[float, float, float],
    p: tuple[float, float],
    told: bool,
    margin: float,
    alpha: float,
    n: int,
) -> MethodDifference:
    gap, half, se = numbers
    same = NormalDist().cdf((abs(gap) - margin) / se) if se > 0 else math.nan
    word = ("better" if gap > 0 else "worse") if told else "not told apart"
    if not told and same < alpha:
        word = "equivalent"
    return MethodDifference(*names, gap, gap - half, gap + half, *p, same, n, word)
