"""Metrics that are means over the places of a network's maps: `Comparison`.

Where the maps of both pictures fit into this thread's share of the memory, they are made whole and
may be kept (`srqa.metrics.features`). Else the networks walk down both pictures in bands
(`srqa.metrics.walk`), and nothing stays but sums. All metrics that were announced and do not fit
either are fed by the same walk. Under autograd pictures are never cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srqa.errors import InputError
from srqa.images.arrays import Planes, Value, unbatch
from srqa.metrics import features
from srqa.metrics.networks import Network
from srqa.metrics.walk import MapKey, Pair, Route, key_of
from srqa.threads import each_on_tensors

if TYPE_CHECKING:
    import torch

_STRIP = 2**18
"""Samples of a map that are looked at together, few enough for the cache."""
_BANDS = 3 * 2**28
"""Bytes that bands take on a CPU where thinner ones would do: thicker ones are hardly faster."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A full-reference metric, callable on the planes of a picture or of a batch.

    Attributes:
        network: whose maps are compared.
        names: of the maps.
        sums: takes the number of a map and a strip of both pictures' maps, (N, rows, w, C)
            float32; gives the sum over its places, N first, in float64.
        finish: takes for each map the mean over all places, and both pictures; gives values (N,).
    """

    network: Network
    names: tuple[str, ...]
    sums: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor]
    finish: Callable[[list[torch.Tensor], Planes, Planes], torch.Tensor]

    def __call__(self, distorted: Planes, reference: Planes) -> Value:
        """The value(s).

        Raises:
            WeightsError: the network's trained numbers cannot be had.
            InputError: the pictures are too wide for the memory that maps may take.
        """
        with features.running(distorted, reference):
            value = self.finish(self._means(distorted, reference), distorted, reference)
            return unbatch(value, distorted)

    def _means(self, first: Planes, second: Planes) -> list[torch.Tensor]:
        rest = _rest(self.network, self.names, first, second)
        if rest >= 0:
            totals: list[Any] = [0.0] * len(self.names)
            self.add(totals, _whole(self.network, self.names, first, second, rest))
            return self.divided(totals, first)
        known = features.notes(first, second)
        key = self, features.current().dtype
        if key not in known:
            known |= {(c, key[1]): means for c, means in _walked(self, first, second).items()}
        means: list[torch.Tensor] = known[key]
        return means

    def add(self, totals: list[Any], pairs: Sequence[Pair | None]) -> None:
        """Add what the next rows of the maps give."""
        for layer, pair in enumerate(pairs):
            for part in self._sums(layer, *pair) if pair else ():
                totals[layer] = totals[layer] + part

    def _sums(self, layer: int, a: torch.Tensor, b: torch.Tensor) -> list[torch.Tensor]:
        """Of each strip; a thread takes one."""
        cuts = _cuts(a, b)
        if len(cuts) == 1:  # gradients may be asked for
            return [self.sums(layer, *_strip(a, b, cuts[0]))]
        return each_on_tensors(lambda cut: self.sums(layer, *_strip(a, b, cut)), cuts)

    def divided(self, totals: list[Any], planes: Planes) -> list[torch.Tensor]:
        """The means, from sums over whole maps of such pictures."""
        height, width = (int(side) for side in planes.shape[-2:])
        depths = [self.network.maps[name] for name in self.names]
        places = [self.network.size(height, d) * self.network.size(width, d) for d in depths]
        return [total / count for total, count in zip(totals, places, strict=True)]


def maps(
    network: Network, names: Sequence[str], first: Planes, second: Planes
) -> Iterator[list[Pair | None]]:
    """For each name the maps (N, C, rows, w) of both pictures: whole if they fit, else by bands.

    Rows come from the top down, each once; None where a band completes no row of a map.

    Raises:
        WeightsError: the network's trained numbers cannot be had.
        InputError: the pictures are too wide for the memory that maps may take.
    """
    rest = _rest(network, names, first, second)
    if rest >= 0:
        yield _whole(network, names, first, second, rest)
        return
    wanted = [(network, name) for name in names]
    for found in _bands([wanted], first, second)[1]:
        yield [found.get(key_of(*which)) for which in wanted]


def _rest(network: Network, names: Sequence[str], first: Planes, second: Planes) -> float:
    """Bytes that are left beside whole maps, below 0 if there is no room for them.

    Under gradients there is no end of them: pictures are never cut then.
    """
    if features.gradients(first, second):
        return math.inf
    share = features.current().share(first, network)
    return share - features.memory_of_maps(network, first, names)


def _whole(
    network: Network, names: Sequence[str], first: Planes, second: Planes, rest: float
) -> list[Pair | None]:
    features.make_room(rest, network, first, second)
    made = [features.maps(network, planes, names) for planes in (first, second)]
    return list(zip(*made, strict=True))


def _walked(
    asked: Comparison, first: Planes, second: Planes
) -> dict[Comparison, list[torch.Tensor]]:
    """The means of the comparison, and of the announced ones that would need a walk too."""
    others = [
        c
        for c in features.current().announced
        if isinstance(c, Comparison)
        and c is not asked
        and features.shared(first, second)
        and _applies(c, first)
        and _rest(c.network, c.names, first, second) < 0
    ]
    groups = [[asked, *others], [asked]] if others else [[asked]]
    choices = [[(c.network, name) for c in group for name in c.names] for group in groups]
    chosen, bands = _bands(choices, first, second)
    totals: dict[Comparison, list[Any]] = {c: [0.0] * len(c.names) for c in groups[chosen]}
    for found in bands:
        for c, sums in totals.items():
            c.add(sums, [found.get(key_of(c.network, name)) for name in c.names])
    return {c: c.divided(sums, first) for c, sums in totals.items()}


def _bands(
    choices: Sequence[Sequence[tuple[Network, str]]], first: Planes, second: Planes
) -> tuple[int, Iterator[dict[MapKey, Pair]]]:
    """A walk for the first choice of maps that fits into memory, and which one that is.

    Raises:
        InputError: none fits.
    """
    settings = features.current()
    dtype, quick = settings.dtype, settings.quick(first)
    on_cpu = features.on_cpu(first)
    for number, wanted in enumerate(choices):
        route = Route(wanted)
        share = settings.share(first, *(network for network, _ in wanted))
        enough = min(share, _BANDS) if on_cpu else share
        rows = route.rows_within(first, enough, dtype) or route.rows_within(first, share, dtype)
        both = route.rows_within(first, enough, dtype, together=True) if on_cpu else 0
        together = 2 * both >= rows  # a thread for each picture is worth bands somewhat thinner
        if rows:
            rows = both if together else rows
            features.make_room(share - route.memory(first, rows, dtype, together=together))
            bands = route.walk(first, second, rows, dtype, quick=quick, together=together)
            return number, bands
    least = route.least_memory(first, dtype) * settings.threads
    raise InputError(
        f"{wanted[0][0].name} needs --memory {-(-least // 10**6)}MB for pictures "
        f"{first.shape[-1]} pixels wide"
    )


def _applies(comparison: Comparison, planes: Planes) -> bool:
    """Whether the pictures are large enough to leave a sample of each map."""
    network = comparison.network
    shortest = min(int(side) for side in planes.shape[-2:])
    return all(network.size(shortest, network.maps[name]) > 0 for name in comparison.names)


def strips(a: torch.Tensor, b: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Maps cut into strips (N, rows, w, C) that fit the cache, float32; whole under autograd."""
    return (_strip(a, b, cut) for cut in _cuts(a, b))


def _cuts(a: torch.Tensor, b: torch.Tensor) -> list[slice]:
    """The rows of each strip."""
    count, channels, height, width = a.shape
    rows = max(height, 1)
    if a.device.type == "cpu" and not (a.requires_grad or b.requires_grad):
        rows = max(1, _STRIP // max(count * channels * width, 1))
    return [slice(top, top + rows) for top in range(0, height, rows)]


def _strip(a: torch.Tensor, b: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
    x, y = (p[:, :, rows].permute(0, 2, 3, 1).float() for p in (a, b))
    return x, y


def wide(x: torch.Tensor) -> torch.Tensor:
    """In float64 where the device has it, so that sums over large maps lose nothing."""
    return x if x.device.type == "mps" else x.double()
