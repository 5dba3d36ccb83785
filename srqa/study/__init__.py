"""Conducting a study: its definition, stimuli, assignment, store and the participant's way.

>>> from srqa.study import definition_of
>>> definition_of("{version: 1, title: T, method: acr, stimuli: {root: out}}").scale.points
5
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srqa.study.definition import Definition
    from srqa.study.loading import definition_of, load_definition
    from srqa.study.study import Study, open_study

__all__ = ["Definition", "Study", "definition_of", "load_definition", "open_study"]

_HOMES = {
    "Definition": "definition",
    "Study": "study",
    "definition_of": "loading",
    "load_definition": "loading",
    "open_study": "study",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        return getattr(import_module(f"srqa.study.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'srqa.study' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
