"""How a large picture is cut into tiles, and put together again without seams.

Where a network's output depends on a known surrounding (its halo), each tile is computed with that
surrounding and cut exactly: the parts then equal the whole. Where it depends on all of the picture,
parts can only be like the whole, and neighbours are faded into each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from srqa.models.upscaler import enlarged

_LARGEST_DENOMINATOR = 1000


@dataclass(frozen=True, slots=True)
class Span:
    """One tile along one axis, in pixels of the input.

    Attributes:
        start, stop: what the tile is responsible for, faded zones included.
        first, last: what is cut out for it, surroundings included.
        fade_in, fade_out: the lengths of the zones that it shares with its neighbours.
    """

    start: int
    stop: int
    first: int
    last: int
    fade_in: int = 0
    fade_out: int = 0


@dataclass(frozen=True, slots=True)
class Cutting:
    """Tiles of a picture, row by row.

    Attributes:
        rows, columns: the tiles' spans along each axis.
    """

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    @property
    def count(self) -> int:
        """The number of tiles."""
        return len(self.rows) * len(self.columns)


def cut(
    height: int, width: int, tile: int | None, *, halo: int, step: int = 1, fade: bool = False
) -> Cutting:
    """Cut a picture.

    Args:
        height, width: of the picture.
        tile: the longest side of a tile without its surroundings; None leaves the picture whole.
        halo: how far a tile's surroundings reach, in pixels.
        step: tiles begin at multiples of it: the windows of a network stay where they are.
        fade: neighbours overlap by the halo and are faded into each other.
    """
    return Cutting(
        tuple(_spans(height, tile, halo, step, fade)), tuple(_spans(width, tile, halo, step, fade))
    )


def _spans(side: int, tile: int | None, halo: int, step: int, fade: bool) -> Iterator[Span]:
    if tile is None or side <= tile:
        yield Span(0, side, 0, side)
        return
    wide = math.ceil(halo / step) * step
    count = math.ceil(side / max(step, tile - tile % step))
    length = math.ceil(side / count / step) * step
    zone = min(wide // 2, length // 2) // step * step if fade else 0
    begins = [*range(0, side, length)]
    starts = [max(begin - zone, 0) for begin in begins]
    stops = [min(begin + length + zone, side) for begin in begins]
    for at, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        yield Span(
            start,
            stop,
            max(start - wide, 0),
            min(stop + wide, side),
            stops[at - 1] - start if at else 0,
            stop - starts[at + 1] if at + 1 < len(begins) else 0,
        )


def grid_step(multiple: int, *scales: float) -> int | None:
    """Where tiles may begin: at pixels that are whole after enlarging, too.

    Args:
        multiple: a network's own.
        scales: the factors of enlargement.

    Returns:
        The step in pixels of the input; None if a factor is no fraction of small whole numbers, so
        that the picture must not be cut.

    Example:
        >>> grid_step(8, 4), grid_step(1, 3.37), grid_step(1, 2**0.5)
        (8, 100, None)
    """
    step = multiple
    for scale in scales:
        fraction = Fraction(scale).limit_denominator(_LARGEST_DENOMINATOR)
        if abs(float(fraction) - scale) > 1e-9:
            return None
        step = math.lcm(step, fraction.denominator)
    return step


def ramp(span: Span, scale: float) -> npt.NDArray[np.float32]:
    """Weights along one axis of the enlarged tile; neighbours' weights sum to one."""
    length = enlarged(span.stop, scale) - enlarged(span.start, scale)
    weights = np.ones(length, np.float32)
    for zone, at_end in ((span.fade_in, False), (span.fade_out, True)):
        if not zone:
            continue
        # The zone's own pixels, so that the sum of both neighbours is one at each of them.
        edge = span.stop - zone if at_end else span.start
        size = enlarged(edge + zone, scale) - enlarged(edge, scale)
        rise = ((np.arange(size) + 0.5) / size).astype(np.float32)
        if at_end:
            weights[length - size :] = 1 - rise
        else:
            weights[:size] = rise
    return weights
