"""A Run: one tidy table of scores, its summary, the files it read, and how it was made."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srqa.statistics.intervals import MIN_FOR_INTERVAL, bootstrap_intervals

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
NOT_APPLICABLE = "n/a: "
"""How the problem of a score begins when the metric has no value there, which is no failure."""


@dataclass(frozen=True, slots=True)
class Score:
    """One row of `scores`: an image, a metric. `value` is NaN when `problem` says why.

    At level "set" it is the value of all outputs of a method: content, image and reference are
    empty.
    """

    dataset: str
    content: str
    scale: float | None
    method: str
    image: str
    reference: str
    metric: str
    level: Literal["image", "set"]
    value: float
    unit: str
    seconds: float
    problem: str = ""

    @property
    def failed(self) -> bool:
        """Whether a value should be there and is not."""
        return bool(self.problem) and not self.problem.startswith(NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of `summary`: a method's mean over a dataset, with its 95 % bootstrap interval.

    For a metric of level "set" the mean is the set's value, n counts patches, and the columns that
    describe images are NaN.
    """

    dataset: str
    scale: float | None
    method: str
    metric: str
    mean: float
    ci_low: float
    ci_high: float
    std: float
    median: float
    min: float
    max: float
    n: int
    n_infinite: int
    n_failed: int
    signature: str


@dataclass(frozen=True, slots=True)
class SetScore:
    """The value of a whole set with its 95 % interval; NaN where there is none.

    `n` counts its samples, `problem` says why there is no value.
    """

    value: float
    low: float
    high: float
    n: int
    problem: str
    seconds: float

    @property
    def lasting(self) -> bool:
        """Whether it will be the same next time."""
        return not self.problem or self.problem.startswith(NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of `files`: a picture that was read."""

    role: Literal["output", "reference", "lr"]
    name: str
    path: str
    sha256: str
    bytes: int
    width: int
    height: int
    channels: int
    depth: int
    format: str
    lossy: bool
    notes: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One row of `models`: what a method cost at a scale, where srqa ran it itself.

    Attributes:
        method, scale: the keys, as in the other tables.
        parameters: trained numbers; 0 without a network.
        multiply_adds: of convolutions and matrix products for an output of 1280x720; 0 if none.
        seconds_a_megapixel: of the output, while the model ran.
        memory: bytes that tensors took at most; `memory_how` says whether they were "measured" on
            the card or "counted" on a small picture and scaled to the largest tile.
        pictures, megapixels: on how much that rests.
        device, dtype: what it was computed with.
        weights: SHA-256 of the weight files, with commas between.
        licence: of the weights; empty if there are none or nobody knows.
    """

    method: str
    scale: float
    parameters: int
    multiply_adds: float
    seconds_a_megapixel: float
    memory: int
    memory_how: Literal["measured", "counted"]
    pictures: int
    megapixels: float
    device: str
    dtype: str
    weights: str
    licence: str


@dataclass(eq=False)
class Run:
    """What an evaluation gives: rows, and frames of them.

    Attributes:
        manifest: how each number was made: versions, protocol, signatures, machine, command.
        score_rows, summary_rows, file_rows: the tables as rows.
        scores, summary, files: the same as pandas frames.
        path: the folder it was read from or written to, if any.
        model_rows, models: what the methods cost, where srqa ran them (`srqa leaderboard`).

    Example:
        >>> import srqa  # doctest: +SKIP
        >>> run = srqa.evaluate("outputs", "hr", scale=4)  # doctest: +SKIP
        >>> run.summary[["method", "metric", "mean"]]  # doctest: +SKIP
    """

    manifest: dict[str, Any]
    score_rows: list[Score]
    summary_rows: list[Summary]
    file_rows: list[FileRow]
    path: Path | None = field(default=None)
    model_rows: list[ModelRow] = field(default_factory=list)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row per image, method and metric."""
        return _frame(self.score_rows, Score)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row per dataset, scale, method and metric."""
        return _frame(self.summary_rows, Summary)

    @cached_property
    def files(self) -> pd.DataFrame:
        """A row per picture that was read."""
        return _frame(self.file_rows, FileRow)

    @cached_property
    def models(self) -> pd.DataFrame:
        """A row per method and scale that srqa ran."""
        return _frame(self.model_rows, ModelRow)

    @property
    def problems(self) -> list[dict[str, str]]:
        """Pictures without a value, one entry a picture and reason; n/a are not among them."""
        return _problems(self.score_rows, failed=True)

    @property
    def not_applicable(self) -> list[dict[str, str]]:
        """Pictures for which a metric has no value, with the reason."""
        return _problems(self.score_rows, failed=False)

    @property
    def warnings(self) -> list[str]:
        """Sentences that a reader of the numbers should know."""
        return list(self.manifest.get("warnings", []))

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the order asked for."""
        return list(self.manifest["metrics"])

    @property
    def methods(self) -> list[str]:
        """Names of the methods, in the order of the tables."""
        return list(dict.fromkeys(row.method for row in self.summary_rows))

    def save(self, folder: Path | str) -> Path:
        """Write the Run's tables and its manifest into `folder`, each file whole or not at all."""
        from srqa.engine.storage import save_run

        self.path = save_run(self, Path(folder))
        return self.path

    @staticmethod
    def load(folder: Path | str) -> Run:
        """Read a Run that `srqa evaluate --out` or `save` left.

        Raises:
            RunError: the folder holds no complete Run.
        """
        from srqa.engine.storage import load_run

        return load_run(Path(folder))

    def to_json(self) -> dict[str, Any]:
        """The Run as plain values; infinite and missing numbers become the text "inf" and null."""
        return {
            "schema": SCHEMA,
            "manifest": self.manifest,
            "summary": [plain(asdict(row)) for row in self.summary_rows],
            "images": [_image_entry(row) for row in self.score_rows if row.level == "image"],
            "problems": self.problems,
            "models": [plain(asdict(row)) for row in self.model_rows],
        }


def _image_entry(row: Score) -> Any:
    keys = ("dataset", "content", "scale", "method", "image", "metric", "value")
    return plain({key: getattr(row, key) for key in keys})


def plain(value: Any) -> Any:
    """Values that JSON can hold: infinite numbers become "inf", missing ones null."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _frame(rows: Sequence[Any], kind: type) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [asdict(row) for row in rows],
        columns=list(kind.__dataclass_fields__),  # type: ignore[attr-defined]
    )


def _problems(rows: Iterable[Score], failed: bool) -> list[dict[str, str]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row.problem and row.failed == failed:
            image = row.image or " ".join(filter(None, ("all of", row.method, row.dataset)))
            entry = found.setdefault(
                (image, row.problem),
                {"image": image, "method": row.method, "problem": row.problem, "metrics": []},
            )
            entry["metrics"].append(row.metric)
    return [entry | {"metrics": ",".join(entry["metrics"])} for entry in found.values()]


def summarise(
    rows: Sequence[Score], signatures: dict[tuple[str, float | None], str]
) -> list[Summary]:
    """Means of images with intervals, a row for each dataset, scale, method and metric.

    Scores of level "set" are no images and give no row here.

    Infinite values (the PSNR of equal pictures) are kept out of the mean and counted beside it.

    Args:
        rows: scores.
        signatures: of each (metric, scale).
    """
    groups: dict[tuple[str, float | None, str, str], list[Score]] = defaultdict(list)
    for row in rows:
        if row.level == "image":
            groups[row.dataset, row.scale, row.method, row.metric].append(row)
    finite = {
        key: np.array([r.value for r in group if math.isfinite(r.value)])
        for key, group in groups.items()
    }
    intervals = _intervals(finite)
    return [
        _summary(key, group, finite[key], intervals[key], signatures[key[3], key[1]])
        for key, group in groups.items()
    ]


def _intervals(columns: dict[Any, np.ndarray[Any, Any]]) -> dict[Any, tuple[float, float]]:
    by_length: dict[int, list[Any]] = defaultdict(list)
    for key, column in columns.items():
        by_length[len(column)].append(key)
    result: dict[Any, tuple[float, float]] = {}
    for length, keys in by_length.items():
        if length < MIN_FOR_INTERVAL:
            result |= dict.fromkeys(keys, (math.nan, math.nan))
            continue
        ends = bootstrap_intervals(np.stack([columns[key] for key in keys], axis=1))
        result |= {key: (float(a), float(b)) for key, (a, b) in zip(keys, ends, strict=True)}
    return result


def _summary(
    key: tuple[str, float | None, str, str],
    group: list[Score],
    values: np.ndarray[Any, Any],
    interval: tuple[float, float],
    signature: str,
) -> Summary:
    dataset, scale, method, metric = key
    infinite = [row.value for row in group if math.isinf(row.value)]
    n = len(values)
    # All pictures equal their references: the mean over no finite value is infinite, not missing.
    mean = float(values.mean()) if n else (infinite[0] if infinite else math.nan)
    return Summary(
        dataset=dataset,
        scale=scale,
        method=method,
        metric=metric,
        mean=mean,
        ci_low=interval[0],
        ci_high=interval[1],
        std=float(values.std(ddof=1)) if n > 1 else math.nan,
        median=float(np.median(values)) if n else mean,
        min=float(values.min()) if n else mean,
        max=max([*values.tolist(), *infinite], default=math.nan),
        n=n,
        n_infinite=len(infinite),
        n_failed=sum(row.failed for row in group),
        signature=signature,
    )
