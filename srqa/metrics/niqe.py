"""NIQE: how far a picture's natural-scene statistics are from those of pristine photographs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from srqa.errors import NotApplicableError
from srqa.images.arrays import Planes, Value
from srqa.images.resize import imresize
from srqa.metrics.natural import Array, Sums, each_picture, fit, mscn, parameters, sums

BLOCK = 96
"""Pixels a side of a block; the shortest side, though two blocks are needed in all."""

_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))


def niqe(grey: Planes) -> Value:
    """NIQE of Mittal, Soundararajan and Bovik 2013, as in their MATLAB release.

    18 statistics at each of two scales for every whole block of 96 x 96 pixels (what is left over
    at the bottom and right is not looked at); the distance of their Gaussian from that of 125
    pristine photographs. A statistic that a block does not have (a flat block) is left out of the
    mean, and that block of the covariance.

    Args:
        grey: planes (..., 1, H, W) in [0, 1]: Y, or grey for `niqe-gray`.

    Returns:
        0 or more, lower is better; good photographs have 2 to 5.

    Raises:
        NotApplicableError: fewer than two blocks with texture.
    """
    return each_picture(_niqe, grey)


def pi(luma: Planes, ma: float) -> Value:
    """The perceptual index of PIRM 2018: ((10 - Ma) + NIQE) / 2.

    Args:
        luma: planes (..., 1, H, W) of Y in [0, 1].
        ma: the picture's score by Ma et al. 2017, 0 to 10, higher is better.

    Returns:
        Lower is better; PIRM's results lie between 2 and 6.

    Raises:
        NotApplicableError: as `niqe`.
    """
    return ((10.0 - ma) + niqe(luma)) / 2


@lru_cache(maxsize=1)
def _pristine() -> tuple[Array, Array]:
    model = parameters("niqe")
    return model["mean"], model["covariance"]


def _niqe(grey: Array) -> float:
    rows, columns = (n // BLOCK for n in grey.shape)
    if rows * columns < 2:
        raise NotApplicableError("NIQE needs two blocks of 96x96 pixels, whose spread it measures")
    features = block_features(grey[: rows * BLOCK, : columns * BLOCK])
    whole = features[~np.isnan(features).any(axis=1)]
    if len(whole) < 2:
        raise NotApplicableError("fewer than two blocks of 96x96 pixels have any texture")
    mean, covariance = _pristine()
    away = mean - np.nanmean(features, axis=0)
    inverse = np.linalg.pinv((covariance + np.cov(whole, rowvar=False)) / 2)
    return float(np.sqrt(away @ inverse @ away))


def block_features(grey: Array) -> Array:
    """The 36 statistics of each block (blocks, 36) of a picture of whole blocks, 0..255."""
    half = imresize(grey, 0.5)
    return np.hstack([_features(grey, BLOCK), _features(half, BLOCK // 2)])


def _features(grey: Array, side: int) -> Array:
    samples = mscn(grey)
    height, width = grey.shape
    collected = []
    product, spare = np.empty((side, side)), np.empty((side, side))
    for row in samples.reshape(height // side, side, width // side, side):
        for block in np.ascontiguousarray(row.swapaxes(0, 1)):
            collected.append(sums(block, spare))
            for shift in _SHIFTS:
                np.multiply(block, np.roll(block, shift, (0, 1)), out=product)
                collected.append(sums(product, spare))
    table = np.array(collected).reshape(-1, 1 + len(_SHIFTS), len(Sums._fields))
    found = fit(Sums(*np.moveaxis(table, -1, 0)))
    left, right = found.left * found.width, found.right * found.width
    mean = (right - left) * found.lean
    own = np.stack([found.shape, (left + right) / 2], axis=-1)[:, 0]
    pairs = np.stack([found.shape, mean, left, right], axis=-1)[:, 1:]
    return np.hstack([own, pairs.reshape(len(pairs), -1)])
