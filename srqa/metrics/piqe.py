"""PIQE: the share of a picture's active blocks that look blocky, smeared or noisy."""

from __future__ import annotations

from typing import Any

import numpy as np

from srqa.images.arrays import Planes, Value
from srqa.metrics.natural import Array, each_picture, mscn

BLOCK = 16
"""Pixels a side of a block, and the shortest side."""

_ACTIVE = 0.1
_FLAT_EDGE = 0.1
_SEGMENT = 6
_C = 1.0
_Marks = np.ndarray[Any, np.dtype[np.bool_]]


def piqe(grey: Planes) -> Value:
    """PIQE of Venkatanath et al. 2015, with the details of MATLAB's ``piqe``; it needs no training.

    Blocks of 16 x 16 MSCN samples whose variance is above 0.1 are active. A block is distorted if
    a run of 6 samples along one of its edges is nearly constant (deviation below 0.1), which costs
    1 - variance, and noisy if its deviation is above twice the relative difference between it and
    the ratio of the deviations of its centre and its surround, which costs the variance.

    Args:
        grey: planes (..., 1, H, W) in [0, 1]; sides that 16 does not divide are mirrored.

    Returns:
        0 to 100, lower is better. A picture without an active block, as a flat one is, has 100.
    """
    return each_picture(_piqe, grey)


def _piqe(grey: Array) -> float:
    missing = [-n % BLOCK for n in grey.shape]
    if any(missing):
        grey = np.pad(grey, [(0, n) for n in missing], mode="symmetric")
    cost, count = 0.0, 0
    for row in mscn(grey).reshape(-1, BLOCK, grey.shape[1] // BLOCK, BLOCK):
        blocks = row.swapaxes(0, 1)
        variance = np.var(blocks, axis=(1, 2), ddof=1)
        active = variance > _ACTIVE
        blocks, variance = blocks[active], variance[active]
        cost += float(np.sum(np.where(_smeared(blocks), 1 - variance, 0.0)))
        cost += float(np.sum(np.where(_noisy(blocks, np.sqrt(variance)), variance, 0.0)))
        count += len(blocks)
    return float(np.clip(100 * (cost + _C) / (count + _C), 0, 100))


def _smeared(blocks: Array) -> _Marks:
    """Whether a run along one of the four edges of each block is nearly constant."""
    edges = np.stack([blocks[:, 0], blocks[:, -1], blocks[:, :, 0], blocks[:, :, -1]], axis=1)
    runs = np.lib.stride_tricks.sliding_window_view(edges, _SEGMENT, axis=-1)
    marks: _Marks = np.any(np.std(runs, axis=-1, ddof=1) < _FLAT_EDGE, axis=(1, 2))
    return marks


def _noisy(blocks: Array, deviation: Array) -> _Marks:
    """Whether each block looks like Gaussian noise.

    The centre is columns 8 and 9; the surround lacks columns 8 and 10, as in MATLAB, which takes
    out column 9 after column 8 has gone.
    """
    centre = np.std(blocks[:, :, 7:9], axis=(1, 2), ddof=1)
    surround = np.std(np.delete(blocks, (7, 9), axis=2), axis=(1, 2), ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = centre / surround
        ratio[np.isnan(ratio)] = 0.0
        unlike = np.abs(deviation - ratio) / np.maximum(deviation, ratio)
        marks: _Marks = deviation > 2 * unlike
    return marks
