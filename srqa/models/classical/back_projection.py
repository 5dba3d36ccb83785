"""Iterative back-projection: correct until the result, made small again, is the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from srqa.images.resize import Border
from srqa.models.classical.camera import Taps, camera
from srqa.models.classical.interpolation import check_scale, interpolate
from srqa.models.classical.reconstruction import HALO, INEXACT, as_columns, as_pictures
from srqa.models.upscaler import Upscaler

if TYPE_CHECKING:
    from torch import Tensor


def ibp(
    *,
    taps: Taps | None = None,
    border: Border = "mirror",
    tolerance: float = 1e-3,
    iterations: int = 50,
    watch: Callable[[int, float], None] | None = None,
) -> Upscaler:
    """Irani and Peleg's back-projection, started at bicubic interpolation.

    "Improving Resolution by Image Registration", CVGIP 1991: the difference between the input and
    the result made small is enlarged by bicubic interpolation, and added. Nothing holds noise back.

    Args:
        taps: the blur before shrinking, (k, k) with odd k; None for none.
        border: what lies outside, as of `srqa.images.resize.imresize`.
        tolerance: stop when the largest difference is so small, for values in [0, 1].
        iterations: stop after so many.
        watch: called with the iteration and the largest difference.

    Example:
        >>> import torch
        >>> ibp().run(torch.rand(1, 3, 8, 9), 2).shape
        torch.Size([1, 3, 16, 18])
    """

    def run(pictures: Tensor, scale: float) -> Tensor:
        check_scale(scale)
        count, planes, height, width = pictures.shape
        y = as_columns(pictures)
        seen = camera((height, width), scale, y, taps=taps, border=border)

        def enlarged(low: Tensor) -> Tensor:
            return as_columns(interpolate(as_pictures(low, 1, low.shape[2]), scale, border=border))

        x = enlarged(y)
        for iteration in range(iterations + 1):
            difference = y - seen.see(x)
            largest = float(difference.abs().max())
            if watch:
                watch(iteration, largest)
            if largest <= tolerance or iteration == iterations:
                break
            x = x + enlarged(difference)
        return as_pictures(x, count, planes).to(pictures.dtype)

    return Upscaler("ibp", run, halo=HALO, inexact=INEXACT)
