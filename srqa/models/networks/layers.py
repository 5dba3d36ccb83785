"""Layers that several of our networks are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean of R, G and B over the training pictures of DIV2K."""


def convolution(
    before: int, after: int, side: int = 3, *, groups: int = 1, bias: bool = True
) -> nn.Conv2d:
    """A convolution that keeps the size of a map."""
    return nn.Conv2d(before, after, side, padding=side // 2, groups=groups, bias=bias)


def mean_shift(sign: int, peak: float = 1.0) -> nn.Conv2d:
    """DIV2K's mean added (1) or taken off (-1), for values from 0 to `peak`; never trained."""
    layer = nn.Conv2d(3, 3, 1).requires_grad_(False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3)[:, :, None, None])
        if layer.bias is not None:
            layer.bias.copy_(sign * peak * torch.tensor(DIV2K_MEAN))
    return layer


def shuffles(features: int, scale: int) -> nn.Sequential:
    """Enlargement by sub-pixel convolution: once for 2 and 3, twice for 4, and so on.

    Raises:
        ValueError: the scale is neither 3 nor a power of 2.
    """
    if scale != 3 and 2 ** round(math.log2(scale)) != scale:
        raise ValueError(f"no chain of sub-pixel convolutions enlarges by {scale}")
    step = 3 if scale == 3 else 2
    layers: list[nn.Module] = []
    for _ in range(round(math.log(scale, step))):
        layers += [convolution(features, features * step**2), nn.PixelShuffle(step)]
    return nn.Sequential(*layers)


def shuffle_scale(state: dict[str, Tensor], prefix: str) -> int:
    """The scale of `shuffles` that lie in a checkpoint under ``PREFIX.0``, ``PREFIX.2``, ..."""
    scale = 1
    place = 0
    while (weight := state.get(f"{prefix}.{place}.weight")) is not None:
        scale *= math.isqrt(weight.shape[0] // weight.shape[1])
        place += 2
    return scale


class Residual(nn.Module):
    """Convolution, ReLU, convolution, added to the input after multiplication by `gain`."""

    def __init__(self, features: int, gain: float = 1.0) -> None:
        super().__init__()
        self.conv1 = convolution(features, features)
        self.conv2 = convolution(features, features)
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv2(torch.relu(self.conv1(x)))
        return x + self.gain * result


def shuffle_reach(scale: int, reach: int) -> int:
    """How far `shuffles` and what comes after them look, in pixels of their input.

    Args:
        scale: of the shuffles.
        reach: how far the layers after them look, in pixels of the result.
    """
    step = 3 if scale == 3 else 2
    for _ in range(round(math.log(scale, step))):
        reach = math.ceil(reach / step) + 1
    return reach
