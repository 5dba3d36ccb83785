"""Filters with two engines: OpenCV for one numpy picture, torch for batches and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from srqa.images.arrays import Planes, constant, in_double, is_tensor, root
from srqa.threads import each

STRIP_ROWS = 128
"""Rows of a strip: at common widths most of its float32 maps stay in the processor's cache. Thinner
ones take many more calls, for each of which threads queue for Python's lock."""
_STRIP_SAMPLES = 2**18
"""In a strip of wide pictures, down to a quarter of the rows."""


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
        taps: filter taps.

    Returns:
        The same kind, H and W smaller by ``len(taps) - 1``.
    """
    if is_tensor(planes):
        return _separable_valid_torch(planes, taps)
    import cv2

    kernel, first = np.array(taps), len(taps) // 2
    height, width = (side - len(taps) + 1 for side in planes.shape[-2:])
    inner = (slice(first, first + height), slice(first, first + width))
    found = [cv2.sepFilter2D(plane, -1, kernel, kernel)[inner] for plane in planes]
    return found[0][None] if len(found) == 1 else np.stack(found)


def each_separable_valid(maps: Sequence[Planes], taps: tuple[float, ...]) -> list[Planes]:
    """`separable_valid` of several maps of one shape; of tensors by one call, as a GPU likes it."""
    if not is_tensor(maps[0]):
        return [separable_valid(x, taps) for x in maps]
    import torch

    return list(separable_valid(torch.cat(tuple(maps), -3), taps).chunk(len(maps), -3))


def _separable_valid_torch(planes: Any, taps: tuple[float, ...]) -> Any:
    from torch.nn.functional import conv2d

    channels = planes.shape[-3]
    if channels == 1 and planes.ndim == 4 and len(planes) > 1:  # many channels are quicker
        return _separable_valid_torch(planes.transpose(0, 1), taps).transpose(0, 1)
    kernel = constant(taps, planes.dtype, planes.device)
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


def gradient_magnitude(planes: Planes, taps: tuple[float, float, float]) -> Planes:
    """Length of the gradient: differences over two pixels, smoothed across by `taps`.

    ``PREWITT`` and ``SCHARR`` are the operators of those names. Only where the window of 3 x 3
    fits: H and W are smaller by 2. The gradient (of autograd) is 0 where the length is.
    """
    if is_tensor(planes):
        return _gradient_magnitude_torch(planes, taps)
    import cv2

    across, along = np.array(taps), np.array((-1.0, 0.0, 1.0))
    result = np.empty((planes.shape[0], planes.shape[1] - 2, planes.shape[2] - 2), planes.dtype)
    for plane, found in zip(planes, result, strict=True):
        x = cv2.sepFilter2D(plane, -1, along, across)[1:-1, 1:-1]
        y = cv2.sepFilter2D(plane, -1, across, along)[1:-1, 1:-1]
        np.sqrt(x * x + y * y, out=found)  # cv2.magnitude depends on where arrays lie
    return result


PREWITT = (1 / 3, 1 / 3, 1 / 3)
SCHARR = (3 / 16, 10 / 16, 3 / 16)


def _gradient_magnitude_torch(planes: Any, taps: tuple[float, float, float]) -> Any:
    side, middle, _ = taps
    x = planes[..., 2:] - planes[..., :-2]
    y = planes[..., 2:, :] - planes[..., :-2, :]
    x = side * (x[..., 2:, :] + x[..., :-2, :]) + middle * x[..., 1:-1, :]
    y = side * (y[..., 2:] + y[..., :-2]) + middle * y[..., 1:-1]
    return root(x * x + y * y)


Outside = Literal["zeros", "edge"]


def padded(planes: Planes, before: int, after: int, outside: Outside = "zeros") -> Planes:
    """The planes with `before` rows and columns more at top and left, `after` at bottom, right."""
    if not before and not after:
        return planes
    if is_tensor(planes):
        from torch.nn.functional import pad

        mode = "constant" if outside == "zeros" else "replicate"
        return pad(planes, (before, after, before, after), mode=mode)
    around = ((0, 0), (before, after), (before, after))
    return np.pad(planes, around, mode="constant" if outside == "zeros" else "edge")


def block_means(
    planes: Planes,
    size: int,
    convert: Callable[[Planes], Planes],
    *,
    before: int = 0,
    after: int = 0,
    outside: Outside = "zeros",
) -> Planes:
    """Means of blocks of `size` x `size` of ``convert(planes)``, an incomplete last one dropped.

    An array is taken strip by strip, so that little more than the result stands in memory.

    Args:
        planes: (C, H, W) array or (N, C, H, W) tensor.
        size: side of a block.
        convert: from planes to planes, sample by sample (a change of colour).
        before: rows and columns to add at top and left first.
        after: the same at bottom and right.
        outside: what stands in them.
    """
    if is_tensor(planes):
        from torch.nn.functional import avg_pool2d

        return avg_pool2d(padded(convert(planes), before, after, outside), size)
    import cv2

    height, width = (side + before + after for side in planes.shape[-2:])
    rows, columns = height // size, width // size

    step = max(STRIP_ROWS // size, 1)
    result = np.empty((len(convert(planes[:, :1])), rows, columns), planes.dtype)
    border = cv2.BORDER_CONSTANT if outside == "zeros" else cv2.BORDER_REPLICATE

    def part(top: int) -> None:
        bottom = min(top + step, rows)
        first, last = top * size - before, bottom * size - before
        inner = convert(planes[:, max(first, 0) : min(last, planes.shape[-2])])
        if before or after:
            above, below = max(-first, 0), max(last - planes.shape[-2], 0)
            sides = (above, below, before, after, border)
            inner = [cv2.copyMakeBorder(plane, *sides) for plane in inner]
        shape = (columns, bottom - top)
        for plane, found in zip(inner, result[:, top:bottom], strict=True):
            blocks = plane[:, : columns * size]
            found[...] = cv2.resize(blocks, shape, interpolation=cv2.INTER_AREA)

    each(part, range(0, rows, step))
    return result


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
    return sum_over_parts(lambda part: function(a[..., part, :], b[..., part, :]), a, halo)


def sum_over_parts(
    function: Callable[[slice], tuple[Any, ...]], planes: Planes, halo: int
) -> tuple[Any, ...]:
    """The same for a function of the rows to look at."""
    height = int(planes.shape[-2])
    if is_tensor(planes):
        return function(slice(0, height))
    rows = max(STRIP_ROWS // 4, min(STRIP_ROWS, _STRIP_SAMPLES // int(planes.shape[-1])))
    found = each(function, list(strips(height, halo, rows)))
    return tuple(sum(values) for values in zip(*found, strict=True))


def decimated(planes: Planes, taps: tuple[float, ...]) -> Planes:
    """Every second row and column of what `separable_valid` gives, the first included.

    An array is filtered in float64, strip by strip.
    """
    if is_tensor(planes):
        return separable_valid(planes, taps)[..., ::2, ::2]
    more = len(taps) - 1
    height, width = (side - more for side in planes.shape[-2:])
    result = np.empty((len(planes), (height + 1) // 2, (width + 1) // 2), planes.dtype)

    def part(top: int) -> None:
        rows = planes[:, top : min(top + STRIP_ROWS, height) + more]
        found = separable_valid(in_double(rows), taps)[:, ::2, ::2]
        result[:, top // 2 : top // 2 + found.shape[1]] = found

    each(part, range(0, height, STRIP_ROWS))
    return result
