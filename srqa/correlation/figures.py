"""Figures of each metric over all pictures, with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.correlation.data import Data
from srqa.statistics import correlation as alone
from srqa.statistics.clustered import (
    Clusters,
    Floats,
    correlation_interval,
    linear_interval,
    pearson_samples,
    spearman_samples,
    weighted_sums,
)
from srqa.statistics.intervals import bounded_interval
from srqa.statistics.mapping import Kind, Mapping, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Figures of all metrics.

    Attributes:
        table: a row a metric; docs/correlation.md says what the columns are.
        mappings: of each metric onto the human scores.
        mapped: (n, k) values on the scale of the scores.
        srocc_samples, plcc_samples: (samples, k) over drawn contents.
        within: (contents, k) rank correlation inside each content, NaN where there is none.
    """

    table: pd.DataFrame
    mappings: tuple[Mapping, ...]
    mapped: Floats
    srocc_samples: Floats
    plcc_samples: Floats
    within: Floats


def figures(
    data: Data,
    clusters: Clusters,
    kind: Kind,
    level: float,
    progress: Callable[[str, int, int], None] | None = None,
    held_out: bool = True,
) -> Figures:
    """SROCC, KRCC, PLCC and RMSE after the mapping, RMSE*, outlier ratio: each with an interval.

    Intervals draw contents again where there are enough of them; beside them stand those of Fisher,
    Bonett and Wright, Fieller, and chi squared, which take pictures as independent. Curves on
    contents that they were not fitted on, five more fits a metric, are left out on request.
    """
    import pandas as pd

    say = progress or (lambda *_: None)
    mappings = []
    for k, column in enumerate(data.values.T):
        say("Fitting curves", k, len(data.metrics))
        mappings.append(fit(column, data.scores, kind))
    mapped = np.stack([m(c) for m, c in zip(mappings, data.values.T, strict=True)], axis=1)
    blind = _cross_validated(data, kind if held_out else "none", clusters.seed, say)
    say("Drawing contents again", 0, 0)
    enough = clusters.enough
    sampled = clusters if enough else Clusters(data.contents, resamples=1)
    srocc = spearman_samples(data.values, data.scores, sampled)
    plcc = pearson_samples(mapped, data.scores, sampled)
    raw = pearson_samples(data.values, data.scores, sampled)
    within = within_contents(data)
    errors = _errors(data, mappings, mapped, clusters, level)
    rows = []
    for k in range(len(data.metrics)):
        say("Figures", k, len(data.metrics))
        samples = {"srocc": srocc[:, k], "plcc": plcc[:, k], "plcc_raw": raw[:, k]}
        rows.append(_row(data, k, mappings[k], mapped[:, k], samples, clusters, level)
                    | errors[k] | blind[k])  # fmt: skip
    table = pd.DataFrame(rows)
    means, ends, counts = _within_means(within, level)
    table["within"], table["within_low"], table["within_high"] = means, ends[:, 0], ends[:, 1]
    table["within_contents"] = counts
    return Figures(table, tuple(mappings), mapped, srocc, plcc, within)


def _row(
    data: Data,
    k: int,
    mapping: Mapping,
    mapped: Floats,
    samples: dict[str, Floats],
    clusters: Clusters,
    level: float,
) -> dict[str, Any]:
    x, y, n = data.values[:, k], data.scores, len(data)
    metric = data.metrics[k]
    row: dict[str, Any] = {"metric": metric.name, "direction": metric.sign, "n": n}
    tau, influence = alone.kendall_parts(x, y)
    figures_ = {
        "srocc": (alone.spearman(x, y), alone.bonett_wright),
        "plcc": (alone.pearson(mapped, y), alone.fisher),
        "plcc_raw": (alone.pearson(x, y), alone.fisher),
    }

    def interval(name: str, value: float) -> tuple[float, float]:
        return correlation_interval(value, samples[name], clusters, level, ranks=name == "srocc")

    for name, (value, by_formula) in figures_.items():
        row |= _three(name, value, interval(name, value))
        row |= _ends(f"{name}_formula", by_formula(value, n, level))
    row |= _three("krcc", tau, _of_tau(tau, influence, clusters, level))
    row |= _ends("krcc_formula", alone.fieller(tau, n, level))
    row |= {"mapping": mapping.kind, "monotone": mapping.monotone, "rising": mapping.rising,
            "mapping_note": mapping.note}  # fmt: skip
    return row


def _three(name: str, value: float, ends: tuple[float, float]) -> dict[str, float]:
    return {name: value} | _ends(name, ends)


def _ends(name: str, ends: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_low": ends[0], f"{name}_high": ends[1]}


def _of_tau(tau: float, influence: Floats, clusters: Clusters, level: float) -> tuple[float, float]:
    if math.isnan(tau) or abs(tau) >= 1:
        return (tau, tau)
    error = clusters.spread(influence) / (1 - tau * tau)
    low, high = linear_interval(math.atanh(tau), error, clusters, level, ranks=True)
    return math.tanh(low), math.tanh(high)


def _errors(
    data: Data, mappings: Sequence[Mapping], mapped: Floats, clusters: Clusters, level: float
) -> list[dict[str, float]]:
    """RMSE, RMSE* and outlier ratio (P.1401, 7.5) of each metric."""
    n = len(data)
    error = np.abs(mapped - data.scores[:, None])
    known = bool(np.isfinite(data.half).all())
    half = (data.half if known else np.full(n, math.nan))[:, None]
    beyond = np.maximum(0, error - half)
    columns = np.concatenate([error**2, beyond**2, (error > half).astype(np.float64)], axis=1)
    drawn = np.zeros((0, columns.shape[1]))
    total = np.ones((0, 1))
    if clusters.enough:
        drawn = weighted_sums(columns, clusters)
        total = weighted_sums(np.ones((n, 1)), clusters)
    k, rows = len(mappings), []
    for j, mapping in enumerate(mappings):
        free = n - mapping.free
        row: dict[str, float] = {}
        for name, at in (("rmse", j), ("rmse_star", k + j)):
            value = math.sqrt(float(columns[:, at].sum()) / max(1, free))
            samples = np.sqrt(drawn[:, at] / np.maximum(total[:, 0] - mapping.free, 1))
            row |= _three(name, value, _of_positive(value, samples, clusters, level))
        row |= _ends("rmse_formula", alone.rmse_interval(row["rmse"], free, level))
        share = float(columns[:, 2 * k + j].mean()) if known else math.nan
        samples = drawn[:, 2 * k + j] / total[:, 0]
        spread = float(samples.std(ddof=1)) if known and len(samples) else math.nan
        low, high = linear_interval(share, spread, clusters, level)
        row |= _three("outlier_ratio", share, (max(0.0, low), min(1.0, high)))
        row |= _ends("outlier_ratio_formula", alone.share_interval(share, n, level))
        rows.append(dict.fromkeys(row, math.nan) if mapping.kind == "none" else row)
    return rows


def _of_positive(
    value: float, samples: Floats, clusters: Clusters, level: float
) -> tuple[float, float]:
    if not value > 0 or not len(samples) or not (samples > 0).all():
        return math.nan, math.nan
    low, high = linear_interval(
        math.log(value), float(np.log(samples).std(ddof=1)), clusters, level
    )
    return math.exp(low), math.exp(high)


def _cross_validated(data: Data, kind: Kind, seed: int, say: Any) -> list[dict[str, float]]:
    """PLCC and RMSE on contents that the curve was not fitted on."""
    gap = {"plcc_cv": math.nan, "rmse_cv": math.nan}
    size = int(data.contents.max()) + 1
    if size < FOLDS or kind == "none":
        return [gap] * len(data.metrics)
    fold = folds(data, FOLDS, seed)
    found = []
    for k, column in enumerate(data.values.T):
        say("Curves on held-out contents", k, len(data.metrics))
        predicted = np.empty(len(data))
        for f in range(FOLDS):
            test = fold == f
            predicted[test] = fit(column[~test], data.scores[~test], kind)(column[test])
        found.append({
            "plcc_cv": alone.pearson(predicted, data.scores),
            "rmse_cv": math.sqrt(float(((predicted - data.scores) ** 2).mean())),
        })  # fmt: skip
    return found


def folds(data: Data, count: int, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(n,) folds of whole contents, as equal as can be."""
    size = int(data.contents.max()) + 1
    order = np.random.default_rng(seed).permutation(size)
    of_content = np.empty(size, dtype=np.int64)
    of_content[order] = np.arange(size) % count
    return of_content[data.contents]


def within_contents(data: Data) -> Floats:
    """(contents, k) rank correlations inside contents of three pictures or more."""
    import pandas as pd

    ranks = pd.DataFrame(np.column_stack([data.values, data.scores])).groupby(data.contents).rank()
    size = int(data.contents.max()) + 1
    count = np.bincount(data.contents, minlength=size).astype(np.float64)
    centred = ranks.to_numpy() - ((count + 1) / 2)[data.contents][:, None]
    own, human = centred[:, :-1], centred[:, -1:]

    def sums(columns: Floats) -> Floats:
        return np.stack([np.bincount(data.contents, c, size) for c in columns.T], axis=1)

    power = sums(own**2) * sums(human**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(power > 0, sums(own * human) / np.sqrt(power), math.nan)
    found[count < 3] = math.nan
    return found


def _within_means(within: Floats, level: float) -> tuple[Floats, Floats, list[int]]:
    k = within.shape[1]
    means, ends, counts = np.full(k, math.nan), np.full((k, 2), math.nan), []
    for j in range(k):
        column = within[np.isfinite(within[:, j]), j]
        counts.append(len(column))
        if len(column):
            means[j] = column.mean()
            ends[j] = bounded_interval(column, -1, 1, level)
    return means, ends, counts
