"""Metrics that measure how much of a picture's information survives: VIF and IW-SSIM.

Written for arrays and tensors on luminance (MATLAB's rgb2gray) times 255, in float64: both divide
small variances, of which float32 keeps too few digits on even ground.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from srqa.errors import NotApplicableError
from srqa.images.arrays import Planes, Value, is_tensor, namespace
from srqa.images.colour import gray
from srqa.images.filters import gaussian_taps, separable_valid
from srqa.images.resize import contributions
from srqa.metrics.structural import MS_MIN_SIDE, MS_WEIGHTS, structure_losses

VIF_MIN_SIDE = 41
IW_MIN_SIDE = MS_MIN_SIDE

_SENSOR_NOISE = 2.0
_NO_VARIANCE = 1e-8
_CONTENT_NOISE = 0.4
_BOX = (1 / 3, 1 / 3, 1 / 3)
_BINOMIAL = tuple(w * 2**0.5 / 16 for w in (1.0, 4.0, 6.0, 4.0, 1.0))


def _luminance(planes: Planes) -> Planes:
    if not is_tensor(planes):
        return gray(planes.astype(np.float64)) * 255
    return gray(planes if planes.device.type == "mps" else planes.double()) * 255


def _check(empty: Any, distorted: Planes, reference: Planes) -> None:
    """Refuse a reference without texture, but for a picture that equals it."""
    differs = (distorted != reference).reshape(*distorted.shape[:-3], -1).any(-1)
    if bool((empty & differs).any()):
        raise NotApplicableError("the reference has no texture, so there is nothing to keep")


def _sum(x: Planes) -> Value:
    return x.sum((-3, -2, -1))


def _moments(a: Planes, b: Planes, taps: tuple[float, ...]) -> tuple[Planes, Planes, Planes]:
    """Local variances of a and b and their covariance, where the window fits."""
    mean_a, mean_b = separable_valid(a, taps), separable_valid(b, taps)
    xp = namespace(a)
    var_a = xp.clip(separable_valid(a * a, taps) - mean_a * mean_a, 0.0, None)
    var_b = xp.clip(separable_valid(b * b, taps) - mean_b * mean_b, 0.0, None)
    return var_a, var_b, separable_valid(a * b, taps) - mean_a * mean_b


def vif(distorted: Planes, reference: Planes) -> Value:
    """Visual information fidelity in the pixel domain (VIFp) of Sheikh and Bovik 2006.

    Four scales, Gaussian windows of 17, 9, 5, 3 taps (sigma a fifth of that), valid region, sensor
    noise variance 2 on the 0..255 scale. 1 for equal pictures, 0 when nothing is left, more than 1
    when the picture has more contrast than its reference. Not symmetric.

    Raises:
        NotApplicableError: the reference is flat.
    """
    a, b = _luminance(distorted), _luminance(reference)
    xp = namespace(a)
    kept: Value = 0.0
    available: Value = 0.0
    for scale in range(4):
        size = 2 ** (4 - scale) + 1
        taps = gaussian_taps(size, size / 5)
        if scale:
            a = separable_valid(a, taps)[..., ::2, ::2]
            b = separable_valid(b, taps)[..., ::2, ::2]
        var_a, var_b, covariance = _moments(a, b, taps)
        textured = var_b > _NO_VARIANCE
        # The distorted band is gain x reference + noise: the variances of the two parts.
        signal = xp.clip(covariance, 0.0, None) ** 2 / xp.where(textured, var_b, 1.0)
        signal = xp.where(textured, signal, 0.0)
        noise = xp.clip(var_a - signal, 0.0, None)
        kept = kept + _sum(xp.log1p(signal / (noise + _SENSOR_NOISE)))
        available = available + _sum(xp.log1p(xp.where(textured, var_b, 0.0) / _SENSOR_NOISE))
    _check(available == 0, distorted, reference)
    value = xp.where(available == 0, 1.0, kept / xp.where(available == 0, 1.0, available))
    return value if is_tensor(distorted) else float(value)


def iw_ssim(distorted: Planes, reference: Planes) -> Value:
    """Information-content-weighted SSIM of Wang and Li 2011.

    A Laplacian pyramid of five scales (binomial filter 1 4 6 4 1, mirrored border). The
    contrast-structure of each band is averaged with the information that a 3 x 3 neighbourhood and
    its parent share through a noisy channel (noise variance 0.4); the low-pass rest is judged by
    plain SSIM. Scales are combined with the weights of MS-SSIM.

    Raises:
        NotApplicableError: a band of the reference is flat.
    """
    bands_a = _pyramid(_luminance(distorted))
    bands_b = _pyramid(_luminance(reference))
    last = len(MS_WEIGHTS) - 1
    product: Value = 1.0
    for level, weight in enumerate(MS_WEIGHTS):
        a, b = bands_a[level], bands_b[level]
        lost_luminance, lost_contrast = structure_losses(a / 255, b / 255)
        luminance, contrast = 1 - lost_luminance, 1 - lost_contrast
        if level == last:
            mean = (luminance * contrast).mean((-3, -2, -1))
        else:
            parent = bands_b[level + 1] if level < last - 1 else None
            content, empty = _content(a, b, parent)
            _check(empty, distorted, reference)
            content = content[..., 4:-4, 4:-4] + empty[..., None, None, None]
            mean = _sum(contrast * content) / _sum(content)
        product = product * abs(mean) ** (weight / sum(MS_WEIGHTS))
    return product if is_tensor(distorted) else float(product)


def _binomial(planes: Planes) -> Planes:
    """The filter 1 4 6 4 1 (gain 2) along both axes, same size, mirrored about the last sample."""
    if is_tensor(planes):
        from torch.nn.functional import pad

        return separable_valid(pad(planes, (2, 2, 2, 2), mode="reflect"), _BINOMIAL)
    import cv2

    kernel = np.array(_BINOMIAL)
    return cv2.sepFilter2D(planes[0], -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)[None]


def _pyramid(planes: Planes) -> list[Planes]:
    """Four Laplacian bands, the finest first, and the low-pass rest."""
    bands: list[Planes] = []
    for _ in range(len(MS_WEIGHTS) - 1):
        low = _binomial(planes)[..., ::2, ::2]
        spread = namespace(planes).zeros_like(planes)
        spread[..., ::2, ::2] = low
        bands.append(planes - _binomial(spread))
        planes = low
    return [*bands, planes]


@lru_cache(maxsize=32)
def _doubling(length: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Matrix (2 length, length) that brings a band to its child's grid along one axis.

    Bilinear to 4 n - 3 samples, one more extrapolated at either end, every second kept.
    """
    fine = 4 * length - 3
    weight, index = contributions(length, fine, fine / length, "bilinear", True, "mirror")
    dense = np.zeros((fine + 2, length))
    for tap in range(weight.shape[1]):
        np.add.at(dense, (np.arange(1, fine + 1), index[:, tap]), weight[:, tap])
    dense[0] = 2 * dense[1] - dense[2]
    dense[-1] = 2 * dense[-2] - dense[-3]
    return dense[::2]


def _enlarged(parent: Planes, height: int, width: int) -> Planes:
    rows = _doubling(parent.shape[-2])[:height]
    columns = _doubling(parent.shape[-1])[:width].T
    if is_tensor(parent):
        import torch

        like = {"dtype": parent.dtype, "device": parent.device}
        return torch.as_tensor(rows, **like) @ parent @ torch.as_tensor(columns, **like)
    return rows @ parent @ columns


def _content(a: Planes, b: Planes, parent: Planes | None) -> tuple[Planes, Any]:
    """Information (bits) of each 3 x 3 neighbourhood, smaller by 2, and whether b is flat."""
    xp = namespace(a)
    var_a, var_b, covariance = _moments(a, b, _BOX)
    known = (var_a > _NO_VARIANCE) & (var_b > _NO_VARIANCE)
    gain = xp.where(known, covariance / xp.where(known, var_b, 1.0), 0.0)
    noise = xp.clip(var_a - gain * covariance, 0.0, None)
    energies, spread = _neighbourhood(b, parent)
    scale = (noise + (1 + gain * gain) * _CONTENT_NOISE) * spread
    offset = 1 + noise / _CONTENT_NOISE
    product: Any = 1.0
    for j in range(energies.shape[-1]):
        energy = energies[..., j, None, None, None] / _CONTENT_NOISE**2
        product = product * (scale * energy + offset)
    return xp.log2(product), energies[..., -1] <= _NO_VARIANCE


def _neighbourhood(band: Planes, parent: Planes | None) -> tuple[Any, Planes]:
    """Eigenvalues of the covariance of neighbourhoods, and each one's mean whitened energy."""
    xp = namespace(band)
    height, width = band.shape[-2] - 2, band.shape[-1] - 2
    samples = [band[..., y : y + height, x : x + width] for y in range(3) for x in range(3)]
    if parent is not None:
        up = _enlarged(parent, height + 2, width + 2)
        samples.append(up[..., 1:-1, 1:-1])
    vectors = xp.stack([s.reshape(*band.shape[:-3], height * width) for s in samples], -2)
    energies, axes = xp.linalg.eigh(vectors @ xp.swapaxes(vectors, -1, -2) / (height * width))
    real = energies > xp.clip(1e-13 * energies[..., -1:], 1e-13 * _NO_VARIANCE, None)
    energies = xp.where(real, energies, 0.0)
    whitened = (xp.swapaxes(axes, -1, -2) @ vectors) ** 2
    inverse = xp.where(real, 1 / xp.where(real, energies, 1.0), 0.0)[..., None]
    spread = (whitened * inverse).sum(-2) / len(samples)
    return energies, spread.reshape(*band.shape[:-2], height, width)
