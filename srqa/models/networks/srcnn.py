"""SRCNN (Dong et al., ECCV 2014 and TPAMI 2016): three convolutions on the bicubic enlargement."""

from __future__ import annotations

import torch
from torch import Tensor

from srqa.models.classical.interpolation import interpolate
from srqa.models.networks.base import Design, Network, State
from srqa.models.networks.layers import convolution

_NAMES = {f"conv{i}.{part}" for i in (1, 2, 3) for part in ("weight", "bias")}


class SRCNN(Network):
    """9-1-5 with 8,032 weights in the first paper, 9-5-5 with 57,184 in the best of the second.

    A checkpoint was trained for one scale and does not say which, so it runs at any.
    """

    scales = None

    def __init__(
        self,
        channels: int = 1,
        sides: tuple[int, int, int] = (9, 5, 5),
        widths: tuple[int, int] = (64, 32),
    ) -> None:
        super().__init__()
        self.channels = channels
        self.halo = sum(side // 2 for side in sides) + 2
        self.conv1 = convolution(channels, widths[0], sides[0])
        self.conv2 = convolution(widths[0], widths[1], sides[1])
        self.conv3 = convolution(widths[1], channels, sides[2])

    def forward(self, x: Tensor) -> Tensor:
        """A picture that is enlarged already, and comes back sharper."""
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        result: Tensor = self.conv3(x)
        return result

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(interpolate(pictures, scale))


def _detect(state: State) -> bool:
    if state.keys() != _NAMES:
        return False
    weights = [state[f"conv{i}.weight"] for i in (1, 2, 3)]
    return all(w.ndim == 4 for w in weights) and weights[0].shape[1] == weights[2].shape[0]


def _build(state: State) -> tuple[Network, State]:
    first, second, third = (state[f"conv{i}.weight"].shape for i in (1, 2, 3))
    sides = (first[-1], second[-1], third[-1])
    return SRCNN(first[1], sides, (first[0], second[0])), state


DESIGN = Design("SRCNN", _detect, _build)
