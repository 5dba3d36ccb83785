"""Which metric to trust: metrics against human scores."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srqa.correlation.analysis import Correlation, correlate
    from srqa.correlation.fusion import Fused, fuse

__all__ = ["Correlation", "Fused", "correlate", "fuse"]

_HOMES = {"Correlation": "analysis", "correlate": "analysis", "Fused": "fusion", "fuse": "fusion"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        return getattr(import_module(f"srqa.correlation.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'srqa.correlation' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
