"""LapSRN (Lai et al., CVPR 2017): doubles the size, and adds what is lacking, level by level."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from srqa.models.networks.base import Design, Network, State, count, has
from srqa.models.networks.layers import convolution


class _Features(nn.Module):
    """Convolutions with leaky ReLU, then a transposed one that doubles the size."""

    def __init__(self, features: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [convolution(features, features, bias=False), nn.LeakyReLU(0.2)]
        layers += [nn.ConvTranspose2d(features, features, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        self.cov_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.cov_block(x)
        return result


class LapSRN(Network):
    """A pyramid of levels, which gives every power of 2 up to its last level's."""

    def __init__(
        self, levels: int = 2, depth: int = 10, channels: int = 1, features: int = 64
    ) -> None:
        super().__init__()
        self.scales = tuple(2 ** (level + 1) for level in range(levels))
        self.channels = channels
        reach = 1
        for _ in range(levels):
            reach = (reach + 2) // 2 + depth
        self.halo = reach + 1
        self.conv_input = convolution(channels, features, bias=False)
        for level in range(1, levels + 1):
            enlarge = nn.ConvTranspose2d(channels, channels, 4, 2, 1, bias=False)
            self.add_module(f"convt_I{level}", enlarge)
            self.add_module(f"convt_R{level}", convolution(features, channels, bias=False))
            self.add_module(f"convt_F{level}", nn.Sequential(_Features(features, depth)))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, channels, h, w) to the results of all levels, twice as large each time."""
        features = functional.leaky_relu(self.conv_input(x), 0.2)
        results = [x]
        for level in range(1, len(self.scales or ()) + 1):
            features = self.get_submodule(f"convt_F{level}")(features)
            coarse = self.get_submodule(f"convt_I{level}")(results[-1])
            results.append(coarse + self.get_submodule(f"convt_R{level}")(features))
        return results[1:]

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures)[(self.scales or ()).index(int(scale))]


def _build(state: State) -> tuple[Network, State]:
    levels = sum(name.startswith("convt_I") for name in state)
    features, channels = state["conv_input.weight"].shape[:2]
    depth = (count(state, "convt_F1.0.cov_block") - 1) // 2
    return LapSRN(levels, depth, channels, features), state


DESIGN = Design(
    "LapSRN", has("conv_input.weight", "convt_I1.weight", "convt_F1.0.cov_block.0.weight"), _build
)
