"""A correlation as one JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import srqa
from srqa.correlation.analysis import Correlation
from srqa.correlation.disagreement import verdicts
from srqa.ratings.analysis.document import without_nan
from srqa.report.correlation.tables import frames
from srqa.report.correlation.words import design, findings

VERSION = 1
"""Of the document's form."""
_TABLES = ("correlations", "differences", "parts", "residuals", "noticed", "steps", "preferences",
           "disagreements")  # fmt: skip


def document(found: Correlation) -> dict[str, Any]:
    """All figures, the choices made, and how the two sides were put together."""
    ceiling = found.humans.ceiling
    made = frames(found)
    record = {
        "version": VERSION,
        "srqa": srqa.__version__,
        "settings": asdict(found.settings),
        "humans": {"source": found.humans.source, "unit": found.humans.unit,
                   "higher_is_better": found.humans.higher_is_better, "model": found.humans.model,
                   "ceiling": asdict(ceiling) if ceiling else None},
        "scores": {"source": found.metrics.source,
                   "metrics": [asdict(metric) for metric in found.data.metrics],
                   "direction_assumed": list(found.data.assumed)},
        "joined_by": found.joined.rule,
        "counts": design(found) | {"rated_only": len(found.joined.only_rated),
                                   "scored_only": len(found.joined.only_scored)},
        "findings": findings(found),
        "mappings": {name: {"kind": m.kind, "parameters": list(m.parameters),
                            "monotone": m.monotone, "note": m.note}
                     for name, m in zip(found.data.names, found.figures.mappings, strict=True)},
        "between": {"metrics": found.data.names, "srocc": found.between},
        "disagreement_verdicts": verdicts(found.disagreements),
        "tables": {name: made[name].to_dict("records") for name in _TABLES if name in made},
        "notes": list(found.notes),
    }  # fmt: skip
    plain: dict[str, Any] = without_nan(record)
    return plain
