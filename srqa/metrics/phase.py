"""FSIM and FSIMc: similarity of phase congruency and gradients."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from srqa.images.arrays import Planes, Value, is_tensor, namespace, total
from srqa.images.filters import SCHARR, block_means, gradient_magnitude, padded
from srqa.metrics.similarity import (
    LUMINANCE,
    YIQ,
    both_flat,
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

MIN_SIDE = 6
"""The shortest wavelength of the log-Gabor filters."""

_SCALES, _ORIENTATIONS = 4, 4
_BANDWIDTH = 0.55
_SPREAD = math.pi / _ORIENTATIONS / 1.2
_CUTOFF, _ORDER = 0.45, 15
_NOISE_SIGMAS = 2.0
_NOISE_SCALE = 1.7
"""By which the noise is overestimated for this measure of congruency, as Kovesi found."""
_TINY = 1e-16
_COLOUR_POWER = 0.03


def fsim(distorted: Planes, reference: Planes) -> Value:
    """FSIM of Zhang et al. 2011 on the luminance of YIQ: phase congruency and gradient.

    Raises:
        NotApplicableError: both pictures are flat.
    """
    return _fsim(distorted, reference, colour=False)


def fsimc(distorted: Planes, reference: Planes) -> Value:
    """FSIMc: FSIM times the similarity of I and Q to the power 0.03.

    Raises:
        NotApplicableError: both pictures are flat.
    """
    return _fsim(distorted, reference, colour=True)


def _fsim(distorted: Planes, reference: Planes, colour: bool) -> Value:
    mix, size = mixer(YIQ if colour else LUMINANCE), shrinking(distorted)
    a, b = (block_means(prepared(p), size, mix) for p in (distorted, reference))
    light = [a[..., :1, :, :], b[..., :1, :, :]]
    phase_a, phase_b = each(phase_congruency, light)
    edges_a, edges_b = (gradient_magnitude(padded(p, 1, 1), SCHARR) for p in light)
    losses = lost_together(lost(phase_a, phase_b, 0.85), lost(edges_a, edges_b, 160.0))
    if colour:
        hues = lost(a[..., 1:, :, :], b[..., 1:, :, :], 200.0)
        both = lost_together(hues[..., :1, :, :], hues[..., 1:, :, :])
        losses = lost_together(losses, 1 - abs(1 - both) ** _COLOUR_POWER)
    weight = namespace(a).maximum(phase_a, phase_b)
    flat = both_flat(distorted, reference)
    return weighted_mean(total(losses * weight), total(weight), flat)


class _Filters(NamedTuple):
    """Log-Gabor filters of one size, zero frequency first; a filter is radial times angular."""

    radial: Any
    """(scales, h, w)."""
    angular: Any
    """(orientations, h, w)."""
    noise: tuple[float, ...]
    """For each orientation the threshold over the root of the median energy."""


def _frequencies(n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """From -0.5 to below 0.5; of an odd number both ends are included, as in the authors' code."""
    return np.arange(-(n - 1) / 2, n / 2) / (n - 1) if n % 2 else np.arange(-n / 2, n / 2) / n


@lru_cache(maxsize=8)
def _filters(height: int, width: int, dtype: str) -> _Filters:
    fx, fy = np.meshgrid(_frequencies(width), _frequencies(height))
    radius = np.fft.ifftshift(np.hypot(fx, fy))
    theta = np.fft.ifftshift(np.arctan2(-fy, fx))
    low_pass = 1 / (1 + (radius / _CUTOFF) ** (2 * _ORDER))
    radius[0, 0] = 1
    radial, angular, noise = [], [], []
    for scale in range(_SCALES):
        octaves = np.log(radius * (MIN_SIDE * 2**scale)) / math.log(_BANDWIDTH)
        radial.append(np.exp(-(octaves**2) / 2) * low_pass)
        radial[-1][0, 0] = 0
    for orientation in range(_ORIENTATIONS):
        turn = theta - orientation * math.pi / _ORIENTATIONS
        turn = np.abs(np.arctan2(np.sin(turn), np.cos(turn)))
        angular.append(np.exp(-(turn**2) / (2 * _SPREAD**2)))
        # The power that white noise has in the sum of all scales' even parts (Parseval).
        whole = sum(radial) * angular[-1]
        even = (whole + np.roll(whole[::-1, ::-1], (1, 1), (0, 1))) / 2
        share = np.sum(even**2) / np.sum((radial[0] * angular[-1]) ** 2)
        rayleigh = math.sqrt(share / math.log(2))
        sigmas = math.sqrt(math.pi / 2) + _NOISE_SIGMAS * math.sqrt(2 - math.pi / 2)
        noise.append(rayleigh * sigmas / _NOISE_SCALE)
    return _Filters(np.array(radial, dtype), np.array(angular, dtype), tuple(noise))


@lru_cache(maxsize=8)
def _on_device(height: int, width: int, dtype: str, device: Any) -> _Filters:
    import torch

    made = _filters(height, width, dtype)
    with torch.inference_mode(False):  # they must serve gradients later
        radial, angular = (torch.from_numpy(table).to(device) for table in made[:2])
    return _Filters(radial, angular, made.noise)


def phase_congruency(light: Planes) -> Planes:
    """Kovesi's PC2 with log-Gabor filters of 4 scales (from 6 pixels) and 4 orientations.

    Where the waves of all scales are in phase, as at edges and lines, it nears 1. The noise that
    is taken off is estimated from the median energy at the finest scale.

    Args:
        light: planes (..., 1, H, W) on the 0..255 scale.

    Returns:
        Planes of the same shape, 0 to 1.
    """
    height, width = (int(side) for side in light.shape[-2:])
    xp, dtype = namespace(light), str(light.dtype).removeprefix("torch.")
    filters = _filters(height, width, dtype)
    if is_tensor(light):
        filters = _on_device(height, width, dtype, light.device)
        spectrum, back = xp.fft.fft2(light), xp.fft.ifft2
    else:
        from scipy import fft

        spectrum, back = fft.fft2(light), partial(fft.ifft2, overwrite_x=True)
    energies: Any = 0.0
    amplitudes: Any = 0.0
    for angular, noise in zip(filters.angular, filters.noise, strict=True):
        responses = [back(spectrum * (radial * angular)) for radial in filters.radial]
        lengths = [abs(r) for r in responses]
        together = sum(responses)
        length = abs(together)
        # The cosines of each response's angle to their sum add up to the length of the sum.
        sines = sum(abs((r * together.conj()).imag) for r in responses) / (length + _TINY)
        energies = energies + xp.clip(length - sines - noise * _median(lengths[0]), 0.0, None)
        amplitudes = amplitudes + sum(lengths)
    return masked(energies / (amplitudes + _TINY), structured(light))


def _median(planes: Planes) -> Value:
    """Over each picture; of an even number of samples the mean of the middle two."""
    if is_tensor(planes):
        flat = planes.flatten(1)  # torch gives the lower of two
        middle = (flat.median(1).values - (-flat).median(1).values) / 2
        return middle[:, None, None, None]
    middle = [(planes.size - 1) // 2, planes.size // 2]
    return np.partition(planes, middle, axis=None)[middle].mean(dtype=np.float64)
