"""The losses of the SR literature: terms, their weighted sum as text, and discriminators.

>>> from srqa.losses import parse
>>> import torch
>>> objective = parse("l1 + 0.1*tv", scale=2)
>>> sr, hr, lr = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8), torch.ones(1, 3, 4, 4)
>>> float(objective(sr, hr, lr).total)
1.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srqa.losses.adversarial import Adversarial
    from srqa.losses.catalog import canonical
    from srqa.losses.objective import Objective, Terms, parse

__all__ = ["Adversarial", "Objective", "Terms", "canonical", "parse"]

_HOMES = {
    "Adversarial": "srqa.losses.adversarial",
    "Objective": "srqa.losses.objective",
    "Terms": "srqa.losses.objective",
    "canonical": "srqa.losses.catalog",
    "parse": "srqa.losses.objective",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: text is checked without torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'srqa.losses' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
