"""How smooth results are: their power by frequency, beside that of the references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from srqa.images.colour import luma_of_bytes
from srqa.images.read import read

from ..tables import mean_with_ends

BANDS = 16
_Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Power:
    """A method's power in a band of frequencies.

    Attributes:
        method: whose results.
        frequency: middle of the band, in cycles a pixel; 0.125 is the input's limit at x4.
        ratio: power over that of the references, in dB; mean over contents.
        low, high: its 95 % interval.
    """

    method: str
    frequency: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Slope:
    """How strong gradients are beside the references': 1 is as strong, less is smoother.

    Attributes:
        method: whose results.
        ratio: mean of |grad Y| over that of the reference; mean over contents.
        low, high: its 95 % interval.
    """

    method: str
    ratio: float
    low: float
    high: float


def spectrum(y: _Floats) -> _Floats:
    """Mean power in `BANDS` rings from 0 to 0.5 cycles a pixel, the mean of Y left out.

    A Hann window keeps the borders from leaking into high frequencies.

    Example:
        >>> import numpy as np
        >>> wave = np.sin(2 * np.pi * 0.25 * np.arange(64)) * np.ones((64, 1))
        >>> int(spectrum(wave).argmax())
        8
    """
    height, width = y.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    power = np.abs(np.fft.fft2((y - y.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    ring = np.floor(radius * 2 * BANDS).astype(int)
    inside = ring < BANDS
    total = np.bincount(ring[inside], power[inside], BANDS)
    return total / np.maximum(np.bincount(ring[inside], minlength=BANDS), 1)


def measure(folder: Path, methods: Sequence[str]) -> tuple[list[Power], list[Slope]]:
    """Spectra and gradients of ``folder/outputs/METHOD/*.png`` beside ``folder/hr``."""
    names = sorted(path.name for path in (folder / "hr").glob("*.png"))
    truth = [_plane(folder / "hr" / name) for name in names]
    powers, slopes = [], []
    middles = (np.arange(BANDS) + 0.5) / (2 * BANDS)
    for method in methods:
        made = [_plane(folder / "outputs" / method / name) for name in names]
        ratios = np.array(
            [10 * np.log10(spectrum(a) / spectrum(b)) for a, b in zip(made, truth, strict=True)]
        )
        powers += [
            Power(method, float(middle), *mean_with_ends(ratios[:, band].tolist()))
            for band, middle in enumerate(middles)
        ]
        steep = [_slope(a) / _slope(b) for a, b in zip(made, truth, strict=True)]
        slopes.append(Slope(method, *mean_with_ends(steep)))
    return powers, slopes


def _plane(path: Path) -> _Floats:
    return np.asarray(luma_of_bytes(read(path).pixels)[0], dtype=np.float64)


def _slope(y: _Floats) -> float:
    return float(np.hypot(*np.gradient(y)).mean())
