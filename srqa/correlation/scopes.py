"""Where a metric agrees with people and where not: by method, scale, dataset and quality."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.correlation.data import FEWEST, Data
from srqa.correlation.figures import Figures
from srqa.errors import UsageError
from srqa.statistics import correlation as alone
from srqa.statistics.clustered import Clusters, Floats
from srqa.statistics.intervals import bootstrap_intervals
from srqa.statistics.jackknife import rank_interval, spearman_without

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

SCOPES = ("method", "scale", "dataset", "content")
RANGES = ("worst third", "middle third", "best third")


def by_scope(
    data: Data,
    found: Figures,
    scopes: Sequence[str],
    seed: int,
    level: float,
    progress: Callable[[str, int, int], None] | None = None,
) -> pd.DataFrame:
    """SROCC and PLCC in parts of the pictures.

    Args:
        data: complete cases.
        found: figures over all of them; the curves stay as they were fitted there.
        scopes: of `SCOPES`.
        seed, level: of the intervals.
        progress: called with what is done, how much of it, of how much.

    Returns:
        Columns scope, part, metric, n, srocc, srocc_low, srocc_high, plcc. Thirds by human score
        (scope "quality") are always among them. Parts below 10 pictures have no interval; contents
        below 3 pictures have no figure.

    Raises:
        UsageError: an unknown scope.
    """
    import pandas as pd

    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise UsageError(
            f"Figures cannot be given by {unknown[0]!r}.", hint=f"Choose of {', '.join(SCOPES)}."
        )
    rows: list[dict[str, Any]] = []
    for scope in scopes:
        if scope == "content":
            rows += _contents(data, found)
            continue
        parts = data.frame[scope].map(_part)
        names = [name for name in dict.fromkeys(parts) if name]
        if len(names) < 2:
            continue
        for i, name in enumerate(names):
            if progress:
                progress(f"Figures by {scope}", i, len(names))
            rows += _part_rows(data, found, scope, name, (parts == name).to_numpy(), seed, level)
    for name, inside in quality_ranges(data.scores):
        rows += _part_rows(data, found, "quality", name, inside, seed, level)
    columns = ["scope", "part", "metric", "n", "srocc", "srocc_low", "srocc_high", "plcc"]
    return pd.DataFrame(rows, columns=columns)


def _part(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"x{value:g}"
    return str(value)


def quality_ranges(scores: Floats) -> list[tuple[str, Any]]:
    """Thirds of the pictures by human score, the worst first."""
    low, high = np.quantile(scores, [1 / 3, 2 / 3])
    masks = (scores <= low, (scores > low) & (scores <= high), scores > high)
    return [(name, mask) for name, mask in zip(RANGES, masks, strict=True) if mask.any()]


def _part_rows(
    data: Data, found: Figures, scope: str, name: str, inside: Any, seed: int, level: float
) -> list[dict[str, Any]]:
    values, scores = data.values[inside], data.scores[inside]
    n = len(scores)
    codes = np.unique(data.contents[inside], return_inverse=True)[1]
    clusters = Clusters(codes, seed=seed)
    enough = n >= FEWEST and clusters.enough
    without = spearman_without(values, scores, clusters) if enough else None
    rows = []
    for k, metric in enumerate(data.metrics):
        srocc = alone.spearman(values[:, k], scores) if n >= 3 else math.nan
        ends = (math.nan, math.nan)
        if without is not None:
            ends = rank_interval(srocc, without[:, k], clusters, level)
        plcc = alone.pearson(found.mapped[inside, k], scores) if n >= 3 else math.nan
        rows.append({"scope": scope, "part": name, "metric": metric.name, "n": n, "srocc": srocc,
                     "srocc_low": ends[0], "srocc_high": ends[1], "plcc": plcc})  # fmt: skip
    return rows


def _contents(data: Data, found: Figures) -> list[dict[str, Any]]:
    first = np.unique(data.contents, return_index=True)[1]
    label = data.frame["content"].to_numpy()[first]
    sizes = data.sizes
    if not np.isfinite(found.within).any():
        return []
    return [
        {"scope": "content", "part": label[c], "metric": metric.name, "n": int(sizes[c]),
         "srocc": float(found.within[c, k]), "srocc_low": math.nan, "srocc_high": math.nan,
         "plcc": math.nan}
        for c in range(len(label)) if sizes[c] >= 3
        for k, metric in enumerate(data.metrics)
    ]  # fmt: skip


def flattery(data: Data, found: Figures, level: float) -> pd.DataFrame:
    """Which methods a metric flatters: mean of (mapped value - human score) of each method.

    Returns:
        Columns method, metric, n, mean, ci_low, ci_high; positive where the metric promises more
        than people see. Intervals draw contents again.
    """
    import pandas as pd

    residual = found.mapped - data.scores[:, None]
    methods = data.frame["method"].to_numpy()
    rows = []
    for method in dict.fromkeys(methods):
        inside = methods == method
        codes = np.unique(data.contents[inside], return_inverse=True)[1]
        size = np.bincount(codes)
        means = np.stack([np.bincount(codes, c) / size for c in residual[inside].T], axis=1)
        ends = bootstrap_intervals(means, level)
        for k, metric in enumerate(data.metrics):
            rows.append({"method": method, "metric": metric.name, "n": int(inside.sum()),
                         "mean": float(residual[inside, k].mean()), "ci_low": float(ends[k, 0]),
                         "ci_high": float(ends[k, 1])})  # fmt: skip
    return pd.DataFrame(rows)
