"""IMDN (Hui et al., ACM MM 2019): a part of the channels is set aside after each convolution."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from srqa.models.networks.base import Design, Network, State, has
from srqa.models.networks.layers import convolution


class _Attention(nn.Module):
    """Channels weighed by their mean plus their standard deviation over the whole picture."""

    def __init__(self, features: int, reduction: int = 16) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            convolution(features, features // reduction, 1),
            nn.ReLU(),
            convolution(features // reduction, features, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        contrast = (x - mean).square().mean((2, 3), keepdim=True).sqrt()
        weight: Tensor = self.conv_du(contrast + mean)
        return x * weight


class _Distillation(nn.Module):
    """Four convolutions; a quarter of the channels of each goes straight to the end."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.kept = features // 4
        self.c1 = convolution(features, features)
        self.c2 = convolution(features - self.kept, features)
        self.c3 = convolution(features - self.kept, features)
        self.c4 = convolution(features - self.kept, self.kept)
        self.cca = _Attention(4 * self.kept)
        self.c5 = convolution(features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts, rest = [], x
        for layer in (self.c1, self.c2, self.c3):
            rest = functional.leaky_relu(layer(rest), 0.05)
            parts.append(rest[:, : self.kept])
            rest = rest[:, self.kept :]
        maps = torch.cat([*parts, self.c4(rest)], dim=1)
        result: Tensor = self.c5(self.cca(maps))
        return result + x


class IMDN(Network):
    """694 k parameters at x2, 703 k at x3, 715 k at x4."""

    inexact = "its channel attention pools over all of the picture"

    def __init__(self, scale: int = 4, features: int = 64, blocks: int = 6, channels: int = 3):
        super().__init__()
        self.scales = (scale,)
        self.channels = channels
        self.halo = 1 + 4 * blocks + 1 + 1
        self.fea_conv = convolution(channels, features)
        self.names = [f"IMDB{i}" for i in range(1, blocks + 1)]
        for name in self.names:
            self.add_module(name, _Distillation(features))
        self.c = nn.Sequential(convolution(blocks * features, features, 1), nn.LeakyReLU(0.05))
        self.LR_conv = convolution(features, features)
        self.upsampler = nn.Sequential(
            convolution(features, channels * scale**2), nn.PixelShuffle(scale)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) to (N, channels, scale h, scale w), in [0, 1]."""
        first = x = self.fea_conv(x)
        maps = []
        for name in self.names:
            x = self.get_submodule(name)(x)
            maps.append(x)
        x = self.LR_conv(self.c(torch.cat(maps, dim=1))) + first
        result: Tensor = self.upsampler(x)
        return result

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures)


def _build(state: State) -> tuple[Network, State]:
    features, channels = state["fea_conv.weight"].shape[:2]
    blocks = sum(name.startswith("IMDB") and name.endswith(".c1.weight") for name in state)
    scale = math.isqrt(state["upsampler.0.weight"].shape[0] // channels)
    return IMDN(scale, features, blocks, channels), state


DESIGN = Design(
    "IMDN", has("fea_conv.weight", "IMDB1.c1.weight", "IMDB1.cca.conv_du.0.weight"), _build
)
