"""VDSR (Kim et al., CVPR 2016): twenty convolutions that find what bicubic enlargement lacks."""

from __future__ import annotations

import re
from itertools import pairwise

import torch
from torch import Tensor, nn

from srqa.models.classical.interpolation import interpolate
from srqa.models.networks.base import Design, Network, State, count, renamed
from srqa.models.networks.layers import convolution


class VDSR(Network):
    """One network for all scales; 664,704 weights in the best known port, which has no biases."""

    scales = None

    def __init__(
        self, channels: int = 1, depth: int = 20, features: int = 64, *, bias: bool = False
    ) -> None:
        super().__init__()
        self.channels = channels
        self.halo = depth + 2
        widths = [channels, *[features] * (depth - 1), channels]
        self.layers = nn.ModuleList(
            convolution(before, after, bias=bias) for before, after in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        """A picture that is enlarged already, and comes back sharper."""
        found = x
        for layer in list(self.layers)[:-1]:
            found = torch.relu(layer(found))
        residual: Tensor = self.layers[-1](found)
        return x + residual

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(interpolate(pictures, scale))


def _detect(state: State) -> bool:
    """pytorch-vdsr names its layers in either of two ways, `VDSR` in a third."""
    if "residual_layer.0.conv.weight" in state:
        return {"input.weight", "output.weight"} <= state.keys()
    prefix = "layers" if "layers.0.weight" in state else "features"
    place = r"\d+" if prefix == "layers" else r"\d*[02468]"
    if not all(re.fullmatch(rf"{prefix}\.{place}\.(weight|bias)", name) for name in state):
        return False
    first, last = (state.get(f"{prefix}.{i}.weight") for i in (0, count(state, prefix) - 1))
    if first is None or last is None or first.ndim != 4:
        return False
    return first.shape[1] == last.shape[0] and first.shape[0] == last.shape[1]


def _build(state: State) -> tuple[Network, State]:
    if "input.weight" in state:
        depth = count(state, "residual_layer") + 2
        state = renamed(state, lambda name: _layer(name, depth))
    else:  # nothing changes where the names are `VDSR`'s own
        state = renamed(state, lambda name: re.sub(r"features\.(\d+)", _half, name))
        depth = count(state, "layers")
    first = state["layers.0.weight"]
    bias = "layers.0.bias" in state
    return VDSR(first.shape[1], depth, first.shape[0], bias=bias), state


def _layer(name: str, depth: int) -> str:
    name = re.sub(r"^input\.", "layers.0.", name)
    name = re.sub(r"^output\.", f"layers.{depth - 1}.", name)
    return re.sub(r"^residual_layer\.(\d+)\.conv", lambda m: f"layers.{int(m[1]) + 1}", name)


def _half(match: re.Match[str]) -> str:
    return f"layers.{int(match[1]) // 2}"


DESIGN = Design("VDSR", _detect, _build)
