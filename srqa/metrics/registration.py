"""Sub-pixel displacement of a picture against its reference.

Upscaling code that mistakes pixel corners for centres, or shrinks by picking every n-th pixel,
shifts the picture by a fraction of a pixel up to a few: nobody sees it and PSNR is ruined.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srqa.errors import NotApplicableError
from srqa.images.arrays import Planes, Value, is_tensor
from srqa.images.filters import STRIP_ROWS

MIN_SIDE = 32

_BAND = 0.1
"""Highest frequency (cycles per pixel) that is trusted: x4 upscaling keeps those below 0.125."""
_STEPS = 5
_LARGE = 1024
"""From this many pixels a side on, frequencies above 0.25 are left out."""
_Array = np.ndarray[Any, Any]


def shift(distorted: Planes, reference: Planes) -> Value:
    """Length in pixels of the displacement of `distorted` against `reference`, see `offset`.

    Raises:
        NotApplicableError: one of the pictures is flat.
    """
    if not is_tensor(distorted):
        return math.hypot(*offset(distorted, reference))
    import torch

    pairs = zip(distorted, reference, strict=True)
    values = [math.hypot(*offset(_array(a), _array(b))) for a, b in pairs]
    return torch.tensor(values, dtype=torch.float64).to(distorted)


def offset(distorted: Planes, reference: Planes) -> tuple[float, float]:
    """Displacement (dy, dx) in pixels: positive if the content lies further down, further right.

    So ``distorted(y, x)`` looks like ``reference(y - dy, x - dx)``. Phase correlation finds the
    whole pixels. The rest is the slope of the cross-spectrum's phase, fitted by least squares with
    the cross-spectrum's magnitude as weight to the frequencies below 0.1 cycles a pixel, where
    upscaled pictures and references agree; then the reference is moved and the fit repeated, so
    that the Hann window sees the same content in both. Bicubic x4 is placed to about 0.01 pixels,
    with strong noise or JPEG to 0.05. Along a direction without structure the answer is 0.

    Pictures of 1024 pixels a side and more are looked at on half as many rows and columns, which
    frequencies up to 0.25 need: within 1e-4 pixels of what the whole spectrum gives.

    After Kuglin, Hines 1975 (phase correlation) and Stone et al., IEEE TGRS 39(10), 2001.

    Args:
        distorted: planes (C, H, W) of one picture; channels are averaged.
        reference: planes of the same size.

    Raises:
        NotApplicableError: one of the pictures is flat.
    """
    a, b = _plane(distorted), _plane(reference)
    steps: list[float] = [1.0, 1.0]
    if min(a.shape) >= _LARGE:
        whole = a.shape
        a, b = _coarser(a), _coarser(b)
        steps = [full / kept for full, kept in zip(whole, a.shape, strict=True)]
    height, width = a.shape
    fy = np.fft.fftfreq(height, steps[0])[:, None]
    fx = np.fft.rfftfreq(width, steps[1])[None]
    radius = np.hypot(fy, fx)
    band = (radius <= max(_BAND, 2 / min(a.shape))) & (radius > 0)
    waves = np.stack([np.broadcast_to(f, radius.shape)[band] for f in (fy, fx)], axis=1)

    window = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[None, 1:-1]
    spectrum = _windowed(a, window)
    cross = spectrum * np.conj(_windowed(b, window))
    # Sums over a flat picture leave rounding only.
    if np.abs(cross[band]).max() <= (1e-9 * a.size) ** 2:
        raise NotApplicableError("a flat picture has no position")

    moved = np.array(_whole_pixels(cross, radius, a.shape)) * steps
    whole = np.fft.rfft2(b - b.mean())
    for _ in range(_STEPS):
        turned = whole * np.exp(-2j * np.pi * (fy * moved[0] + fx * moved[1]))
        other = _windowed(np.fft.irfft2(turned, s=a.shape), window)
        step = _phase_slope((spectrum * np.conj(other))[band], waves)
        moved = moved + step
        if np.abs(step).max() < 1e-3:
            break
    return float(moved[0]), float(moved[1])


def growth(distorted: Planes, reference: Planes) -> tuple[float, float]:
    """How many pixels taller and wider the content is than in the reference, as if zoomed.

    A zoom about the centre, such as that of ``align_corners=True`` (3 pixels at scale 4), moves
    edges apart and leaves `offset` near 0. Found from the offsets of opposite halves, hence a
    rough figure where texture lies unevenly.

    Args:
        distorted: planes (C, H, W) of one picture, each side at least twice `MIN_SIDE`.
        reference: planes of the same size.

    Raises:
        NotApplicableError: one of the halves is flat.
    """
    grown = []
    for axis in (0, 1):
        pairs = zip(_halves(distorted, axis), _halves(reference, axis), strict=True)
        first, second = (offset(a, b)[axis] for a, b in pairs)
        grown.append(2 * (second - first))
    return grown[0], grown[1]


def _halves(planes: Planes, axis: int) -> tuple[Planes, Planes]:
    half = planes.shape[axis - 2] // 2
    if axis == 0:
        return planes[..., :half, :], planes[..., -half:, :]
    return planes[..., :half], planes[..., -half:]


def _array(picture: Any) -> _Array:
    return picture.detach().cpu().double().numpy()  # type: ignore[no-any-return]


def _plane(planes: Planes) -> _Array:
    mean: _Array = np.asarray(planes, dtype=np.float64).mean(axis=0)
    return mean


def _coarser(plane: _Array) -> _Array:
    """The picture on a grid of half as many rows and columns: frequencies up to 0.25 alone."""
    for _ in range(2):
        width = plane.shape[1]
        kept = width // 2
        made = np.empty((kept, plane.shape[0]))
        for top in range(0, plane.shape[0], STRIP_ROWS):
            rows = np.fft.rfft(plane[top : top + STRIP_ROWS])[:, : kept // 2 + 1]
            made[:, top : top + STRIP_ROWS] = np.fft.irfft(rows, kept).T * (kept / width)
        plane = made
    return plane


def _windowed(plane: _Array, window: _Array) -> _Array:
    """Spectrum of the plane under the window, its mean removed."""
    mean = float(np.vdot(plane, window)) / float(window.sum())
    return np.fft.rfft2((plane - mean) * window)


def _whole_pixels(cross: _Array, radius: _Array, shape: tuple[int, ...]) -> tuple[int, int]:
    """Peak of the phase correlation under a Gaussian low-pass."""
    magnitude = np.abs(cross)
    phase = cross / (magnitude + 1e-12 * magnitude.max())
    peaks = np.fft.irfft2(phase * np.exp(-((radius / _BAND) ** 2) / 2), s=shape)
    row, column = divmod(int(np.argmax(peaks)), shape[1])
    height, width = shape
    return (
        row - height if row > height // 2 else row,
        column - width if column > width // 2 else column,
    )


def _phase_slope(cross: _Array, waves: _Array) -> _Array:
    """Displacement whose phase ramp fits the cross-spectrum best, weighted by its magnitude."""
    weighted = waves * np.abs(cross)[:, None]
    normal = weighted.T @ waves
    slope = np.linalg.pinv(normal, rcond=1e-6, hermitian=True) @ (weighted.T @ np.angle(cross))
    return -slope / (2 * np.pi)  # type: ignore[no-any-return]
