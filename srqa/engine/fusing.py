"""Metrics that are made of others' values: their parts are computed, the rest is arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from srqa.engine.cache import CachedScore
from srqa.engine.compute import ItemResult
from srqa.engine.plan import Plan
from srqa.errors import UsageError
from srqa.metrics import registry
from srqa.metrics.spec import MetricSpec


def with_parts(specs: Sequence[MetricSpec]) -> tuple[MetricSpec, ...]:
    """The metrics, and before each fused one those that it is made of.

    Raises:
        UsageError: two fused metrics have one name.
    """
    fused = [spec.name for spec in specs if spec.parts]
    twice = next((name for name in fused if fused.count(name) > 1), None)
    if twice:
        raise UsageError(f"Two files give the metric {twice}.", hint="Rename one of the files.")
    found: dict[str, MetricSpec] = {}
    for spec in specs:
        for part in map(registry.get, spec.parts):
            found.setdefault(part.name, part)
        found.setdefault(spec.name, spec)
    return tuple(found.values())


def complete(results: Mapping[Any, ItemResult], plan: Plan) -> None:
    """Add the fused metrics' values to each picture's scores.

    A picture without a finite value of a part has none, with that part's reason.
    """
    for spec in (spec for spec in plan.per_image if spec.parts):
        for result in results.values():
            result.scores[spec.name] = _score(spec, [result.scores[name] for name in spec.parts])


def _score(spec: MetricSpec, parts: Sequence[CachedScore]) -> CachedScore:
    for name, part in zip(spec.parts, parts, strict=True):
        if part.problem:
            return CachedScore(math.nan, part.problem, 0.0)
        if not math.isfinite(part.value):
            return CachedScore(math.nan, f"n/a: {name} is {part.value}", 0.0)
    return CachedScore(float(spec.function(*(part.value for part in parts))), "", 0.0)
