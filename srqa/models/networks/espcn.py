"""ESPCN (Shi et al., CVPR 2016): sub-pixel convolution."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from srqa.models.networks.base import Design, Network, State, has
from srqa.models.networks.layers import convolution


class ESPCN(Network):
    """5-3-3 with tanh, as in the paper."""

    def __init__(self, scale: int = 3, channels: int = 1, widths: tuple[int, int] = (64, 32)):
        super().__init__()
        self.scales = (scale,)
        self.channels = channels
        self.halo = 2 + 1 + 1
        self.first_part = nn.Sequential(
            convolution(channels, widths[0], 5),
            nn.Tanh(),
            convolution(widths[0], widths[1]),
            nn.Tanh(),
        )
        self.last_part = nn.Sequential(
            convolution(widths[1], channels * scale**2), nn.PixelShuffle(scale)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) to (N, channels, scale h, scale w)."""
        result: Tensor = self.last_part(self.first_part(x))
        return result

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures)


def _detect(state: State) -> bool:
    names = ("first_part.0.weight", "first_part.2.weight", "last_part.0.weight")
    if not has(*names)(state):
        return False
    return [state[name].shape[-2:] for name in names] == [torch.Size([k, k]) for k in (5, 3, 3)]


def _build(state: State) -> tuple[Network, State]:
    width, channels = state["first_part.0.weight"].shape[:2]
    second = state["first_part.2.weight"].shape[0]
    scale = math.isqrt(state["last_part.0.weight"].shape[0] // channels)
    return ESPCN(scale, channels, (width, second)), state


DESIGN = Design("ESPCN", _detect, _build)
