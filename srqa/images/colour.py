"""Colour as the super-resolution literature computes it. Planes in [0, 1], see `arrays`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from srqa.images.arrays import Planes, is_tensor, namespace

# ITU-R BT.601 luma, studio swing 16..235 of 255, for R, G, B in [0, 1].
_Y_OFFSET = 16.0
_Y_WEIGHTS = (65.481, 128.553, 24.966)
GRAY_WEIGHTS = (0.298936021293775, 0.587043074451121, 0.114020904255103)
_ROWS = 256
"""So many at a time where float64 would be large."""
_CACHED = 2**18
"""Pixels at a time whose three samples in float32 stay in the processor's cache."""


def _weighted(rgb: Planes, weights: tuple[float, ...], offset: float) -> Planes:
    red, green, blue = (rgb[..., i : i + 1, :, :] for i in range(3))
    return red * weights[0] + green * weights[1] + blue * weights[2] + offset


def luma(rgb: Planes, rounded: bool = False) -> Planes:
    """Y of BT.601 as MATLAB's ``rgb2ycbcr`` defines it, divided by 255.

    ``Y = 16 + 65.481 R + 128.553 G + 24.966 B``: black is 16/255 and white 235/255, while a
    metric's peak stays 1. Papers since EDSR use it as it is; MATLAB rounds it for 8-bit input.

    Args:
        rgb: planes (..., 3, H, W) or (..., 1, H, W), values in [0, 1]. Grey counts as R = G = B.
        rounded: round 255 Y half up to an integer.

    Returns:
        Planes (..., 1, H, W).

    Example:
        >>> import numpy as np
        >>> float(luma(np.ones((3, 1, 1)))[0, 0, 0] * 255)
        235.0
    """
    weights = (_Y_WEIGHTS[0] / 255, _Y_WEIGHTS[1] / 255, _Y_WEIGHTS[2] / 255)
    if rgb.shape[-3] == 1:
        y = rgb * (sum(_Y_WEIGHTS) / 255) + _Y_OFFSET / 255
    else:
        y = _weighted(rgb, weights, _Y_OFFSET / 255)
    if rounded:
        y = namespace(y).floor(y * 255 + 0.5) / 255
    return y


_TO_YCBCR = np.array(
    [_Y_WEIGHTS, (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214)], dtype=np.float64
)
_YCBCR_OFFSETS = (_Y_OFFSET, 128.0, 128.0)


def ycbcr(rgb: Planes) -> Planes:
    """Y, Cb, Cr of BT.601 in studio swing, as MATLAB's ``rgb2ycbcr``, divided by 255.

    Args:
        rgb: planes (..., 3, H, W), values in [0, 1].

    Returns:
        Planes (..., 3, H, W); Y is that of `luma`, 128/255 is no colour.

    Example:
        >>> import numpy as np
        >>> (ycbcr(np.ones((3, 1, 1)))[:, 0, 0] * 255).round(6).tolist()
        [235.0, 128.0, 128.0]
    """
    return _transformed(rgb, _TO_YCBCR / 255, tuple(o / 255 for o in _YCBCR_OFFSETS))


def rgb_of_ycbcr(planes: Planes) -> Planes:
    """The inverse of `ycbcr`; values may leave [0, 1] where Y, Cb and Cr are of no real colour."""
    back = np.linalg.inv(_TO_YCBCR / 255)
    offsets = -back @ (np.array(_YCBCR_OFFSETS) / 255)
    return _transformed(planes, back, tuple(float(o) for o in offsets))


def _transformed(
    planes: Planes, matrix: np.ndarray[Any, Any], offsets: tuple[float, ...]
) -> Planes:
    rows = [
        _weighted(planes, tuple(float(w) for w in row), offset)
        for row, offset in zip(matrix, offsets, strict=True)
    ]
    return namespace(planes).concatenate(rows, -3)


def luma_of_bytes(pixels: np.ndarray[Any, Any], rounded: bool = False) -> np.ndarray[Any, Any]:
    """`luma` straight from stored samples, the fast way: (H, W[, 3]) uint8 or uint16 to (1, H, W).

    Unrounded Y is float32, rounded Y that of `rounded_plane`.
    """
    import cv2

    if rounded:
        planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        integers: np.ndarray[Any, Any] = rounded_plane(planes, "y")
        return integers
    peak = float(np.iinfo(pixels.dtype).max)
    gains = np.array([[*(w / (255 * peak) for w in _Y_WEIGHTS), _Y_OFFSET / 255]])
    height, width = pixels.shape[:2]
    y = np.empty((height, width), np.float32)
    rows = max(_CACHED // width, 1)
    for top in range(0, height, rows):
        part = pixels[top : top + rows].astype(np.float32)
        # Grey takes the same steps, so that it equals R = G = B to the last bit.
        rgb = part if part.ndim == 3 else cv2.merge([part, part, part])
        cv2.transform(rgb, gains, dst=y[top : top + rows])
    return y[None]


def rounded_plane(samples: Planes, channel: Literal["y", "gray"]) -> Planes:
    """Y or grey of stored samples as integers of 0..255, rounded half up and divided by 255.

    One picture gives the same integers whether it is an array or a tensor, grey or R = G = B:
    all are computed in float64 by the same steps. In float32 one sample in some thousands falls to
    the other side, since a thousandth of all colours lies within 1e-4 of a tie.

    Args:
        samples: planes (..., 3, H, W) or (..., 1, H, W), uint8 or uint16.
        channel: "y" as `luma`, or "gray" as `gray`.

    Returns:
        Float32 planes (..., 1, H, W).

    Example:
        >>> import numpy as np
        >>> rounded_plane(np.full((1, 1, 1), 100, np.uint8), "y")[0, 0, 0] * np.float32(255)
        np.float32(102.0)
    """
    tensor = is_tensor(samples)
    peak = 65535.0 if str(samples.dtype).endswith("uint16") else 255.0
    if channel == "y":
        weights, offset = tuple(w / peak for w in _Y_WEIGHTS), _Y_OFFSET
    else:
        weights, offset = tuple(w * 255 / peak for w in GRAY_WEIGHTS), 0.0
    parts = []
    for top in range(0, samples.shape[-2], _ROWS):
        rows = samples[..., top : top + _ROWS, :]
        if tensor:
            wide = rows.float() if rows.device.type == "mps" else rows.double()
        else:
            wide = rows.astype(np.float64)
        if wide.shape[-3] == 1:
            wide = namespace(wide).concatenate([wide] * 3, -3)
        exact = _weighted(wide, weights, offset)
        nearest = namespace(exact).floor(exact + 0.5) / 255
        parts.append(nearest.float() if tensor else nearest.astype(np.float32))
    return namespace(samples).concatenate(parts, -2)


def gray(rgb: Planes) -> Planes:
    """Grey of MATLAB's ``rgb2gray`` (full-range BT.601), planes (..., 1, H, W) in [0, 1]."""
    return rgb if rgb.shape[-3] == 1 else _weighted(rgb, GRAY_WEIGHTS, 0.0)


def lab(rgb: Planes) -> Planes:
    """CIE L*a*b* (D65, 2 degrees) of sRGB planes (..., 3, H, W) in [0, 1], IEC 61966-2-1."""
    xp = namespace(rgb)
    linear = xp.where(
        rgb <= 0.04045, rgb / 12.92, ((xp.clip(rgb, 0.0, None) + 0.055) / 1.055) ** 2.4
    )
    # sRGB to XYZ, divided by the white point (0.95047, 1, 1.08883).
    x = _weighted(linear, (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047), 0.0)
    y = _weighted(linear, (0.2126729, 0.7151522, 0.0721750), 0.0)
    z = _weighted(linear, (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883), 0.0)

    def f(t: Planes) -> Planes:
        floor = (6 / 29) ** 3
        return xp.where(
            t > floor, xp.clip(t, floor, None) ** (1 / 3), t * (29 / 6) ** 2 / 3 + 4 / 29
        )

    fx, fy, fz = f(x), f(y), f(z)
    parts = (116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))
    if is_tensor(rgb):
        return xp.cat(parts, dim=-3)
    return np.concatenate(parts, axis=-3)


def mixtures(rgb: Planes, weights: Sequence[tuple[float, ...]]) -> Planes:
    """Weighted sums of R, G and B, planes (..., k, H, W) for k triples of weights.

    Of grey, (..., 1, H, W), which counts as R = G = B, each sum is a multiple.
    """
    if is_tensor(rgb):
        channels = [rgb[..., i : i + 1, :, :] for i in range(3 if rgb.shape[-3] == 3 else 1)] * 3
        mixed = [r * channels[0] + g * channels[1] + b * channels[2] for r, g, b in weights]
        return namespace(rgb).cat(mixed, -3)
    import cv2

    red, green, blue = rgb if rgb.shape[0] == 3 else (rgb[0],) * 3
    made = np.empty((len(weights), *rgb.shape[1:]), rgb.dtype)
    for found, (r, g, b) in zip(made, weights, strict=True):
        cv2.addWeighted(red, r, green, g, 0.0, found)
        cv2.scaleAdd(blue, b, found, found)
    return made
