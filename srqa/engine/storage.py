"""A Run's folder: Parquet tables with CSV twins, and a manifest that is written last."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.engine.results import FileRow, ModelRow, Run, Score, Summary
from srqa.errors import RunError
from srqa.files import make_folder, replacing, write_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
_TABLES: dict[str, type] = {"scores": Score, "summary": Summary, "files": FileRow}
_MODELS = "models"
"""A table of Runs whose methods srqa ran itself; others have none."""


def schema(table: str) -> pa.Schema:
    """The Arrow schema of "scores", "summary", "files" or "models"."""
    import pyarrow as pa

    kinds: dict[str, pa.DataType] = {
        "str": pa.string(),
        "float": pa.float64(),
        "float | None": pa.float64(),
        "int": pa.int64(),
        "bool": pa.bool_(),
    }
    columns = [
        pa.field(f.name, kinds.get(str(f.type), pa.string()), nullable=f.type == "float | None")
        for f in fields(ModelRow if table == _MODELS else _TABLES[table])
    ]
    return pa.schema(columns)


def save_run(run: Run, folder: Path) -> Path:
    """Write a Run's files into `folder`.

    Raises:
        OutputError: the folder or a file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    make_folder(folder)
    rows: dict[str, list[Any]] = {
        "scores": run.score_rows,
        "summary": run.summary_rows,
        "files": run.file_rows,
    }
    kinds = dict(_TABLES)
    if run.model_rows:
        rows[_MODELS], kinds[_MODELS] = run.model_rows, ModelRow
        write_text(folder / f"{_MODELS}.csv", rows_csv(run.model_rows, ModelRow))
    else:
        for suffix in (".parquet", ".csv"):  # of a Run that this one replaces
            (folder / f"{_MODELS}{suffix}").unlink(missing_ok=True)
    for name, kind in kinds.items():
        columns = {f.name: [getattr(row, f.name) for row in rows[name]] for f in fields(kind)}
        table = pa.table(columns, schema=schema(name))
        with replacing(folder / f"{name}.parquet") as temporary:
            pq.write_table(table, temporary)
    write_text(folder / "scores.csv", wide_csv(run))
    write_text(folder / "summary.csv", rows_csv(run.summary_rows, Summary))
    write_text(folder / "files.csv", rows_csv(run.file_rows, FileRow))
    write_text(folder / MANIFEST, json.dumps(run.manifest, indent=1, ensure_ascii=False) + "\n")
    return folder


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in `folder`, or None if there is none.

    Raises:
        RunError: it is there and cannot be read.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read as a Run's manifest: {error}.") from error
    if not isinstance(manifest, dict) or "metrics" not in manifest:
        raise RunError(f"{path} is not a Run's manifest.")
    return manifest


def check_complete(folder: Path) -> dict[str, Any]:
    """The manifest of a complete Run.

    Raises:
        RunError: there is no Run in `folder`, or it was interrupted.
    """
    manifest = read_manifest(folder)
    if manifest is None and (folder / JOURNAL).exists():
        raise RunError(
            f"The Run in {folder} was interrupted.",
            hint="Give its `srqa evaluate` command again with --resume.",
        )
    if manifest is None:
        raise RunError(
            f"{folder} is not a Run: it has no {MANIFEST}.",
            hint="`srqa evaluate OUTPUTS --ref HR --out FOLDER` makes one.",
        )
    return manifest


def read_columns(folder: Path, table: str, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of a Run's table as pandas, without making rows: fast for millions.

    Raises:
        RunError: the table is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{table}.parquet"
    try:
        read = pq.read_table(path, columns=list(columns))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise _damaged(path, error) from error
    missing = [name for name in columns if name not in read.column_names]
    if missing:
        raise RunError(f"{path} has no column {missing[0]}.")
    frame: pd.DataFrame = read.to_pandas()
    return frame


def _damaged(path: Path, error: Exception) -> RunError:
    reason = str(error).strip().splitlines()[0].rstrip(".")
    return RunError(f"{path} is missing or damaged: {reason}.")


def load_run(folder: Path) -> Run:
    """Read a complete Run from `folder`.

    Raises:
        RunError: there is none, it was interrupted, or a table is damaged.
    """
    manifest = check_complete(folder)
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables: dict[str, list[Any]] = {}
    kinds = dict(_TABLES)
    if (folder / f"{_MODELS}.parquet").exists():
        kinds[_MODELS] = ModelRow
    for name, kind in kinds.items():
        path = folder / f"{name}.parquet"
        try:
            table = pq.read_table(path)
            columns = [table.column(f.name).to_pylist() for f in fields(kind)]
        except (OSError, pa.ArrowException, KeyError) as error:
            raise _damaged(path, error) from error
        tables[name] = [kind(*values) for values in zip(*columns, strict=True)]
    models = tables.get(_MODELS, [])
    return Run(manifest, tables["scores"], tables["summary"], tables["files"], folder, models)


def rows_csv(rows: list[Any], kind: type) -> str:
    """Rows of one dataclass as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f.name for f in fields(kind)])
    writer.writerows([_cell(value) for value in asdict(row).values()] for row in rows)
    return out.getvalue()


def wide_csv(run: Run) -> str:
    """Scores with a row an image and a column a metric, as people put them into spreadsheets.

    Metrics of whole sets have no column: their values stand in the summary.
    """
    images: dict[tuple[Any, ...], dict[str, Score]] = {}
    whole = {row.metric for row in run.score_rows if row.level == "set"}
    metrics = [name for name in run.metrics if name not in whole]
    for row in run.score_rows:
        if row.level == "set":
            continue
        key = (row.dataset, row.content, row.scale, row.method, row.image)
        images.setdefault(key, {})[row.metric] = row
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["dataset", "content", "scale", "method", "image", *metrics, "problem"])
    for key, by_metric in images.items():
        values = [_cell(by_metric[m].value) if m in by_metric else "" for m in metrics]
        problems = dict.fromkeys(row.problem for row in by_metric.values() if row.problem)
        writer.writerow([*(_cell(part) for part in key), *values, "; ".join(problems)])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value
