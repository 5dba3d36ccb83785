"""SSIM and MS-SSIM (Wang et al.), computed from the difference and the sum of two pictures.

With e = a - b and s = a + b the two factors of SSIM are

    luminance           1 - f(e)^2 / (mu_a^2 + mu_b^2 + C1)  with  (f(s)^2 + f(e)^2) / 2
    contrast-structure  1 - var(e) / (var_a + var_b + C2)    with  (var(s) + var(e)) / 2

for the sums of the two pictures' squared means and variances, where f is the Gaussian mean. They
equal the textbook form, need the same four filterings and are exactly 1 for equal pictures. What
is rounded is the small distance from 1. The variances, f(x^2) - f(x)^2, are taken about a constant
near the strip's mean, and in float64 where numbers far from it would show in float32 (flat ground
and graphics that are far off their reference).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srqa.images.arrays import Planes, Value, count, is_tensor, namespace, total
from srqa.images.filters import each_separable_valid, gaussian_taps, half_size, sum_over_strips
from srqa.metrics import features

WINDOW = 11
HALO = WINDOW // 2
_TAPS = gaussian_taps(WINDOW, 1.5)
_C1, _C2 = 0.01**2, 0.03**2
MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_MIN_SIDE = (WINDOW - 1) * 2 ** (len(MS_WEIGHTS) - 1) + 1
_FLOAT32_LIMITS = (5e-4, 0.4)
"""Mean squares of the low-pass difference and sum up to which float32 keeps SSIM within 2e-7."""
_NEAR_ZERO = 0.02
"""A mean difference that small costs no digits and need not be taken out."""
_DIVISIBLE = 300
"""Columns from which on parts are tried before float64, which takes three times as long."""


def structure_losses(a: Planes, b: Planes) -> tuple[Planes, Planes]:
    """How far luminance and contrast-structure are below 1, where the window fits."""
    if not is_tensor(a):
        luminances, contrasts = zip(*map(_losses_of_plane, a, b), strict=True)
        return _stacked(luminances), _stacked(contrasts)
    if a.device.type != "mps":
        a, b = a.double(), b.double()
    e, s = a - b, a + b
    mean_e, mean_s, mean_ee, mean_ss = each_separable_valid((e, s, e * e, s * s), _TAPS)
    square_e, square_s = mean_e * mean_e, mean_s * mean_s
    var_e, var_s = mean_ee - square_e, mean_ss - square_s
    luminance = 2 * square_e / (square_s + square_e + 2 * _C1)
    contrast = 2 * var_e / (var_s + var_e + 2 * _C2)
    return luminance, contrast


_Plane = np.ndarray[Any, Any]


def contrast_losses(a: Planes, b: Planes) -> Planes:
    """How far contrast-structure alone is below 1."""
    if is_tensor(a):
        return structure_losses(a, b)[1]
    return _stacked([_contrast_and_means(p, q)[0] for p, q in zip(a, b, strict=True)])


def _stacked(planes: Sequence[_Plane]) -> _Plane:
    return planes[0][None] if len(planes) == 1 else np.stack(planes)


def _losses_of_plane(a: _Plane, b: _Plane) -> tuple[_Plane, _Plane]:
    """`structure_losses` of two planes (H, W) with OpenCV."""
    import cv2

    contrast, mean_e, mean_s = _contrast_and_means(a, b)
    square_e, square_s = cv2.multiply(mean_e, mean_e), cv2.multiply(mean_s, mean_s)
    luminance = cv2.divide(
        square_e, cv2.addWeighted(square_e, 1, square_s, 1, 2 * _C1, square_s), square_e, 2
    )
    return luminance, contrast


def _contrast_and_means(a: _Plane, b: _Plane, wide: bool = False) -> tuple[_Plane, _Plane, _Plane]:
    """Contrast-structure's loss of two planes (H, W), and the means of their difference and sum.

    `wide` computes in float64.

    e, s and their squares stand below each other in one array, so that one call filters all four;
    the rows where they touch are within the window's rim, which is cut off.
    """
    import cv2

    wide = wide or np.float64 in (a.dtype, b.dtype)
    depth = cv2.CV_64F if wide else cv2.CV_32F
    height, width = a.shape
    some_a, some_b = (np.ascontiguousarray(plane[::8, ::16]) for plane in (a, b))
    centre_e = cv2.mean(some_a)[0] - cv2.mean(some_b)[0]
    some_s = cv2.add(some_a, some_b, dtype=depth)
    centre_s, spread = (float(x.item()) for x in cv2.meanStdDev(some_s))
    if not wide and width >= _DIVISIBLE and spread**2 > _FLOAT32_LIMITS[1]:
        return _in_halves(a, b)
    if abs(centre_e) < _NEAR_ZERO:
        centre_e = 0.0
    kernel = np.array(_TAPS)
    stack = np.empty((4 * height, width), np.float64 if wide else np.float32)
    cv2.addWeighted(a, 1, b, -1, -centre_e, stack[:height], depth)
    cv2.addWeighted(a, 1, b, 1, -centre_s, stack[height : 2 * height], depth)
    cv2.multiply(stack[: 2 * height], stack[: 2 * height], stack[2 * height :])
    smooth = cv2.sepFilter2D(stack, -1, kernel, kernel).reshape(4, height, width)
    mean_e, mean_s, var_e, var_s = smooth[:, HALO:-HALO, HALO:-HALO]
    square_e, square_s = cv2.multiply(mean_e, mean_e), cv2.multiply(mean_s, mean_s)
    rest = (cv2.mean(square_e[::4])[0], cv2.mean(square_s[::4])[0])
    if not wide and (rest[0] > _FLOAT32_LIMITS[0] or rest[1] > _FLOAT32_LIMITS[1]):
        return _in_halves(a, b) if width >= _DIVISIBLE else _contrast_and_means(a, b, wide=True)
    cv2.subtract(var_e, square_e, var_e)
    cv2.subtract(var_s, square_s, var_s)
    contrast = cv2.divide(var_e, cv2.addWeighted(var_e, 1, var_s, 1, 2 * _C2, var_s), var_e, 2)
    for mean, centre in ((mean_e, centre_e), (mean_s, centre_s)):
        if centre:
            cv2.addWeighted(mean, 1, mean, 0, centre, mean)  # twice as quick as numpy's +=
    return contrast, mean_e, mean_s


def _in_halves(a: _Plane, b: _Plane) -> tuple[_Plane, _Plane, _Plane]:
    """`_contrast_and_means` of the left and the right part, each about constants of its own."""
    middle = (a.shape[1] - 2 * HALO) // 2
    sides = slice(0, middle + 2 * HALO), slice(middle, a.shape[1])
    left, right = (_contrast_and_means(a[:, side], b[:, side]) for side in sides)
    contrast, mean_e, mean_s = (np.hstack(both) for both in zip(left, right, strict=True))
    return contrast, mean_e, mean_s


def _together(luminance: _Plane, contrast: _Plane) -> _Plane:
    """How far SSIM is below 1 in a plane, for both factors' distances from 1."""
    import cv2

    both = cv2.multiply(luminance, contrast)
    return cv2.subtract(cv2.addWeighted(luminance, 1, contrast, 1, 0), both, both)


def _sums(a: Planes, b: Planes) -> tuple[Value, Value, int]:
    """In each channel, (..., C): sums of SSIM and of contrast-structure; and the places in one."""
    if is_tensor(a):
        luminance, contrast = structure_losses(a, b)
        n = count(contrast[..., :1, :, :])
        similarity = luminance + contrast - luminance * contrast
        return n - _over_places(similarity), n - _over_places(contrast), n
    sums = []
    for p, q in zip(a, b, strict=True):
        luminance, contrast = _losses_of_plane(p, q)
        n = contrast.size
        sums.append((n - total(_together(luminance, contrast)), n - total(contrast)))
    similarities, contrasts = np.array(sums).T
    return similarities, contrasts, n


def _contrast_sums(a: Planes, b: Planes) -> tuple[Value, int]:
    """`_sums` of arrays without those of SSIM, which take longer."""
    losses = contrast_losses(a, b)
    n = losses[0].size
    return np.array([n - total(x) for x in losses]), n


def _over_places(losses: Planes) -> Value:
    """Sums of a tensor over places, (N, C)."""
    return losses.sum((-2, -1))


def _structure(distorted: Planes, reference: Planes) -> tuple[Value, Value, int]:
    """`_sums` of whole pictures, kept for the other one where both metrics are announced."""
    known = features.notes(distorted, reference) if _both_announced() else {}
    if _structure not in known:
        known[_structure] = sum_over_strips(_sums, distorted, reference, HALO)
    similarities, contrasts, n = known[_structure]
    return similarities, contrasts, n


def _both_announced() -> bool:
    announced = features.current().announced
    return ssim in announced and ms_ssim in announced


def _finest_contrast(distorted: Planes, reference: Planes) -> Value:
    """In each channel, (..., C): the mean of contrast-structure."""
    kept = _both_announced() and features.shared(distorted, reference)
    if kept or is_tensor(distorted):
        _, sums, n = _structure(distorted, reference)
    else:
        sums, n = sum_over_strips(_contrast_sums, distorted, reference, HALO)
    return sums / n


def ssim(distorted: Planes, reference: Planes) -> tuple[Value, int]:
    """Sum and count of the SSIM map: 11 x 11 Gaussian, sigma 1.5, K 0.01 and 0.03, valid region.

    Population covariance, no downsampling, mean over channels (Wang et al. 2004).
    """
    sums, _, n = _structure(distorted, reference)
    value = sums.sum(-1)
    return value if is_tensor(value) else float(value), n * int(distorted.shape[-3])


def ms_ssim(distorted: Planes, reference: Planes) -> Value:
    """Multi-scale SSIM of Wang, Simoncelli and Bovik 2003: five scales, 2 x 2 mean between them.

    Each channel's means of contrast-structure (and, at the coarsest scale, of SSIM) are raised to
    the published weights and multiplied; a negative mean counts as 0. Mean over channels.
    """
    finest = _finest_contrast(distorted, reference)
    if is_tensor(distorted):
        return _of_channels(finest, distorted, reference).mean(-1)
    each = (slice(i, i + 1) for i in range(len(distorted)))
    return float(np.mean([_of_channels(finest[c], distorted[c], reference[c]) for c in each]))


def _of_channels(finest: Value, a: Planes, b: Planes) -> Value:
    """MS-SSIM of channels, (..., C), whose means at the finest scale are known."""
    product = _raised(finest, MS_WEIGHTS[0])
    for level, weight in enumerate(MS_WEIGHTS[1:], 1):
        a, b = half_size(a), half_size(b)
        coarsest = level == len(MS_WEIGHTS) - 1
        if coarsest or is_tensor(a):
            similarities, contrasts, n = sum_over_strips(_sums, a, b, HALO)
            sums = similarities if coarsest else contrasts
        else:
            sums, n = sum_over_strips(_contrast_sums, a, b, HALO)
        product = product * _raised(sums / n, weight)
    return product


def _raised(mean: Value, weight: float) -> Value:
    return namespace(mean).clip(mean, 0.0, None) ** weight
