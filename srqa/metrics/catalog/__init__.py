"""The registry: every metric of srqa, one entry each, a module a family.

The order is the one in which tables show them.
"""

from __future__ import annotations

from srqa.metrics.catalog import (
    checks,
    classic,
    deep,
    fidelity,
    learned,
    naturalness,
    perceived,
    sets,
    structure,
)
from srqa.metrics.spec import MetricSpec

CATALOG: tuple[MetricSpec, ...] = (
    *fidelity.METRICS,
    *structure.METRICS,
    *classic.METRICS,
    *perceived.METRICS,
    *learned.METRICS,
    *naturalness.METRICS,
    *deep.METRICS,
    *sets.METRICS,
    *checks.METRICS,
)
