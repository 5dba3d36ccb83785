"""Metrics: a pure function on planes and one `MetricSpec` in `catalog.py` each."""

from srqa.metrics.registry import get, names, specs
from srqa.metrics.spec import MetricSpec

__all__ = ["MetricSpec", "get", "names", "specs"]
