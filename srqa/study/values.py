"""What metrics say about the stimuli as they are shown: kept in the store, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from srqa import __version__
from srqa.errors import InputError, NotApplicableError, UsageError
from srqa.images.read import read
from srqa.study import tables as t
from srqa.study.study import Study

if TYPE_CHECKING:
    import pandas as pd


def compute_metrics(
    study: Study,
    names: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Compute the metrics that are not known yet.

    A metric sees the prepared stimulus and, if it needs one, the prepared reference: the very
    pixels that people saw, without any border cut.

    Args:
        study: whose stimuli.
        names: of metrics; those of the definition without.
        progress: called with how many are done, of how many.

    Returns:
        How many values are new.

    Raises:
        UsageError: an unknown metric, or one of sets of pictures.
        InputError: a metric needs references, and the study has none.
        WeightsError: trained numbers cannot be had.
    """
    import srqa.metrics.api as metrics

    wanted = list(names if names is not None else study.definition.analysis.metrics)
    functions = {name: metrics.metric(name) for name in wanted}
    for name, function in functions.items():
        if function.spec.level == "set" or function.spec.kind == "lr":
            raise UsageError(f"The metric {name} does not judge single outputs of a study.")
    known = {(row["stimulus"], row["metric"]) for row in _rows(study)}
    rows = [row for row in study.stimuli.values() if row["role"] == "test"]
    todo = [(row, name) for row in rows for name in wanted if (row["id"], name) not in known]
    done = 0
    pixels: dict[str, Any] = {}
    for row, name in todo:
        function = functions[name]
        arguments = [_pixels(study, row, pixels)]
        if function.spec.kind == "fr":
            reference = study.by_name.get(row["reference"])
            if reference is None:
                raise InputError(
                    f"The metric {name} needs references, but stimuli.reference is not set."
                )
            arguments.append(_pixels(study, reference, pixels))
        try:
            value = float(function(*arguments))
        except NotApplicableError:
            value = float("nan")
        signature = f"{name} | srqa {__version__} | stimulus as shown | rgb 8 bits | crop 0"
        with study.store.database.writing() as c:
            c.execute(
                t.metric_value.insert().values(
                    stimulus=row["id"],
                    metric=name,
                    value=value if np.isfinite(value) else None,
                    signature=signature,
                )
            )
        done += 1
        if progress:
            progress(done, len(todo))
    return done


def metric_table(study: Study) -> pd.DataFrame:
    """Values of metrics: stimulus, content, method, scale, metric, value, signature."""
    import pandas as pd

    columns = ("stimulus", "content", "method", "scale", "metric", "value", "signature")
    found = []
    for row in _rows(study):
        stimulus = study.stimuli.get(row["stimulus"])
        if stimulus is not None:
            facts = [stimulus[name] for name in ("name", "content", "method", "scale")]
            found.append([*facts, row["metric"], row["value"], row["signature"]])
    return pd.DataFrame(found, columns=list(columns))


def _rows(study: Study) -> list[Any]:
    own = sa.select(t.stimulus.c.id).where(t.stimulus.c.study == study.store.study)
    wanted = sa.select(t.metric_value).where(t.metric_value.c.stimulus.in_(own))
    with study.store.database.reading() as c:
        return list(c.execute(wanted.order_by(t.metric_value.c.stimulus)).mappings())


def _pixels(study: Study, row: Any, known: dict[str, Any]) -> Any:
    opaque = row["opaque"]
    if opaque not in known:
        if len(known) > 32:
            known.clear()
        path = study.stimulus_file(opaque)
        if path is None:
            raise InputError(
                f"The prepared stimulus of {row['name']} is missing.",
                hint="`srqa study lint` prepares stimuli anew.",
            )
        known[opaque] = read(path).pixels
    return known[opaque]
