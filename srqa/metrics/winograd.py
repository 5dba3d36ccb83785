"""3x3 convolutions with a quarter of the multiplications (Lavin and Gray, CVPR 2016).

Four results in a row are six products of transformed samples and transformed weights instead of
twelve, and columns likewise: a tile of 4x4 results takes 36 products instead of 144. Over all tiles
of a block and all channels they are 36 products of matrices, and blocks are so small that the
transforms, sums of six terms, stay in the cache. A thread takes a block.

The transforms follow from the points at which polynomials are evaluated (Toom and Cook). Rounding
errors are about twice those of the plain sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.threads import each_on_tensors

if TYPE_CHECKING:
    import torch

TILE = 4
"""Results a side of a tile."""
_IN = TILE + 2
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5))
"""And infinity. Those of 0, 1 and 2 double the errors."""
_ROWS, _COLUMNS = 4, 40
"""Tiles of a block at most."""
_CHANNELS = 64
"""Whose weights are transformed together."""
_LEAST_WEIGHTS = 64 * 128
"""Channels before times channels after; with fewer, transforms cost what the products save."""
_LEAST_PLACES = 256
"""With fewer, the 36 sets of weights are read for too little."""


def pays(shape: Sequence[int]) -> bool:
    """Whether convolutions with weights (K, C, h, w) are quicker by `convolved`, in float32."""
    count, before, *window = shape
    return window == [3, 3] and count * before >= _LEAST_WEIGHTS


def size(shape: Sequence[int]) -> int:
    """Bytes of the transformed weights (K, C, 3, 3)."""
    return 4 * _IN * _IN * shape[0] * shape[1]


def takes(x: torch.Tensor) -> bool:
    """Whether `convolved` is quicker for these maps: they are large enough to fill the tiles."""
    count, _, height, width = x.shape
    return height > 2 + TILE // 2 and count * height * width >= _LEAST_PLACES


def transformed(weight: torch.Tensor) -> torch.Tensor:
    """Weights (K, C, 3, 3) for `convolved`: (36, C, K), float32, four times as many."""
    import torch

    count, before = weight.shape[:2]
    of_weights = torch.from_numpy(_transforms()[1])
    both = torch.kron(of_weights, of_weights)
    plain = weight.permute(3, 2, 1, 0).reshape(9, before, count)
    made = torch.empty((_IN * _IN, before, count))
    for first in range(0, before, _CHANNELS):  # so that little is held in float64
        part = plain[:, first : first + _CHANNELS]
        products = both @ part.reshape(9, -1).double()
        made[:, first : first + _CHANNELS] = products.view(_IN * _IN, -1, count)
    return made


def convolved(
    x: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor, *, edges: bool
) -> torch.Tensor:
    """The convolution of a map (N, C, H, W), float32, channels last, padded with zeros.

    Args:
        x: the map.
        weights: from `transformed`.
        bias: (K,).
        edges: a row above and one below are padded too; else `x` has them already.

    Example:
        >>> import torch
        >>> x, weight, bias = torch.rand(1, 64, 20, 30), torch.rand(64, 64, 3, 3), torch.rand(64)
        >>> found = convolved(x, transformed(weight), bias, edges=True)
        >>> bool(torch.isclose(found, torch.conv2d(x, weight, bias, padding=1)).all())
        True
    """
    import torch

    above, (height, width) = int(edges), x.shape[2:]
    height += 2 * above - 2
    made = torch.empty((x.shape[0], height, width, weights.shape[2]))
    together, rows, columns = _shares(x.shape[0], height, width)

    def compute(place: tuple[int, int, int]) -> None:
        first, top, left = place
        part = made[first : first + together, top : top + rows, left : left + columns]
        source = x[first : first + together].permute(0, 2, 3, 1)
        block = _block(source, top - above, left - 1, *part.shape[1:3])
        _put(_tiles(block, weights), bias, part)

    places = product(
        range(0, x.shape[0], together), range(0, height, rows), range(0, width, columns)
    )
    each_on_tensors(compute, list(places))
    return made.permute(0, 3, 1, 2)


def _shares(count: int, height: int, width: int) -> tuple[int, int, int]:
    """Maps, rows and columns of a block, whatever the number of threads.

    Several maps share a block where they are so small that one would not pay for reading weights.
    """
    within = _ROWS * _COLUMNS // (-(-height // TILE) * -(-width // TILE))
    if count > 1 and within > 1:
        return -(-count // -(-count // within)), height, width
    blocks = 2 * -(-height // (2 * _ROWS * TILE))
    return 1, TILE * -(-height // (TILE * blocks)), TILE * _COLUMNS


def _block(x: torch.Tensor, top: int, left: int, height: int, width: int) -> torch.Tensor:
    """What whole tiles over (height, width) results need of (N, H, W, C), zeros around it."""
    import torch.nn.functional as F

    bottom, right = top + -(-height // TILE) * TILE + 2, left + -(-width // TILE) * TILE + 2
    above, before = max(-top, 0), max(-left, 0)
    inner = x[:, top + above : bottom, left + before : right]
    below, after = bottom - top - above - inner.shape[1], right - left - before - inner.shape[2]
    return F.pad(inner, (0, 0, before, after, above, below)).contiguous()


def _tiles(block: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Results (n r, 4, c, 4, K) of samples (n, 4 r + 2, 4 c + 2, C), without bias."""
    import torch

    of_samples, of_products = _tensors()
    count, high, wide, channels = block.shape
    rows, columns, line = count * (high // TILE), wide // TILE, wide * channels
    lines = block.as_strided((count, high // TILE, _IN, line), (high * line, TILE * line, line, 1))
    lines = torch.matmul(of_samples, lines.reshape(rows, _IN, line))
    tiles = lines.as_strided(
        (_IN, _IN, rows, columns, channels), (channels, line, _IN * line, TILE * channels, 1)
    )
    tiles = of_samples @ tiles.reshape(_IN, -1)
    products = torch.bmm(tiles.view(_IN * _IN, rows * columns, channels), weights)
    across = (of_products @ products.view(_IN, -1)).view(TILE, _IN, -1)
    both = torch.matmul(of_products, across).view(TILE, TILE, rows, columns, -1)
    return both.permute(2, 1, 3, 0, 4)


def _put(tiles: torch.Tensor, bias: torch.Tensor, place: torch.Tensor) -> None:
    """The tiles and the bias into (n, height, width, K), which may end within the last tiles."""
    import torch

    count, height, width = place.shape[:3]
    if count == 1 and height % TILE == width % TILE == 0:
        rows, columns = place.stride()[1:3]
        strides = (TILE * rows, rows, TILE * columns, columns, 1)
        torch.add(tiles, bias, out=place.as_strided(tiles.shape, strides))
    else:
        whole = (tiles + bias).reshape(count, -1, tiles.shape[2] * TILE, tiles.shape[4])
        place.copy_(whole[:, :height, :width])


@lru_cache(maxsize=1)
def _transforms() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Of samples (6, 6), of weights (6, 3), of products (4, 6), in float64.

    With E(n) the values at the points of the n powers below x^n, four results are
    ``E(4)' (E(3) weights * E(6)^-T samples)``.
    """

    def evaluation(terms: int) -> np.ndarray[Any, Any]:
        return np.vstack([np.vander(_POINTS, terms, increasing=True), np.eye(terms)[-1]])

    return np.linalg.inv(evaluation(_IN)).T, evaluation(3), evaluation(TILE).T


@lru_cache(maxsize=1)
def _tensors() -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    of_samples, _, of_products = _transforms()
    return torch.from_numpy(of_samples).float(), torch.from_numpy(of_products).float()
