"""Consistency of an upscaled picture with the low-resolution input that it was made from."""

from __future__ import annotations

import numpy as np

from srqa.images.arrays import Planes, Value, is_tensor
from srqa.images.resize import imresize
from srqa.metrics.fidelity import psnr_from, squared_error


def lr_psnr(distorted: Planes, low_resolution: Planes) -> Value:
    """PSNR in dB between the picture, shrunk to the size of its input, and that input.

    The picture is shrunk with MATLAB's antialiased bicubic `imresize` (mirrored border), in float,
    neither rounded nor clamped. One mean over R, G and B; equal pictures give infinity.
    Lugmayr et al., NTIRE 2021 Learning the super-resolution space challenge, CVPRW 2021.

    Args:
        distorted: planes (..., 3, H, W) of the upscaled picture.
        low_resolution: planes (..., 3, h, w) of the input.
    """
    small = _shrunk(distorted, (low_resolution.shape[-2], low_resolution.shape[-1]))
    if not is_tensor(small):
        low_resolution = low_resolution.astype(np.float64)
    small, low_resolution = _same_channels(small, low_resolution)
    error, n = squared_error(small, low_resolution)
    return psnr_from(error / n)


def _same_channels(a: Planes, b: Planes) -> tuple[Planes, Planes]:
    """Grey beside colour counts as R = G = B."""
    if a.shape[-3] == b.shape[-3]:
        return a, b
    grey = a if a.shape[-3] == 1 else b
    three = grey.repeat_interleave(3, -3) if is_tensor(grey) else np.repeat(grey, 3, -3)
    return (three, b) if grey is a else (a, three)


def _shrunk(planes: Planes, size: tuple[int, int]) -> Planes:
    if is_tensor(planes):
        return imresize(planes, size=size)
    return np.stack([imresize(plane.astype(np.float64), size=size) for plane in planes])
