"""What a Run says, arranged for a report: groups, directions, who is best and by how much."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from srqa.engine.results import Run, Score, Summary
from srqa.metrics.spec import MetricSpec
from srqa.report.numbers import decimals, find_spec, format_scale
from srqa.statistics.intervals import bootstrap_intervals

Family = Literal["fidelity", "perception", ""]
_PERCEPTUAL = (
    *("lpips", "st-lpips", "stlpips", "dists", "adists", "pieapp", "deepwsd", "ckdn", "texture"),
    *("niqe", "ilniqe", "brisque", "piqe", "ma", "pi", "nrqm", "musiq", "maniqa", "clipiqa"),
    *("topiq", "liqe", "hyperiqa", "dbcnn", "cnniqa", "paq2piq", "qalign", "fid", "kid", "nima"),
)
_FIDELITY = ("psnr", "ssim", "ms-ssim", "rmse", "mse", "mae", "vif", "fsim", "gmsd", "haarpsi")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the Run, registered here or not.

    Attributes:
        name: as in the Run.
        sign: 1 if higher is better, -1 if lower is, 0 where nobody knows.
        unit: as in the Run.
        family: "fidelity" and "perception" span the perception-distortion plane.
        places: decimals, None for three significant digits.
        spec: its entry in the registry, if any.
    """

    name: str
    sign: int
    unit: str
    family: Family
    places: int | None
    spec: MetricSpec | None

    @property
    def arrow(self) -> str:
        """The direction of better values."""
        return {1: "↑", -1: "↓", 0: ""}[self.sign]


@dataclass(frozen=True, slots=True)
class Group:
    """A dataset at a scale: what is averaged, and so what is compared."""

    dataset: str
    scale: float | None

    @property
    def title(self) -> str:
        """Its name in headings, which may be empty where the Run names neither part."""
        return " ".join(part for part in (self.dataset, format_scale(self.scale)) if part)


@dataclass(frozen=True, slots=True)
class Standing:
    """A method against the best one by a metric, image by image.

    Attributes:
        best: its mean is the best (or equal to it).
        rival: the method compared with: the best, or for the best one the runner-up.
        lead: mean over common images of the better minus the worse, positive when in front.
        low, high: 95 % bootstrap interval of `lead`; NaN for fewer than 2 images.
        n: common images.
    """

    best: bool
    rival: str
    lead: float
    low: float
    high: float
    n: int

    @property
    def tied(self) -> bool:
        """Whether the interval of the difference includes zero."""
        return not math.isnan(self.low) and self.low <= 0 <= self.high


Key = tuple[Group, str, str]


@dataclass(eq=False)
class Facts:
    """A Run's rows, looked up by group, method and metric."""

    run: Run
    metrics: list[Metric] = field(init=False)
    methods: list[str] = field(init=False)
    groups: list[Group] = field(init=False)
    summary: dict[Key, Summary] = field(init=False)

    def __post_init__(self) -> None:
        run = self.run
        units = {row.metric: row.unit for row in run.score_rows}
        named = [*run.metrics, *(row.metric for row in run.summary_rows), *units]
        self.metrics = [describe(name, units.get(name, "")) for name in dict.fromkeys(named)]
        rows: list[Summary | Score] = [*run.summary_rows, *run.score_rows]
        self.methods = list(dict.fromkeys(row.method for row in rows))
        self.groups = list(dict.fromkeys(Group(row.dataset, row.scale) for row in rows))
        self.summary = {
            (Group(row.dataset, row.scale), row.method, row.metric): row for row in run.summary_rows
        }

    @cached_property
    def whole(self) -> set[str]:
        """Names of the metrics that are one value for a whole set."""
        return {row.metric for row in self.run.score_rows if row.level == "set"}

    @cached_property
    def images(self) -> list[Score]:
        """Scores of single images."""
        return [row for row in self.run.score_rows if row.level == "image"]

    @cached_property
    def values(self) -> dict[Key, dict[str, Score]]:
        """Scores of images by content."""
        found: dict[Key, dict[str, Score]] = defaultdict(dict)
        for row in self.images:
            found[Group(row.dataset, row.scale), row.method, row.metric][row.content] = row
        return dict(found)

    @cached_property
    def primary(self) -> Metric | None:
        """The metric that leads the report: the first with a direction and a value."""
        filled = {row.metric for row in self.run.summary_rows if not math.isnan(row.mean)}
        known = [metric for metric in self.metrics if metric.name in filled]
        return next((m for m in known if m.sign), known[0] if known else None)

    def methods_in(self, group: Group) -> list[str]:
        """Methods with a row in `group`."""
        present = {key[1] for key in self.summary if key[0] == group}
        return [method for method in self.methods if method in present]

    def ranking(self, group: Group, metric: Metric) -> list[Summary]:
        """Summaries of methods with a mean, best first; in the Run's order without a direction."""
        rows = [self.summary.get((group, method, metric.name)) for method in self.methods]
        present = [row for row in rows if row is not None and not math.isnan(row.mean)]
        return sorted(present, key=lambda row: -metric.sign * row.mean) if metric.sign else present

    @cached_property
    def standings(self) -> dict[Key, Standing]:
        """Where each method stands, for metrics with a direction and at least two methods."""
        pairs: list[tuple[Key, str, bool]] = []
        for group in self.groups:
            for metric in self.metrics:
                order = self.ranking(group, metric)
                if not metric.sign or len(order) < 2:
                    continue
                first = order[0]
                for row in order:
                    best = row.mean == first.mean
                    rival = order[1].method if row is first else first.method
                    pairs.append(((group, row.method, metric.name), rival, best))
        signs = {metric.name: metric.sign for metric in self.metrics}
        differences = {key: self._differences(key, rival) for key, rival, _ in pairs}
        ends = _intervals({key: d * signs[key[2]] for key, d in differences.items()})
        found = {}
        for key, rival, best in pairs:
            column = differences[key] * signs[key[2]]
            lead = float(column.mean()) if len(column) else math.nan
            found[key] = Standing(best, rival, lead, *ends[key], len(column))
        return found

    def _differences(self, key: Key, rival: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        group, method, metric = key
        mine, theirs = (self.values.get((group, m, metric), {}) for m in (method, rival))
        pairs = [(row.value, theirs[c].value) for c, row in mine.items() if c in theirs]
        both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        both = both[np.isfinite(both).all(axis=1)]
        made: np.ndarray[tuple[int], np.dtype[np.float64]] = both[:, 0] - both[:, 1]
        return made


def _intervals(
    columns: dict[Key, np.ndarray[tuple[int], np.dtype[np.float64]]],
) -> dict[Key, tuple[float, float]]:
    by_length: dict[int, list[Key]] = defaultdict(list)
    for key, column in columns.items():
        by_length[len(column)].append(key)
    found: dict[Key, tuple[float, float]] = {}
    for length, keys in by_length.items():
        if length < 2:
            found |= dict.fromkeys(keys, (math.nan, math.nan))
            continue
        ends = bootstrap_intervals(np.stack([columns[key] for key in keys], axis=1))
        found |= {key: (float(a), float(b)) for key, (a, b) in zip(keys, ends, strict=True)}
    return found


def describe(name: str, unit: str = "") -> Metric:
    """All that a report needs to know of a metric, which need not be registered."""
    spec = find_spec(name)
    if spec is None:
        sign = 1 if name.startswith("fused:") else 0
        return Metric(name, sign, unit, _family_by_name(name), decimals(name), None)
    perceptual = spec.kind == "nr" or spec.level == "set"
    family: Family = "perception" if perceptual else (_family_by_name(name) or "fidelity")
    sign = 1 if spec.higher_is_better else -1
    return Metric(name, sign, unit or spec.unit, family, decimals(name), spec)


def _family_by_name(name: str) -> Family:
    key = name.lower().replace("_", "-")
    if key.startswith(_FIDELITY):
        return "fidelity"
    stem = key.split("-", 1)[0]
    if stem in _PERCEPTUAL or key.startswith(("lpips", "dists", "st-lpips", "pieapp", "niqe")):
        return "perception"
    return ""
