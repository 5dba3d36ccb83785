"""BRISQUE: natural-scene statistics, and what viewers of LIVE's database said of those."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from srqa.errors import NotApplicableError
from srqa.images.arrays import Planes, Value
from srqa.metrics.natural import Array, Sums, each_picture, fit, mscn, parameters, sums

MIN_SIDE = 14
"""The 7 x 7 window fits into the picture of half the size."""

_SAMPLES = 96 * 96
"""In a strip; so few that they stay in the cache and BLAS starts no threads of its own."""


def brisque(grey: Planes) -> Value:
    """BRISQUE of Mittal, Moorthy and Bovik 2012, with LIVE's features and model for C++ (OpenCV).

    36 statistics of the picture and of the picture of half the size, and a support vector
    regression trained on the LIVE database's difference mean opinion scores.

    LIVE released two models, and each goes with the features that it was trained on. This one
    shrinks by bicubic interpolation (a = -0.75) without antialiasing, fits asymmetric Gaussians
    throughout and lets products end at the border, like OpenCV's `QualityBRISQUE`, which cuts the
    score to 0..100; here it is left as it is. MATLAB's model gives other numbers.

    Args:
        grey: planes (..., 1, H, W) in [0, 1].

    Returns:
        About 0 (as good as pristine; may be below) to 100, lower is better.

    Raises:
        NotApplicableError: a flat picture, or one with so little texture that a fit has no samples.
    """
    return each_picture(lambda picture: score(features(picture)), grey)


@lru_cache(maxsize=1)
def _model() -> dict[str, Array]:
    return parameters("brisque")


def score(statistics: Array) -> float:
    """The support vector regression's answer to the 36 statistics."""
    model = _model()
    low, high = model["ranges"]
    scaled = 2 * (statistics - low) / (high - low) - 1
    distances = np.square(model["vectors"] - scaled).sum(axis=1)
    return float(model["coefficients"] @ np.exp(-model["gamma"] * distances) - model["rho"])


def features(grey: Array) -> Array:
    """The 36 statistics of a picture (H, W), 0..255."""
    found = np.concatenate([_features(grey), _features(half_size(grey))])
    if np.isnan(found).any():
        raise NotApplicableError("the picture has too little texture for BRISQUE's statistics")
    return found


def half_size(grey: Array) -> Array:
    """The picture of half the size, rounded down: cubic with a = -0.75 on four samples a side.

    As OpenCV's ``INTER_CUBIC``, whose weights in float32 would leave a pattern on flat ground.
    """
    for axis in (0, 1):
        length = grey.shape[axis]
        size = length // 2
        place = (np.arange(size) + 0.5) * length / size - 0.5
        first = np.floor(place).astype(np.intp)
        near = place - first
        shape = (-1, 1) if axis == 0 else (1, -1)
        result = np.zeros([size if i == axis else n for i, n in enumerate(grey.shape)])
        for tap in range(-1, 3):
            t = np.abs(near - tap)
            inner = (1.25 * t - 2.25) * t * t + 1
            outer = -0.75 * (((t - 5) * t + 8) * t - 4)
            weight = np.where(t <= 1, inner, outer).reshape(shape)
            result += weight * np.take(grey, np.clip(first + tap, 0, length - 1), axis=axis)
        grey = result
    return grey


def _features(grey: Array) -> Array:
    samples = mscn(grey)
    left, right = samples[:, :-1], samples[:, 1:]
    neighbours = (
        (left, right),
        (samples[:-1], samples[1:]),
        (left[:-1], right[1:]),
        (left[1:], right[:-1]),
    )
    collected = [_sums(samples, None), *(_sums(a, b) for a, b in neighbours)]
    found = fit(Sums(*np.array(collected).T)._replace(samples=samples.size))
    square_left, square_right = found.left**2, found.right**2
    mean = (found.right - found.left) * found.lean * found.width
    pairs = np.stack([found.shape, mean, square_left, square_right], axis=-1)[1:]
    own = [found.shape[0], (square_left[0] + square_right[0]) / 2]
    return np.concatenate([own, pairs.ravel()])


def _sums(first: Array, second: Array | None) -> Array:
    """Sums of samples, or of the products of samples, by strips that stay in the cache."""
    total = np.zeros(len(Sums._fields))
    rows = max(1, _SAMPLES // first.shape[1])
    room = np.empty((2, rows, first.shape[1]))
    for start in range(0, len(first), rows):
        part = first[start : start + rows]
        product, spare = room[:, : len(part)]
        if second is None:
            part = np.ascontiguousarray(part)
        else:
            part = np.multiply(part, second[start : start + rows], out=product)
        total += sums(part, spare)
    return total
