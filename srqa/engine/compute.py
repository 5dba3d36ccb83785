"""The metrics of one output, and the rules that every way of computing them follows."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from srqa.engine.cache import Cache, CachedScore
from srqa.engine.plan import Plan
from srqa.engine.protocol import Channel, Prepared
from srqa.engine.results import NOT_APPLICABLE, FileRow
from srqa.errors import (
    InputError,
    MissingPackageError,
    NotApplicableError,
    WeightsError,
)
from srqa.images.layout import Item
from srqa.memory import free
from srqa.metrics import features
from srqa.metrics.spec import MetricSpec


@dataclass(slots=True)
class ItemResult:
    """The scores of one output by metric name, and the pictures that were read for them."""

    item: Item
    scores: dict[str, CachedScore] = field(default_factory=dict)
    files: list[FileRow] = field(default_factory=list)


@dataclass(slots=True)
class Work:
    """Metrics of one item whose pictures are ready."""

    result: ItemResult
    specs: list[MetricSpec]
    keys: dict[str, bytes]
    planes: dict[str, tuple[Prepared, ...]]
    """The pictures that each kind of metric takes: its arguments, in order."""
    spent: tuple[Prepared, ...] = ()
    """Those whose planes nobody asks for after these metrics."""

    def only(self, specs: Iterable[MetricSpec]) -> Work:
        """The same pictures for some of the metrics."""
        return Work(self.result, list(specs), self.keys, self.planes)


def put(result: ItemResult, spec: MetricSpec, problem: str) -> None:
    """Note why there is no value of `spec`."""
    result.scores[spec.name] = CachedScore(math.nan, problem, 0.0)


def keep(work: Work, spec: MetricSpec, score: CachedScore, cache: Cache | None) -> None:
    """Note a score, and remember it unless it may be otherwise next time."""
    work.result.scores[spec.name] = score
    lasting = not score.problem or score.problem.startswith(NOT_APPLICABLE)
    if cache and lasting:
        cache.put_score(work.keys[spec.name], score)


def too_small(spec: MetricSpec, pictures: Iterable[Prepared], crop: int) -> str:
    """Why `spec` has no value for pictures of this size, or an empty text."""
    height, width = next(iter(pictures)).size
    inner = (max(height - 2 * crop, 0), max(width - 2 * crop, 0))
    if min(inner) >= max(spec.min_side, 1):
        return ""
    cut = f" after cutting {crop} from each side" if crop else ""
    return (
        f"{NOT_APPLICABLE}{inner[1]}x{inner[0]} pixels{cut} is too small for {spec.name}, "
        f"which needs {max(spec.min_side, 1)} a side"
    )


def compute_on_arrays(work: Work, plan: Plan, cache: Cache | None) -> None:
    """Compute the metrics of one item picture by picture, with numpy planes.

    Those that see the same planes come one after the other, so that planes can go after that.
    """
    memory = min(plan.memory, free("cpu") // 2) if plan.on_tensors else plan.memory
    by_channel: dict[Channel, list[MetricSpec]] = defaultdict(list)
    for spec in work.specs:
        by_channel[plan.protocol.channel(spec)].append(spec)
    with network_settings(replace(plan, memory=memory), work.specs):
        for channel, specs in by_channel.items():
            for spec in specs:
                start = time.perf_counter()
                value, problem = _compute(spec, work, plan)
                if not problem and math.isnan(value):
                    problem = f"{spec.name} gave no number (NaN) for {work.result.item.name}."
                seconds = time.perf_counter() - start
                keep(work, spec, CachedScore(value, problem, seconds), cache)
            for picture in work.spent:
                picture.release(channel)


def _compute(spec: MetricSpec, work: Work, plan: Plan) -> tuple[float, str]:
    """The value, or why there is none."""
    pictures, item = work.planes[spec.kind], work.result.item
    crop = plan.protocol.crop_for(spec, item.scale)
    problem = too_small(spec, pictures, crop)
    if problem:
        return math.nan, problem
    try:
        given = plan.given_for(spec, item)
        return float(spec(*(p.planes(spec, crop) for p in pictures), *given)), ""
    except NotApplicableError as error:
        problem = f"{NOT_APPLICABLE}{error}"
    except InputError as error:
        problem = f"{error}."
    except MemoryError:
        problem = f"{item.name} is too large for this machine's memory."
    except (MissingPackageError, WeightsError):  # then no picture gets a value
        raise
    except Exception as error:  # a metric, maybe a user's own, must not stop the others
        problem = f"{spec.name} failed on {item.name}: {brief(error)}"
    return math.nan, problem


def network_settings(plan: Plan, specs: Iterable[MetricSpec]) -> AbstractContextManager[None]:
    """How networks run for metrics that are computed for the same pictures."""
    return features.settings(
        memory=plan.memory,
        threads=1 if plan.on_tensors else plan.workers,
        dtype=plan.dtype,
        announced=[spec.function for spec in specs],
    )


def brief(error: BaseException) -> str:
    """An unforeseen error in half a line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
