"""Maps of the networks (`srqa.metrics.networks`) for the metrics that compare them.

**Work that is shared.** Maps are kept for planes that somebody promised not to change (`share`, as
the engine does), and never for other planes. Where gradients are asked for, nothing is kept, and
nothing that is kept is used.
They are found again by the identity of the planes and by the steps that made them, so metrics
share whatever their networks have in common (DISTS and LPIPS-vgg the first stage), and a
reference's maps serve all methods. They go when the planes go, or, least recently used first, when
those of a thread exceed `memory_limit`.

**Large pictures.** Where the maps of a pair would exceed `memory_limit`, `parts` makes them tile by
tile. Tiles begin at multiples of the network's stride and see as much of their neighbours as a
sample depends on, so that together they are the whole picture's maps. Nothing is kept then. Under
autograd there is one part only.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from srqa.images.arrays import Planes, is_tensor
from srqa.metrics.networks import Network, Step, apply, full_precision, normalised, parameters

if TYPE_CHECKING:
    import torch

_Made: TypeAlias = "dict[tuple[str, tuple[Step, ...]], torch.Tensor]"
"""Maps by weight file and the steps that made them."""


class _Entry(NamedTuple):
    """The maps of one picture, and the thread that made the last of them."""

    thread: int
    made: _Made

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(x.nbytes for x in self.made.values())


class _Kept:
    """Maps of shared planes by identity. `_drop` may run at any time, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: set[int] = set()
        self._maps: OrderedDict[int, _Entry] = OrderedDict()

    def share(self, planes: Planes) -> None:
        if id(planes) not in self._shared:
            weakref.finalize(planes, self._drop, id(planes)).atexit = False
            self._shared.add(id(planes))

    def _drop(self, key: int) -> None:
        self._shared.discard(key)
        self._maps.pop(key, None)

    def find(self, planes: Planes) -> _Made:
        with self._lock:
            found = self._maps.pop(id(planes), None)
            if found is None:
                return {}
            self._maps[id(planes)] = found
            return dict(found.made)

    def keep(self, planes: Planes, made: _Made, limit: int) -> None:
        if id(planes) not in self._shared:
            return
        thread = threading.get_ident()
        with self._lock:
            before = self._maps.pop(id(planes), None)
            self._maps[id(planes)] = _Entry(thread, (before.made if before else {}) | made)
            own = [(key, e.size) for key, e in list(self._maps.items()) if e.thread == thread]
            total = sum(size for _, size in own)
            for key, size in own:
                if total <= limit:
                    break
                self._maps.pop(key, None)
                total -= size

    def clear(self) -> None:
        with self._lock:
            self._maps.clear()


_kept = _Kept()
_limit = 2 * 2**30


def share(planes: Planes) -> None:
    """Promise that nobody changes `planes` (array or tensor), so that its maps may be kept."""
    _kept.share(planes)


def forget() -> None:
    """Drop all maps that are kept."""
    _kept.clear()


def memory_limit(size: int | None = None) -> int:
    """Set (if given) and tell the bytes that a pair's maps may take, and that a thread may keep."""
    global _limit  # noqa: PLW0603
    if size is not None:
        _limit = size
    return _limit


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


def maps(network: Network, planes: Planes, names: Sequence[str]) -> list[torch.Tensor]:
    """The named maps of whole pictures, (N, C, h, w) float32; do not change them in place.

    Raises:
        WeightsError: the network's trained numbers cannot be had.
    """
    import torch

    lasting = not (is_tensor(planes) and torch.is_grad_enabled())
    with running(planes):
        found = _kept.find(planes) if lasting else {}
        made = _run(network, planes, names, found)
        if lasting:
            _kept.keep(planes, {k: v for k, v in made.items() if k not in found}, _limit)
    return [made[network.weights, network.steps[: network.maps[name]]] for name in names]


def _run(network: Network, planes: Planes, names: Sequence[str], found: _Made) -> _Made:
    """The named maps and the taps on the way, beginning at the deepest map that was found."""
    made = dict(found)
    wanted = {network.maps[name] for name in names}
    keep = wanted | {network.maps[name] for name in (*network.taps, *network.more)}
    missing = sorted(d for d in wanted if (network.weights, network.steps[:d]) not in made)
    if not missing:
        return made
    depth, x = 0, None
    for d in range(missing[0], 0, -1):
        if (network.weights, network.steps[:d]) in made:
            depth, x = d, made[network.weights, network.steps[:d]]
            break
    if x is None:
        x = normalised(planes)
    numbers = parameters(network.weights, x.device)
    spare = False
    while depth < missing[-1]:
        x = apply(network.steps[depth], x, numbers, spare)
        depth += 1
        spare = depth not in keep
        if not spare:
            made[network.weights, network.steps[:depth]] = x
    return made


class Part(NamedTuple):
    """Maps of one tile of two pictures, and where they lie.

    Attributes:
        pairs: for each name the maps (N, C, h, w) of the first and of the second picture.
        places: for each name the rows and columns in the maps of the whole picture.
        pixels: rows and columns in the picture; together the tiles cover it once.
        whole: the tile is the whole picture.
    """

    pairs: list[tuple[torch.Tensor, torch.Tensor]]
    places: list[tuple[slice, slice]]
    pixels: tuple[slice, slice]
    whole: bool


def sizes(network: Network, planes: Planes, names: Sequence[str]) -> list[tuple[int, int]]:
    """Rows and columns of the named maps of pictures of this size."""
    height, width = (int(side) for side in planes.shape[-2:])
    depths = [network.maps[name] for name in names]
    return [(network.size(height, d), network.size(width, d)) for d in depths]


def parts(network: Network, first: Planes, second: Planes, names: Sequence[str]) -> Iterator[Part]:
    """The named maps of two pictures of one size: whole if they fit into memory, else by tiles.

    Raises:
        WeightsError: the network's trained numbers cannot be had.
    """
    height, width = (int(side) for side in first.shape[-2:])
    longest = max(height, width)
    core = longest if gradients(first, second) else _tile_side(network, names, first)
    if core >= longest:
        made = [maps(network, planes, names) for planes in (first, second)]
        places = [(slice(0, h), slice(0, w)) for h, w in sizes(network, first, names)]
        pixels = (slice(0, height), slice(0, width))
        yield Part(list(zip(*made, strict=True)), places, pixels, True)
        return
    for rows in _tiles(network, names, height, core):
        for columns in _tiles(network, names, width, core):
            cut = [p[..., rows.seen, columns.seen] for p in (first, second)]
            made = [maps(network, planes, names) for planes in cut]
            pairs = [
                (a[..., r, c], b[..., r, c])
                for a, b, r, c in zip(*made, rows.local, columns.local, strict=True)
            ]
            places = list(zip(rows.places, columns.places, strict=True))
            yield Part(pairs, places, (rows.pixels, columns.pixels), False)


class _Side(NamedTuple):
    """One side of a tile.

    Attributes:
        pixels: its own pixels.
        seen: the pixels that its samples depend on.
        local: for each map its own samples, counted in the map that is made of `seen`.
        places: the same, counted in the whole picture's map.
    """

    pixels: slice
    seen: slice
    local: list[slice]
    places: list[slice]


def _tiles(network: Network, names: Sequence[str], length: int, core: int) -> Iterator[_Side]:
    """The tiles, `core` pixels each, along a side of the picture."""
    depths = [network.maps[name] for name in names]
    reaches = [network.reach(depth) for depth in depths]
    align = network.reach(len(network.steps)).stride
    for start in range(0, length, core):
        stop = min(start + core, length)
        first = max(0, start - max(r.before for r in reaches)) // align * align
        last = min(length, stop + max(0, *(r.after - r.stride + 1 for r in reaches)))
        places = [
            slice(
                start // r.stride,
                network.size(length, depth) if stop == length else stop // r.stride,
            )
            for depth, r in zip(depths, reaches, strict=True)
        ]
        shifts = [first // r.stride for r in reaches]
        local = [
            slice(place.start - shift, place.stop - shift)
            for place, shift in zip(places, shifts, strict=True)
        ]
        yield _Side(slice(start, stop), slice(first, last), local, places)


def _tile_side(network: Network, names: Sequence[str], planes: Planes) -> int:
    """Side of the tiles, without their margins, that keep a pair's maps under `memory_limit`."""
    height, width = (int(side) for side in planes.shape[-2:])
    deepest = max(network.maps[name] for name in names)

    def samples(depth: int) -> float:
        return network.steps[depth - 1].channels / network.reach(depth).stride ** 2

    keep = {network.maps[name] for name in (*network.taps, *network.more, *names)}
    kept = sum(samples(depth) for depth in keep if depth <= deepest)
    passing = max(samples(depth) for depth in range(1, deepest + 1))
    count = planes.shape[0] if planes.ndim == 4 else 1
    pixels = _limit / (4 * count * 2 * (kept + passing))
    if height * width <= pixels:
        return max(height, width)
    align = network.reach(len(network.steps)).stride
    reach = network.reach(deepest)
    margin = reach.before + reach.after + align
    # Smaller tiles would be margin for the most part: then memory gives way.
    return int(max(pixels**0.5 - margin, margin) // align * align)


def blocks(*pictures: torch.Tensor) -> Iterator[tuple[Any, ...]]:
    """Maps cut into strips of rows (N, rows, w, C) that fit the cache; whole under autograd."""
    first = pictures[0]
    count, channels, height, width = first.shape
    rows = height
    if first.device.type == "cpu" and not any(x.requires_grad for x in pictures):
        rows = max(1, 2**18 // max(count * channels * width, 1))
    last = [x.permute(0, 2, 3, 1) for x in pictures]
    for top in range(0, height, rows):
        yield tuple(x[:, top : top + rows] for x in last)


def wide(x: torch.Tensor) -> torch.Tensor:
    """In float64 where the device has it, so that sums over large maps lose nothing."""
    return x if x.device.type == "mps" else x.double()
