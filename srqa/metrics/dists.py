"""DISTS: structure and texture of VGG16 maps (Ding, Ma, Wang, Simoncelli, TPAMI 2020).

The picture itself and five maps of VGG16, with L2 instead of maximum pooling, are compared channel
by channel: means for texture, covariances for structure, weighted by trained alpha and beta.

With d = x - y, the paper's similarities are ``1 - (mean d)^2 / (mean(x)^2 + mean(y)^2 + c)`` and
``1 - var(d) / (var(x) + var(y) + c)``: equal pictures are exactly 0 apart, and nothing cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.images.arrays import Planes, Value, as_batch, unbatch
from srqa.metrics import features, networks
from srqa.metrics.comparison import Comparison, strips, wide
from srqa.metrics.networks import VGG16_L2

if TYPE_CHECKING:
    import torch

WEIGHTS = (VGG16_L2.weights, "dists")
SIDE = 256
"""What `dists_256` shrinks the shorter side to."""
MIN_SIDE = 16
"""Where the deepest map is a single sample."""
_C = 1e-6


def _finish(means: list[torch.Tensor], distorted: Planes, reference: Planes) -> torch.Tensor:
    """The score, from the means of what `_sums` gives for each map."""
    import torch

    trained = networks.parameters(WEIGHTS[1], means[0].device)
    alpha, beta = (wide(trained[name].flatten()) for name in ("alpha", "beta"))
    moments = [_moments(m) for m in (_of_pictures(distorted, reference), *means)]
    mean_x, mean_y, var_x, var_y, var_d = (torch.cat(m, 1) for m in zip(*moments, strict=True))
    texture = (mean_x - mean_y) ** 2 / (mean_x**2 + mean_y**2 + _C)
    structure = var_d / (var_x + var_y + _C)
    return (texture * alpha + structure * beta).sum(1) / (alpha.sum() + beta.sum())


def dists_256(distorted: Planes, reference: Planes) -> Value:
    """DISTS after shrinking the shorter side to 256 pixels, as the authors' code does.

    Pillow's bilinear filter, which widens when it shrinks; 8 bits before and after each pass.

    Raises:
        WeightsError: the trained numbers cannot be had.
    """
    with features.running(distorted, reference):
        value = dists(_shrunk(distorted), _shrunk(reference))
        return unbatch(value, distorted)


def _shrunk(planes: Planes) -> torch.Tensor:
    x = as_batch(planes)
    height, width = x.shape[-2:]
    short, long = min(height, width), max(height, width)
    if short <= SIDE:
        return x
    long = SIDE * long // short
    rows, columns = (long, SIDE) if height > width else (SIDE, long)
    x = _resized(_rounded(wide(x) * 255), columns)
    return _resized(x.transpose(-1, -2), rows).transpose(-1, -2).float() / 255


def _resized(x: torch.Tensor, size: int) -> torch.Tensor:
    """One pass of Pillow along the last axis."""
    import torch

    return _rounded(x @ torch.from_numpy(_pillow(x.shape[-1], size)).to(x))


def _rounded(x: torch.Tensor) -> torch.Tensor:
    """To 8 bits; the gradient passes."""
    return x + ((x + 0.5).floor().clamp(0, 255) - x).detach()


@lru_cache(maxsize=8)
def _pillow(length: int, size: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Pillow's bilinear filter as a matrix (length, size), its numbers rounded to 22 bits.

    Ties at .5 are frequent, so that the last bit of the filter shows in the picture.
    """
    scale = length / size
    support = max(scale, 1.0)
    centre = (np.arange(size) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(int), 0)
    last = np.minimum((centre + support + 0.5).astype(int), length)
    at = np.arange(length)[:, None]
    weight = np.maximum(1.0 - np.abs((at - centre + 0.5) / support), 0.0)
    weight *= (at >= first) & (at < last)
    matrix: np.ndarray[Any, np.dtype[np.float64]] = weight / weight.sum(0)
    return np.floor(matrix * 2**22 + 0.5) / 2**22


def _of_pictures(distorted: Planes, reference: Planes) -> torch.Tensor:
    """The means of what `_sums` gives for the pictures themselves."""
    x, y = (as_batch(p).float().expand(-1, 3, -1, -1) for p in (distorted, reference))
    total: Any = sum(_sums(0, *strip) for strip in strips(x, y))
    mean: torch.Tensor = total / (x.shape[-2] * x.shape[-1])
    return mean


def _sums(layer: int, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Sums over places of x, y, x^2, y^2, (x - y)^2: (N, 5, C), in float64.

    They run in float32 over deviations from a pivot near the mean, so that flat pictures keep
    their digits; what the pivots add is put back in float64. A GPU, whose maps are not in a cache,
    takes means and variances in one pass instead, which has the same virtue.
    """
    import torch

    if x.device.type == "cuda":
        both = [torch.var_mean(v, (1, 2), correction=0) for v in (x, y, x - y)]
        (var_x, mean_x), (var_y, mean_y), (var_d, mean_d) = (map(wide, pair) for pair in both)
        wholes = var_x + mean_x**2, var_y + mean_y**2, var_d + mean_d**2
        return torch.stack([mean_x, mean_y, *wholes], 1) * (x.shape[1] * x.shape[2])
    p, q = (v.mean((1, 2)).detach() for v in (x, y))
    a, b = x - p[:, None, None], y - q[:, None, None]
    d = a - b
    linear = [wide(v.sum((1, 2))) for v in (a, b)]
    squares = [wide((v * v).sum((1, 2))) for v in (a, b, d)]
    p, q = wide(p), wide(q)
    count = x.shape[1] * x.shape[2]
    sums = [first + count * pivot for first, pivot in zip(linear, (p, q), strict=True)]
    for square, first, pivot in zip(
        squares, (*linear, linear[0] - linear[1]), (p, q, p - q), strict=True
    ):
        sums.append(square + 2 * pivot * first + count * pivot * pivot)
    return torch.stack(sums, 1)


def _moments(means: torch.Tensor) -> Iterator[torch.Tensor]:
    """Means and variances of x and y and the variance of x - y: (N, C) each."""
    a, b, aa, bb, dd = means.unbind(1)
    yield a
    yield b
    for square, first in ((aa, a), (bb, b), (dd, a - b)):
        yield (square - first * first).clamp_min(0.0)


dists = Comparison(VGG16_L2, VGG16_L2.taps, _sums, _finish)
"""DISTS at the picture's own size."""
