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
    """Whether `convolved` is quicker for this map: it is large enough to fill the tiles."""
    return x.shape[2] > 2 + TILE // 2 and x.shape[2] * x.shape[3] >= _LEAST_PLACES


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
    blocks = 2 * -(-height // (2 * _ROWS * TILE))  # whatever the number of threads
    rows = TILE * -(-height // (TILE * blocks))
    columns = TILE * _COLUMNS

    def compute(place: tuple[int, int, int]) -> None:
        number, top, left = place
        part = made[number, top : top + rows, left : left + columns]
        source = x[number].permute(1, 2, 0)
        block = _block(source, top - above, left - 1, *part.shape[:2])
        _put(_tiles(block, weights), bias, part)

    places = product(range(x.shape[0]), range(0, height, rows), range(0, width, columns))
    each_on_tensors(compute, list(places))
    return made.permute(0, 3, 1, 2)


def _block(x: torch.Tensor, top: int, left: int, height: int, width: int) -> torch.Tensor:
    """What whole tiles over (height, width) results need of (H, W, C), zeros beyond its border."""
    import torch.nn.functional as F

    bottom, right = top + -(-height // TILE) * TILE + 2, left + -(-width // TILE) * TILE + 2
    above, before = max(-top, 0), max(-left, 0)
    inner = x[top + above : bottom, left + before : right]
    below, after = bottom - top - above - inner.shape[0], right - left - before - inner.shape[1]
    return F.pad(inner, (0, 0, before, after, above, below))


def _tiles(block: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Results (r, 4, c, 4, K) of samples (4 r + 2, 4 c + 2, C), without bias."""
    import torch

    of_samples, of_products = _tensors()
    high, wide, channels = block.shape
    rows, columns, line = high // TILE, wide // TILE, wide * channels
    lines = block.as_strided((rows, _IN, line), (TILE * line, line, 1))
    lines = torch.matmul(of_samples, lines)
    tiles = lines.as_strided(
        (_IN, _IN, rows, columns, channels), (channels, line, _IN * line, TILE * channels, 1)
    )
    tiles = of_samples @ tiles.reshape(_IN, -1)
    products = torch.bmm(tiles.view(_IN * _IN, rows * columns, channels), weights)
    across = (of_products @ products.view(_IN, -1)).view(TILE, _IN, -1)
    both = torch.matmul(of_products, across).view(TILE, TILE, rows, columns, -1)
    return both.permute(2, 1, 3, 0, 4)


def _put(tiles: torch.Tensor, bias: torch.Tensor, place: torch.Tensor) -> None:
    """The tiles and the bias into (height, width, K), which may end within the last tiles."""
    import torch

    height, width = place.shape[:2]
    if height % TILE == width % TILE == 0:
        rows, columns = place.stride()[:2]
        strides = (TILE * rows, rows, TILE * columns, columns, 1)
        torch.add(tiles, bias, out=place.as_strided(tiles.shape, strides))
    else:
        rows, columns = tiles.shape[0] * TILE, tiles.shape[2] * TILE
        place.copy_((tiles + bias).reshape(rows, columns, -1)[:height, :width])


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
