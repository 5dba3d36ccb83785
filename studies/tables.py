"""Tables of a study as CSV, and what methods differ by from one of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from srqa.engine.results import Run
from srqa.errors import InputError
from srqa.files import replacing
from srqa.statistics.intervals import bootstrap_intervals

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound=DataclassInstance)


def write(rows: Sequence[Any], path: Path) -> None:
    """Write dataclasses as CSV, numbers with six decimals.

    Raises:
        OutputError: it cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [f.name for f in fields(rows[0])], lineterminator="\n")
        table.writeheader()
        for row in rows:
            cells = asdict(row)
            table.writerow({k: f"{v:.6f}" if isinstance(v, float) else v for k, v in cells.items()})


def read(path: Path, kind: type[Row]) -> list[Row]:
    """The rows that `write` wrote.

    Raises:
        InputError: the file cannot be read, or holds another table.
    """
    convert = {"int": int, "float": float, "str": str}
    kinds = {f.name: convert[str(f.type)] for f in fields(kind)}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if list(table.fieldnames or ()) != list(kinds):
                raise InputError(f"{path} is no table of {kind.__name__.lower()}s.")
            return [kind(**{name: kinds[name](cell) for name, cell in row.items()})
                    for row in table]  # fmt: skip
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


@dataclass(frozen=True, slots=True)
class Difference:
    """A method beside another, by one metric, content by content.

    Attributes:
        method, metric: what is told of.
        n: contents.
        mean: score.
        change, low, high: mean of score less the other's, with its 95 % interval over contents.
    """

    method: str
    metric: str
    n: int
    mean: float
    change: float
    low: float
    high: float


def differences(
    run: Run, other: str, group: Callable[[str], str] = lambda method: method
) -> list[Difference]:
    """All methods of a Run beside one of them.

    Args:
        run: with scores of all contents.
        other: what the others are compared with.
        group: names that methods share whose scores are averaged first, content by content.

    Raises:
        InputError: a content lacks a score.
    """
    if run.problems:
        raise InputError(f"{run.problems[0]['image']} has no score: {run.problems[0]['problem']}")
    found = []
    for metric in run.metrics:
        scores: dict[str, dict[str, list[float]]] = {}
        for row in run.score_rows:
            if row.metric == metric:
                column = scores.setdefault(group(row.method), {})
                column.setdefault(row.content, []).append(row.value)
        means = {
            method: {content: float(np.mean(values)) for content, values in column.items()}
            for method, column in scores.items()
        }
        for method, mean in means.items():
            change = [value - means[other][content] for content, value in mean.items()]
            whole = float(np.mean(list(mean.values())))
            found.append(Difference(method, metric, len(mean), whole, *mean_with_ends(change)))
    return found


def mean_with_ends(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean and its 95 % interval, NaN for fewer than 5 values."""
    column = np.array(values, dtype=np.float64)
    low, high = bootstrap_intervals(column[:, None])[0]
    return float(column.mean()), float(low), float(high)


_COARSE = ("psnr", "srqa-nr")
"""Metrics of tens, whose thousandths say nothing."""


def number(value: float, metric: str) -> str:
    """With as many digits as the metric deserves.

    Example:
        >>> number(27.1234, "psnr-y"), number(0.12345, "lpips")
        ('27.12', '0.123')
    """
    return f"{value:.{2 if metric.startswith(_COARSE) or abs(value) >= 10 else 3}f}"


def signed(value: float, metric: str) -> str:
    """The same with its sign, as a typographer would set it.

    Example:
        >>> signed(-0.5, "psnr-y")
        '−0.50'
    """
    return ("+" if value > 0 else "−" if value < 0 else "") + number(abs(value), metric)


def markdown(
    rows: Sequence[Difference],
    words: dict[str, str],
    other: str,
    more: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """A row a method, a column a metric: the mean, and how far it lies from the other's.

    Args:
        rows: of all metrics.
        words: what each method is; their order is that of the rows.
        other: with what the rows were compared.
        more: further columns, whose cells are found by the method.
    """
    metrics = list(dict.fromkeys(row.metric for row in rows))
    cells = {(row.method, row.metric): row for row in rows}
    columns = [*metrics, *(more or {})]
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for method, said in words.items():
        if (method, metrics[0]) in cells:
            shown = [_cell(cells[method, metric], other) for metric in metrics]
            shown += [column[method] for column in (more or {}).values()]
            lines.append(f"| {said} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: Difference, other: str) -> str:
    mean = number(row.mean, row.metric)
    if row.method == other:
        return mean
    told = signed(row.change, row.metric)
    if np.isnan(row.low):
        return f"{mean} ({told})"
    return f"{mean} ({told} ± {number((row.high - row.low) / 2, row.metric)})"
