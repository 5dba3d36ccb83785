"""Metrics that pool the deviation of gradient similarity: GMSD, MS-GMSD and MDSI."""

from __future__ import annotations

from srqa.images.arrays import (
    Planes,
    Value,
    as_value,
    count,
    in_double,
    is_tensor,
    namespace,
    root,
    total,
)
from srqa.images.filters import PREWITT, block_means, gradient_magnitude, padded, sum_over_strips
from srqa.metrics.similarity import (
    LUMINANCE,
    Weights,
    halved,
    lost,
    mixer,
    prepared,
    shrinking,
)

GMSD_MIN_SIDE = 6
"""The gradient operator after halving."""
MS_GMSD_MIN_SIDE = 17
MDSI_MIN_SIDE = 3
"""The gradient operator."""

_SCALE_WEIGHTS = (0.096, 0.596, 0.289, 0.019)
_LHM: Weights = ((0.2989, 0.587, 0.114), (0.30, 0.04, -0.35), (0.34, -0.6, 0.17))


def gmsd(distorted: Planes, reference: Planes) -> Value:
    """GMSD of Xue et al. 2014: deviation of the gradient similarity of the luminance."""
    mix = mixer(LUMINANCE)
    a, b = (padded(halved(prepared(p), mix), 1, 1) for p in (distorted, reference))
    return as_value(root(_variance(a, b, 0.0)))


def ms_gmsd(distorted: Planes, reference: Planes) -> Value:
    """MS-GMSD of Zhang et al. 2017: GMSD with masking over four scales."""
    mix = mixer(LUMINANCE)
    # With a rim of zeros around each.
    a, b = (block_means(prepared(p), 1, mix, before=1, after=1) for p in (distorted, reference))
    variance: Value = 0.0
    for level, weight in enumerate(_SCALE_WEIGHTS):
        if level:
            a, b = (padded(halved(p[..., 1:-1, 1:-1]), 1, 1) for p in (a, b))
        variance = variance + weight * _variance(a, b, 0.5)
    return as_value(root(variance))


def _variance(a: Planes, b: Planes, masking: float) -> Value:
    """Of the gradient similarity of two luminances with a rim of 1, over n and not n - 1."""

    def part(p: Planes, q: Planes) -> tuple[Value, Value, int]:
        x, y = gradient_magnitude(p, PREWITT), gradient_magnitude(q, PREWITT)
        losses = lost(x, y, 170.0, masking)
        return total(losses), total(losses * losses), count(losses)

    sums, squares, n = sum_over_strips(part, a, b, 1)
    return squares / n - (sums / n) ** 2


def mdsi(distorted: Planes, reference: Planes) -> Value:
    """MDSI of Nafchi et al. 2016: deviation of gradient and colour similarity, summed.

    With s the sum of both similarities, the mean of \\|s^(1/4) - mean\\| to the power 1/4. Where s
    is negative its root is complex. In float64, since the last root turns a rounding error of
    float32 into 0.02.
    """
    size, mix = shrinking(distorted), mixer(_LHM)
    a, b = (
        in_double(block_means(prepared(p), size, mix, before=(size - 1) // 2, after=size // 2))
        for p in (distorted, reference)
    )
    xp = namespace(a)
    light = [padded(p, 1, 1) for p in (a[..., :1, :, :], b[..., :1, :, :])]
    x, y, between = (gradient_magnitude(p, PREWITT) for p in (*light, (light[0] + light[1]) / 2))
    hue_a, hue_b = a[..., 1:, :, :], b[..., 1:, :, :]
    apart = ((hue_a - hue_b) ** 2).sum(-3)[..., None, :, :]
    energy = (hue_a**2 + hue_b**2).sum(-3)[..., None, :, :] + 550
    gradients = lost(x, y, 140.0) + lost(x, between, 55.0) - lost(y, between, 55.0)
    summed = 1 - 0.6 * gradients - 0.4 * (apart / energy)

    # Fourth roots; that of a negative number has the angle pi / 4.
    length = root(root(abs(summed)))
    turned = length * 0.5**0.5
    real = xp.where(summed < 0, turned, length)
    imaginary = xp.where(summed < 0, turned, 0.0)
    n = count(summed)
    means = [total(part) / n for part in (real, imaginary)]
    if is_tensor(summed):
        means = [mean[:, None, None, None] for mean in means]
    deviation = total(root((real - means[0]) ** 2 + (imaginary - means[1]) ** 2)) / n
    return as_value(root(root(deviation)))
