"""Where low-resolution pixels lie, and sampling that `srqa.images.resize` does not have."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from srqa.errors import InputError, UsageError


def check_scale(scale: float) -> None:
    """Refuse what is no factor of degradation.

    Raises:
        UsageError: the scale is below 1, or no finite number.
    """
    if not (math.isfinite(scale) and 1 <= scale <= 64):
        raise UsageError(
            f"The scale is high over low resolution, from 1 to 64, not {scale:g}.",
            "4 makes a quarter of each side.",
        )


def aligned(side: int, scale: float) -> tuple[int, int]:
    """How long a side is at low resolution, and how much of it is kept at high resolution.

    The low one is as long as fits; enlarging it (`ceil(low * scale)`) gives what is kept. For a
    whole scale that is the largest multiple of it (mod-crop).

    Example:
        >>> aligned(15, 4), aligned(100, 3.37)
        ((3, 12), (29, 98))
    """
    low = math.floor(round(side / scale, 9))
    while low > 0 and kept(low, scale) > side:
        low -= 1
    return low, kept(low, scale)


def kept(low: int, scale: float) -> int:
    """The length of a side after enlarging: rounded up."""
    return math.ceil(round(low * scale, 6))


def low_size(height: int, width: int, scale: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Sides at low resolution, and those that are kept at high resolution.

    Raises:
        InputError: no pixel is left.
    """
    (low_h, high_h), (low_w, high_w) = aligned(height, scale), aligned(width, scale)
    if min(low_h, low_w) < 1:
        raise InputError(f"{width}x{height} pixels are too few for a scale of {scale:g}")
    return (low_h, low_w), (high_h, high_w)


@lru_cache(maxsize=128)
def area_weights(
    length: int, out_length: int, scale: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]:
    """Weights and indices, (out_length, taps) each, of the mean over what a pixel covers.

    Output pixel i covers the input from ``i * scale`` to ``(i + 1) * scale``.
    """
    start = np.arange(out_length) * float(scale)
    first = np.floor(np.round(start, 9)).astype(np.intp)
    index = first[:, None] + np.arange(math.ceil(scale) + 1)[None]
    covered = np.minimum(index + 1, (start + scale)[:, None]) - np.maximum(index, start[:, None])
    weight = np.clip(np.round(covered, 9), 0, 1)
    weight[index >= length] = 0
    weight /= weight.sum(axis=1, keepdims=True)
    used = (weight > 0).any(axis=0)
    return weight[:, used], np.minimum(index, length - 1)[:, used]
