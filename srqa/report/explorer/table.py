"""A Run as columns of numbers, made for looking at parts of it: a million scores take a second.

Everything is aggregated here; what goes to the browser is a few hundred rows at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.correlation.metrics import direction
from srqa.engine.storage import check_complete, read_columns
from srqa.errors import RunError
from srqa.statistics.intervals import student_quantile

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
BINS = 48
CLOUD = 1500
"""Pictures that the plane shows besides the methods' means."""


@dataclass(frozen=True, eq=False)
class Table:
    """Scores of single pictures, a row a picture.

    Attributes:
        folder: of the Run.
        metrics: names.
        signs: of the metrics: 1 if higher is better, -1 if lower is, 0 unknown.
        names: of each key column ("dataset", "content", "scale", "method", "image", "reference").
        codes: (n,) places in `names`, by key column.
        values: (n, k); NaN where a score is missing.
    """

    folder: Path
    metrics: tuple[str, ...]
    signs: tuple[int, ...]
    names: dict[str, list[Any]]
    codes: dict[str, Codes]
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    @staticmethod
    def load(folder: Path | str) -> Table:
        """Read a Run's scores.

        Raises:
            RunError: there is no complete Run, or none with scores of single pictures.
        """
        folder = Path(folder)
        check_complete(folder)
        columns = _columns(folder)
        image_level = columns.pop("level")
        keep = np.array([n == "image" for n in image_level[1]], dtype=bool)[image_level[0]]
        metric, metrics = columns.pop("metric")
        value = columns.pop("value")[0][keep]
        codes = {name: c[keep] for name, (c, _) in columns.items()}
        metric = metric[keep]
        if not len(metric):
            raise RunError(f"The Run in {folder} has no scores of single pictures.")
        picture = np.zeros(len(metric), dtype=np.int64)
        for name, (_, known) in columns.items():
            picture = picture * max(1, len(known)) + codes[name]
        _, first, row = np.unique(picture, return_index=True, return_inverse=True)
        used = np.unique(metric)
        place = np.zeros(len(metrics), dtype=np.int64)
        place[used] = np.arange(len(used))
        values = np.full((len(first), len(used)), math.nan)
        values[row, place[metric]] = value
        order = np.argsort(first, kind="stable")
        names = tuple(str(metrics[i]) for i in used)
        return Table(
            folder, names, tuple(map(direction, names)),
            {name: list(known) for name, (_, known) in columns.items()},
            {name: c[first][order] for name, c in codes.items()}, values[order],
        )  # fmt: skip

    @cached_property
    def files(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Path and sha256 of each picture that was read, by role and name."""
        frame = read_columns(self.folder, "files", ("role", "name", "path", "sha256"))
        return {(r, n): (p, s) for r, n, p, s in frame.itertuples(index=False)}

    def known(self, key: str) -> list[Any]:
        """Values of a key that some picture has, in order; scales as numbers, '' left out."""
        used = np.unique(self.codes[key])
        found = [self.names[key][i] for i in used]
        return [v for v in found if v not in ("", None)]

    def where(self, **wanted: Any) -> Mask:
        """(n,) pictures whose keys are among the wanted values; an empty list is no filter."""
        mask = np.ones(len(self), dtype=np.bool_)
        for key, values in wanted.items():
            if values:
                allowed = [v in values for v in self.names[key]]
                mask &= np.array(allowed, dtype=np.bool_)[self.codes[key]]
        return mask

    def leaderboard(self, mask: Mask) -> pd.DataFrame:
        """Means of the finite values of each method with half their 95 % intervals (Student's t).

        Returns:
            Columns method, pictures, and for each metric its mean and "METRIC ±".
        """
        import pandas as pd

        method, size = self.codes["method"][mask], len(self.names["method"])
        count = np.bincount(method, minlength=size)
        columns: dict[str, Any] = {"method": self.names["method"], "pictures": count}
        for name, column in zip(self.metrics, self.values[mask].T, strict=True):
            mean, half = _means(column, method, size)
            columns[name], columns[f"{name} ±"] = mean, half
        frame = pd.DataFrame(columns)
        return frame[frame["pictures"] > 0].reset_index(drop=True)

    def histogram(self, metric: str, mask: Mask) -> pd.DataFrame:
        """Shares of each method's pictures in up to `BINS` classes.

        Returns:
            Columns method, low, high, share, pictures.
        """
        import pandas as pd

        column, method = self.values[mask, self.place(metric)], self.codes["method"][mask]
        finite = np.isfinite(column)
        column, method = column[finite], method[finite]
        if not len(column):
            return pd.DataFrame(columns=["method", "low", "high", "share", "pictures"])
        low, high = np.quantile(column, [0.001, 0.999])
        if not high > low:
            low, high = low - 0.5, high + 0.5
        edges = np.linspace(low, high, BINS + 1)
        bin_ = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, BINS - 1)
        size = len(self.names["method"])
        count = np.bincount(method * BINS + bin_, minlength=size * BINS).reshape(size, BINS)
        total = np.maximum(count.sum(axis=1, keepdims=True), 1)
        rows, columns = np.nonzero(count)
        return pd.DataFrame({
            "method": [self.names["method"][i] for i in rows], "low": edges[columns],
            "high": edges[columns + 1], "share": (count / total)[rows, columns],
            "pictures": count[rows, columns],
        })  # fmt: skip

    def cloud(self, across: str, up: str, mask: Mask) -> pd.DataFrame:
        """Up to `CLOUD` pictures, drawn evenly, with two metrics' values and their keys."""
        import pandas as pd

        rows = np.flatnonzero(mask & np.isfinite(self.values[:, self.place(across)])
                              & np.isfinite(self.values[:, self.place(up)]))  # fmt: skip
        if len(rows) > CLOUD:
            rows = np.sort(np.random.default_rng(0).choice(rows, CLOUD, replace=False))
        frame = pd.DataFrame(
            {key: self.keys(key, rows) for key in ("content", "method", "dataset")}
        )
        frame["scale"] = self.keys("scale", rows)
        frame["x"] = self.values[rows, self.place(across)]
        frame["y"] = self.values[rows, self.place(up)]
        return frame

    def keys(self, key: str, rows: Any) -> list[Any]:
        """A key of some rows."""
        known = self.names[key]
        return [known[i] for i in self.codes[key][rows]]

    def place(self, metric: str) -> int:
        """The column of a metric."""
        return self.metrics.index(metric)

    def rows_of(self, content: str, dataset: str = "", scale: float | None = None) -> Codes:
        """Rows of a content: its outputs by all methods."""
        wanted: dict[str, Any] = {"content": [content], "dataset": [dataset] if dataset else []}
        if scale is not None:
            wanted["scale"] = [scale]
        return np.flatnonzero(self.where(**wanted))

    def differences(self, other: Table) -> pd.DataFrame:
        """Mean differences (other minus this one) of the pictures that both have.

        Returns:
            Columns method, metric, pictures, difference, half (of the 95 % interval), better (True
            where the other is better by more than chance, False where worse, None else).
        """
        import pandas as pd

        mine, theirs = (
            pd.MultiIndex.from_arrays(
                [t.keys(k, slice(None)) for k in ("dataset", "content", "method")]
                + [[-1.0 if s is None else s for s in t.keys("scale", slice(None))]]
            )
            for t in (self, other)
        )
        place = mine.get_indexer(theirs)
        found = place >= 0
        rows = []
        methods, codes = np.unique(other.codes["method"][found], return_inverse=True)
        for metric in (m for m in self.metrics if m in other.metrics):
            apart = (other.values[found, other.place(metric)]
                     - self.values[place[found], self.place(metric)])  # fmt: skip
            mean, half = _means(apart, codes, len(methods))
            count = np.bincount(codes, np.isfinite(apart), len(methods))
            sign = self.signs[self.place(metric)]
            for i, code in enumerate(methods):
                sure = abs(mean[i]) > half[i]
                rows.append({
                    "method": other.names["method"][code], "metric": metric,
                    "pictures": int(count[i]), "difference": mean[i], "half": half[i],
                    "better": (mean[i] * sign > 0) if sure and sign else None,
                })  # fmt: skip
        return pd.DataFrame(
            rows, columns=["method", "metric", "pictures", "difference", "half", "better"]
        )


def _means(column: Floats, group: Codes, size: int) -> tuple[Floats, Floats]:
    """Means over groups and half their 95 % intervals; NaN for groups without enough values."""
    finite = np.isfinite(column)
    value, code = column[finite], group[finite]
    n = np.bincount(code, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(code, value, size) / n
        square = np.bincount(code, (value - mean[code]) ** 2, size)
        error = np.sqrt(square / (n - 1) / n)
    t = np.array([student_quantile(0.975, int(k) - 1) if k > 1 else math.nan for k in n])
    return mean, t * error


def _columns(folder: Path) -> dict[str, Any]:
    """Columns of `scores` as (codes, known values); the value itself as (numbers, [])."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ("dataset", "content", "method", "image", "reference", "metric", "level")
    path = folder / "scores.parquet"
    try:
        read = pq.read_table(path, columns=[*texts, "scale", "value"], read_dictionary=list(texts))
    except (OSError, pa.ArrowException, KeyError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise RunError(f"{path} is missing or damaged: {reason}.") from error
    read = read.unify_dictionaries().combine_chunks()
    found: dict[str, Any] = {}
    for name in texts:
        column = read.column(name)
        chunk: Any = column.chunk(0) if column.num_chunks else pa.array([]).dictionary_encode()
        found[name] = (
            chunk.indices.to_numpy(zero_copy_only=False).astype(np.int64),
            chunk.dictionary.to_pylist(),
        )
    scale = read.column("scale").to_numpy().astype(np.float64)
    known, code = np.unique(scale, return_inverse=True)
    found["scale"] = (code.astype(np.int64), [None if math.isnan(s) else float(s) for s in known])
    found["value"] = (read.column("value").to_numpy().astype(np.float64), [])
    order = ("dataset", "content", "scale", "method", "image", "reference")
    return {name: found[name] for name in (*order, "metric", "level", "value")}
