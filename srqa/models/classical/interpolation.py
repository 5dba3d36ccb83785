"""Interpolation with MATLAB's conventions, for any real scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from srqa.errors import UsageError
from srqa.images.resize import Border, Kernel, contributions, resample
from srqa.models.upscaler import Upscaler, enlarged

if TYPE_CHECKING:
    from torch import Tensor


def nearest() -> Upscaler:
    """The nearest pixel. See `interpolation`."""
    return interpolation("nearest", "nearest")


def bilinear() -> Upscaler:
    """Linear between the two nearest pixels of each axis. See `interpolation`."""
    return interpolation("bilinear", "bilinear")


def bicubic() -> Upscaler:
    """Keys' cubic convolution with a = -0.5, MATLAB's bicubic. See `interpolation`."""
    return interpolation("bicubic", "bicubic")


def lanczos() -> Upscaler:
    """A sinc windowed by a sinc of three lobes (MATLAB's lanczos3). See `interpolation`."""
    return interpolation("lanczos", "lanczos3")


_REACH: dict[Kernel, int] = {
    "nearest": 1,
    "bilinear": 1,
    "bicubic": 2,
    "lanczos2": 2,
    "lanczos3": 3,
}


def interpolation(name: str, kernel: Kernel) -> Upscaler:
    """An upscaler that interpolates as MATLAB's ``imresize`` does.

    Args:
        name: what the method is called.
        kernel: as of `srqa.images.resize.imresize`, to which the result is equal.

    Example:
        >>> import torch
        >>> interpolation("bicubic", "bicubic").run(torch.rand(1, 3, 8, 9), 2.5).shape
        torch.Size([1, 3, 20, 23])
    """
    return Upscaler(
        name, lambda pictures, scale: interpolate(pictures, scale, kernel), halo=_REACH[kernel]
    )


def interpolate(
    pictures: Tensor, scale: float, kernel: Kernel = "bicubic", border: Border = "mirror"
) -> Tensor:
    """Enlarge (..., h, w) to the sides of `enlarged`, as MATLAB's ``imresize`` does.

    Sides that a scale such as 1.1 makes whole but for the rounding of floating point numbers get no
    pixel more.

    Args:
        pictures: tensor (..., h, w).
        scale: any real number of at least 1.
        kernel, border: as of `srqa.images.resize.imresize`.

    Raises:
        UsageError: the scale is below 1.
    """
    check_scale(scale)
    for axis in (-2, -1):
        side = pictures.shape[axis]
        table = contributions(side, enlarged(side, scale), scale, kernel, True, border)
        pictures = resample(pictures, *table, axis)
    return pictures


def check_scale(scale: float) -> None:
    """Refuse what is no factor of enlargement.

    Raises:
        UsageError: the scale is below 1 or no finite number.
    """
    if not (math.isfinite(scale) and scale >= 1):
        raise UsageError(f"A picture can be enlarged by a scale of at least 1, not {scale:g}.")
