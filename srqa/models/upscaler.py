"""An upscaler that is ready to run: the one shape that classical methods and networks share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@dataclass(frozen=True, slots=True, eq=False)
class Upscaler:
    """Enlarges batches of pictures; knows nothing of files, tiles or colour management.

    Attributes:
        name: what users type and what stands in tables as the method.
        run: ``run(pictures, scale)`` takes (N, C, h, w) float values in [0, 1] and returns
            (N, C, H, W) with the sides of `enlarged`, on the same device and of the same dtype.
            The result may leave [0, 1] a little; whoever writes it clips.
        scales: the scales that it can; None for any real number of at least 1.
        channels: 3 for RGB, 1 for a single plane (RGB pictures then give their Y, and their
            colours are enlarged by bicubic interpolation), None for any number.
        halo: pixels of the input around a tile on which the tile's output depends; None if all of
            the picture counts, so that it must not be cut. Tiles begin where their place times the
            scale is a whole number, or their pixels would not lie on the whole picture's grid.
        inexact: why tiles with their halo still differ a little from the whole picture, in words
            for people; "" where they do not.
        multiple: input sides must be multiples of it; whoever calls pads and cuts.
        min_side: the shortest side of an input.
        half: whether half precision is known to be safe.
        module: the network inside, to be moved to a device and counted; None for methods
            without one.
    """

    name: str
    run: Callable[[Tensor, float], Tensor]
    scales: tuple[int, ...] | None = None
    channels: int | None = None
    halo: int | None = None
    inexact: str = ""
    multiple: int = 1
    min_side: int = 1
    half: bool = False
    module: Module | None = None


def enlarged(side: int, scale: float) -> int:
    """The length of a side after enlarging, as MATLAB's imresize has it: rounded up."""
    return math.ceil(round(side * scale, 6))
