"""Figures of each metric over all pictures, with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.correlation.data import Data
from srqa.statistics import correlation as alone
from srqa.statistics.bootstrap import bootstrap_interval, kendall_drawn, pearson_drawn
from srqa.statistics.clustered import Clusters, Floats, spearman_weighted
from srqa.statistics.intervals import bounded_interval
from srqa.statistics.jackknife import (
    ERRORS,
    LINEAR,
    RANKS,
    correlation_interval,
    error_interval,
    kendall_without,
    pearson_without,
    rank_interval,
    share_interval,
    spearman_without,
)
from srqa.statistics.mapping import Kind, Mapping, fit
from srqa.statistics.refitting import drawn_squares, error_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

FOLDS = 5
_SCALES = {"srocc": RANKS, "krcc": RANKS, "plcc": LINEAR, "rmse": ERRORS}


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Figures of all metrics.

    Attributes:
        table: a row a metric; docs/correlation.md says what the columns are.
        mappings: of each metric onto the human scores.
        mapped: (n, k) values on the scale of the scores.
        without: by figure (srocc, krcc, plcc, rmse, outlier_ratio), (parts, k) the same without
            each part of the contents; empty for too few contents.
        drawn: by figure (srocc, krcc, plcc, rmse), (samples, k) the same in samples of contents;
            empty where none were asked for.
        within: (contents, k) rank correlation inside each content, NaN where there is none.
    """

    table: pd.DataFrame
    mappings: tuple[Mapping, ...]
    mapped: Floats
    without: dict[str, Floats]
    drawn: dict[str, Floats]
    within: Floats


def figures(
    data: Data,
    clusters: Clusters,
    kind: Kind,
    level: float,
    progress: Callable[[str, int, int], None] | None = None,
    held_out: bool = True,
    draw: bool = False,
) -> Figures:
    """SROCC, KRCC, PLCC and RMSE after the mapping, RMSE*, outlier ratio: each with an interval.

    Intervals leave contents out where there are enough of them; beside them stand those of Fisher,
    Bonett and Wright, Fieller, and chi squared, which take pictures as independent. Curves on
    contents that they were not fitted on, five more fits a metric, are left out on request; `draw`
    adds samples of contents and their intervals.
    """
    import pandas as pd

    say = progress or (lambda *_: None)
    mappings = []
    for k, column in enumerate(data.values.T):
        say("Fitting curves", k, len(data.metrics))
        mappings.append(fit(column, data.scores, kind))
    mapped = np.stack([m(c) for m, c in zip(mappings, data.values.T, strict=True)], axis=1)
    blind = _cross_validated(data, kind if held_out else "none", clusters.seed, say)
    within = within_contents(data)
    without = _without(data, mappings, clusters, say) if clusters.enough else {}
    rows = []
    for k in range(len(data.metrics)):
        rows.append(_row(data, k, mappings[k], mapped[:, k], without, clusters, level) | blind[k])
    table = pd.DataFrame(rows)
    means, ends, counts = _within_means(within, level)
    table["within"], table["within_low"], table["within_high"] = means, ends[:, 0], ends[:, 1]
    table["within_contents"] = counts
    drawn = _drawn(data, mappings, clusters, say) if draw and clusters.enough else {}
    for name, samples in drawn.items():
        both = [
            bootstrap_interval(value, column, clusters, _SCALES[name], level)
            for value, column in zip(table[name], samples.T, strict=True)
        ]
        table[f"{name}_bootstrap_low"] = [low for low, _ in both]
        table[f"{name}_bootstrap_high"] = [high for _, high in both]
    return Figures(table, tuple(mappings), mapped, without, drawn, within)


def _without(
    data: Data, mappings: Sequence[Mapping], clusters: Clusters, say: Any
) -> dict[str, Floats]:
    """All figures but `within` without each part of the contents, the curves fitted to the rest."""
    y, left = data.scores, clusters.sums(np.ones(len(data)))
    say("Leaving contents out", 0, len(mappings) + 1)
    raw = pearson_without(data.values, y, clusters)
    found: dict[str, list[Floats]] = {
        name: [] for name in ("krcc", "plcc", "rmse", "rmse_star", "outlier_ratio")
    }
    left = len(data) - left
    centred = y - y.mean()
    total = (
        float(centred @ centred) - clusters.sums(centred**2) - clusters.sums(centred) ** 2 / left
    )
    half = data.half if _known(data) else np.full(len(data), math.inf)
    for k, mapping in enumerate(mappings):
        say("Leaving contents out", k + 1, len(mappings) + 1)
        found["krcc"].append(kendall_without(data.values[:, k], y, clusters))
        if mapping.kind == "none":
            found["plcc"].append(raw[:, k])
            for name in ("rmse", "rmse_star", "outlier_ratio"):
                found[name].append(np.full(clusters.count, math.nan))
            continue
        sums = error_sums(mapping, data.values[:, k], y, half, clusters)
        found["plcc"].append(np.sqrt(np.clip(1 - sums.square / total, 0, 1)))
        free = np.maximum(1, left - mapping.free)
        found["rmse"].append(np.sqrt(sums.square / free))
        found["rmse_star"].append(np.sqrt(sums.beyond / free))
        found["outlier_ratio"].append(sums.outside / left)
    return {
        "srocc": spearman_without(data.values, y, clusters),
        "plcc_raw": raw,
        **{name: np.stack(columns, axis=1) for name, columns in found.items()},
    }


def _drawn(
    data: Data, mappings: Sequence[Mapping], clusters: Clusters, say: Any
) -> dict[str, Floats]:
    """Figures in samples of contents, the curves fitted to each."""
    y, found = data.scores, {name: list[Floats]() for name in ("krcc", "plcc", "rmse")}
    say("Drawing contents", 0, len(mappings) + 1)
    srocc = spearman_weighted(data.values, y, clusters.weights())
    raw = pearson_drawn(data.values, y, clusters)
    for k, mapping in enumerate(mappings):
        say("Drawing contents", k + 1, len(mappings) + 1)
        found["krcc"].append(kendall_drawn(data.values[:, k], y, clusters))
        if mapping.kind == "none":
            found["plcc"].append(raw[:, k])
            found["rmse"].append(np.full(len(raw), math.nan))
            continue
        sums = drawn_squares(mapping, data.values[:, k], y, clusters)
        with np.errstate(invalid="ignore", divide="ignore"):
            found["plcc"].append(np.sqrt(np.clip(1 - sums.error / sums.score, 0, 1)))
        found["rmse"].append(np.sqrt(sums.error / np.maximum(1, sums.pictures - mapping.free)))
    return {"srocc": srocc, **{name: np.stack(c, axis=1) for name, c in found.items()}}


def _known(data: Data) -> bool:
    """Whether the scores have intervals."""
    return bool(np.isfinite(data.half).all())


def _row(
    data: Data,
    k: int,
    mapping: Mapping,
    mapped: Floats,
    without: dict[str, Floats],
    clusters: Clusters,
    level: float,
) -> dict[str, Any]:
    x, y, n = data.values[:, k], data.scores, len(data)
    metric = data.metrics[k]
    row: dict[str, Any] = {"metric": metric.name, "direction": metric.sign, "n": n}

    def add(name: str, value: float, interval: Any, by_formula: tuple[float, float]) -> None:
        ends = (math.nan, math.nan)
        if without:
            ends = interval(value, without[name][:, k], clusters, level)
        row.update({name: value, f"{name}_low": ends[0], f"{name}_high": ends[1]})
        row.update({f"{name}_formula_low": by_formula[0], f"{name}_formula_high": by_formula[1]})

    for name, value, interval, formula in (
        ("srocc", alone.spearman(x, y), rank_interval, alone.bonett_wright),
        ("plcc", alone.pearson(mapped, y), correlation_interval, alone.fisher),
        ("plcc_raw", alone.pearson(x, y), correlation_interval, alone.fisher),
        ("krcc", alone.kendall(x, y), rank_interval, alone.fieller),
    ):
        add(name, value, interval, formula(value, n, level))
    row |= {"mapping": mapping.kind, "monotone": mapping.monotone, "rising": mapping.rising,
            "mapping_note": mapping.note}  # fmt: skip
    rmse, star, share = _errors(data, mapping, mapped)
    add("rmse", rmse, error_interval, alone.rmse_interval(rmse, n - mapping.free, level))
    add("rmse_star", star, error_interval, alone.NOTHING)
    add("outlier_ratio", share, share_interval, alone.share_interval(share, n, level))
    return row


def _errors(data: Data, mapping: Mapping, mapped: Floats) -> tuple[float, float, float]:
    """RMSE, RMSE* and outlier ratio (P.1401, 7.5); NaN where they are not known."""
    if mapping.kind == "none":
        return math.nan, math.nan, math.nan
    error, free = np.abs(mapped - data.scores), max(1, len(data) - mapping.free)
    rmse = math.sqrt(float(error @ error) / free)
    if not _known(data):
        return rmse, math.nan, math.nan
    beyond = np.maximum(0, error - data.half)
    star = math.sqrt(float(beyond @ beyond) / free)
    return rmse, star, float((error > data.half).mean())


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
