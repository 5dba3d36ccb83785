"""Filters with two engines: OpenCV for one numpy picture, torch for batches and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from srqa.images.arrays import Planes, is_tensor

STRIP_ROWS = 64
"""Rows of a strip: at common widths its float32 maps stay in the processor's cache."""


@lru_cache(maxsize=32)
def gaussian_taps(size: int, sigma: float) -> tuple[float, ...]:
    """A sampled Gaussian of `size` taps that sum to 1."""
    x = np.arange(size, dtype=np.float64) - (size - 1) / 2
    taps = np.exp(-(x**2) / (2 * sigma**2))
    return tuple((taps / taps.sum()).tolist())


def separable_valid(planes: Planes, taps: tuple[float, ...]) -> Planes:
    """Correlate rows and columns with symmetric `taps`, keeping only fully covered positions.

    Args:
        planes: (C, H, W) array or (N, C, H, W) tensor, H and W at least ``len(taps)``.
        taps: an odd number of filter taps.

    Returns:
        The same kind, H and W smaller by ``len(taps) - 1``.
    """
    if is_tensor(planes):
        return _separable_valid_torch(planes, taps)
    import cv2

    half = len(taps) // 2
    kernel = np.array(taps)
    return np.stack(
        [
            cv2.sepFilter2D(np.ascontiguousarray(plane), -1, kernel, kernel)[half:-half, half:-half]
            for plane in planes
        ]
    )


def _separable_valid_torch(planes: Any, taps: tuple[float, ...]) -> Any:
    import torch
    from torch.nn.functional import conv2d

    channels = planes.shape[-3]
    kernel = torch.tensor(taps, dtype=planes.dtype, device=planes.device)
    column = kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    row = kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    return conv2d(conv2d(planes, column, groups=channels), row, groups=channels)


def half_size(planes: Planes) -> Planes:
    """Mean of each 2 x 2 block; an odd last row or column is averaged with its own copy.

    This is Wang's MS-SSIM downsampling (2 x 2 mean, symmetric border, every second sample).
    """
    if is_tensor(planes):
        from torch.nn.functional import avg_pool2d, pad

        odd = (0, planes.shape[-1] % 2, 0, planes.shape[-2] % 2)
        return avg_pool2d(pad(planes, odd, mode="replicate") if any(odd) else planes, 2)
    height, width = planes.shape[-2:]
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    import cv2

    half = (planes.shape[-1] // 2, planes.shape[-2] // 2)
    return np.stack([cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in planes])


def strips(height: int, halo: int, rows: int = STRIP_ROWS) -> Iterator[slice]:
    """Row slices that together give each fully covered position of a `2 halo + 1` window once."""
    start = 0
    last = height - 2 * halo
    while start < last:
        stop = min(start + rows, last)
        yield slice(start, stop + 2 * halo)
        start = stop


def sum_over_strips(
    function: Callable[[Planes, Planes], tuple[Any, ...]], a: Planes, b: Planes, halo: int
) -> tuple[Any, ...]:
    """Add up what `function` returns for horizontal strips of two pictures.

    The result is that of the whole picture, since each valid position is seen exactly once;
    the strips' intermediate maps stay in the cache. A tensor is taken whole.
    """
    if is_tensor(a):
        return function(a, b)
    sums: list[float] | None = None
    for part in strips(a.shape[-2], halo):
        values = function(a[:, part], b[:, part])
        sums = list(values) if sums is None else [s + v for s, v in zip(sums, values, strict=True)]
    return tuple(sums or ())
