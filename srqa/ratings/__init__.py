"""Human answers turned into quality scores with honest uncertainty; numpy and scipy only.

>>> from srqa.ratings import analyze, from_matrix
>>> found = analyze(from_matrix([[5, 4, 5, 4], [3, 3, 2, 4], [1, 2, 1, 1], [4, 4, 3, 4]]))
>>> found.rated.scores.mos.tolist()
[4.5, 3.0, 1.25, 3.75]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srqa.ratings.analysis import Analysis, analyze
    from srqa.ratings.answers import Answers, RatingScale, Stimulus, from_matrix
    from srqa.ratings.designs import Design, design_study
    from srqa.ratings.formats import read as load
    from srqa.ratings.formats import write as export
    from srqa.ratings.tables import from_frame, save, to_frame

__all__ = [
    "Analysis",
    "Answers",
    "Design",
    "RatingScale",
    "Stimulus",
    "analyze",
    "design_study",
    "export",
    "from_frame",
    "from_matrix",
    "load",
    "save",
    "to_frame",
]

_HOMES = {
    "Analysis": ("analysis", "Analysis"),
    "Answers": ("answers", "Answers"),
    "Design": ("designs", "Design"),
    "RatingScale": ("answers", "RatingScale"),
    "Stimulus": ("answers", "Stimulus"),
    "analyze": ("analysis", "analyze"),
    "design_study": ("designs", "design_study"),
    "export": ("formats", "write"),
    "from_frame": ("tables", "from_frame"),
    "from_matrix": ("answers", "from_matrix"),
    "load": ("formats", "read"),
    "save": ("tables", "save"),
    "to_frame": ("tables", "to_frame"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        module, attribute = _HOMES[name]
        return getattr(import_module(f"srqa.ratings.{module}"), attribute)
    raise AttributeError(f"module 'srqa.ratings' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
