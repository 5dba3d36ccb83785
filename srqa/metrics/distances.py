"""Losses of the super-resolution literature as metrics: content, texture, total variation.

The formulas are those of the survey of Wang, Chen and Hoi (Deep learning for image
super-resolution, TPAMI 2021), with sums over a map taken as means, so that a value does not depend
on the picture's size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from srqa.images.arrays import Planes, Value, is_tensor
from srqa.images.filters import STRIP_ROWS
from srqa.metrics.comparison import Comparison, wide
from srqa.metrics.networks import VGG16

if TYPE_CHECKING:
    import torch


def content(layer: str) -> Comparison:
    """Root of the mean squared difference of a VGG16 map: its square is Johnson's feature loss."""
    return Comparison(VGG16, (layer,), _squared, lambda means, *_: _root(means[0]))


def texture(layer: str) -> Comparison:
    """``|G - G'| / C^2`` of the Gram matrices of a VGG16 map of C channels, means over places."""

    def finish(means: list[torch.Tensor], *_: Planes) -> torch.Tensor:
        (apart,) = means
        return _root((apart * apart).sum((1, 2))) / apart.shape[-1] ** 2

    return Comparison(VGG16, (layer,), lambda _, x, y: gram_difference(x, y), finish)


def total_variation(planes: Planes) -> Value:
    """Mean length of the gradient, as differences to the right and lower neighbour."""
    height, width = planes.shape[-2:]
    if is_tensor(planes):
        return wide(_root(_gradient_squares(planes))).mean((-3, -2, -1))
    rows = range(0, height - 1, STRIP_ROWS)
    strips = (planes[..., top : top + STRIP_ROWS + 1, :] for top in rows)
    lengths = sum(float(np.sqrt(_gradient_squares(s)).sum(dtype=np.float64)) for s in strips)
    return lengths / (planes.shape[-3] * (height - 1) * (width - 1))


def _gradient_squares(planes: Planes) -> Planes:
    right = planes[..., :-1, 1:] - planes[..., :-1, :-1]
    below = planes[..., 1:, :-1] - planes[..., :-1, :-1]
    return right * right + below * below


def _squared(layer: int, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Squared differences summed over places, averaged over channels: (N,)."""
    apart = x - y
    return wide((apart * apart).sum((1, 2))).mean(1)


def gram_difference(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """``X'X - Y'Y`` of maps (N, h, w, C), summed over places: (N, C, C), exactly 0 if equal."""
    apart, both = (x - y).flatten(1, 2), (x + y).flatten(1, 2)
    half = wide(apart.transpose(1, 2) @ both) / 2
    return half + half.transpose(1, 2)


def _root(squares: torch.Tensor) -> torch.Tensor:
    """Square root whose gradient at 0 is 0, the middle of the length's subgradients."""
    zero = squares == 0
    return squares.masked_fill(zero, 1.0).sqrt().masked_fill(zero, 0.0)
