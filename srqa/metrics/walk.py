"""Networks walk down two pictures band by band, for pictures whose maps would not fit into memory.

Each step keeps only those rows that its next window still needs. So no row of a map is computed
twice, nothing is approximated at the seams, and several networks walk together, their common
steps once. What it takes depends on the pictures' width, not on their height.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from srqa.images.arrays import Planes
from srqa.metrics.networks import (
    Dtype,
    Network,
    Step,
    apply,
    normalised,
    parameters,
    transformed,
)
from srqa.threads import each_on_tensors

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
MapKey: TypeAlias = tuple[str, tuple[Step, ...]]
"""A map: the weight file and the steps that make it, whatever network they belong to."""

Pair: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"

STRIPS = 64 * 2**20
"""What readers of maps take for themselves, see `comparison.strips`, and the allocator wastes."""

SLACK = 1.2
"""What the allocator takes beyond what it is asked for, measured."""

ROWS = (256, 128, 64, 48, 32, 24, 16, 12, 8, 4)
"""Heights of bands, in pixels."""

BAND = 3 * 2**24
"""Bytes of a band's largest map beyond which it is hardly faster: deep maps have whole tiles."""


def key_of(network: Network, name: str) -> MapKey:
    """The key of a named map."""
    return network.weights, network.steps[: network.maps[name]]


def transient(step: Step, size: int, *, first: bool) -> tuple[int, int]:
    """Copies of the map before, and of its result, that a step makes on the way.

    Args:
        step: the step.
        size: bytes of a sample.
        first: it is the first of the network, which computes in float32.
    """
    if first:
        return (0, 0) if size == 4 else (2, 2)
    if step.operation == "blur":
        return 1, 0
    if step.operation == "l2":
        return (1, 0) if size == 4 else (4, 2)
    return (0, 2) if step.operation == "expand" else (0, 0)


@dataclass(slots=True)
class _Node:
    """One step, and those that follow it in any of the networks.

    Attributes:
        key: the map that it makes.
        inputs: channels of the map before it.
        before: pixels from one row of the map before it to the next.
        stride: pixels from one row of its map to the next.
        after: rows of its map that wait for pixels further down.
        wanted: somebody reads its map.
    """

    key: MapKey
    inputs: int
    before: int
    stride: int
    after: int
    wanted: bool = False
    children: list[_Node] = field(default_factory=list)

    @property
    def step(self) -> Step:
        return self.key[1][-1]


class Route:
    """The steps to the wanted maps, each once."""

    def __init__(self, wanted: Iterable[tuple[Network, str]]) -> None:
        self._nodes: dict[MapKey, _Node] = {}
        self._roots: list[_Node] = []
        for network, name in wanted:
            self._path(network, network.maps[name]).wanted = True

    def _path(self, network: Network, depth: int) -> _Node:
        siblings = self._roots
        for d in range(1, depth + 1):
            key = network.weights, network.steps[:d]
            if key not in self._nodes:
                inputs = network.steps[d - 2].channels if d > 1 else 3
                reach, before = network.reach(d), network.reach(d - 1).stride
                lag = -(-reach.after // reach.stride)
                self._nodes[key] = _Node(key, inputs, before, reach.stride, lag)
                siblings.append(self._nodes[key])
            node = self._nodes[key]
            siblings = node.children
        return node

    def memory(self, planes: Planes, rows: int, dtype: Dtype, *, together: bool = False) -> int:
        """Bytes that a walk down two such pictures takes, in bands of `rows` pixel rows.

        While bands come, both pictures' steps hold rows that wait. With the last band all rows that
        waited for pixels further down are made, of the first picture while those of the second
        still wait. With `together` both pictures' bands are made at the same time.
        """
        width = int(planes.shape[-1])
        count = planes.shape[0] if planes.ndim == 4 else 1
        size = 4 if dtype == "float32" else 2
        waiting = 0.0
        wanted, passing = [0.0, 0.0], [0.0, 0.0]
        for node in self._nodes.values():
            step = node.step
            line_in = node.inputs * (width / node.before + step.kernel)
            line_out = step.channels * (width / node.stride + step.kernel)
            waiting += step.tail * line_in
            inputs, outputs = transient(step, size, first=node.inputs == 3)
            for last in (0, 1):
                made = (rows / node.stride + 1 + last * node.after) * line_out
                taken = (rows / node.before + 1 + step.tail + last * node.after) * line_in
                wanted[last] += made if node.wanted else 0.0
                used = max(2, 1 + inputs) * taken if step.kernel > 1 else 0.0
                passing[last] = max(passing[last], used + (1 + outputs) * made)
        samples = (
            max(2 * (waiting + wanted[last] + passing[last]) for last in (0, 1))
            if together
            else max(2 * waiting + 2 * wanted[0] + passing[0], waiting + 2 * wanted[1] + passing[1])
        )
        return int(SLACK * count * samples * size) + STRIPS

    def rows_within(
        self, planes: Planes, limit: int, dtype: Dtype, *, together: bool = False
    ) -> int:
        """Height of the bands that keeps a walk under `limit` bytes; 0 if none does."""
        density = max(node.step.channels / node.stride**2 for node in self._nodes.values())
        size = 4 if dtype == "float32" else 2
        best = BAND / (size * density * planes.shape[-1])
        heights = [rows for rows in ROWS if rows <= best] or ROWS[-1:]

        def fits(rows: int) -> bool:
            return self.memory(planes, rows, dtype, together=together) <= limit

        return next(filter(fits, heights), 0)

    def least_memory(self, planes: Planes, dtype: Dtype) -> int:
        """Bytes that the lowest bands take."""
        return self.memory(planes, ROWS[-1], dtype)

    def walk(
        self,
        first: Planes,
        second: Planes,
        rows: int,
        dtype: Dtype,
        *,
        quick: bool = False,
        together: bool = False,
    ) -> Iterator[dict[MapKey, Pair]]:
        """The next rows (N, C, rows, w) of the wanted maps of both pictures, from the top down.

        Each row comes once. A band that completes no row of a map leaves it out. With `quick`
        convolutions take transformed weights, with `together` two threads go down the pictures,
        side by side.

        Raises:
            WeightsError: the networks' trained numbers cannot be had.
        """
        height = int(first.shape[-2])
        downs = [_Walker(self._roots, height, dtype, quick).down for _ in range(2)]
        for top in range(0, height, rows):
            last = top + rows >= height
            steps = [
                partial(down, normalised(planes[..., top : top + rows, :], dtype), last)
                for down, planes in zip(downs, (first, second), strict=True)
            ]
            a, b = each_on_tensors(_call, steps) if together else map(_call, steps)
            yield {key: (a[key], b[key]) for key in a}


def _call(step: Callable[[], T]) -> T:
    return step()


class _Walker:
    """All steps on one picture."""

    def __init__(self, roots: list[_Node], height: int, dtype: Dtype, quick: bool) -> None:
        self._roots, self._dtype, self._quick = roots, dtype, quick
        self._flows: dict[MapKey, _Flow] = {}
        above = [(node, height) for node in roots]
        while above:
            node, rows = above.pop()
            flow = self._flows[node.key] = _Flow(node.step, node.step.size(rows))
            above += [(child, flow.total) for child in node.children]

    def down(self, band: torch.Tensor, last: bool) -> dict[MapKey, torch.Tensor]:
        """The rows of wanted maps that follow from the next rows of the picture."""
        found: dict[MapKey, torch.Tensor] = {}
        device = band.device
        waiting: list[tuple[_Node, torch.Tensor | None, bool]] = [
            (node, band, False) for node in self._roots
        ]
        while waiting:
            node, x, spare = waiting.pop()
            x = self._flows[node.key].joined(x, last)
            if x is None and not last:
                continue
            if x is not None:
                numbers = parameters(node.key[0], device, self._dtype)
                other = transformed(node.key[0]) if self._quick else {}
                x = apply(node.step, x, numbers, other, dtype=self._dtype, spare=spare, edges=False)
                if node.wanted:
                    found[node.key] = x
            spare = not node.wanted and len(node.children) == 1
            waiting += [(child, x, spare) for child in node.children]
        return found


class _Flow:
    """One step on one picture: the rows before it that its next window still needs.

    Rows are counted with the padding above the picture.

    Attributes:
        total: rows that it makes in all.
    """

    def __init__(self, step: Step, total: int) -> None:
        self.total = total
        self._step, self._made, self._start = step, 0, 0
        self._rest: torch.Tensor | None = None
        self._fresh = True

    def joined(self, x: torch.Tensor | None, last: bool) -> torch.Tensor | None:
        """The rows of all windows that `x` completes, padding included; None if there are none."""
        step = self._step
        if step.kernel == 1:
            return x
        held = self._held(x, last)
        if held is None:
            return None
        end = self._start + held.shape[2]
        complete = self.total if last else max((end - step.kernel) // step.stride + 1, self._made)
        first, count = self._made * step.stride - self._start, complete - self._made
        self._made = complete
        keep = min(complete * step.stride, max(end - step.tail, self._start))
        if not last:
            self._rest = held[:, :, keep - self._start :].clone()
            self._start = keep
        if count == 0:
            return None
        return held[:, :, first : first + (count - 1) * step.stride + step.kernel]

    def _held(self, x: torch.Tensor | None, last: bool) -> torch.Tensor | None:
        """The rows that were kept and the new ones, padded where the picture begins or ends."""
        import torch

        parts = [part for part in (self._rest, x) if part is not None]
        if not parts:
            return None
        held = parts[0] if len(parts) == 1 else torch.cat(parts, 2)
        padding = self._step.padding
        if self._fresh:
            if held.shape[2] <= padding and not last:
                self._rest = held
                return None
            held = self._padded(held, padding, 0)
            self._fresh = False
        if not last:
            return held
        if self._step.operation == "ceil":
            windows = (self.total - 1) * self._step.stride + self._step.kernel
            padding = max(windows - self._start - held.shape[2], 0)
        return self._padded(held, 0, padding)

    def _padded(self, x: torch.Tensor, above: int, below: int) -> torch.Tensor:
        import torch.nn.functional as F

        if above == below == 0:
            return x
        if self._step.operation == "blur":
            return F.pad(x, (0, 0, above, below), mode="reflect")
        beyond = float("-inf") if self._step.operation == "ceil" else 0.0
        return F.pad(x, (0, 0, above, below), value=beyond)
