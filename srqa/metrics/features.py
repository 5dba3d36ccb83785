"""Maps of the networks (`srqa.metrics.networks`): how they run, what they may take, what is kept.

Maps are kept for planes that somebody promised not to change (`share`, as the engine does), and
never for other planes. Where gradients are asked for, nothing is kept, and nothing that is kept is
used.
They are found again by the identity of the planes and by the steps that made them, so metrics
share whatever their networks have in common (DISTS and LPIPS-vgg the first stage), and a
reference's maps serve all methods. They go when the planes go, or, least recently used first, when
a thread needs its share of the memory (`settings`) for others.

What would not fit at all is never made whole: see `srqa.metrics.comparison`.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from srqa.images.arrays import Planes, is_tensor
from srqa.memory import free_on_gpu
from srqa.metrics.networks import Dtype, Network, apply, normalised, parameters, transformed
from srqa.metrics.precision import full_precision
from srqa.metrics.walk import SLACK, STRIPS, MapKey, key_of, transient

if TYPE_CHECKING:
    import torch

_Made: TypeAlias = "dict[MapKey, torch.Tensor]"

DEFAULT_MEMORY = 2 * 2**30
"""Bytes that maps may take on a CPU where nobody said; on a GPU it is half of what is free."""

QUICK = 10**9
"""With less, no memory is spent on transformed weights (VGG16's are 235 MB)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How networks run, see `settings`."""

    memory: int | None = None
    threads: int = 1
    dtype: Dtype = "float32"
    announced: tuple[Callable[..., Any], ...] = ()

    def quick(self, planes: Planes) -> bool:
        """Whether networks take transformed weights on these planes, which need memory as well.

        Never where gradients may be asked for, of these planes or of those beside them.
        """
        return (
            self.dtype == "float32"
            and on_cpu(planes)
            and (self.memory is None or self.memory >= QUICK)
            and _lasting(planes)
        )

    def share(self, planes: Planes, *networks: Network) -> int:
        """Bytes that maps of this thread may take: what is left beside transformed weights.

        Those of the networks count, and those of all metrics that were announced.
        """
        if self.memory is None and is_tensor(planes) and planes.device.type == "cuda":
            return free_on_gpu(planes.device) // 2
        memory = DEFAULT_MEMORY if self.memory is None else self.memory
        if self.quick(planes):
            announced = (getattr(metric, "network", None) for metric in self.announced)
            sizes = {n.weights: n.transformed for n in (*networks, *announced) if n}
            memory -= sum(sizes.values())
        return memory // self.threads


_settings: ContextVar[Settings] = ContextVar("srqa.metrics.features")
_usual = Settings()


@contextmanager
def settings(
    *,
    memory: int | None = None,
    threads: int = 1,
    dtype: Dtype = "float32",
    announced: Iterable[Callable[..., Any]] = (),
) -> Iterator[None]:
    """How networks run for what the current thread computes inside.

    Args:
        memory: bytes that maps may take, of all threads together: those that are kept and those
            in the making, and weights that are transformed for quick convolutions.
            `DEFAULT_MEMORY` when not said.
        threads: how many threads share it.
        dtype: in which convolutions are computed and maps are stored; differences, statistics and
            sums are float32 and float64 always.
        announced: functions of metrics that will be asked for on the same pictures, so that large
            pictures need be gone through only once.

    Example:
        >>> with settings(memory=500_000_000):
        ...     pass  # maps take at most 500 MB here
    """
    token = _settings.set(Settings(memory, threads, dtype, tuple(announced)))
    try:
        yield
    finally:
        _settings.reset(token)


def current() -> Settings:
    """The settings that hold here."""
    return _settings.get(_usual)


class _KeptKey(NamedTuple):
    planes: int
    """Identity of the planes."""
    weights: str
    dtype: Dtype


class _Entry(NamedTuple):
    """Maps of one picture, and the thread that made the last of them."""

    thread: int
    made: _Made

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(x.nbytes for x in self.made.values())


class _Kept:
    """What was made of shared planes, by identity. `_drop` may run at any time, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: set[int] = set()
        self._maps: OrderedDict[_KeptKey, _Entry] = OrderedDict()
        self._notes: dict[tuple[int, int], dict[object, Any]] = {}

    def share(self, planes: Planes) -> None:
        if id(planes) not in self._shared:
            weakref.finalize(planes, self._drop, id(planes)).atexit = False
            self._shared.add(id(planes))

    def shared(self, *planes: Planes) -> bool:
        return all(id(p) in self._shared for p in planes)

    def _drop(self, gone: int) -> None:
        self._shared.discard(gone)
        for key in list(self._maps):
            if key.planes == gone:
                self._maps.pop(key, None)
        for pair in list(self._notes):
            if gone in pair:
                self._notes.pop(pair, None)

    def find(self, key: _KeptKey) -> _Made:
        with self._lock:
            found = self._maps.pop(key, None)
            if found is None:
                return {}
            self._maps[key] = found
            return dict(found.made)

    def keep(self, key: _KeptKey, made: _Made) -> None:
        if key.planes not in self._shared:
            return
        with self._lock:
            before = self._maps.pop(key, None)
            together = (before.made if before else {}) | made
            self._maps[key] = _Entry(threading.get_ident(), together)

    def make_room(self, limit: float, needed: Iterable[_KeptKey] = ()) -> None:
        """Let this thread's oldest maps go until the rest, without `needed`, fits `limit`."""
        thread, spared = threading.get_ident(), set(needed)
        with self._lock:
            own = [
                (key, entry.size)
                for key, entry in list(self._maps.items())
                if entry.thread == thread and key not in spared
            ]
            total = sum(size for _, size in own)
            for key, size in own:
                if total <= limit:
                    break
                self._maps.pop(key, None)
                total -= size

    def notes(self, first: Planes, second: Planes) -> dict[object, Any]:
        """What is known of a pair; forgotten at once unless both are shared."""
        if not self.shared(first, second):
            return {}
        return self._notes.setdefault((id(first), id(second)), {})

    def clear(self) -> None:
        with self._lock:
            self._maps.clear()
            self._notes.clear()


_kept = _Kept()


def share(planes: Planes) -> None:
    """Promise that nobody changes `planes` (array or tensor), so that its maps may be kept."""
    _kept.share(planes)


def shared(*planes: Planes) -> bool:
    """Whether all of these planes are promised not to change."""
    return _kept.shared(*planes)


def forget() -> None:
    """Drop all maps that are kept."""
    _kept.clear()


def notes(first: Planes, second: Planes) -> dict[object, Any]:
    """Where to note what was found of two shared pictures; it lasts as long as both do."""
    return _kept.notes(first, second)


def on_cpu(planes: Planes) -> bool:
    """Whether their maps are computed on the CPU."""
    return not is_tensor(planes) or planes.device.type == "cpu"


def _lasting(planes: Planes) -> bool:
    """Whether maps of these planes may be kept: no gradients are to go through them."""
    import torch

    return not (is_tensor(planes) and torch.is_grad_enabled())


def gradients(*planes: Planes) -> bool:
    """Whether gradients are asked for with respect to any of the planes."""
    import torch

    return torch.is_grad_enabled() and any(is_tensor(p) and p.requires_grad for p in planes)


@contextmanager
def running(*planes: Planes) -> Iterator[None]:
    """How all arithmetic on maps of these planes runs: in full precision, gradients if asked."""
    import torch

    device = planes[0].device if is_tensor(planes[0]) else torch.device("cpu")
    with full_precision(device), torch.set_grad_enabled(gradients(*planes)):
        yield


def make_room(limit: float, network: Network | None = None, *planes: Planes) -> None:
    """Let this thread's oldest maps go until those that stay fit into `limit` bytes.

    Maps of the `network` and the `planes` are needed: they stay, and are not counted.
    """
    needed = [_KeptKey(id(p), network.weights, current().dtype) for p in planes if network]
    _kept.make_room(max(limit, 0), needed)


def maps(network: Network, planes: Planes, names: Sequence[str]) -> list[torch.Tensor]:
    """The named maps of whole pictures, (N, C, h, w); do not change them in place.

    Raises:
        WeightsError: the network's trained numbers cannot be had.
    """

    key = _KeptKey(id(planes), network.weights, current().dtype)
    lasting, quick = _lasting(planes), current().quick(planes)
    with running(planes):
        found = _kept.find(key) if lasting else {}
        made = _run(network, planes, names, found, quick)
        if lasting:
            _kept.keep(key, made)
        if lasting and shared(planes):
            _kept.make_room(current().share(planes, network))
    return [made[key_of(network, name)] for name in names]


def _passed(network: Network, names: Iterable[str]) -> set[int]:
    """The depths of the maps that are kept while passing."""
    return {network.maps[name] for name in (*names, *network.taps, *network.more)}


def _run(
    network: Network, planes: Planes, names: Sequence[str], found: _Made, quick: bool
) -> _Made:
    """The named maps and the taps on the way, beginning at the deepest map that was found."""
    made = dict(found)
    keep = _passed(network, names)
    wanted = {network.maps[name] for name in names}
    missing = sorted(d for d in wanted if (network.weights, network.steps[:d]) not in made)
    if not missing:
        return made
    dtype = current().dtype
    depth, x = 0, None
    for d in range(missing[0], 0, -1):
        if (network.weights, network.steps[:d]) in made:
            depth, x = d, made[network.weights, network.steps[:d]]
            break
    if x is None:
        x = normalised(planes, dtype)
    numbers = parameters(network.weights, x.device, dtype)
    other = transformed(network.weights) if quick else {}
    spare = False
    while depth < missing[-1]:
        x = apply(network.steps[depth], x, numbers, other, dtype=dtype, spare=spare)
        depth += 1
        spare = depth not in keep
        if not spare:
            made[network.weights, network.steps[:depth]] = x
    return made


def memory_of_maps(network: Network, planes: Planes, names: Iterable[str]) -> int:
    """Bytes that `maps` of two such pictures take while the second are made."""
    names = list(names)
    keep = _passed(network, names)
    height, width = (int(side) for side in planes.shape[-2:])
    count = planes.shape[0] if planes.ndim == 4 else 1
    size = 4 if current().dtype == "float32" else 2
    before, kept, peak = 3 * height * width, 0, 3 * 3 * height * width * 4 // size
    before_kept = False
    for depth in range(1, max(network.maps[name] for name in names) + 1):
        step = network.steps[depth - 1]
        height, width = step.size(height), step.size(width)
        after = step.channels * height * width
        inputs, outputs = transient(step, size, first=depth == 1)
        in_place = step.operation == "relu" and not before_kept
        passing = (inputs + (not before_kept)) * before + (outputs + (not in_place)) * after
        peak = max(peak, kept + passing)
        before, before_kept = after, depth in keep
        kept += after if before_kept else 0
    return int(SLACK * count * size * (kept + max(peak, kept))) + STRIPS
