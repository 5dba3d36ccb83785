"""LIIF (Chen et al., CVPR 2021): any scale, by a small network that is asked for each pixel."""

from __future__ import annotations

import re
from itertools import pairwise

import torch
from torch import Tensor, nn

from srqa.models.networks.base import Design, Network, State, count, has, renamed
from srqa.models.networks.layers import Residual, convolution
from srqa.models.upscaler import enlarged

_AT_ONCE = 65_536
"""Output pixels that are asked for together, which bounds the memory."""


class EDSRFeatures(nn.Module):
    """EDSR without its enlargement: 64 features from 16 blocks."""

    def __init__(self, blocks: int = 16, features: int = 64) -> None:
        super().__init__()
        self.features = features
        self.halo = 1 + 2 * blocks + 1
        self.head = nn.Sequential(convolution(3, features))
        members = [Residual(features) for _ in range(blocks)]
        self.body = nn.Sequential(*members, convolution(features, features))

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(x)
        result: Tensor = self.body(x)
        return x + result


class _Grown(nn.Module):
    """A convolution and ReLU whose result is appended to its input."""

    def __init__(self, before: int, growth: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(convolution(before, growth), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(x)], dim=1)


class _Dense(nn.Module):
    """A residual dense block of RDN."""

    def __init__(self, features: int, growth: int, depth: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(*(_Grown(features + i * growth, growth) for i in range(depth)))
        self.LFF = convolution(features + depth * growth, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.LFF(self.convs(x))
        return result + x


class RDNFeatures(nn.Module):
    """RDN (Zhang et al., CVPR 2018) without its enlargement: 16 blocks of 8 convolutions."""

    def __init__(
        self, blocks: int = 16, depth: int = 8, features: int = 64, growth: int = 64
    ) -> None:
        super().__init__()
        self.features = features
        self.halo = 2 + blocks * depth + 1
        self.SFENet1 = convolution(3, features)
        self.SFENet2 = convolution(features, features)
        self.RDBs = nn.ModuleList(_Dense(features, growth, depth) for _ in range(blocks))
        self.GFF = nn.Sequential(
            convolution(blocks * features, features, 1), convolution(features, features)
        )

    def forward(self, x: Tensor) -> Tensor:
        first: Tensor = self.SFENet1(x)
        x = self.SFENet2(first)
        maps = []
        for block in self.RDBs:
            x = block(x)
            maps.append(x)
        result: Tensor = first + self.GFF(torch.cat(maps, dim=1))
        return result


class LIIF(Network):
    """Features of the input, and a perceptron that turns four of them into an output pixel.

    Args:
        encoder: what makes the features.
        widths: neurons of the perceptron's hidden layers.
    """

    scales = None

    def __init__(
        self, encoder: EDSRFeatures | RDNFeatures, widths: tuple[int, ...] = (256,) * 4
    ) -> None:
        super().__init__()
        self.channels = 3
        self.halo = encoder.halo + 2
        self.encoder = encoder
        sizes = (9 * encoder.features + 4, *widths)
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.imnet = nn.Module()
        self.imnet.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 3))

    def forward(self, x: Tensor, scale: float = 4.0) -> Tensor:
        """(N, 3, h, w) to (N, 3, H, W) with the sides of `enlarged`, in [0, 1]."""
        height, width = (enlarged(side, scale) for side in x.shape[-2:])
        # The first layer is linear in 3x3 features, so it is done once for each input pixel.
        start = self._start(self.encoder((x - 0.5) / 0.5))
        rows, columns = (
            _neighbours(size, side, scale, x)
            for size, side in ((height, x.shape[-2]), (width, x.shape[-1]))
        )
        step = max(1, _AT_ONCE // (width * x.shape[0]))
        bands = [
            self._pixels(
                start, [(i[a : a + step], d[a : a + step]) for i, d in rows], columns, scale
            )
            for a in range(0, height, step)
        ]
        return torch.cat(bands, dim=-2) * 0.5 + 0.5

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures, scale)

    def _linear(self, place: int) -> nn.Linear:
        layer = self.imnet.get_submodule(f"layers.{place}")
        if not isinstance(layer, nn.Linear):
            raise TypeError(f"layer {place} is no linear layer")
        return layer

    def _start(self, features: Tensor) -> Tensor:
        """The part of the first layer's result that comes from the features, (N, width, h, w)."""
        first = self._linear(0)
        channels = features.shape[1]
        kernel = first.weight[:, : 9 * channels].reshape(-1, channels, 3, 3)
        result: Tensor = nn.functional.conv2d(features, kernel, first.bias, padding=1)
        return result

    def _pixels(
        self,
        start: Tensor,
        rows: list[tuple[Tensor, Tensor]],
        columns: list[tuple[Tensor, Tensor]],
        scale: float,
    ) -> Tensor:
        """Rows of output pixels: the four nearest features' answers, weighed by area."""
        more = self._linear(0).weight[:, -4:]
        answers, areas = [], []
        for row, down in rows:
            for column, right in columns:
                shape = (len(down), len(right))
                where = torch.stack([down[:, None].expand(shape), right[None].expand(shape)])
                cell = torch.full_like(where, 2 / scale)
                hidden = start[:, :, row][:, :, :, column].permute(0, 2, 3, 1)
                hidden = hidden + torch.cat([where, cell]).permute(1, 2, 0) @ more.T
                answers.append(self.imnet.get_submodule("layers")[1:](hidden))  # type: ignore[index]
                areas.append((where[0] * where[1]).abs() + 1e-9)
        total = torch.stack(areas).sum(0)
        # Each answer counts by the area opposite to it.
        weighed = [a * (w / total)[..., None] for a, w in zip(answers, areas[::-1], strict=True)]
        return torch.stack(weighed).sum(0).permute(0, 3, 1, 2)


def _neighbours(size: int, side: int, scale: float, like: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Of each output pixel along an axis: the input pixel before it and the one after it.

    Returns:
        Twice (index of the input pixel, how far the output pixel lies from its centre, as LIIF
        measures it: 2 for the distance of two input pixels).
    """
    place = (torch.arange(size, dtype=torch.float64) + 0.5) / scale - 0.5
    found = []
    for shift in (-0.5, 0.5):
        index = (place + shift + 1e-6 * side / 2).round().clamp(0, side - 1)
        found.append((index.long().to(like.device), (2 * (place - index)).to(like)))
    return found


def _detect(state: State) -> bool:
    if not has("imnet.layers.0.weight")(state):
        return False
    return has("encoder.head.0.weight")(state) or has("encoder.SFENet1.weight")(state)


def _build(state: State) -> tuple[Network, State]:
    state = {name: number for name, number in state.items() if "_mean." not in name}
    encoder: EDSRFeatures | RDNFeatures
    if "encoder.SFENet1.weight" in state:
        growth = state["encoder.RDBs.0.convs.0.conv.0.weight"].shape[0]
        encoder = RDNFeatures(
            count(state, "encoder.RDBs"),
            count(state, "encoder.RDBs.0.convs"),
            state["encoder.SFENet1.weight"].shape[0],
            growth,
        )
    else:
        blocks = count(state, "encoder.body") - 1
        encoder = EDSRFeatures(blocks, state["encoder.head.0.weight"].shape[0])
        state = renamed(state, _name)
    places = range(0, count(state, "imnet.layers") - 1, 2)
    widths = tuple(state[f"imnet.layers.{place}.weight"].shape[0] for place in places)
    return LIIF(encoder, widths), state


def _name(name: str) -> str:
    name = re.sub(r"^(encoder\.body\.\d+)\.body\.0\.", r"\1.conv1.", name)
    return re.sub(r"^(encoder\.body\.\d+)\.body\.2\.", r"\1.conv2.", name)


DESIGN = Design("LIIF", _detect, _build)
