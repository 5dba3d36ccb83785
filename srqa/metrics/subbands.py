"""Metrics that compare sub-bands: HaarPSI (Haar wavelets) and DSS (block DCT)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from srqa.images.arrays import (
    Planes,
    Value,
    as_value,
    in_double,
    is_tensor,
    namespace,
    on_device,
    root,
    total,
)
from srqa.images.filters import (
    STRIP_ROWS,
    gaussian_taps,
    padded,
    separable_valid,
    sum_over_strips,
)
from srqa.metrics.similarity import LUMINANCE, YIQ, halved, lost, lost_together, mixer, prepared
from srqa.threads import each

HAARPSI_MIN_SIDE = 16
DSS_MIN_SIDE = 32
"""Below 4 x 4 blocks, 5 % of a sub-band round to none."""

_C, _ALPHA = 30.0, 4.2
_REACH = 4
"""Half the side of the largest wavelet."""


def haarpsi(distorted: Planes, reference: Planes) -> Value:
    """HaarPSI of Reisenhofer et al. 2018: Haar wavelets of YIQ, after halving the picture."""
    mix = mixer(YIQ)
    a, b = (padded(halved(prepared(p), mix), _REACH, _REACH) for p in (distorted, reference))
    lost_sum, weight = sum_over_strips(_weighted_losses, a, b, _REACH)
    xp = namespace(weight) if is_tensor(weight) else np
    lost_mean = lost_sum / xp.where(weight > 0, weight, 1.0)
    # The logit of the weighted mean of sigmoid(alpha s), which is below that of s = 1.
    best = 1 / (1 + math.exp(-_ALPHA))
    logit = _ALPHA + xp.log1p(-lost_mean / best) - xp.log1p(lost_mean / (1 - best))
    value = (logit / _ALPHA) ** 2
    return as_value(value)


def _weighted_losses(a: Planes, b: Planes) -> tuple[Value, Value]:
    """Of a strip: the sum of how far sigmoid(alpha s) is below its best, times weight; of weights.

    The maps s are those of two orientations and of colour.
    """
    both = zip(_wavelets(a[..., :1, :, :]), _wavelets(b[..., :1, :, :]), strict=True)
    xp, sums, weights = namespace(a), [], []
    for first, second in both:
        fine = (lost(x, y, _C) for x, y in zip(first[:2], second[:2], strict=True))
        sums.append(sum(fine) / 2)
        weights.append(xp.maximum(first[2], second[2]))
    first, second = (_smoothed(p[..., 1:, :, :]) for p in (a, b))
    colour = lost(first, second, _C)
    sums.append((colour[..., :1, :, :] + colour[..., 1:, :, :]) / 2)
    weights.append((weights[0] + weights[1]) / 2)
    lost_sum: Value = 0.0
    for map_, weight in zip(sums, weights, strict=True):
        lost_sum = lost_sum + total(_below_best(map_) * weight)
    return lost_sum, 3 * total(weights[2])


def _below_best(losses: Planes) -> Planes:
    """``sigmoid(alpha) - sigmoid(alpha (1 - losses))`` without its cancellation."""
    ratio = math.exp(-_ALPHA)
    grown = namespace(losses).expm1(_ALPHA * losses)
    return grown * (ratio / (1 + ratio)) / ((1 + ratio) + ratio * grown)


def _wavelets(x: Planes) -> Iterator[list[Planes]]:
    """Magnitudes at three scales, for edges along rows and then along columns.

    They stand where a window of 9 x 9 fits, and are those of MATLAB's ``conv2(..., 'same')``.
    """
    along_rows, along_columns, box = [], [], x
    for half in (1, 2, 4):
        first = _REACH + 1 - half
        inner = (..., *(slice(first, first + n - 2 * _REACH) for n in x.shape[-2:]))
        wide = box[..., :-half] + box[..., half:]
        tall = box[..., :-half, :] + box[..., half:, :]
        along_rows.append(abs((wide[..., :-half, :] - wide[..., half:, :])[inner]) / (2 * half))
        along_columns.append(abs((tall[..., :-half] - tall[..., half:])[inner]) / (2 * half))
        box = wide[..., :-half, :] + wide[..., half:, :]
    yield along_rows
    yield along_columns


def _smoothed(x: Planes) -> Planes:
    """Magnitudes of the means of each sample and those to its right and below."""
    inner = (..., slice(_REACH, 1 - _REACH), slice(_REACH, 1 - _REACH))
    x = x[inner]
    x = x[..., :-1] + x[..., 1:]
    return abs(x[..., :-1, :] + x[..., 1:, :]) / 4


# ------------------------------------------------------------------------------------- DSS

_BLOCK = 8
_SIGMA = 1.55
_WORST = 0.05
_SUBBANDS = {
    (m, n): weight
    for m in range(_BLOCK)
    for n in range(_BLOCK)
    if (weight := math.exp(-((m + 0.5) ** 2 + (n + 0.5) ** 2) / (2 * _SIGMA**2))) >= 0.01
}
_USED = 1 + max(m for m, _ in _SUBBANDS)
_TAPS = gaussian_taps(3, 1.5)


def dss(distorted: Planes, reference: Planes) -> Value:
    """DSS of Balanov et al. 2015: similarity of DCT sub-bands of the luminance."""
    a, b = _coefficients(prepared(distorted)), _coefficients(prepared(reference))
    losses: Value = 0.0
    for (m, n), weight in _SUBBANDS.items():
        first, second = (in_double(p[..., m, :, n][..., None, :, :]) for p in (a, b))
        losses = losses + weight * _lost_subband(first, second, mean=m == n == 0)
    value = 1 - losses / sum(_SUBBANDS.values())
    return as_value(value)


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray[Any, np.dtype[np.float64]]:
    """The rows of the DCT matrix that are used."""
    k, x = np.arange(_USED)[:, None], np.arange(_BLOCK)[None]
    matrix = np.cos(math.pi * k * (2 * x + 1) / (2 * _BLOCK)) * math.sqrt(2 / _BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix


def _coefficients(planes: Planes) -> Planes:
    """The low DCT coefficients of blocks of the luminance: (..., h, m, w, n) for h x w blocks."""
    mix = mixer(LUMINANCE)
    height, width = (side // _BLOCK for side in planes.shape[-2:])
    if is_tensor(planes):
        matrix: Any = on_device(_cosines, (), planes.dtype, planes.device)
    else:
        matrix = _cosines().astype(planes.dtype)

    def of_rows(part: Planes) -> Planes:
        light = mix(part[..., : width * _BLOCK])
        rows = light.reshape(*light.shape[:-3], -1, _BLOCK, width * _BLOCK)
        down = matrix @ rows
        return down.reshape(*down.shape[:-1], width, _BLOCK) @ matrix.T

    inner = planes[..., : height * _BLOCK, :]
    if is_tensor(planes):
        return of_rows(inner)
    tops = range(0, height * _BLOCK, STRIP_ROWS)
    return np.concatenate(each(lambda top: of_rows(inner[:, top : top + STRIP_ROWS]), tops))


def _lost_subband(p: Planes, q: Planes, mean: bool) -> Value:
    """How far the worst twentieth of a sub-band is below 1; the mean of blocks counts twice."""
    constant = 1000.0 if mean else 300.0
    xp = namespace(p)
    e = p - q
    wide = [padded(x, 1, 1) for x in (p, q, e)]
    means = [separable_valid(x, _TAPS) for x in wide]
    squares = [separable_valid(x * x, _TAPS) for x in wide]
    variances = [xp.clip(s - m * m, 0.0, None) for s, m in zip(squares, means, strict=True)]
    first, second = root(variances[0]), root(variances[1])
    losses = _mean_of_worst(lost(first, second, constant))
    if not mean:
        return losses
    # With e = p - q, sd_p sd_q - cov(p, q) = (var(e) - (sd_p - sd_q)^2) / 2.
    apart = xp.clip(variances[2] - (first - second) ** 2, 0.0, None) / 2
    structure = _mean_of_worst(apart / (first * second + constant))
    return lost_together(losses, structure)


def _mean_of_worst(losses: Planes) -> Value:
    flat = losses.reshape(*losses.shape[:-3], -1)
    worst = round(_WORST * flat.shape[-1])
    if is_tensor(flat):
        return flat.topk(worst, dim=-1).values.mean(-1)
    return float(np.partition(flat, flat.size - worst)[flat.size - worst :].mean())
