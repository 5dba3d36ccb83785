"""srqa: perceptual quality assessment for image super-resolution.

>>> import srqa
>>> import numpy as np
>>> hr = np.linspace(0, 1, 32 * 32 * 3).reshape(32, 32, 3)
>>> round(srqa.metric("psnr")(hr * 0.9, hr), 2)
24.76
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srqa.correlation.analysis import correlate
    from srqa.degradation.api import degrade
    from srqa.engine.evaluate import evaluate
    from srqa.engine.results import Run
    from srqa.metrics.api import difference_map, list_metrics, metric
    from srqa.models.upscaling import upscale

__version__ = "0.1.0"
__all__ = [
    "Run",
    "correlate",
    "degrade",
    "difference_map",
    "evaluate",
    "list_metrics",
    "metric",
    "upscale",
]

_HOMES = {
    "degrade": "srqa.degradation.api",
    "evaluate": "srqa.engine.evaluate",
    "correlate": "srqa.correlation.analysis",
    "Run": "srqa.engine.results",
    "metric": "srqa.metrics.api",
    "difference_map": "srqa.metrics.api",
    "list_metrics": "srqa.metrics.api",
    "upscale": "srqa.models.upscaling",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import srqa`` costs nothing."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'srqa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
