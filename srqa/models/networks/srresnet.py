"""SRResNet and SRGAN (Ledig et al., CVPR 2017), and BasicSR's SRResNet without normalisation."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor, nn
from torch.nn import functional

from srqa.models.networks.base import Design, Network, State, count, has, renamed
from srqa.models.networks.layers import Residual, convolution, shuffle_reach


class _Normalised(nn.Module):
    """Convolution, batch normalisation, PReLU, convolution, normalisation, added to the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = convolution(features, features)
        self.bn1 = nn.BatchNorm2d(features)
        self.prelu = nn.PReLU()
        self.conv2 = convolution(features, features)
        self.bn2 = nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x)))))
        return x + found


class _Doubling(nn.Module):
    """Sub-pixel convolution to twice the size, then PReLU."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv = convolution(features, 4 * features)
        self.prelu = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.prelu(functional.pixel_shuffle(self.conv(x), 2))
        return result


class SRResNet(Network):
    """The generator of SRGAN: 16 blocks of 64 features at x4 in the paper.

    Args:
        scale: a power of 2.
        blocks: residual blocks.
        features: channels between layers.
        squash: end with (tanh + 1) / 2, as the best known port does and the paper does not.
    """

    def __init__(
        self, scale: int = 4, blocks: int = 16, features: int = 64, *, squash: bool = False
    ) -> None:
        super().__init__()
        self.scales = (scale,)
        self.channels = 3
        self.halo = 4 + 2 * blocks + 1 + shuffle_reach(scale, 4)
        self.squash = squash
        self.head = nn.Sequential(convolution(3, features, 9), nn.PReLU())
        self.blocks = nn.Sequential(*(_Normalised(features) for _ in range(blocks)))
        self.fusion = nn.Sequential(convolution(features, features), nn.BatchNorm2d(features))
        doublings = [_Doubling(features) for _ in range(round(math.log2(scale)))]
        self.tail = nn.Sequential(*doublings, convolution(features, 3, 9))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, h, w) to (N, 3, scale h, scale w), in [0, 1]."""
        x = self.head(x)
        result: Tensor = self.tail(x + self.fusion(self.blocks(x)))
        return (torch.tanh(result) + 1) / 2 if self.squash else result

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures)


class MSRResNet(Network):
    """BasicSR's SRResNet: no normalisation, and the bilinear enlargement added; 1.52 M at x4.

    Args:
        scale: 2, 3 or 4.
        blocks: residual blocks.
        features: channels between layers.
        channels: of the pictures.
    """

    def __init__(self, scale: int = 4, blocks: int = 16, features: int = 64, channels: int = 3):
        super().__init__()
        self.scales = (scale,)
        self.channels = channels
        self.halo = 1 + 2 * blocks + shuffle_reach(scale, 2)
        self.steps = (2, 2) if scale == 4 else (scale,)
        self.conv_first = convolution(channels, features)
        self.body = nn.Sequential(*(Residual(features) for _ in range(blocks)))
        for i, step in enumerate(self.steps, 1):
            self.add_module(f"upconv{i}", convolution(features, features * step**2))
        self.conv_hr = convolution(features, features)
        self.conv_last = convolution(features, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) to (N, channels, scale h, scale w), in [0, 1]."""
        base = functional.interpolate(
            x, scale_factor=math.prod(self.steps), mode="bilinear", align_corners=False
        )
        x = self.body(functional.leaky_relu(self.conv_first(x), 0.1))
        for i, step in enumerate(self.steps, 1):
            x = functional.pixel_shuffle(self.get_submodule(f"upconv{i}")(x), step)
            x = functional.leaky_relu(x, 0.1)
        result: Tensor = self.conv_last(functional.leaky_relu(self.conv_hr(x), 0.1))
        return result + base

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures)


_OWN = has("head.0.weight", "blocks.0.bn1.weight", "fusion.0.weight", "tail.0.conv.weight")
_PORT = has("block1.0.weight", "block2.conv1.weight", "block2.bn1.weight", "block2.prelu.weight")


def _build_normalised(state: State) -> tuple[Network, State]:
    """As `SRResNet` names it, or as the PyTorch port of SRGAN by leftthomas does."""
    if _OWN(state):
        doublings = count(state, "tail") - 1
        features = state["head.0.weight"].shape[0]
        return SRResNet(2**doublings, count(state, "blocks"), features), state
    blocks = sum(name.endswith(".bn1.weight") for name in state)
    doublings = sum(bool(re.fullmatch(r"block\d+\.\d+\.conv\.weight", name)) for name in state)
    features = state["block1.0.weight"].shape[0]
    network = SRResNet(2**doublings, blocks, features, squash=True)
    return network, renamed(state, lambda name: _port(name, blocks))


def _port(name: str, blocks: int) -> str:
    head, _, rest = name.partition(".")
    place = int(head.removeprefix("block"))
    if place == 1:
        return f"head.{rest}"
    if place <= blocks + 1:
        return f"blocks.{place - 2}.{rest}"
    return f"{'fusion' if place == blocks + 2 else 'tail'}.{rest}"


def _build_modified(state: State) -> tuple[Network, State]:
    features, channels = state["conv_first.weight"].shape[:2]
    scale = math.isqrt(state["upconv1.weight"].shape[0] // features)
    scale = 4 if "upconv2.weight" in state else scale
    return MSRResNet(scale, count(state, "body"), features, channels), state


DESIGN = Design(
    "SRResNet",
    lambda state: _OWN(state) or _PORT(state),
    _build_normalised,
)
MODIFIED = Design(
    "MSRResNet",
    has("conv_first.weight", "body.0.conv1.weight", "upconv1.weight", "conv_hr.weight"),
    _build_modified,
)
