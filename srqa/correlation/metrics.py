"""Metric scores as a table with a row a picture: of Runs, a CSV, or a pandas frame."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.correlation.humans import KEYS, keyed, numbers, read_table
from srqa.engine.results import Run
from srqa.errors import InputError, UsageError
from srqa.metrics import registry

if TYPE_CHECKING:
    import pandas as pd

_NO_METRIC = frozenset({
    *KEYS, "stimulus", "image", "name", "file", "filename", "path", "reference", "problem", "unit",
    "level", "seconds", "n", "index", "id", "mos", "dmos", "jod", "sd", "se", "ci_low", "ci_high",
})  # fmt: skip
_LOWER = ("lpips", "stlpips", "st-lpips", "dists", "pieapp", "niqe", "ilniqe", "brisque", "piqe",
          "pi", "mse", "rmse", "mae", "gmsd", "mdsi", "ckdn", "deepwsd", "dss-loss", "flip",
          "fid", "delta-e", "nlpd", "ahiq-loss")  # fmt: skip
_HIGHER = (
    "psnr",
    "ssim",
    "ms-ssim",
    "iw-ssim",
    "fsim",
    "vif",
    "vsi",
    "haarpsi",
    "ahiq",
    "musiq",
    "maniqa",
    "arniqa",
    "clipiqa",
    "clip-iqa",
    "qalign",
    "q-align",
    "topiq",
    "liqe",
    "nima",
    "unique",
    "paq2piq",
    "hyperiqa",
    "dbcnn",
    "cnniqa",
    "nrqm",
    "ma",
    "wadiqam",
    "ssimulacra",
    "sr-sim",
    "tres",
    "qualiclip",
    "compare2score",
    "cvvdp",
    "afine",
)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric whose scores are correlated.

    Attributes:
        name: as in the table.
        sign: 1 if higher is better, -1 if lower is; 0 where it is taken from the data.
        unit: "dB" or the like.
        signature: of a Run, else ''.
    """

    name: str
    sign: int
    unit: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MetricScores:
    """What metrics say, a row a picture.

    Attributes:
        frame: columns dataset, content, scale, method, stimulus (the image's name), reference, and
            one a metric.
        metrics: of those columns.
        files: path and sha256 by role and name, of Runs, for thumbnails.
        source: what they were read from.
        notes: sentences that a reader must know.
    """

    frame: pd.DataFrame
    metrics: tuple[Metric, ...]
    source: str
    files: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def column(self, metric: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(rows,) values of a metric."""
        return self.frame[metric].to_numpy(np.float64)


def load_metrics(
    source: Any,
    wanted: Sequence[str] | None = None,
    lower_better: Collection[str] = (),
    higher_better: Collection[str] = (),
) -> MetricScores:
    """Read metric scores.

    Args:
        source: a Run or its folder; a table (.csv, .tsv, .parquet) with a row a picture and a
            column a metric, or a row a picture and metric (columns metric and value); a pandas
            frame of either form; or a list of these.
        wanted: only these metrics, in this order.
        lower_better, higher_better: directions that nobody else knows.

    Raises:
        InputError: it is none of these, holds no metric, or names a picture twice.
        UsageError: a metric that it does not hold.
    """
    sources = list(source) if isinstance(source, list | tuple) else [source]
    parts = [_load(one) for one in sources]
    made = parts[0] if len(parts) == 1 else _merged(parts)
    made = _chosen(made, wanted)
    unknown = [n for n in (*lower_better, *higher_better) if n not in made.frame.columns]
    if unknown:
        raise UsageError(f"There is no metric {unknown[0]!r} among the scores.",
                         hint=f"They have {', '.join(m.name for m in made.metrics)}.")  # fmt: skip
    metrics = tuple(
        replace(m, sign=-1 if m.name in lower_better else 1 if m.name in higher_better else m.sign)
        for m in made.metrics
    )
    return replace(made, metrics=metrics)


def direction(name: str) -> int:
    """1 if higher values of a metric are better, -1 if lower ones are, 0 if nobody knows.

    Example:
        >>> direction("lpips"), direction("musiq"), direction("my-own")
        (-1, 1, 0)
    """
    if name.startswith(registry.FUSED):
        return 1
    try:
        return 1 if registry.get(name).higher_is_better else -1
    except UsageError:
        key = name.strip().lower().replace("_", "-").removeprefix("pyiqa:")
    best = max(
        ((len(stem), sign) for stems, sign in ((_LOWER, -1), (_HIGHER, 1)) for stem in stems
         if key == stem or key.startswith((stem + "-", stem + "+", stem + ":"))),
        default=(0, 0),
    )  # fmt: skip
    return best[1]


def _load(source: Any) -> MetricScores:
    import pandas as pd

    if isinstance(source, MetricScores):
        return source
    if isinstance(source, Run):
        files: dict[tuple[str, str], tuple[str, str]] = {
            (f.role, f.name): (f.path, f.sha256) for f in source.file_rows
        }
        signatures = {row.metric: row.signature for row in source.summary_rows}
        return _of_long(source.scores, "a Run", files, signatures)
    if isinstance(source, pd.DataFrame):
        return _of_any(source, "a table")
    path = Path(source)
    if path.is_dir():
        return _of_run(path)
    return _of_any(read_table(path), path.name)


def _of_run(folder: Path) -> MetricScores:
    from srqa.engine.storage import check_complete, read_columns

    check_complete(folder)
    scores = read_columns(folder, "scores", (
        "dataset", "content", "scale", "method", "image", "reference", "metric", "level", "value",
        "unit",
    ))  # fmt: skip
    files = read_columns(folder, "files", ("role", "name", "path", "sha256"))
    known = {(r, n): (p, s) for r, n, p, s in files.itertuples(index=False)}
    summary = read_columns(folder, "summary", ("metric", "signature"))
    signatures = dict(zip(summary["metric"], summary["signature"], strict=True))
    return _of_long(scores, folder.name, known, signatures)


def _of_any(frame: pd.DataFrame, source: str) -> MetricScores:
    if {"metric", "value"} <= set(frame.columns):
        return _of_long(frame, source, {}, {})
    import pandas as pd

    names = [str(c) for c in frame.columns
             if str(c).strip().lower() not in _NO_METRIC and _numeric(frame[c])]  # fmt: skip
    if not names:
        raise InputError(
            f"{source} has no column of numbers that could be a metric.",
            hint=f"It has {', '.join(map(str, frame.columns))}.",
        )
    lowered = {c: str(c).strip().lower() for c in frame.columns if c not in names}
    table = keyed(frame.rename(columns=lowered))
    table["reference"] = ""
    values = {name: numbers(frame[name], name, source) for name in names}
    table = pd.concat([table, pd.DataFrame(values)], axis=1)
    return MetricScores(table, tuple(_metric(name) for name in names), source)


def _numeric(column: pd.Series[Any]) -> bool:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column):
        return bool(column.notna().any())
    seen = pd.to_numeric(column, errors="coerce")
    return bool(seen.notna().mean() >= 0.5)


def _metric(name: str, unit: str = "", signature: str = "") -> Metric:
    unit = unit or ("dB" if "psnr" in name.lower() else "")
    return Metric(name, direction(name), unit, signature)


def _of_long(
    frame: pd.DataFrame,
    source: str,
    files: dict[tuple[str, str], tuple[str, str]],
    signatures: dict[str, str],
) -> MetricScores:
    import pandas as pd

    notes = []
    if "level" in frame.columns:
        whole = frame["level"] == "set"
        if whole.any():
            names = sorted(set(frame.loc[whole, "metric"]))
            notes.append(f"{', '.join(names)} left out: one value for a whole set of pictures.")
            frame = frame[~whole]
    if not len(frame):
        raise InputError(f"{source} holds no scores of single pictures.")
    table = keyed(frame)
    table["reference"] = frame["reference"].fillna("").to_numpy() if "reference" in frame else ""
    ids = list(table.columns)
    table["metric"] = frame["metric"].astype("str").to_numpy()
    table["value"] = numbers(frame["value"], "value", source)
    who = pd.MultiIndex.from_frame(table[ids].fillna({"scale": -1.0}))
    code, _ = pd.factorize(who)
    names = list(dict.fromkeys(table["metric"]))
    column = pd.Categorical(table["metric"], categories=names).codes
    twice = pd.DataFrame({"code": code, "metric": column}).duplicated()
    if twice.any():
        row = table[twice.to_numpy()].iloc[0]
        what = row["stimulus"] or f"{row['content']} by {row['method']}"
        raise InputError(f"{source} has two values of {row['metric']} for {what}.")
    wide = np.full((int(code.max()) + 1, len(names)), np.nan)
    wide[code, column] = table["value"].to_numpy()
    first = ~pd.Series(code).duplicated().to_numpy()
    made = table.loc[first, ids].reset_index(drop=True)
    made = pd.concat([made, pd.DataFrame(wide, columns=names)], axis=1)
    units = dict(zip(frame["metric"], frame["unit"], strict=True)) if "unit" in frame else {}
    metrics = tuple(_metric(n, str(units.get(n) or ""), signatures.get(n, "")) for n in names)
    return MetricScores(made, metrics, source, files, tuple(notes))


def _merged(parts: Sequence[MetricScores]) -> MetricScores:
    import pandas as pd

    rows = []
    for part in parts:
        names = [m.name for m in part.metrics]
        ids = [c for c in part.frame.columns if c not in names]
        rows.append(part.frame.melt(ids, names, "metric", "value").dropna(subset="value"))
    source = " and ".join(part.source for part in parts)
    files = {k: v for part in parts for k, v in part.files.items()}
    signatures = {m.name: m.signature for part in parts for m in part.metrics}
    made = _of_long(pd.concat(rows, ignore_index=True), source, files, signatures)
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    return replace(made, notes=notes)


def _chosen(made: MetricScores, wanted: Sequence[str] | None) -> MetricScores:
    if not wanted:
        return made
    known = {m.name: m for m in made.metrics}
    chosen = []
    for name in wanted:
        actual = name if name in known else _registered(name)
        if actual not in known:
            raise UsageError(f"There is no metric {name!r} among the scores.",
                             hint=f"They have {', '.join(known)}.")  # fmt: skip
        chosen.append(known[actual])
    left = [n for n in known if n not in {m.name for m in chosen}]
    return replace(made, metrics=tuple(dict.fromkeys(chosen)), frame=made.frame.drop(columns=left))


def _registered(name: str) -> str:
    try:
        return registry.get(name).name
    except UsageError:
        return name
