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

from srqa.images.arrays import Planes, Value, as_batch, is_tensor, unbatch
from srqa.metrics import features, networks
from srqa.metrics.networks import VGG16_L2

if TYPE_CHECKING:
    import torch

WEIGHTS = (VGG16_L2.weights, "dists")
SIDE = 256
"""What `dists_256` shrinks the shorter side to."""
MIN_SIDE = 16
"""Where the deepest map is a single sample."""
_C = 1e-6


def dists(distorted: Planes, reference: Planes) -> Value:
    """DISTS at the picture's own size.

    Raises:
        WeightsError: the trained numbers cannot be had.
    """
    import torch

    with features.running(distorted, reference):
        device = distorted.device if is_tensor(distorted) else torch.device("cpu")
        trained = networks.parameters(WEIGHTS[1], device)
        alpha, beta = (features.wide(trained[name].flatten()) for name in ("alpha", "beta"))
        moments = _moments(distorted, reference)
        mean_x, mean_y, var_x, var_y, var_d = (torch.cat(m, 1) for m in moments)
        texture = (mean_x - mean_y) ** 2 / (mean_x**2 + mean_y**2 + _C)
        structure = var_d / (var_x + var_y + _C)
        weighted = (texture * alpha + structure * beta).sum(1) / (alpha.sum() + beta.sum())
        return unbatch(weighted, distorted)


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
    x = _resized(_rounded(features.wide(x) * 255), columns)
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


def _moments(distorted: Planes, reference: Planes) -> list[list[torch.Tensor]]:
    """Means and variances of x and y and the variance of x - y: (N, C) for each layer.

    Sums run over deviations from a pivot near the mean, so that flat pictures keep their digits.
    """

    pivots: list[tuple[torch.Tensor, torch.Tensor]] = []
    sums: list[Any] = []
    counts: list[int] = []
    for part in features.parts(VGG16_L2, distorted, reference, VGG16_L2.taps):
        picture = tuple(_picture(p[(..., *part.pixels)]) for p in (distorted, reference))
        for layer, (x, y) in enumerate([picture, *part.pairs]):
            if len(pivots) == layer:
                pivots.append((x.mean((-2, -1)).detach(), y.mean((-2, -1)).detach()))
                sums.append(0.0)
                counts.append(0)
            sums[layer] = sums[layer] + _sums(x, y, *pivots[layer])
            counts[layer] += x.shape[-2] * x.shape[-1]
    layers = [
        list(_finished(total / count, *pivot))
        for total, count, pivot in zip(sums, counts, pivots, strict=True)
    ]
    return [list(moment) for moment in zip(*layers, strict=True)]


def _picture(planes: Planes) -> torch.Tensor:
    x = as_batch(planes).float()
    return x.expand(-1, 3, -1, -1)


def _sums(
    x: torch.Tensor, y: torch.Tensor, pivot_x: torch.Tensor, pivot_y: torch.Tensor
) -> torch.Tensor:
    """Sums of x, y, x^2, y^2, (x - y)^2 after taking out the pivots: (5, N, C)."""
    import torch

    total: Any = 0.0
    for first, second in features.blocks(x, y):
        a = first - pivot_x[:, None, None]
        b = second - pivot_y[:, None, None]
        d = a - b
        sums = [v.sum((1, 2)) for v in (a, b, a * a, b * b, d * d)]
        total = total + features.wide(torch.stack(sums))
    result: torch.Tensor = total
    return result


def _finished(
    mean: torch.Tensor, pivot_x: torch.Tensor, pivot_y: torch.Tensor
) -> Iterator[torch.Tensor]:
    a, b, aa, bb, dd = mean
    yield a + pivot_x
    yield b + pivot_y
    for square, first in ((aa, a), (bb, b), (dd, a - b)):
        yield (square - first * first).clamp_min(0.0)
