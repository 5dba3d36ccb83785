"""Discriminators: SRGAN's, which judges the whole picture, and a patch discriminator.

Both take pictures (N, 3, H, W) of any size from `min_side`, and give numbers before the sigmoid:
the larger, the more real.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

Norm = Literal["batch", "layer"]


def _norm(channels: int, norm: Norm) -> nn.Module:
    """Batch normalisation, or layer normalisation with a gain for each channel."""
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(1, channels)


class SrganDiscriminator(nn.Module):
    """SRGAN's (Ledig et al., CVPR 2017): eight convolutions, every second with stride 2, then
    1024 and 1 neurons.

    The dense layers see ``ceil(side / 16)`` squared places. Pictures of another size than `side`
    are averaged to that many before them, and those of that size are judged exactly as in the
    paper.

    Args:
        side: of the square pictures that it is made for; 96 in the paper.
        features: channels of the first convolution; 64 in the paper.
        norm: "layer" where a penalty on single pictures' gradients forbids "batch".

    Example:
        >>> import torch
        >>> SrganDiscriminator(32)(torch.rand(2, 3, 48, 40)).shape
        torch.Size([2, 1])
    """

    min_side = 32
    """So that batch normalisation has more than one place to average, even for one picture."""

    def __init__(self, side: int = 96, features: int = 64, norm: Norm = "batch") -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, features, 3, 1, 1), nn.LeakyReLU(0.2)]
        before = features
        for after, stride in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)):
            layers.append(nn.Conv2d(before, after * features, 3, stride, 1))
            layers += [_norm(after * features, norm), nn.LeakyReLU(0.2)]
            before = after * features
        self.places = math.ceil(side / 16)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(before * self.places**2, 1024), nn.LeakyReLU(0.2), nn.Linear(1024, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 1)."""
        x = self.features(x)
        if x.shape[-2:] != (self.places, self.places):
            x = adaptive_avg_pool2d(x, self.places)
        result: Tensor = self.classifier(x.flatten(1))
        return result


class PatchDiscriminator(nn.Module):
    """pix2pix' (Isola et al., CVPR 2017): a judgement of each patch of 70 x 70 pixels.

    Convolutions of 4 x 4 with 64, 128, 256 (stride 2), 512 and 1 (stride 1) channels, leaky ReLU of
    0.2 between; no normalisation after the first and the last.

    Args:
        features: channels of the first convolution; 64 in the paper.
        norm: "layer" where a penalty on single pictures' gradients forbids "batch".

    Example:
        >>> import torch
        >>> PatchDiscriminator()(torch.rand(2, 3, 96, 64)).shape
        torch.Size([2, 1, 10, 6])
    """

    min_side = 32

    def __init__(self, features: int = 64, norm: Norm = "batch") -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, features, 4, 2, 1), nn.LeakyReLU(0.2)]
        before = features
        for after, stride in ((2, 2), (4, 2), (8, 1)):
            layers.append(nn.Conv2d(before, after * features, 4, stride, 1, bias=False))
            layers += [_norm(after * features, norm), nn.LeakyReLU(0.2)]
            before = after * features
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 1, about H / 8 - 2, about W / 8 - 2)."""
        result: Tensor = self.layers(x)
        return result
