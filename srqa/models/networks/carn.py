"""CARN and CARN-M (Ahn et al., ECCV 2018): cascading residual blocks, for x2, x3 and x4 at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from srqa.models.networks.base import Design, Network, State, has
from srqa.models.networks.layers import convolution, mean_shift, shuffle_reach


class _Fused(nn.Module):
    """A 1x1 convolution and ReLU."""

    def __init__(self, maps: int, features: int) -> None:
        super().__init__()
        self.body = nn.Sequential(convolution(maps * features, features, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x)
        return result


class _Residual(nn.Module):
    """Two convolutions; with groups, a 1x1 one after them that mixes the groups."""

    def __init__(self, features: int, groups: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            convolution(features, features, groups=groups),
            nn.ReLU(),
            convolution(features, features, groups=groups),
        ]
        if groups > 1:
            layers += [nn.ReLU(), convolution(features, features, 1)]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + x)


class _Cascade(nn.Module):
    """Three members, each given a 1x1 fusion of all results before it."""

    def __init__(
        self, make: Callable[[], nn.Module], features: int, *, shared: bool = False
    ) -> None:
        super().__init__()
        self.shared = shared
        for i in range(1, 2 if shared else 4):
            self.add_module(f"b{i}", make())
        self.c1, self.c2, self.c3 = (_Fused(maps, features) for maps in (2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        maps = x
        for i, fuse in enumerate((self.c1, self.c2, self.c3), 1):
            member = self.get_submodule("b1" if self.shared else f"b{i}")
            maps = torch.cat([maps, member(x)], dim=1)
            x = fuse(maps)
        return x


class _Enlargement(nn.Module):
    """Sub-pixel convolution with ReLU; twice for x4."""

    def __init__(self, features: int, scale: int, groups: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for step in (2, 2) if scale == 4 else (scale,):
            layers += [convolution(features, features * step**2, groups=groups), nn.ReLU()]
            layers += [nn.PixelShuffle(step)]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x)
        return result


class CARN(_Cascade, Network):
    """CARN has 1,592 k parameters, CARN-M, whose convolutions have 4 groups, 412 k.

    Args:
        scales: those that it was trained for.
        groups: of the 3x3 convolutions; with more than 1, blocks repeat one residual block thrice.
        features: channels between layers.
        several: whether the layers of a scale are named as those of one of several.
    """

    def __init__(
        self,
        scales: tuple[int, ...] = (2, 3, 4),
        groups: int = 1,
        features: int = 64,
        *,
        several: bool = True,
    ) -> None:
        super().__init__(
            lambda: _Cascade(lambda: _Residual(features, groups), features, shared=groups > 1),
            features,
        )
        self.scales = scales
        self.channels = 3
        self.halo = 1 + 3 * 3 * 2 + shuffle_reach(max(scales), 1)
        self.several = several
        self.sub_mean = mean_shift(-1)
        self.entry = convolution(3, features)
        self.upsample = nn.ModuleDict(
            {
                f"up{scale if several else ''}": _Enlargement(features, scale, groups)
                for scale in scales
            }
        )
        self.exit = convolution(features, 3)
        self.add_mean = mean_shift(1)

    def forward(self, x: Tensor, scale: int = 4) -> Tensor:
        """(N, 3, h, w) to (N, 3, scale h, scale w), in [0, 1]."""
        x = super().forward(self.entry(self.sub_mean(x)))
        x = self.upsample[f"up{scale if self.several else ''}"](x)
        result: Tensor = self.add_mean(self.exit(x))
        return result

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures, int(scale))


def _build(state: State) -> tuple[Network, State]:
    features = state["entry.weight"].shape[0]
    groups = features // state["b1.b1.body.0.weight"].shape[1]
    several = "upsample.up2.body.0.weight" in state
    scales: tuple[int, ...] = (2, 3, 4)
    if not several:
        step = math.isqrt(state["upsample.up.body.0.weight"].shape[0] // features)
        scales = (4 if "upsample.up.body.3.weight" in state else step,)
    network = CARN(scales, groups, features, several=several)
    own = network.state_dict()
    plain = {name.replace("_mean.shifter.", "_mean."): number for name, number in state.items()}
    return network, {name: number for name, number in own.items() if "_mean." in name} | plain


DESIGN = Design(
    "CARN", has("entry.weight", "exit.weight", "b1.b1.body.0.weight", "c3.body.0.weight"), _build
)
