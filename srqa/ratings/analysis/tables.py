"""The tables of an analysis, as pandas frames: what is written as CSV and Parquet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.chosen import Chosen
from srqa.ratings.analysis.rated import Rated

if TYPE_CHECKING:
    import pandas as pd

MOST_IN_COVARIANCE = 3000
"""Items beyond which the covariance of a scale is not written."""
FACTS = ("dataset", "content", "scale", "method")


def tables(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """All tables by name.

    Returns:
        `mos` and `distribution`, or `jod`, `pairs` and `jod_covariance`; `observers`, `standings`,
        `differences` and `flags` for both. docs/ratings.md says what the columns are.
    """
    found: dict[str, pd.DataFrame] = {}
    if analysis.rated is not None:
        found["mos"] = analysis.rated.scores.to_frame()
        found["distribution"] = _distribution(analysis.rated)
        found["observers"] = _raters(analysis, analysis.rated)
    if analysis.chosen is not None:
        found["jod"] = jod_table(analysis.chosen)
        found["pairs"] = _pairs(analysis.chosen)
        if len(analysis.chosen.scale.items) <= MOST_IN_COVARIANCE:
            found["jod_covariance"] = _covariance(analysis.chosen)
        found["observers"] = _choosers(analysis, analysis.chosen)
    found["standings"] = _standings(analysis)
    found["differences"] = analysis.standings.to_frame()
    found["flags"] = _flags(analysis)
    return found


def jod_table(chosen: Chosen) -> pd.DataFrame:
    """The table `jod`: a row an item."""
    import pandas as pd

    scale = chosen.scale
    low, high = scale.intervals.T
    known = {s.name: s for s in chosen.facts}
    columns: dict[str, Any] = {
        fact: [getattr(known[item], fact) for item in scale.items] for fact in FACTS
    }
    columns |= {
        "stimulus": list(scale.items),
        "jod": scale.jod,
        "se": scale.se,
        "ci_low": low,
        "ci_high": high,
        "n": np.rint(scale.votes).astype(np.int64),
        "group": scale.groups.astype(np.int64),
        "model": scale.model.name,
    }
    frame = pd.DataFrame(columns)
    return frame.astype({"scale": "float64"})


def _covariance(chosen: Chosen) -> pd.DataFrame:
    """A row a pair of items, each with itself too: the matrix is symmetric."""
    import pandas as pd

    items = np.array(chosen.scale.items, dtype=object)
    first, second = np.triu_indices(len(items))
    covariance = chosen.scale.covariance()[first, second]
    return pd.DataFrame({"first": items[first], "second": items[second], "covariance": covariance})


def _pairs(chosen: Chosen) -> pd.DataFrame:
    import pandas as pd

    items, fit = np.array(chosen.scale.items, dtype=object), chosen.fit
    counts = chosen.scale.problem.cells.counts
    return pd.DataFrame(
        {
            "first": items[fit.left],
            "second": items[fit.right],
            "n_first": counts[:, 0],
            "n_tie": counts[:, 1],
            "n_second": counts[:, 2],
            "observed": fit.observed,
            "expected": fit.expected,
            "residual": fit.residual,
        }
    )


def _distribution(rated: Rated) -> pd.DataFrame:
    import pandas as pd

    names = ("good_or_better", "poor_or_worse", "entropy", "bimodality")
    columns: dict[str, Any] = {"stimulus": [s.name for s in rated.distribution.stimuli]}
    columns |= {name: getattr(rated.distribution, name) for name in names}
    return pd.DataFrame(columns)


def _people(analysis: Analysis) -> dict[str, Any]:
    """Observers of the given answers, with what screening found."""
    given, kept = analysis.screened.given, analysis.screened.kept
    size = len(given.observers)
    columns: dict[str, Any] = {
        "observer": list(given.observers),
        "n": np.bincount(given.observer, minlength=size).astype(np.int64),
        "n_used": np.bincount(given.observer[kept], minlength=size).astype(np.int64),
        "excluded": [name in analysis.screened.removed_observers for name in given.observers],
    }
    for step in analysis.screened.steps:
        for name, values in step.figures.items():
            columns[f"{step.check}_{name}"] = values
    return columns


def _spread(names: tuple[str, ...], values: Any, given: tuple[str, ...]) -> Any:
    """Figures of some observers as figures of all, NaN for the others."""
    place = {name: i for i, name in enumerate(names)}
    where = np.array([place.get(name, -1) for name in given])
    return np.append(np.asarray(values, dtype=np.float64), math.nan)[where]


def _raters(analysis: Analysis, rated: Rated) -> pd.DataFrame:
    import pandas as pd

    columns, given = _people(analysis), analysis.screened.given.observers
    found = rated.observers
    for name in ("bias", "inconsistency"):
        for end in ("", "_low", "_high"):
            values = getattr(found, name + end) if found else []
            columns[name + end] = _spread(found.names if found else (), values, given)
    columns["correlation"] = _spread(rated.answers.observers, rated.correlations, given)
    return pd.DataFrame(columns)


def _choosers(analysis: Analysis, chosen: Chosen) -> pd.DataFrame:
    import pandas as pd

    columns, given = _people(analysis), analysis.screened.given.observers
    names = tuple(fit.observer for fit in chosen.observers)
    for name in ("log10_likelihood", "distance", "z"):
        columns[name] = _spread(names, [getattr(f, name) for f in chosen.observers], given)
    names = tuple(triad.observer for triad in chosen.triads)
    labels = {"by_chance": "cyclic_by_chance", "by_model": "cyclic_by_model"}
    for name in ("triads", "cyclic", "by_chance", "by_model", "zeta"):
        values = [getattr(triad, name) for triad in chosen.triads]
        columns[labels.get(name, name)] = _spread(names, values, given)
    return pd.DataFrame(columns)


def _standings(analysis: Analysis) -> pd.DataFrame:
    import pandas as pd

    standings = analysis.standings
    return pd.DataFrame(
        {
            "name": list(standings.names),
            "value": standings.values,
            "ci_low": standings.low,
            "ci_high": standings.high,
            "tier": list(standings.tiers),
        }
    )


def _flags(analysis: Analysis) -> pd.DataFrame:
    """A row an observer or answer that a check does not trust; `row` counts answers from 1."""
    import pandas as pd

    flags = [flag for step in analysis.screened.steps for flag in step.flags]
    return pd.DataFrame(
        {
            "check": [flag.check for flag in flags],
            "observer": [flag.observer for flag in flags],
            "row": pd.array([None if f.row is None else f.row + 1 for f in flags], dtype="Int64"),
            "reason": [flag.reason for flag in flags],
        }
    ).astype({"check": "str", "observer": "str", "reason": "str"})
