"""What the figures are computed on: complete columns that vary, and who belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from srqa.correlation.humans import HumanScores
from srqa.correlation.joining import Joined
from srqa.correlation.metrics import Metric, MetricScores
from srqa.errors import InputError, UsageError
from srqa.ratings.answers import shortened
from srqa.statistics.clustered import FEWEST_CLUSTERS, Clusters, Codes, Floats
from srqa.statistics.correlation import spearman

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10
"""Pictures below which no correlation is given."""
ADVISED = 10
"""Equally large contents below which intervals are not sure to hold what they promise."""
COVERAGE = 0.8
"""A metric with values for a smaller share of the pictures is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Complete cases.

    Attributes:
        frame: rows of `Joined.frame` that have every value, finite.
        metrics: the columns that are compared; every sign is known.
        assumed: names of metrics whose direction is taken from the data.
        scores: (n,) human scores, higher is better.
        values: (n, k) metrics, higher is better.
        half: (n,) half the 95 % intervals of the scores; NaN where unknown.
        error: (n,) standard errors of the scores; NaN where unknown.
        contents: (n,) codes; each picture its own where contents are unknown.
        known_contents: whether they are known.
        notes: sentences that a reader must know.
    """

    frame: pd.DataFrame
    metrics: tuple[Metric, ...]
    assumed: tuple[str, ...]
    scores: Floats
    values: Floats
    half: Floats
    error: Floats
    contents: Codes
    known_contents: bool
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def names(self) -> list[str]:
        """Of the metrics."""
        return [metric.name for metric in self.metrics]

    @property
    def sizes(self) -> Codes:
        """Pictures of each content."""
        return np.bincount(self.contents)

    def clusters(self, resamples: int, seed: int) -> Clusters:
        """The contents, to be drawn again."""
        return Clusters(self.contents, resamples=resamples, seed=seed)


def prepare(joined: Joined, humans: HumanScores, metrics: MetricScores) -> Data:
    """Take out what cannot be compared, and say so.

    All metrics are compared on the same pictures: those with a finite score of each. A metric that
    lacks more than a fifth of them is left out instead.

    Raises:
        InputError: fewer than `FEWEST` pictures, scores that do not vary, or no metric is left.
    """
    frame, notes = joined.frame, []
    _enough(len(frame), joined)
    kept, infinite = [], []
    for metric in metrics.metrics:
        column = frame[metric.name].to_numpy(np.float64)
        finite = np.isfinite(column)
        if finite.mean() < COVERAGE:
            notes.append(
                f"{metric.name} left out: it has a finite value for {int(finite.sum())} of "
                f"{len(frame)} pictures."
            )
            continue
        if np.isinf(column).any():
            infinite.append(f"{metric.name} ({int(np.isinf(column).sum())})")
        kept.append(metric)
    if not kept:
        raise InputError(
            "No metric has values for the rated pictures.",
            hint="Are the scores and the ratings of the same pictures?",
        )
    values = frame[[m.name for m in kept]].to_numpy(np.float64)
    complete = np.isfinite(values).all(axis=1)
    if not complete.all():
        why = f" Infinite values: {', '.join(infinite)}." if infinite else ""
        lacking = [m.name for m, c in zip(kept, np.isfinite(values).T, strict=True) if not c.all()]
        notes.append(
            f"{int((~complete).sum())} of {len(frame)} pictures were left out of all figures, for "
            f"{shortened(lacking)} has no finite value there.{why}"
        )
    frame, values = frame[complete].reset_index(drop=True), values[complete]
    _enough(len(frame), joined)
    way = 1 if humans.higher_is_better else -1
    scores = way * frame["score"].to_numpy(np.float64)
    if not np.ptp(scores) > 0:
        raise InputError("All human scores are equal, so nothing correlates with them.")
    varying = np.ptp(values, axis=0) > 1e-13 * np.abs(values).max(axis=0)
    for metric in (m for m, v in zip(kept, varying, strict=True) if not v):
        notes.append(f"{metric.name} left out: it has the same value for every picture.")
    if not varying.any():
        raise InputError("Every metric has the same value for every picture.")
    kept = [m for m, v in zip(kept, varying, strict=True) if v]
    directed, assumed = _directed(kept, values[:, varying], scores)
    if assumed:
        notes.append(
            f"Nobody says whether higher {shortened(assumed)} is better: the direction is taken "
            "from these very data, which flatters a metric that hardly correlates. Say it with "
            "--lower-better or --higher-better."
        )
    contents, known = _contents(frame)
    signs = np.array([m.sign for m in directed], dtype=np.float64)
    made = Data(
        frame=frame, metrics=tuple(directed), assumed=tuple(assumed), scores=scores,
        values=values[:, varying] * signs, half=frame["half"].to_numpy(np.float64),
        error=frame["error"].to_numpy(np.float64), contents=contents, known_contents=known,
        notes=tuple(notes),
    )  # fmt: skip
    return replace(made, notes=(*notes, *_about_design(made)))


def _enough(n: int, joined: Joined) -> None:
    if n < FEWEST:
        raise InputError(
            f"Only {n} rated {'picture has' if n == 1 else 'pictures have'} scores: a correlation "
            f"needs {FEWEST}.",
            hint="; ".join(joined.notes).rstrip(".") + "." if joined.notes else "",
        )


def _directed(
    metrics: Sequence[Metric], values: Floats, scores: Floats
) -> tuple[list[Metric], list[str]]:
    directed, assumed = [], []
    for metric, column in zip(metrics, values.T, strict=True):
        if metric.sign:
            directed.append(metric)
            continue
        assumed.append(metric.name)
        directed.append(replace(metric, sign=-1 if spearman(column, scores) < 0 else 1))
    return directed, assumed


def _contents(frame: pd.DataFrame) -> tuple[Codes, bool]:
    import pandas as pd

    if (frame["content"] == "").any():
        return np.arange(len(frame)), False
    keys = pd.MultiIndex.from_frame(frame[["dataset", "content"]])
    return pd.factorize(keys)[0].astype(np.int64), True


def _about_design(data: Data) -> list[str]:
    notes = []
    methods = [m for m in data.frame["method"].unique() if m]
    if not data.known_contents:
        notes.append(
            "Contents are not known, so pictures are taken as independent: with several outputs of "
            "one content, intervals are too narrow."
        )
    else:
        notes += _about_contents(data)
    if len(methods) == 1:
        notes.append(
            f"All pictures are by one method ({methods[0]}): the figures say how a metric ranks "
            "contents, not methods."
        )
    return notes


def _about_contents(data: Data) -> list[str]:
    clusters = data.clusters(1, 0)
    if not clusters.enough:
        return [
            f"With {clusters.size} contents there are no intervals over contents, which need "
            f"{FEWEST_CLUSTERS}; those by formula (in correlations.csv) take pictures as "
            "independent and promise too much."
        ]
    if clusters.effective < ADVISED:
        alike = f", as good as {clusters.effective:.0f} of equal size" if np.ptp(data.sizes) else ""
        return [
            f"There are {clusters.size} contents{alike}: below {ADVISED} intervals may promise "
            "somewhat more than they hold."
        ]
    return []


def choose(data: Data, names: Sequence[str]) -> list[int]:
    """Places of metrics by name.

    Raises:
        UsageError: there is none of that name.
    """
    unknown = [name for name in names if name not in data.names]
    if unknown:
        raise UsageError(f"There is no metric {unknown[0]!r} among those that are compared.",
                         hint=f"They are {', '.join(data.names)}.")  # fmt: skip
    return [data.names.index(name) for name in names]
