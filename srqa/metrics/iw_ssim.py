"""IW-SSIM: SSIM of the bands of a pyramid, weighted by the information that places carry."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from srqa.images.arrays import Planes, Value, as_value, in_double, is_tensor, namespace, total
from srqa.images.filters import STRIP_ROWS, separable_valid, strips, sum_over_parts
from srqa.images.resize import contributions, merged, resample
from srqa.metrics.information import NO_VARIANCE, luminance, moments, unless_empty
from srqa.metrics.structural import HALO, MS_MIN_SIDE, MS_WEIGHTS, contrast_losses, ssim

MIN_SIDE = MS_MIN_SIDE

_CONTENT_NOISE = 0.4
_PIECE = 1024
"""Columns that are looked at together."""
_BOX = (1 / 3, 1 / 3, 1 / 3)
_BINOMIAL = tuple(w * 2**0.5 / 16 for w in (1.0, 4.0, 6.0, 4.0, 1.0))


def iw_ssim(distorted: Planes, reference: Planes) -> Value:
    """Information-content-weighted SSIM of Wang and Li 2011.

    A Laplacian pyramid of five scales (binomial filter 1 4 6 4 1, mirrored border). The
    contrast-structure of each band is averaged with the information that a 3 x 3 neighbourhood and
    its parent share through a noisy channel (noise variance 0.4); the low-pass rest is judged by
    plain SSIM. Scales are combined with the weights of MS-SSIM.

    Raises:
        NotApplicableError: a band of the reference is flat.
    """
    bands_a = _pyramid(luminance(distorted))
    bands_b = _pyramid(luminance(reference))
    last = len(MS_WEIGHTS) - 1
    product: Value = 1.0
    empty: Any = False
    for level, weight in enumerate(MS_WEIGHTS):
        a, b = bands_a[level], bands_b[level]
        if level == last:
            value, n = ssim(a / 255, b / 255)
            mean = value / n
        else:
            around = _neighbourhood(b, bands_b[level + 1] if level < last - 1 else None)
            empty = empty | around.empty
            mean = _weighted_contrast(a, b, around)
        product = product * abs(mean) ** (weight / sum(MS_WEIGHTS))
    return unless_empty(as_value(product), empty, distorted, reference)


def _pyramid(planes: Planes) -> list[Planes]:
    """Four Laplacian bands, the finest first, and the low-pass rest; an array is overwritten."""
    bands: list[Planes] = []
    for _ in range(len(MS_WEIGHTS) - 1):
        low = _binomial(planes)[..., ::2, ::2] if is_tensor(planes) else _reduced(planes)
        if is_tensor(planes):
            bands.append(planes - _binomial(_spread(low, *planes.shape[-2:])))
        else:
            bands.append(_less_enlarged(planes, low))
        planes = low
    return [*bands, planes]


def _binomial(planes: Planes) -> Planes:
    """The filter 1 4 6 4 1 (gain 2) along both axes, same size, mirrored about the last sample."""
    if is_tensor(planes):
        from torch.nn.functional import pad

        return separable_valid(pad(planes, (2, 2, 2, 2), mode="reflect"), _BINOMIAL)
    import cv2

    kernel = np.array(_BINOMIAL)
    return cv2.sepFilter2D(planes[0], -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)[None]


def _spread(low: Planes, height: int, width: int) -> Planes:
    """Every second sample from `low`, zeros between."""
    xp = namespace(low)
    size = (*low.shape[:-2], height, width)
    spread = low.new_zeros(size) if is_tensor(low) else xp.zeros(size, low.dtype)
    spread[..., ::2, ::2] = low
    return spread


def _reduced(planes: Planes) -> Planes:
    """Every second sample of an array under the binomial filter, strip by strip."""
    height, width = planes.shape[-2:]
    result = np.empty((1, (height + 1) // 2, (width + 1) // 2), planes.dtype)
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        first = max(top - 2, 0)
        smooth = _binomial(planes[:, first : min(bottom + 2, height)])
        result[:, top // 2 : (bottom + 1) // 2] = smooth[:, top - first : bottom - first : 2, ::2]
    return result


def _less_enlarged(planes: Planes, low: Planes) -> Planes:
    """Subtract from an array, strip by strip, what `low` says of it."""
    height, width = planes.shape[-2:]
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        first, last = max(top - 2, 0), min(bottom + 2, height)
        part = low[:, first // 2 : (last + 1) // 2]
        smooth = _binomial(_spread(part, last - first, width))
        planes[:, top:bottom] -= smooth[:, top - first : bottom - first]
    return planes


@lru_cache(maxsize=32)
def _doubling(length: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Weights and indices, (2 length, taps), that bring a band to its child's grid along one axis.

    Bilinear to 4 n - 3 samples, one more extrapolated at either end, every second kept.
    """
    fine = 4 * length - 3
    weight, index = contributions(length, fine, fine / length, "bilinear", True, "mirror")
    ends = ((0, 1), (-1, -2))
    start, stop = (np.concatenate([2 * weight[i], -weight[j]]) for i, j in ends)
    start_index, stop_index = (np.concatenate([index[i], index[j]]) for i, j in ends)
    nothing = np.zeros_like(weight[1::2])
    weights = np.vstack([start, np.hstack([weight[1::2], nothing]), stop])
    indices = np.vstack([start_index, np.hstack([index[1::2]] * 2), stop_index])
    return merged(weights, indices, length)


class _Neighbourhood(NamedTuple):
    """The reference's 3 x 3 neighbourhoods (with their parents) in one band."""

    band: Planes
    parent: Planes | None
    energies: Any
    """Eigenvalues of their covariance, (..., d)."""
    whitening: Planes
    """Matrix (..., d, d) to independent parts of variance 1; 0 for parts that do not vary."""
    empty: Any
    """Whether the band is flat."""

    def vectors(self, rows: slice, columns: slice) -> Planes:
        """All whose window fits into the part, (..., h, d, w) in float64."""
        return _vectors(self.band, self.parent, rows, columns)


def _vectors(band: Planes, parent: Planes | None, rows: slice, columns: slice) -> Planes:
    xp = namespace(band)
    height, width = rows.stop - rows.start - 2, columns.stop - columns.start - 2
    part = band[..., rows, columns]
    samples = [part[..., y : y + height, x : x + width] for y in range(3) for x in range(3)]
    if parent is not None:
        enlarged = parent
        for axis, taken in ((-2, rows), (-1, columns)):
            weight, index = _doubling(int(parent.shape[axis]))
            inner = slice(taken.start + 1, taken.stop - 1)
            enlarged = resample(enlarged, weight[inner], index[inner], axis)
        samples.append(enlarged)
    return in_double(xp.stack(samples, -2))


def _neighbourhood(band: Planes, parent: Planes | None) -> _Neighbourhood:
    xp = namespace(band)
    height, width = (int(side) for side in band.shape[-2:])

    def products(rows: slice) -> tuple[Any]:
        vectors = _vectors(band, parent, rows, slice(0, width))
        return ((vectors @ xp.swapaxes(vectors, -1, -2)).sum(-3),)

    (sums,) = sum_over_parts(products, band, 1)
    energies, axes = xp.linalg.eigh(sums / ((height - 2) * (width - 2)))
    # Less than this is what rounding to float32 leaves of parts that do not vary.
    real = energies > xp.clip(1e-13 * energies[..., -1:], NO_VARIANCE, None)
    energies = xp.where(real, energies, 0.0)
    inverse = xp.where(real, 1 / xp.sqrt(xp.where(real, energies, 1.0)), 0.0)
    whitening = xp.swapaxes(axes, -1, -2) * inverse[..., None]
    return _Neighbourhood(band, parent, energies, whitening, energies[..., 0, -1] <= NO_VARIANCE)


def _weighted_contrast(a: Planes, b: Planes, around: _Neighbourhood) -> Value:
    """Mean of the contrast-structure of a band, weighted by information."""
    width = int(a.shape[-1])
    rim = HALO - 1
    # Neighbourhoods take ten times the room of samples: a strip's are looked at in pieces.
    pieces = list(strips(width - 2 * rim, 1, width if is_tensor(a) else _PIECE))

    def part(rows: slice) -> tuple[Value, Value]:
        losses = contrast_losses(a[..., rows, :] / 255, b[..., rows, :] / 255)
        inner = slice(rows.start + rim, rows.stop - rim)
        lost: Value = 0.0
        weight: Value = 0.0
        for piece in pieces:
            tile = inner, slice(piece.start + rim, piece.stop + rim)
            content = _content(a[..., *tile], b[..., *tile], around.vectors(*tile), around)
            lost = lost + total(losses[..., piece.start : piece.stop - 2] * content)
            weight = weight + total(content)
        return lost, weight

    lost, weight = sum_over_parts(part, a, HALO)
    return 1 - lost / weight


def _content(a: Planes, b: Planes, vectors: Planes, around: _Neighbourhood) -> Planes:
    """Information (bits) of each neighbourhood; 1 in a flat band."""
    xp = namespace(a)
    var_a, var_b, covariance = moments(in_double(a), in_double(b), _BOX)
    known = (var_a > NO_VARIANCE) & (var_b > NO_VARIANCE)
    gain = known * covariance / (var_b + ~known)
    noise = xp.clip(var_a - gain * covariance, 0.0, None)
    spread = ((around.whitening[..., None, :, :] @ vectors) ** 2).sum(-2) / vectors.shape[-2]
    scale = (noise + (1 + gain * gain) * _CONTENT_NOISE) * spread
    offset = 1 + noise / _CONTENT_NOISE
    product: Any = 1.0
    for j in range(around.energies.shape[-1]):
        energy = around.energies[..., j, None, None] / _CONTENT_NOISE**2
        product = product * (scale * energy + offset)
    return xp.log2(product) + around.empty[..., None, None, None]
