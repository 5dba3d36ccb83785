"""Where in a picture metrics disagree most about the order of the methods.

Such places tell metrics apart (the idea of Wang and Simoncelli's maximum differentiation
competition, J. Vision 2008, taken to the choice of crops).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import UsageError
from srqa.study.definition import Crop, Definition

if TYPE_CHECKING:
    from srqa.study.pictures import Box, Pixels, Source

MOST_TILES = 64


def most_disputed(
    group: Sequence[Source], pictures: Sequence[Pixels], crop: Crop, definition: Definition
) -> Box:
    """The tile of a content on whose order of methods the metrics agree least.

    Each metric ranks the methods on each tile; disagreement is one minus the smallest of Kendall's
    correlations between two metrics' ranks. Among equals the tile with the larger spread of the
    first metric wins.

    Args:
        group: pictures of one content, its reference among them.
        pictures: (H, W, 3) uint8 each.
        crop: size and metrics.
        definition: of the study.

    Returns:
        (top, left, height, width).

    Raises:
        UsageError: less than two metrics or methods, or no reference.
    """
    import srqa.metrics.api as metrics

    reference = next(
        (p for s, p in zip(group, pictures, strict=True) if s.role == "reference"), None
    )
    tests = [p for s, p in zip(group, pictures, strict=True) if s.role == "test"]
    if reference is None or len(crop.metrics) < 2:
        raise UsageError(
            "The crop policy max_metric_disagreement needs stimuli.reference and two metrics."
        )
    height, width = reference.shape[:2]
    size = crop.size
    if len(tests) < 2:
        return ((height - size) // 2, (width - size) // 2, size, size)
    functions = [metrics.metric(name) for name in crop.metrics]
    best: tuple[float, float] = (-1.0, -1.0)
    found: Box = (0, 0, size, size)
    for top, left in _corners(height, width, size):
        part = np.s_[top : top + size, left : left + size]
        hr = reference[part]
        values = np.array(
            [[float(f(sr[part], hr)) for sr in tests] for f in functions], dtype=float
        )
        signs = np.array([1 if f.spec.higher_is_better else -1 for f in functions])
        worth = (_disagreement(values * signs[:, None]), float(np.ptp(values[0])))
        if worth > best:
            best, found = worth, (top, left, size, size)
    return found


def _corners(height: int, width: int, size: int) -> list[tuple[int, int]]:
    step = max(size // 2, 1)
    while True:
        tops = list(range(0, height - size + 1, step))
        lefts = list(range(0, width - size + 1, step))
        if len(tops) * len(lefts) <= MOST_TILES:
            return [(top, left) for top in tops for left in lefts]
        step *= 2


def _disagreement(values: Any) -> float:
    """(metrics, methods) to one minus the smallest Kendall correlation of two metrics."""
    signs = np.sign(values[:, :, None] - values[:, None, :])
    pairs = values.shape[1] * (values.shape[1] - 1)
    tau = np.einsum("aij,bij->ab", signs, signs) / pairs
    return float(1 - tau.min())
