"""waifu2x's upconv7 (nagadomi, 2015): six convolutions without padding, then their transpose."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from srqa.models.networks.base import Design, Network, State, count, has

_WIDTHS = (16, 32, 64, 128, 128, 256)
_CUT = 7
"""Pixels that the network takes off the input on each side."""


class UpConv7(Network):
    """Twice the size; the picture's edge is repeated around it, as waifu2x does."""

    scales = (2,)

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.channels = channels
        self.halo = _CUT
        layers: list[nn.Module] = []
        before = channels
        for width in _WIDTHS:
            layers += [nn.Conv2d(before, width, 3), nn.LeakyReLU(0.1)]
            before = width
        self.net = nn.Sequential(*layers, nn.ConvTranspose2d(before, channels, 4, 2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to (N, C, 2 h - 28, 2 w - 28)."""
        result: Tensor = self.net(x)
        return result

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(functional.pad(pictures, [_CUT] * 4, mode="replicate"))


def _build(state: State) -> tuple[Network, State]:
    return UpConv7(state["net.0.weight"].shape[1]), state


def _detect(state: State) -> bool:
    if not has("net.0.weight", "net.12.weight")(state) or count(state, "net") != 13:
        return False
    return state["net.12.weight"].shape[-2:] == torch.Size([4, 4])


DESIGN = Design("UpConv7", _detect, _build)
