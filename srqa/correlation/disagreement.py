"""Where two metrics disagree most: the pictures to look at, and to ask people about.

Pairs of pictures on which one metric prefers the first and the other the second, both clearly: what
Wang and Simoncelli call maximum differentiation. Differences are taken between percentile ranks, so
that metrics of any unit can be set against each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srqa.errors import InputError
from srqa.statistics.clustered import Codes, Floats

if TYPE_CHECKING:
    import pandas as pd

_ALL_PAIRS = 1500


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two pictures that two metrics rank the other way round.

    Attributes:
        by, against: the metrics; `by` prefers `first`, `against` prefers `second`.
        first, second: rows of the table.
        strength: the smaller of both differences, in percentile ranks, 0 to 1.
        human: score of the first minus that of the second; NaN where nobody rated them.
        z: that over its standard error; NaN where it is not known.
    """

    by: str
    against: str
    first: int
    second: int
    strength: float
    human: float = math.nan
    z: float = math.nan

    @property
    def right(self) -> str:
        """The metric that people side with, '' where they are undecided or were not asked."""
        if not abs(self.z) > 1.96:
            return ""
        return self.by if self.human > 0 else self.against


def disagreements(
    names: Sequence[str],
    values: Floats,
    contents: Codes,
    *,
    most: int = 4,
    among: Literal["content", "all"] = "content",
    scores: Floats | None = None,
    errors: Floats | None = None,
    seed: int = 0,
) -> list[Disagreement]:
    """For each pair of metrics the picture pairs on which they disagree most.

    Args:
        names: of the metrics.
        values: (n, k), higher is better, finite.
        contents: (n,) codes; a picture stands in one pair of a metric pair at most, and with
            `among` "content" both pictures are of one content.
        most: picture pairs for each pair of metrics.
        among: which pictures may stand together.
        scores, errors: human scores and their standard errors, to say who is right.
        seed: of the choice where all pairs would be too many.

    Returns:
        The strongest first within each pair of metrics; none where two metrics never disagree.

    Raises:
        InputError: no two pictures may stand together.

    Reference:
        Wang, Simoncelli, Maximum differentiation (MAD) competition, Journal of Vision 8(12), 2008.
    """
    from scipy.stats import rankdata

    n = len(values)
    rank = (np.asarray(rankdata(values, axis=0)) - 0.5) / n
    first, second = _candidates(contents, among, seed)
    if not len(first):
        raise InputError("No two pictures are of one content, so none can be compared.")
    apart = rank[first] - rank[second]
    found: list[Disagreement] = []
    for a, b in combinations(range(len(names)), 2):
        strength = np.minimum(np.abs(apart[:, a]), np.abs(apart[:, b]))
        strength[apart[:, a] * apart[:, b] >= 0] = 0
        used: set[int] = set()
        taken = 0
        for place in np.argsort(-strength, kind="stable"):
            if taken == most or not strength[place] > 0:
                break
            i, j = int(first[place]), int(second[place])
            if apart[place, a] < 0:
                i, j = j, i
            if used & {i, j}:
                continue
            used |= {i, j}
            taken += 1
            human, z = _said(i, j, scores, errors)
            found.append(Disagreement(names[a], names[b], i, j, float(strength[place]), human, z))
    return found


def _candidates(contents: Codes, among: str, seed: int) -> tuple[Codes, Codes]:
    n = len(contents)
    if among == "all":
        kept = np.arange(n)
        if n > _ALL_PAIRS:
            kept = np.sort(np.random.default_rng(seed).choice(n, _ALL_PAIRS, replace=False))
        i, j = np.triu_indices(len(kept), 1)
        return kept[i], kept[j]
    order = np.argsort(contents, kind="stable")
    code = contents[order]
    starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    ends = np.r_[starts[1:], n]
    pairs = [np.stack(np.triu_indices(e - s, 1)) + s for s, e in zip(starts, ends, strict=True)]
    both = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), np.int64)
    return order[both[0]], order[both[1]]


def _said(i: int, j: int, scores: Floats | None, errors: Floats | None) -> tuple[float, float]:
    if scores is None:
        return math.nan, math.nan
    human = float(scores[i] - scores[j])
    if errors is None:
        return human, math.nan
    error = math.hypot(float(errors[i]), float(errors[j]))
    return human, human / error if error > 0 else math.nan


def table(found: Sequence[Disagreement], frame: pd.DataFrame) -> pd.DataFrame:
    """As pandas: the pictures by their keys, the metrics' values, and what people say.

    Args:
        found: of `disagreements`.
        frame: the table whose rows they are, with the metrics' columns.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for one in found:
        a, b = frame.iloc[one.first], frame.iloc[one.second]
        rows.append({
            "by": one.by, "against": one.against, "strength": one.strength,
            "first": _called(a), "second": _called(b), "content": a["content"],
            "method_first": a["method"], "method_second": b["method"],
            "by_first": a[one.by], "by_second": b[one.by],
            "against_first": a[one.against], "against_second": b[one.against],
            "human_difference": one.human, "z": one.z, "right": one.right,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _called(row: Any) -> str:
    return str(row.get("image") or row.get("stimulus") or f"{row['method']}/{row['content']}")


def verdicts(found: Sequence[Disagreement]) -> list[dict[str, Any]]:
    """For each pair of metrics: on how many of the pairs people side with which, with an interval.

    The interval is Wilson's for the share in which `by` is right, among decided pairs.
    """
    from srqa.statistics.correlation import share_interval

    made = []
    for by, against in dict.fromkeys((d.by, d.against) for d in found):
        own = [d for d in found if (d.by, d.against) == (by, against)]
        mine = sum(d.right == by for d in own)
        theirs = sum(d.right == against for d in own)
        decided = mine + theirs
        share = mine / decided if decided else math.nan
        low, high = share_interval(share, decided)
        made.append({"by": by, "against": against, "pairs": len(own), "by_right": mine,
                     "against_right": theirs, "undecided": len(own) - decided, "share": share,
                     "share_low": low, "share_high": high})  # fmt: skip
    return made
