"""Metrics whose gradient similarity is weighted by saliency: VSI and SR-SIM."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from srqa.images.arrays import (
    Planes,
    Value,
    in_double,
    is_tensor,
    namespace,
    on_device,
    root,
    total,
)
from srqa.images.filters import (
    SCHARR,
    block_means,
    gaussian_taps,
    gradient_magnitude,
    padded,
    separable_valid,
)
from srqa.images.resize import imresize, merged, resample, shrunk_bilinear
from srqa.metrics.similarity import (
    LUMINANCE,
    Weights,
    both_flat,
    clamped,
    lost,
    lost_together,
    masked,
    mixer,
    prepared,
    shrinking,
    structured,
    weighted_mean,
)
from srqa.threads import each

VSI_MIN_SIDE = 3
"""The gradient operator."""
SR_SIM_MIN_SIDE = 40
"""The 10 x 10 Gaussian on a picture of a quarter of the size."""

_Table = np.ndarray[Any, np.dtype[np.float64]]


def _scharr(planes: Planes) -> Planes:
    return gradient_magnitude(padded(planes, 1, 1), SCHARR)


def _stretched(planes: Planes, low: Value, high: Value) -> Planes:
    """Scaled to [0, 1], given each picture's lowest and highest value; 0 if those are equal."""
    xp, extent = namespace(planes), high - low
    return (planes - low) / xp.where(extent > 0, extent, xp.ones_like(extent))


def _extremes(planes: Planes) -> tuple[Value, Value]:
    if is_tensor(planes):
        return planes.amin((-2, -1), keepdim=True), planes.amax((-2, -1), keepdim=True)
    return planes.min((-2, -1), keepdims=True), planes.max((-2, -1), keepdims=True)


# ---------------------------------------------------------------------------------- SR-SIM

_BOX = (1 / 3, 1 / 3, 1 / 3)
_SMOOTHING = gaussian_taps(10, 3.8)


def sr_sim(distorted: Planes, reference: Planes) -> Value:
    """SR-SIM of Zhang and Li 2012: spectral-residual saliency and gradient of the luminance.

    Raises:
        NotApplicableError: both pictures are flat.
    """
    mix, size = mixer(LUMINANCE), shrinking(distorted)
    a, b = (
        in_double(block_means(prepared(p), size, mix, before=(size - 1) // 2, after=size // 2))
        for p in (distorted, reference)
    )
    salient_a, salient_b = each(spectral_residual, [a, b])
    gradients = lost(_scharr(a), _scharr(b), 225.0)
    losses = lost_together(lost(salient_a, salient_b, 0.40), 1 - root(1 - gradients))
    weight = namespace(a).maximum(salient_a, salient_b)
    flat = both_flat(distorted, reference)
    return weighted_mean(total(losses * weight), total(weight), flat)


def spectral_residual(light: Planes) -> Planes:
    """Saliency of Hou and Zhang 2007, at a quarter of the size, scaled to [0, 1].

    What is salient is what the spectrum's amplitude has above its average over neighbouring
    frequencies, in logarithms.

    Args:
        light: planes (..., 1, H, W) on the 0..255 scale.

    Returns:
        Planes of the same shape; 0 for a flat picture.
    """
    height, width = (int(side) for side in light.shape[-2:])
    xp = namespace(light)
    spectrum = xp.fft.fft2(_resized(light, scale=0.25))
    amplitude = xp.log(abs(spectrum) + 1e-30)
    average = separable_valid(padded(amplitude, 1, 1, "edge"), _BOX)
    salient = abs(xp.fft.ifft2(spectrum * xp.exp(-average))) ** 2
    salient = separable_valid(padded(salient, 4, 5), _SMOOTHING)
    salient = _resized(_stretched(salient, *_extremes(salient)), size=(height, width))
    return masked(salient, structured(light))


def _resized(planes: Planes, **target: Any) -> Planes:
    return imresize(planes, **target) if is_tensor(planes) else imresize(planes[0], **target)[None]


# ------------------------------------------------------------------------------------- VSI

_LMN: Weights = ((0.06, 0.63, 0.27), (0.30, 0.04, -0.35), (0.34, -0.6, 0.17))
_SIDE = 256
"""The side of the square on which saliency is found."""
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.9642119944211994, 1.0, 0.8251882845188288])
"""D50."""


def vsi(distorted: Planes, reference: Planes) -> Value:
    """VSI of Zhang, Shen and Li 2014: saliency (SDSP), gradient and colour in LMN.

    Raises:
        NotApplicableError: both pictures are flat.
    """
    mix, size = mixer(_LMN), shrinking(distorted)
    before, after = size // 2, (size - 1) // 2
    pair = [prepared(distorted), prepared(reference)]
    a, b = (
        in_double(block_means(p, size, mix, before=before, after=after, outside="edge"))
        for p in pair
    )
    salient_a, salient_b = each(_shrunk_saliency, pair)
    gradients = lost(_scharr(a[..., :1, :, :]), _scharr(b[..., :1, :, :]), 386.0)
    hues = lost(a[..., 1:, :, :], b[..., 1:, :, :], 130.0)
    hue = 1 - lost_together(hues[..., :1, :, :], hues[..., 1:, :, :])
    # The real part of a root; where opposite hues make the similarity negative, it is complex.
    turn = namespace(a).where(hue < 0, math.cos(0.02 * math.pi), 1.0)
    losses = lost_together(lost(salient_a, salient_b, 1.27), 1 - (1 - gradients) ** 0.4)
    losses = lost_together(losses, 1 - abs(hue) ** 0.02 * turn)
    weight = namespace(a).maximum(salient_a, salient_b)
    flat = both_flat(distorted, reference)
    return weighted_mean(total(losses * weight), total(weight), flat)


def _shrunk_saliency(rgb: Planes) -> Planes:
    """`sdsp` enlarged to the picture's size, scaled to [0, 1] and shrunk again."""
    salient, size = sdsp(rgb), shrinking(rgb)
    corners, means = salient, salient
    for axis in (-2, -1):
        side = int(rgb.shape[axis])
        corners = resample(corners, *_corners(side), axis)
        means = resample(means, *_enlarged_means(side, size), axis)
    return _stretched(means, *_extremes(corners))


_Taps = tuple[_Table, np.ndarray[Any, np.dtype[np.intp]]]


def _enlarged(side: int) -> _Taps:
    """Weights and indices, (side, 2), that enlarge `_SIDE` samples, ends on ends."""
    places = np.linspace(0, _SIDE - 1, side)
    first = np.minimum(places.astype(np.intp), _SIDE - 2)
    share = places - first
    return np.stack([1 - share, share], 1), np.stack([first, first + 1], 1)


@lru_cache(maxsize=8)
def _corners(side: int) -> _Taps:
    """Those of `_enlarged` that come first or last between two samples.

    In a rectangle a bilinear function is between its values in the corners, so the lowest and the
    highest value are among these.
    """
    weight, index = _enlarged(side)
    starts = np.flatnonzero(np.diff(index[:, 0], prepend=-1))
    kept = np.union1d(starts, np.append(starts[1:] - 1, side - 1))
    return weight[kept], index[kept]


@lru_cache(maxsize=8)
def _enlarged_means(side: int, size: int) -> _Taps:
    """Weights and indices of means of `size` samples of the enlarged axis, its ends repeated."""
    ends = ((size // 2, (size - 1) // 2), (0, 0))
    tables: list[Any] = [np.pad(table, ends, mode="edge") for table in _enlarged(side)]
    count = len(tables[0]) // size
    weight, index = (t[: count * size].reshape(count, -1) for t in tables)
    return merged(weight / size, index, _SIDE)


def sdsp(rgb: Planes) -> Planes:
    """Saliency by simple priors of Zhang, Gu and Li 2013: frequency, centre and warm colour.

    Args:
        rgb: planes (..., 3, H, W) or (..., 1, H, W) in [0, 1].

    Returns:
        Planes (..., 1, 256, 256), not scaled; 0 for a flat picture.
    """
    rgb = in_double(shrunk_bilinear(clamped(rgb), _SIDE, _SIDE))
    if rgb.shape[-3] == 1:
        rgb = namespace(rgb).concatenate([rgb] * 3, -3)
    lab = _lab(rgb)
    xp = namespace(lab)
    priors: Any = _priors()
    if is_tensor(lab):
        priors = on_device(_priors, (), lab.dtype, lab.device)
    bands = xp.fft.irfft2(xp.fft.rfft2(lab) * priors[0][:, : _SIDE // 2 + 1])
    frequency = root((bands * bands).sum(-3))[..., None, :, :]
    warm = _stretched(lab, *_extremes(lab))[..., 1:, :, :]
    warm = 1 - xp.exp(-(warm * warm).sum(-3)[..., None, :, :] / 0.001**2)
    return masked(frequency * priors[1] * warm, structured(rgb * 255))


@lru_cache(maxsize=1)
def _priors() -> _Table:
    """A log-Gabor filter (zero frequency first) and how near the centre is."""
    f = np.arange(-_SIDE // 2, _SIDE // 2) / _SIDE
    radius = np.hypot(f[:, None], f[None])
    inside = (radius > 0) & (radius <= 0.5)
    octaves = np.log(np.where(inside, radius, 1.0) / 0.021) / 1.34
    gabor = np.where(inside, np.exp(-(octaves**2) / 2), 0.0)
    place = (np.arange(1, _SIDE + 1) - _SIDE // 2) ** 2
    centre = np.exp(-(place[:, None] + place[None]) / 145.0**2)
    return np.stack([np.fft.ifftshift(gabor), centre])


def _lab(rgb: Planes) -> Planes:
    """L*a*b* of sRGB planes in [0, 1] as the authors' code has it (white D50, CIE's decimals)."""
    xp = namespace(rgb)
    linear = xp.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    red, green, blue = (linear[..., i, :, :] for i in range(3))
    weights = (_XYZ / _WHITE[:, None]).tolist()
    x, y, z = (_cube_root(r * red + g * green + b * blue) for r, g, b in weights)
    return xp.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -3)


def _cube_root(t: Planes) -> Planes:
    xp = namespace(t)
    return xp.where(t > 0.008856, t.clip(0.008856, None) ** (1 / 3), (903.3 * t + 16) / 116)
