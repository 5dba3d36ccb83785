"""Comparing the methods of one Run or of several."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from srqa.engine.protocol import definition
from srqa.engine.results import Run, Score
from srqa.errors import RunError, UsageError
from srqa.metrics import registry
from srqa.statistics.paired import Difference, compare_columns

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs of methods on one dataset, at one scale, by one metric."""

    dataset: str
    scale: float | None
    metric: str
    higher_is_better: bool
    methods: tuple[str, ...]
    """From the best mean to the worst."""
    means: tuple[float, ...]
    n_images: int
    differences: tuple[Difference, ...]

    def beats(self, difference: Difference) -> str:
        """The method that is better by more than chance (Holm, 5 %), or an empty text.

        The test looks at ranks: nobody wins whose mean is better, but who is worse on most images.
        """
        agree = (difference.mean > 0) == (difference.n_first > difference.n_second)
        if not difference.p_adjusted < ALPHA or difference.mean == 0 or not agree:
            return ""
        first_is_better = (difference.mean > 0) == self.higher_is_better
        return difference.first if first_is_better else difference.second

    def verdict(self, difference: Difference) -> str:
        """What the test says, in words."""
        winner = self.beats(difference)
        if winner:
            return "better" if winner == difference.first else f"{winner} is better"
        smallest_p = 2.0 ** (1 - difference.n) * len(self.differences)
        if smallest_p > ALPHA:
            return "too few images for the test"
        return "no evidence of a difference"


def compare_runs(
    runs: Sequence[Run],
    *,
    metrics: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
) -> list[Comparison]:
    """Compare methods by paired differences over the images that both have.

    Args:
        runs: one Run, or several whose methods are put side by side.
        metrics: only these.
        methods: only these.

    Returns:
        One comparison for each dataset, scale and metric. Metrics of whole sets have no images to
        pair and give none: see `left_out`.

    Raises:
        RunError: the Runs' numbers were defined differently, or hold fewer than two methods.
        UsageError: a metric or method that no Run has, or a metric of whole sets.
    """
    _check_distinct(runs)
    _check_signatures(runs)
    scores = _merged(runs)
    whole = left_out(runs)
    _check_known("metric", metrics, {row.metric for row in scores} | set(whole))
    asked = [name for name in metrics or () if name in whole]
    if asked:
        raise UsageError(
            f"{asked[0]} is one value for all images of a method: there are no images to pair.",
            hint="Its value and its interval, where it has one, stand in the summary.",
        )
    _check_known("method", methods, {row.method for row in scores})
    groups: dict[tuple[str, float | None, str], list[Score]] = defaultdict(list)
    for row in scores:
        if (not metrics or row.metric in metrics) and (not methods or row.method in methods):
            groups[row.dataset, row.scale, row.metric].append(row)
    found = [
        comparison
        for key, rows in groups.items()
        if (comparison := _compare(key, rows)) is not None
    ]
    if not found:
        raise RunError(
            "There is nothing to compare: fewer than two methods have a score.",
            hint="Evaluate several methods in one Run, or name several Runs.",
        )
    return found


def left_out(runs: Sequence[Run]) -> list[str]:
    """Metrics of the Runs that no test can pair, being one value for a whole set."""
    rows = (row for run in runs for row in run.score_rows if row.level == "set")
    return list(dict.fromkeys(row.metric for row in rows))


def _compare(key: tuple[str, float | None, str], rows: list[Score]) -> Comparison | None:
    names = list(dict.fromkeys(row.method for row in rows))
    contents = list(dict.fromkeys(row.content for row in rows))
    table = np.full((len(contents), len(names)), math.nan)
    place = {content: i for i, content in enumerate(contents)}
    for row in rows:
        table[place[row.content], names.index(row.method)] = row.value
    scored = [i for i in range(len(names)) if not np.isnan(table[:, i]).all()]
    if len(scored) < 2:
        return None
    table, names = table[:, scored], [names[i] for i in scored]
    higher = direction(key[2])
    means = [_mean(table[:, i]) for i in range(len(names))]
    order = sorted(range(len(names)), key=lambda i: -means[i] if higher else means[i])
    names, table, means = [names[i] for i in order], table[:, order], [means[i] for i in order]
    differences = compare_columns(names, table)
    return Comparison(
        *key,
        higher_is_better=higher,
        methods=tuple(names),
        means=tuple(means),
        n_images=len(contents),
        differences=tuple(differences),
    )


def direction(metric: str) -> bool:
    """Whether higher is better; a metric that is not installed here counts as one where it is."""
    try:
        return registry.get(metric).higher_is_better
    except UsageError:
        return True


def _mean(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    finite = column[np.isfinite(column)]
    if len(finite):
        return float(finite.mean())
    return float(column[~np.isnan(column)][0])


def _check_known(what: str, wanted: Sequence[str] | None, have: set[str]) -> None:
    unknown = [name for name in wanted or () if name not in have]
    if unknown:
        raise UsageError(
            f"There is no {what} {unknown[0]!r} in the Run.",
            hint=f"It has {', '.join(sorted(have))}.",
        )


def _check_distinct(runs: Sequence[Run]) -> None:
    places = [run.path.resolve() for run in runs if run.path]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice:
        raise UsageError(f"The Run {twice} is named twice.")


def _check_signatures(runs: Sequence[Run]) -> None:
    known: dict[tuple[str, str, float | None], tuple[str, Run]] = {}
    for run in runs:
        for row in run.summary_rows:
            key = (row.metric, row.dataset, row.scale)
            before, other = known.setdefault(key, (row.signature, run))
            if definition(before) != definition(row.signature):
                raise RunError(
                    f"The Runs define {row.metric} differently: {other.path} has "
                    f"“{before}” and {run.path} has “{row.signature}”.",
                    hint="Evaluate them under one protocol and scale.",
                )


def _merged(runs: Sequence[Run]) -> list[Score]:
    """Scores of images; methods that stand in several Runs get the Run's name in front."""
    from dataclasses import replace

    if len(runs) == 1:
        return [row for row in runs[0].score_rows if row.level == "image"]
    owners: dict[str, set[int]] = defaultdict(set)
    for i, run in enumerate(runs):
        for method in run.methods:
            owners[method].add(i)
    labels = [run.path.name if run.path else f"run {i + 1}" for i, run in enumerate(runs)]
    if len(set(labels)) < len(labels):
        labels = [str(run.path or f"run {i + 1}") for i, run in enumerate(runs)]
    return [
        replace(row, method=f"{labels[i]}:{row.method}") if len(owners[row.method]) > 1 else row
        for i, run in enumerate(runs)
        for row in run.score_rows
        if row.level == "image"
    ]
