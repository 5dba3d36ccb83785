"""Pixel fidelity: mean squared error and peak signal-to-noise ratio."""

from __future__ import annotations

import math

from srqa.images.arrays import Planes, Value, count, is_tensor, namespace, root, total


def squared_error(distorted: Planes, reference: Planes) -> tuple[Value, int]:
    """Sum of squared differences, added up in float64, and the number of samples."""
    if is_tensor(distorted):
        return total((distorted - reference) ** 2), count(distorted)
    import cv2

    pairs = zip(distorted, reference, strict=True)
    return math.fsum(cv2.norm(a, b, cv2.NORM_L2SQR) for a, b in pairs), count(distorted)


def mse_from(mean: Value) -> Value:
    """Mean squared error on the 0..255 scale, as tables print it."""
    return mean * 255.0**2


def rmse_from(mean: Value) -> Value:
    """Root of `mse_from`, whose gradient is 0 where the pictures are equal."""
    return (root(mean) if is_tensor(mean) else mean**0.5) * 255.0


def psnr_from(mean: Value) -> Value:
    """``10 log10(1 / mse)`` in dB; equal pictures give infinity, and no epsilon caps it."""
    if is_tensor(mean):
        return -10 * namespace(mean).log10(mean)
    return math.inf if mean == 0 else -10 * math.log10(mean)
