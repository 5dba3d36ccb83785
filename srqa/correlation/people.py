"""What a metric's difference means to people: Krasula's analysis, and agreement with choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srqa.correlation.data import Data
from srqa.errors import InputError
from srqa.statistics.clustered import Clusters, Codes, Floats
from srqa.statistics.discrimination import (
    Discrimination,
    Pairs,
    discriminate,
    make_pairs,
)
from srqa.statistics.jackknife import area_difference, share_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from srqa.correlation.humans import HumanScores

STEPS = 8
"""Classes of size into which differences are sorted."""
_FEWEST_PAIRS = 20
Among = Literal["content", "all"]


@dataclass(frozen=True, slots=True, eq=False)
class Noticed:
    """Which differences people notice.

    Attributes:
        pairs: of pictures, with people's verdict.
        limit: |z| beyond which people tell two pictures apart.
        table: a row a metric: auc_different, auc_better, correct (each with _low and _high),
            threshold (with _low and _high; in the metric's unit).
        p_different, p_better: (k, k) p values of differences of the areas.
        steps: a row a metric and class of size: low, high (of |difference|), pairs, agree,
            undecided, disagree (shares): what people say of pairs that differ by so much.
    """

    pairs: Pairs
    limit: float
    table: pd.DataFrame
    p_different: Floats
    p_better: Floats
    steps: pd.DataFrame


def notice(
    data: Data,
    clusters: Clusters,
    among: Among,
    limit: float,
    level: float = 0.95,
    progress: Callable[[str, int, int], None] | None = None,
) -> Noticed:
    """Krasula's analysis of every metric.

    Args:
        data: complete cases.
        clusters: contents.
        among: pairs of one content, or all.
        limit: |z| of scores that differ.
        level: of intervals.
        progress: called with what is done, how much of it, of how much.

    Raises:
        InputError: the scores have no intervals, or there are too few pairs.
    """
    import pandas as pd

    if not np.isfinite(data.error).any():
        raise InputError(
            "Which differences people notice is not known: the human scores have no intervals.",
            hint="A table of scores may have the columns sd and n, se, or ci_low and ci_high.",
        )
    pairs = make_pairs(data.scores, data.error, data.contents, among, limit, clusters.seed)
    if len(pairs) < _FEWEST_PAIRS:
        raise InputError(
            f"{len(pairs)} pairs of pictures are too few to say which differences people notice."
        )
    found: list[Discrimination] = []
    for k, column in enumerate(data.values.T):
        if progress:
            progress("Which differences people notice", k, len(data.metrics))
        found.append(discriminate(column, pairs, clusters, level=level))
    rows = []
    for name, one in zip(data.names, found, strict=True):
        row: dict[str, Any] = {"metric": name}
        for column_name, area in (
            ("auc_different", one.different_similar), ("auc_better", one.better_worse),
            ("correct", one.correct), ("threshold", one.threshold),
        ):  # fmt: skip
            row |= {column_name: area.value, f"{column_name}_low": area.low,
                    f"{column_name}_high": area.high}  # fmt: skip
        rows.append(row)
    areas = [(d.different_similar.value, d.influence_ds) for d in found]
    better = [(d.better_worse.value, d.influence_bw) for d in found]
    return Noticed(pairs, limit, pd.DataFrame(rows), _between(areas, clusters),
                   _between(better, clusters), _steps(data, pairs))  # fmt: skip


def _between(areas: list[tuple[float, Floats]], clusters: Clusters) -> Floats:
    k = len(areas)
    p = np.ones((k, k))
    for i in range(k):
        for j in range(i + 1, k):
            (a, own), (b, other) = areas[i], areas[j]
            p[i, j] = p[j, i] = area_difference(own, other, a - b, clusters)
    return p


def _steps(data: Data, pairs: Pairs) -> pd.DataFrame:
    """Classes with equally many pairs, by the size of the difference."""
    import pandas as pd

    rows = []
    for name, column in zip(data.names, data.values.T, strict=True):
        apart = column[pairs.first] - column[pairs.second]
        size, said = np.abs(apart), np.sign(apart) * pairs.verdict
        order = np.argsort(size, kind="stable")
        for part in np.array_split(order, STEPS):
            if len(part):
                rows.append({
                    "metric": name, "low": float(size[part[0]]), "high": float(size[part[-1]]),
                    "pairs": len(part), "agree": float((said[part] > 0).mean()),
                    "undecided": float((said[part] == 0).mean()),
                    "disagree": float((said[part] < 0).mean()),
                })  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Preferences:
    """How often a metric prefers what people choose.

    Attributes:
        table: a row a metric: agreement (share of single choices, ties half), with _low and _high.
        ceiling: what a metric reaches that always sides with the majority.
        pairs, choices: how many were used.
    """

    table: pd.DataFrame
    ceiling: float
    pairs: int
    choices: int


def prefer(data: Data, humans: HumanScores, clusters: Clusters, level: float) -> Preferences | None:
    """Agreement with choices between two pictures; None where there are none among the pictures."""
    import pandas as pd

    if humans.preferences is None:
        return None
    place = {name: i for i, name in enumerate(data.frame["stimulus"])}
    table = humans.preferences
    rows = [
        (place[left], place[right], n_left, n_tie, n_right)
        for left, right, n_left, n_tie, n_right in table.itertuples(index=False)
        if left in place and right in place
    ]
    if not rows:
        return None
    columns = np.array(rows, dtype=np.float64)
    first, second = columns[:, 0].astype(np.int64), columns[:, 1].astype(np.int64)
    n_left, n_tie, n_right = columns[:, 2], columns[:, 3], columns[:, 4]
    total = n_left + n_tie + n_right
    most = np.maximum(n_left, n_right) + n_tie / 2
    found = []
    for name, values in zip(data.names, data.values.T, strict=True):
        way = np.sign(values[first] - values[second])
        right = n_tie / 2 + np.where(way > 0, n_left, np.where(way < 0, n_right, 0.0))
        right += np.where(way == 0, (n_left + n_right) / 2, 0.0)
        share = float(right.sum() / total.sum())
        low, high = _of_share(share, right, total, clusters.codes[first], clusters, level)
        found.append({"metric": name, "agreement": share, "agreement_low": low,
                      "agreement_high": high})  # fmt: skip
    return Preferences(
        pd.DataFrame(found), float(most.sum() / total.sum()), len(rows), int(total.sum())
    )


def _of_share(
    share: float, right: Floats, total: Floats, codes: Codes, clusters: Clusters, level: float
) -> tuple[float, float]:
    """Interval of a ratio of sums over contents."""
    own = Clusters(np.unique(codes, return_inverse=True)[1], seed=clusters.seed)
    without = (right.sum() - own.sums(right)) / (total.sum() - own.sums(total))
    return share_interval(share, without, own, level)
