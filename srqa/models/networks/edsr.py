"""EDSR (Lim et al., CVPRW 2017): residual blocks without batch normalisation, or with it."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from srqa.models.networks.base import Design, Network, State, count, has, renamed
from srqa.models.networks.layers import (
    DIV2K_MEAN,
    Residual,
    convolution,
    mean_shift,
    shuffle_reach,
    shuffle_scale,
    shuffles,
)

_WIDE = 256
"""Features of the large EDSR, whose residuals are multiplied by 0.1; a checkpoint does not say."""


class _Normalised(Residual):
    """The block that EDSR's authors took the normalisation out of (their figure 2b)."""

    def __init__(self, features: int, gain: float = 1.0) -> None:
        super().__init__(features, gain)
        self.bn1 = nn.BatchNorm2d(features)
        self.bn2 = nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return x + self.gain * result


class EDSR(Network):
    """16 blocks of 64 features in the baseline (1.5 M at x4), 32 of 256 in EDSR (43 M).

    Args:
        scale: 2, 3, 4 or 8.
        blocks: residual blocks.
        features: channels between layers.
        peak: what white is inside the network; 255 where its authors trained it.
        normalised: blocks have batch normalisation, to see what it costs.
    """

    def __init__(
        self,
        scale: int = 4,
        blocks: int = 16,
        features: int = 64,
        peak: float = 255.0,
        *,
        normalised: bool = False,
    ) -> None:
        super().__init__()
        self.scales = (scale,)
        self.channels = 3
        self.halo = shuffle_reach(scale, 1) + 1 + 2 * blocks + 1
        self.peak = peak
        gain = 0.1 if features == _WIDE else 1.0
        self.sub_mean = mean_shift(-1, peak)
        self.conv_first = convolution(3, features)
        block = _Normalised if normalised else Residual
        self.body = nn.Sequential(*(block(features, gain) for _ in range(blocks)))
        self.conv_after_body = convolution(features, features)
        self.upsample = shuffles(features, scale)
        self.conv_last = convolution(features, 3)
        self.add_mean = mean_shift(1, peak)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, h, w) to (N, 3, scale h, scale w), in [0, 1]."""
        x = self.conv_first(self.sub_mean(x * self.peak))
        x = x + self.conv_after_body(self.body(x))
        result: Tensor = self.add_mean(self.conv_last(self.upsample(x)))
        return result / self.peak

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures)


def _detect(state: State) -> bool:
    """As EDSR-PyTorch names it, or as BasicSR does."""
    first = has("head.0.weight", "body.0.body.0.weight", "body.0.body.2.weight", "tail.0.0.weight")
    second = has("conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight",
                 "upsample.0.weight", "conv_last.weight")  # fmt: skip
    return first(state) or second(state)


def _build(state: State) -> tuple[Network, State]:
    if "head.0.weight" in state:
        last = count(state, "body") - 1
        state = renamed(state, lambda name: _name(name, last))
    state = dict(state)
    bias = state.get("sub_mean.bias")
    peak = 255.0 if bias is None else round(-float(bias[0]) / DIV2K_MEAN[0])
    features = state["conv_first.weight"].shape[0]
    normalised = "body.0.bn1.weight" in state
    blocks = count(state, "body")
    scale = shuffle_scale(state, "upsample")
    network = EDSR(scale, blocks, features, peak, normalised=normalised)
    for name, number in network.state_dict().items():
        if "_mean." in name:
            state.setdefault(name, torch.clone(number))
    return network, state


def _name(name: str, last: int) -> str:
    """BasicSR's name for EDSR-PyTorch's."""
    name = re.sub(r"^head\.0\.", "conv_first.", name)
    name = re.sub(rf"^body\.{last}\.(?=weight|bias)", "conv_after_body.", name)
    name = re.sub(r"^(body\.\d+)\.body\.([02])\.", _block, name)
    name = re.sub(r"^tail\.0\.", "upsample.", name)
    return re.sub(r"^tail\.1\.", "conv_last.", name)


def _block(match: re.Match[str]) -> str:
    return f"{match[1]}.conv{1 if match[2] == '0' else 2}."


DESIGN = Design("EDSR", _detect, _build)
