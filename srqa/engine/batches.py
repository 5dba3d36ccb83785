"""Pictures of one size computed together on tensors: the way for a GPU.

A batch's metrics are asked of the device one after the other, and nothing waits for a value.
Values are looked at when the next batch has been asked for, so that the device always has work
while worker threads read, decode and convert, and the host gathers and sends what comes next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

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
from srqa.engine.upload import Clock, Upload
from srqa.errors import MissingPackageError, NotApplicableError, WeightsError
from srqa.metrics import features
from srqa.metrics.spec import MetricSpec

if TYPE_CHECKING:
    import torch

MAX_WAITING_PIXELS = 64 * 2**20
"""When pictures of many sizes wait for company, the longest-waiting go first."""

_Part: TypeAlias = "tuple[list[Work], torch.Tensor | str]"
"""Some of a batch, and their values on the device, or why they have none."""


@dataclass(slots=True)
class _Asked:
    """A batch whose metrics the device was asked for.

    Attributes:
        group: its work.
        parts: by metric; None where pictures must be taken one by one.
        clocks: of each metric.
    """

    group: list[Work]
    parts: dict[MetricSpec, list[_Part] | None] = field(default_factory=dict)
    clocks: dict[MetricSpec, Clock] = field(default_factory=dict)


class Batches:
    """Collects work of equal sizes and computes it in batches."""

    def __init__(self, plan: Plan, cache: Cache | None) -> None:
        self._plan, self._cache = plan, cache
        self._upload = Upload(plan.device)
        self._waiting: dict[object, list[Work]] = {}
        self._pixels = 0
        self._asked: _Asked | None = None

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
            yield from self._next(key)
        while self._pixels > MAX_WAITING_PIXELS and self._waiting:
            yield from self._next(next(iter(self._waiting)))

    def flush(self) -> Iterator[ItemResult]:
        """Compute what is left."""
        while self._waiting:
            yield from self._next(next(iter(self._waiting)))
        if self._asked:
            asked, self._asked = self._asked, None
            yield from self._finish(asked)

    def _next(self, key: object) -> list[ItemResult]:
        """Ask for a batch, then give the results of the one before."""
        group = self._waiting.pop(key)
        self._pixels -= sum(_pixels(work) for work in group)
        before = self._asked
        with network_settings(self._plan, group[0].specs):
            self._asked = self._ask(group)
        return self._finish(before) if before else []

    def _ask(self, group: list[Work]) -> _Asked:
        asked = _Asked(group)
        stacked: dict[object, torch.Tensor] = {}
        for spec in group[0].specs:
            asked.clocks[spec] = Clock(self._plan.device)
            asked.parts[spec] = self._parts(spec, group, stacked)
            asked.clocks[spec].stop()
        return asked

    def _finish(self, asked: _Asked) -> list[ItemResult]:
        for spec, parts in asked.parts.items():
            if parts is None:
                for work in asked.group:
                    compute_on_arrays(work.only([spec]), self._plan, self._cache)
                continue
            values = [_values(part) for part in parts]  # here the host waits for the device
            seconds = asked.clocks[spec].seconds / len(asked.group)
            for (works, _), found in zip(parts, values, strict=True):
                for work, (value, said) in zip(works, found, strict=True):
                    if math.isnan(value) and not said:
                        compute_on_arrays(work.only([spec]), self._plan, self._cache)
                        continue
                    problem = said.format(spec.name, work.result.item.name)
                    keep(work, spec, CachedScore(value, problem, seconds), self._cache)
        return [work.result for work in asked.group]

    def _parts(
        self, spec: MetricSpec, group: list[Work], stacked: dict[object, torch.Tensor]
    ) -> list[_Part] | None:
        """The batch's values; of halves, if it is too much for the device."""
        import torch

        crop = self._plan.protocol.crop_for(spec, group[0].result.item.scale)
        problem = too_small(spec, group[0].planes[spec.kind], crop)
        if problem:
            return [(group, _literal(problem))]
        if not spec.batchable:
            return None
        try:
            with torch.inference_mode():
                return [(group, spec(*self._stack(spec, crop, group, stacked)).double())]
        except torch.OutOfMemoryError:
            stacked.clear()
        except NotApplicableError:
            return None  # which picture it is shows when they are taken one by one
        except (MissingPackageError, WeightsError):  # then no picture gets a value
            raise
        except Exception as error:  # a metric, maybe a user's own, must not stop the others
            return [(group, f"{{}} failed on {{}}: {_literal(brief(error))}")]
        if len(group) == 1:
            return None
        middle = len(group) // 2
        halves = [self._parts(spec, half, {}) for half in (group[:middle], group[middle:])]
        if halves[0] is None or halves[1] is None:
            return None
        return halves[0] + halves[1]

    def _stack(
        self, spec: MetricSpec, crop: int, group: list[Work], stacked: dict[object, Any]
    ) -> list[torch.Tensor]:
        tensors = []
        for position in range(len(group[0].planes[spec.kind])):
            shared = "own" if spec.kind != "fr" and position == 0 else (spec.kind, position)
            key = (shared, spec.input, spec.rounding, crop)
            if key not in stacked:
                planes = [w.planes[spec.kind][position].planes(spec, crop) for w in group]
                stacked[key] = self._upload(planes)
                features.share(stacked[key])
            tensors.append(stacked[key])
        return tensors


def _values(part: _Part) -> list[tuple[float, str]]:
    """Value and problem of each; a problem has places for the names of metric and picture.

    NaN without a problem is left to be explained: a metric raises nothing that a GPU would have
    to be waited for.
    """
    works, found = part
    if isinstance(found, str):
        return [(math.nan, found)] * len(works)
    return [(value, "") for value in found.cpu().tolist()]


def _literal(text: str) -> str:
    """A text that `str.format` leaves as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def _pixels(work: Work) -> int:
    return sum(math.prod(p.size) for pictures in work.planes.values() for p in pictures)
