"""VIF, and what metrics share that measure how much of a picture's information survives.

Written for arrays and tensors on luminance (MATLAB's rgb2gray) times 255. Statistics are taken in
float64, an array's strip by strip: they divide small variances, of which float32 keeps too few
digits on even ground.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from srqa.images.arrays import Planes, Value, as_value, in_double, is_tensor, namespace, total
from srqa.images.colour import GRAY_WEIGHTS, gray, mixtures
from srqa.images.filters import decimated, each_separable_valid, gaussian_taps, sum_over_strips
from srqa.metrics.similarity import unless_flat

VIF_MIN_SIDE = 41

NO_VARIANCE = 1e-8
_SENSOR_NOISE = 2.0


def luminance(planes: Planes) -> Planes:
    """Grey on the 0..255 scale: tensors in float64, arrays as they are."""
    if is_tensor(planes):
        return gray(in_double(planes)) * 255
    return mixtures(planes, [tuple(255 * w for w in GRAY_WEIGHTS)])


def unless_empty(value: Value, empty: Any, distorted: Planes, reference: Planes) -> Value:
    """The value(s), unless a reference has no texture; but a picture may equal it.

    Raises:
        NotApplicableError: as `unless_flat`.
    """
    if not is_tensor(value) and not empty:
        return value
    differs = (distorted != reference).reshape(*distorted.shape[:-3], -1).any(-1)
    reason = "the reference has no texture, so there is nothing to keep"
    return unless_flat(value, empty & differs, reason)


def moments(a: Planes, b: Planes, taps: tuple[float, ...]) -> tuple[Planes, Planes, Planes]:
    """Local variances of a and b and their covariance, where the window fits."""
    maps = (a, b, a * a, b * b, a * b)
    mean_a, mean_b, mean_aa, mean_bb, mean_ab = each_separable_valid(maps, taps)
    xp = namespace(a)
    var_a = xp.clip(mean_aa - mean_a * mean_a, 0.0, None)
    var_b = xp.clip(mean_bb - mean_b * mean_b, 0.0, None)
    return var_a, var_b, mean_ab - mean_a * mean_b


def vif(distorted: Planes, reference: Planes) -> Value:
    """Visual information fidelity in the pixel domain (VIFp) of Sheikh and Bovik 2006.

    Four scales, Gaussian windows of 17, 9, 5, 3 taps (sigma a fifth of that), valid region, sensor
    noise variance 2 on the 0..255 scale. 1 for equal pictures, 0 when nothing is left, more than 1
    when the picture has more contrast than its reference. Not symmetric.

    Raises:
        NotApplicableError: the reference is flat.
    """
    a, b = luminance(distorted), luminance(reference)
    xp = namespace(a)
    kept: Value = 0.0
    available: Value = 0.0
    for scale in range(4):
        size = 2 ** (4 - scale) + 1
        taps = gaussian_taps(size, size / 5)
        if scale:
            a = decimated(a, taps)
            b = decimated(b, taps)
        sums = sum_over_strips(partial(_information, taps), a, b, size // 2)
        kept, available = kept + sums[0], available + sums[1]
    empty = available == 0
    value = as_value(xp.where(empty, 1.0, kept / xp.where(empty, 1.0, available)))
    return unless_empty(value, empty, distorted, reference)


def _information(taps: tuple[float, ...], a: Planes, b: Planes) -> tuple[Value, Value]:
    """What is kept of the reference's information under windows, and what there is (nats)."""
    xp = namespace(a)
    var_a, var_b, covariance = moments(in_double(a), in_double(b), taps)
    textured = var_b > NO_VARIANCE
    var_b = textured * var_b
    # The distorted band is gain x reference + noise: the variances of the two parts.
    signal = textured * xp.clip(covariance, 0.0, None) ** 2 / (var_b + ~textured)
    noise = xp.clip(var_a - signal, 0.0, None)
    kept = total(xp.log1p(signal / (noise + _SENSOR_NOISE)))
    return kept, total(xp.log1p(var_b / _SENSOR_NOISE))
