"""FSRCNN (Dong et al., ECCV 2016): few channels in between, a transposed convolution at the end."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from srqa.models.networks.base import Design, Network, State, count, has
from srqa.models.networks.layers import convolution


class FSRCNN(Network):
    """FSRCNN(d, s, m); (56, 12, 4) has 12,464 weights.

    All scales have the same layers and differ in the stride of the last one, so that a checkpoint
    does not say which it was trained for.
    """

    scales = (2, 3, 4)
    ambiguous = True

    def __init__(self, channels: int = 1, d: int = 56, s: int = 12, m: int = 4) -> None:
        super().__init__()
        self.channels = channels
        self.halo = 2 + m + 2
        self.first_part = nn.Sequential(convolution(channels, d, 5), nn.PReLU(d))
        middle: list[nn.Module] = [convolution(d, s, 1), nn.PReLU(s)]
        for _ in range(m):
            middle += [convolution(s, s), nn.PReLU(s)]
        self.mid_part = nn.Sequential(*middle, convolution(s, d, 1), nn.PReLU(d))
        self.last_part = nn.ConvTranspose2d(d, channels, 9)

    def forward(self, x: Tensor, scale: int = 4) -> Tensor:
        """(N, channels, h, w) to (N, channels, scale h, scale w)."""
        x = self.mid_part(self.first_part(x))
        weight, bias = self.last_part.weight, self.last_part.bias
        return functional.conv_transpose2d(
            x, weight, bias, stride=scale, padding=4, output_padding=scale - 1
        )

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        return self.forward(pictures, int(scale))


def _build(state: State) -> tuple[Network, State]:
    d, channels = state["first_part.0.weight"].shape[:2]
    s = state["mid_part.0.weight"].shape[0]
    return FSRCNN(channels, d, s, count(state, "mid_part") // 2 - 2), state


DESIGN = Design(
    "FSRCNN",
    has("first_part.0.weight", "first_part.1.weight", "mid_part.0.weight", "last_part.weight"),
    _build,
)
