"""Statistics of natural scenes, which NIQE, BRISQUE and PIQE share.

All three look at the picture's **mean-subtracted, contrast-normalised** (MSCN) samples: in sharp
photographs these, and the products of neighbours, follow (asymmetric) generalised Gaussians whose
shape and width change with blur, noise and compression. Computed on the CPU in float64, on grey
values 0..255 rounded to integers as in an 8-bit file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from srqa.images.arrays import Planes, Value, is_tensor
from srqa.images.filters import gaussian_taps, separable_valid

Array = np.ndarray[Any, np.dtype[np.float64]]

_TAPS = gaussian_taps(7, 7 / 6)
_HALO = 3
_ROWS = 96
# Filtering a flat neighbourhood leaves a rounding error (about 1e-13) whose sign would be counted.
_NOTHING = 1e-9


def each_picture(function: Callable[[Array], float], planes: Planes) -> Value:
    """Apply `function` to the grey picture (H, W), integers 0..255 in float64, of each picture.

    Returns:
        A float for an array (1, H, W); for a tensor (N, 1, H, W) a float64 tensor (N,) on its
        device, without gradient.
    """
    if not is_tensor(planes):
        return function(_grey(planes))
    import torch

    values = [function(_grey(p.detach().cpu().double().numpy())) for p in planes]
    wide = torch.float32 if planes.device.type == "mps" else torch.float64
    return torch.tensor(values, dtype=wide, device=planes.device)


def _grey(picture: Any) -> Array:
    grey: Array = np.multiply(picture[0], 255, dtype=np.float64)
    grey += 0.5
    np.floor(grey, out=grey)
    return np.clip(grey, 0, 255, out=grey)


def parameters(name: str) -> dict[str, Array]:
    """Trained numbers that travel with the package, see ``data/README.md``."""
    with np.load(Path(__file__).parent / "data" / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def mscn(grey: Array) -> Array:
    """Each sample less its local mean, over its local deviation plus 1.

    Local means 7 x 7 under a Gaussian of sigma 7/6; beyond the border the edge is repeated. On flat
    ground the result is exactly 0. Programs that keep what their filter's rounding leaves there
    count its sign, which differs between them: by 0.04 of NIQE for a portrait before black.
    """
    import cv2

    height = grey.shape[0]
    result = np.empty(grey.shape)
    for start in range(0, height, _ROWS):
        part = slice(start, min(start + _ROWS, height))
        first, last = max(start - _HALO, 0), min(part.stop + _HALO, height)
        ends = (_HALO - (start - first), _HALO - (last - part.stop))
        border = (*ends, _HALO, _HALO, cv2.BORDER_REPLICATE)
        around = cv2.copyMakeBorder(grey[first:last], *border)
        mean = separable_valid(around[None], _TAPS)[0]
        spread = separable_valid((around * around)[None], _TAPS)[0]
        spread -= mean * mean
        np.sqrt(np.abs(spread, out=spread), out=spread)
        spread += 1
        difference = np.subtract(grey[part], mean, out=mean)
        difference[np.abs(difference) < _NOTHING] = 0.0
        np.divide(difference, spread, out=result[part])
    return result


class Sums(NamedTuple):
    """What an asymmetric generalised Gaussian is fitted to; numbers or arrays of equal shape."""

    negative: Any
    """How many samples are below 0."""
    positive: Any
    negative_squares: Any
    positive_squares: Any
    absolute: Any
    samples: Any


def sums(samples: Array, spare: Array) -> Sums:
    """The sums of one set of samples; `spare` is room of the same shape."""
    below = np.minimum(samples, 0.0, out=spare).ravel()
    low, low_squares = float(below.sum()), float(below @ below)
    above = np.maximum(samples, 0.0, out=spare).ravel()
    return Sums(
        np.count_nonzero(samples < 0),
        np.count_nonzero(samples > 0),
        low_squares,
        float(above @ above),
        float(above.sum()) - low,
        samples.size,
    )


class Fit(NamedTuple):
    """An asymmetric generalised Gaussian; numbers or arrays of equal shape."""

    shape: Any
    left: Any
    """Root of the mean square of the samples below 0; NaN where there are none."""
    right: Any
    width: Any
    """What turns `left` and `right` into the scales beta: sqrt(gamma(1/a) / gamma(3/a))."""
    lean: Any
    """What turns a difference of scales into the mean: gamma(2/a) / gamma(1/a)."""


@lru_cache(maxsize=1)
def _table() -> tuple[Array, Array, Array, Array]:
    """Shapes 0.2, 0.201, ..., 10; their ratio E|x|^2 / E[x^2]; and `Fit.width`, `Fit.lean`."""
    shapes = np.arange(200, 10001) / 1000
    first, second, third = (
        np.array([math.gamma(k / shape) for shape in shapes.tolist()]) for k in (1, 2, 3)
    )
    return shapes, second**2 / (first * third), np.sqrt(first / third), second / first


def fit(of: Sums) -> Fit:
    """Fit by moments, as Lasmar, Stitou and Berthoumieu 2009: the nearest shape of the grid.

    A set without samples on one side has a `left` or `right` of NaN and, as in MATLAB, the first
    shape of the grid.
    """
    shapes, ratios, widths, leans = _table()
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.sqrt(np.divide(of.negative_squares, of.negative))
        right = np.sqrt(np.divide(of.positive_squares, of.positive))
        skew = left / right
        squares = np.add(of.negative_squares, of.positive_squares)
        ratio = np.square(of.absolute) / (squares * of.samples)
        ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    above = np.clip(np.searchsorted(ratios, ratio), 1, len(ratios) - 1)
    nearest = above - (np.abs(ratio - ratios[above - 1]) <= np.abs(ratios[above] - ratio))
    nearest = np.where(np.isnan(ratio), 0, nearest)
    return Fit(shapes[nearest], left, right, widths[nearest], leans[nearest])
