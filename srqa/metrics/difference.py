"""Colour difference: CIEDE2000."""

from __future__ import annotations

import math

import numpy as np

from srqa.images.arrays import Planes, Value, count, is_tensor, namespace, root, total
from srqa.images.colour import lab
from srqa.images.filters import sum_over_strips

_25_TO_7 = 25.0**7
_DEGREE = math.pi / 180


def delta_e(distorted: Planes, reference: Planes) -> tuple[Value, int]:
    """Sum and count of the CIEDE2000 difference over pixels of sRGB pictures (D65), in float64.

    A difference of about 1 is just visible on large patches. Grey counts as R = G = B.
    """

    def part(a: Planes, b: Planes) -> tuple[Value, int]:
        difference = colour_difference(a, b)
        return total(difference), count(difference)

    value, n = sum_over_strips(part, distorted, reference, 0)
    return value, n


def colour_difference(distorted: Planes, reference: Planes) -> Planes:
    """The CIEDE2000 difference of each pixel of sRGB planes, (..., 1, H, W), in float64."""
    return ciede2000(_lab64(distorted), _lab64(reference))


def _lab64(rgb: Planes) -> Planes:
    if is_tensor(rgb):
        wide = rgb if rgb.device.type == "mps" else rgb.double()
        return lab(wide.expand(-1, 3, -1, -1))
    return lab(np.broadcast_to(rgb, (3, *rgb.shape[-2:])).astype(np.float64))


def ciede2000(first: Planes, second: Planes) -> Planes:
    """CIEDE2000 colour difference of L*a*b* planes (..., 3, H, W), with kL = kC = kH = 1.

    Sharma, Wu, Dalal, The CIEDE2000 color-difference formula: implementation notes, supplementary
    test data, and mathematical observations, Color Research and Application 30(1), 2005. Gradients
    are finite everywhere: those of the chroma of grey and of the difference of equal colours are 0.

    Returns:
        Planes (..., 1, H, W).
    """
    xp = namespace(first)
    l1, a1, b1 = (first[..., i : i + 1, :, :] for i in range(3))
    l2, a2, b2 = (second[..., i : i + 1, :, :] for i in range(3))
    c7 = ((root(a1 * a1 + b1 * b1) + root(a2 * a2 + b2 * b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * root(c7 / (c7 + _25_TO_7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = root(a1 * a1 + b1 * b1), root(a2 * a2 + b2 * b2)
    coloured = c1 * c2 > 1e-12

    h1, h2 = _hue(a1, b1), _hue(a2, b2)
    turn = h2 - h1
    around = xp.abs(turn) > math.pi
    turn = xp.where(around, turn - 2 * math.pi * xp.sign(turn), turn)
    turn = xp.where(coloured, turn, 0.0)
    # Where one colour is grey the sum of hues is the other's, and has no effect on the result.
    middle = h1 + turn / 2

    d_l, d_c = l2 - l1, c2 - c1
    d_h = 2 * root(c1 * c2) * xp.sin(turn / 2)
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * xp.cos(middle - 30 * _DEGREE)
        + 0.24 * xp.cos(2 * middle)
        + 0.32 * xp.cos(3 * middle + 6 * _DEGREE)
        - 0.20 * xp.cos(4 * middle - 63 * _DEGREE)
    )
    off = (l_mean - 50) ** 2
    s_l = 1 + 0.015 * off / xp.sqrt(20 + off)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * t
    degrees = xp.remainder(middle, 2 * math.pi) / _DEGREE
    rotation = 30 * xp.exp(-(((degrees - 275) / 25) ** 2))
    c7 = c_mean**7
    r_t = -2 * root(c7 / (c7 + _25_TO_7)) * xp.sin(2 * rotation * _DEGREE)
    x, y, z = d_l / s_l, d_c / s_c, d_h / s_h
    return root(x * x + y * y + z * z + r_t * y * z)


def _hue(a: Planes, b: Planes) -> Planes:
    """Angle in [0, 2 pi); 0 for grey, where the gradient is 0 too."""
    xp = namespace(a)
    coloured = (a != 0) | (b != 0)
    angle = xp.arctan2(b, xp.where(coloured, a, 1.0))
    return xp.where(angle < 0, angle + 2 * math.pi, angle)
