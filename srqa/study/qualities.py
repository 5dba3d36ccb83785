"""Qualities for a simulated study that are known beforehand: of a table, or of a Run's metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import shortened
from srqa.study.observers import GOLD, REFERENCE, Truth
from srqa.study.study import Study

if TYPE_CHECKING:
    from srqa.correlation.metrics import MetricScores

LOWEST, HIGHEST = 1.0, 5.0
SPREAD = 0.95
"""Standard deviation of qualities that follow a metric's ranks."""
OWN = 0.2
"""Standard deviation of what people see otherwise than the metric: by content, and by picture."""


def read_truth(study: Study, source: str, rng: np.random.Generator) -> Truth:
    """Qualities of a study's stimuli from elsewhere; references are best, control pictures worst.

    Args:
        study: prepared.
        source: ``FILE`` or ``FILE:COLUMN``, a table of qualities from 1 to 5 with a row a picture
            (the column quality, mos or the like), or ``RUN:METRIC``: then people's opinion follows
            the metric's ranks and differs from it by content and by picture (`OWN`), so that it is
            known which metric should come first.
        rng: draws that difference.

    Raises:
        UsageError: a Run without a metric, or a metric that it does not hold.
        InputError: the file cannot be read, lacks a stimulus, or its values are no qualities.
    """
    path, name = split(source)
    is_run = (path / "manifest.json").is_file()
    scores = _of_run(path, name) if is_run else _of_table(path, name)
    given = _joined(study, scores)
    rows = study.stimuli
    tests = [k for k in sorted(rows) if rows[k]["role"] == "test"]
    values = np.array([given[rows[k]["name"]] for k in tests])
    if is_run:
        values = _seen(values, [(rows[k]["dataset"], rows[k]["content"]) for k in tests], rng)
    elif values.min() < LOWEST or values.max() > HIGHEST:
        raise InputError(
            f"{scores.source} has qualities from {values.min():g} to {values.max():g}: they lie "
            "between 1 and 5."
        )
    fixed = {"gold": GOLD, "reference": REFERENCE}
    others = {k: fixed[rows[k]["role"]] for k in rows if rows[k]["role"] in fixed}
    return Truth(others | dict(zip(tests, map(float, values), strict=True)))


def split(source: str) -> tuple[Path, str]:
    """The path and what follows it: the longest part before a colon that is there.

    Raises:
        InputError: nothing of it is a file or folder.
    """
    parts = source.split(":")
    for count in range(len(parts), 0, -1):
        path = Path(":".join(parts[:count]))
        if path.exists():
            return path, ":".join(parts[count:])
    raise InputError(f"There is no file or folder {source}.", hint="Give FILE or RUN:METRIC.")


def _of_run(path: Path, metric: str) -> MetricScores:
    from srqa.correlation.metrics import load_metrics

    if not metric:
        held = ", ".join(m.name for m in load_metrics(path).metrics)
        raise UsageError(f"{path} is a Run: say by which metric, as {path}:METRIC.",
                         hint=f"It has {held}.")  # fmt: skip
    return load_metrics(path, [metric])


def _of_table(path: Path, column: str) -> MetricScores:
    from srqa.correlation.humans import load_humans, read_table
    from srqa.correlation.metrics import Metric, MetricScores

    if not column and path.is_file() and "quality" in read_table(path).columns:
        column = "quality"
    human = load_humans(path, column)
    frame = human.frame.assign(reference="", quality=human.frame["score"])
    return MetricScores(frame, (Metric("quality", 1),), human.source)


def _joined(study: Study, scores: MetricScores) -> dict[str, float]:
    """Values of the test stimuli by name, higher is better."""
    import pandas as pd

    from srqa.correlation.humans import HumanScores, keyed
    from srqa.correlation.joining import join

    rows = [row for _, row in sorted(study.stimuli.items()) if row["role"] == "test"]
    keys = ("dataset", "content", "scale", "method")
    columns: dict[str, Any] = {key: [row[key] for row in rows] for key in keys}
    stimuli = keyed(pd.DataFrame(columns | {"stimulus": [row["name"] for row in rows]}))
    stimuli[["score", "error", "half", "votes"]] = np.nan
    asked = HumanScores(stimuli, "quality", True, None, None, "", f"the study {study.name}")
    made = join(asked, scores)
    metric = scores.metrics[0]
    values = (metric.sign or 1) * made.frame[metric.name].to_numpy(np.float64)
    names = made.frame["stimulus"]
    lacking = [*made.only_rated, *names[~np.isfinite(values)]]
    if lacking:
        raise InputError(
            f"{scores.source} has no finite {metric.name} for {len(lacking)} of the {len(rows)} "
            f"stimuli: {shortened(lacking)}."
        )
    return dict(zip(names, map(float, values), strict=True))


def _seen(
    values: np.ndarray[Any, np.dtype[np.float64]],
    contents: Sequence[Any],
    rng: np.random.Generator,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    from scipy.stats import norm, rankdata

    place = np.asarray(rankdata(values)) / (len(values) + 1)
    shift = {content: float(rng.normal(0, OWN)) for content in dict.fromkeys(contents)}
    seen = (HIGHEST + LOWEST) / 2 + SPREAD * np.asarray(norm.ppf(place))
    seen += np.array([shift[content] for content in contents]) + rng.normal(0, OWN, len(values))
    return np.asarray(np.clip(seen, LOWEST, REFERENCE), dtype=np.float64)
