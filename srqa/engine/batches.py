"""Pictures of one size computed together on tensors: the way for a GPU."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.engine.cache import Cache, CachedScore
from srqa.engine.compute import (
    ItemResult,
    Work,
    brief,
    compute_on_arrays,
    keep,
    network_settings,
    too_small,
)
from srqa.engine.plan import Plan
from srqa.errors import MissingPackageError, NotApplicableError, WeightsError
from srqa.metrics import features
from srqa.metrics.spec import MetricSpec

if TYPE_CHECKING:
    import torch

MAX_WAITING_PIXELS = 64 * 2**20
"""When pictures of many sizes wait for company, the longest-waiting go first."""


class Batches:
    """Collects work of equal sizes and computes it in batches."""

    def __init__(self, plan: Plan, cache: Cache | None) -> None:
        self._plan, self._cache = plan, cache
        self._waiting: dict[object, list[Work]] = {}
        self._pixels = 0

    def add(self, work: Work) -> Iterator[ItemResult]:
        """Take work; give the results that became ready."""
        key = (
            tuple((kind, *(p.size for p in pictures)) for kind, pictures in work.planes.items()),
            tuple(spec.name for spec in work.specs),
            work.result.item.scale,
        )
        group = self._waiting.setdefault(key, [])
        group.append(work)
        self._pixels += _pixels(work)
        if len(group) >= self._plan.batch_size:
            yield from self._compute(key)
        while self._pixels > MAX_WAITING_PIXELS and self._waiting:
            yield from self._compute(next(iter(self._waiting)))

    def flush(self) -> Iterator[ItemResult]:
        """Compute what is left."""
        while self._waiting:
            yield from self._compute(next(iter(self._waiting)))

    def _compute(self, key: object) -> list[ItemResult]:
        group = self._waiting.pop(key)
        self._pixels -= sum(_pixels(work) for work in group)
        with network_settings(self._plan, group[0].specs):
            self._compute_group(group)
        return [work.result for work in group]

    def _compute_group(self, group: list[Work]) -> None:
        stacked: dict[object, torch.Tensor] = {}
        for spec in group[0].specs:
            start = time.perf_counter()
            scores = self._scores(spec, group, stacked)
            if scores is None:  # not for batches, or too much for the device
                for work in group:
                    alone = Work(work.result, [spec], work.keys, work.planes)
                    compute_on_arrays(alone, self._plan, self._cache)
                continue
            seconds = (time.perf_counter() - start) / len(group)
            for work, (value, problem) in zip(group, scores, strict=True):
                keep(work, spec, CachedScore(value, problem, seconds), self._cache)

    def _scores(
        self, spec: MetricSpec, group: list[Work], stacked: dict[object, torch.Tensor]
    ) -> list[tuple[float, str]] | None:
        import torch

        crop = self._plan.protocol.crop_for(spec, group[0].result.item.scale)
        problem = too_small(spec, group[0].planes[spec.kind], crop)
        if problem:
            return [(math.nan, problem)] * len(group)
        if not spec.batchable:
            return None
        try:
            with torch.inference_mode():
                values = spec(*self._stack(spec, crop, group, stacked)).double().cpu().tolist()
        except torch.OutOfMemoryError:
            stacked.clear()
            return self._halves(spec, group)
        except NotApplicableError:
            return None  # which picture it is shows when they are taken one by one
        except (MissingPackageError, WeightsError):  # then no picture gets a value
            raise
        except Exception as error:  # a metric, maybe a user's own, must not stop the others
            return [
                (math.nan, f"{spec.name} failed on {w.result.item.name}: {brief(error)}")
                for w in group
            ]
        return [
            (
                v,
                f"{spec.name} gave no number (NaN) for {w.result.item.name}."
                if math.isnan(v)
                else "",
            )
            for v, w in zip(values, group, strict=True)
        ]

    def _halves(self, spec: MetricSpec, group: list[Work]) -> list[tuple[float, str]] | None:
        if len(group) == 1:
            return None
        middle = len(group) // 2
        parts = [self._scores(spec, part, {}) for part in (group[:middle], group[middle:])]
        if parts[0] is None or parts[1] is None:
            return None
        return parts[0] + parts[1]

    def _stack(
        self, spec: MetricSpec, crop: int, group: list[Work], stacked: dict[object, Any]
    ) -> list[torch.Tensor]:
        import torch

        tensors = []
        for position in range(len(group[0].planes[spec.kind])):
            shared = "own" if spec.kind != "fr" and position == 0 else (spec.kind, position)
            key = (shared, spec.input, spec.rounding, crop)
            if key not in stacked:
                planes = [w.planes[spec.kind][position].planes(spec, crop) for w in group]
                tensor = torch.from_numpy(np.stack(planes))
                stacked[key] = tensor.to(self._plan.device, non_blocking=True)
            if spec.features:
                features.share(stacked[key])
            tensors.append(stacked[key])
        return tensors


def _pixels(work: Work) -> int:
    return sum(math.prod(p.size) for pictures in work.planes.values() for p in pictures)
