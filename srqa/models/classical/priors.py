"""What a picture is expected to look like: total variation and sparse wavelets.

A prior is ``||K x||``, K a linear operator and the norm one that is a sum of lengths; all that a
solver needs of it is K, its adjoint, a bound of its norm, and how its dual is kept within bounds.
Pictures are (H, W, P).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Prior(Protocol):
    """The operator K of a prior, for one size of picture."""

    @property
    def norm(self) -> float:
        """No less than the square of K's norm."""
        ...

    @property
    def ratio(self) -> float:
        """How large steps of the dual are, as of `solvers.primal_dual`: what converges fast."""
        ...

    def analyse(self, x: Tensor) -> Tensor:
        """K x, (M, H, W, P)."""
        ...

    def back(self, p: Tensor) -> Tensor:
        """K' p, (H, W, P)."""
        ...

    def lengths(self, p: Tensor) -> Tensor:
        """The lengths whose sum is the prior's value, to be broadcast against p."""
        ...


@dataclass(frozen=True, slots=True)
class TotalVariation:
    """The sum over pixels of the length of all channels' gradients together.

    Isotropic, with forward differences and none across the border; colour planes are coupled, so
    that their edges fall together (Bresson and Chan, "Fast dual minimization of the vectorial total
    variation norm", Inverse Problems and Imaging 2008). ``planes`` says how many planes are one
    picture.
    """

    planes: int
    norm: float = 8.0
    ratio: float = 8.0

    def analyse(self, x: Tensor) -> Tensor:
        """Differences downwards and to the right, (2, H, W, P)."""
        made = x.new_zeros((2, *x.shape))
        made[0, :-1] = x[1:] - x[:-1]
        made[1, :, :-1] = x[:, 1:] - x[:, :-1]
        return made

    def back(self, p: Tensor) -> Tensor:
        """The negative divergence."""
        down, right = p
        made = x_like(p)
        made[1:] += down[:-1]
        made[:-1] -= down[:-1]
        made[:, 1:] += right[:, :-1]
        made[:, :-1] -= right[:, :-1]
        return made

    def lengths(self, p: Tensor) -> Tensor:
        """(1, H, W, pictures, 1), of p seen as (2, H, W, pictures, planes)."""
        parted = p.reshape(*p.shape[:3], -1, self.planes)
        return (parted * parted).sum((0, 4), keepdim=True).sqrt()


@dataclass(frozen=True, slots=True)
class Haar:
    """The sum of absolute details of the undecimated Haar transform, each plane for itself.

    Each level takes half the sum and half the difference of pixels that are 2^level apart, along
    rows and along columns, over the mirrored picture.

    Attributes:
        levels: how often; those that are wider than the picture are left out.
    """

    levels: int
    ratio: float = 64.0

    @property
    def norm(self) -> float:
        """Along an axis K' K is (I + S' S) / 2; the mirrored shift S has at most 2, squared."""
        return 2.25**self.levels

    def analyse(self, x: Tensor) -> Tensor:
        """Details, (3 levels, H, W, P)."""
        import torch

        details = []
        for apart in self._steps(x):
            low, high = _halves(x, apart, 0)
            smooth, across = _halves(low, apart, 1)
            details += [across, *_halves(high, apart, 1)]
            x = smooth
        return torch.stack(details)

    def back(self, p: Tensor) -> Tensor:
        """The adjoint."""
        x = x_like(p)
        steps = self._steps(x)
        for level in range(len(steps) - 1, -1, -1):
            across, down, both = p[3 * level : 3 * level + 3]
            low = _halves_back(x, across, steps[level], 1)
            high = _halves_back(down, both, steps[level], 1)
            x = _halves_back(low, high, steps[level], 0)
        return x

    def lengths(self, p: Tensor) -> Tensor:
        """Absolute values."""
        return p.abs()

    def _steps(self, x: Tensor) -> list[int]:
        return [2**n for n in range(self.levels) if n == 0 or 2**n <= min(x.shape[:2])]


def _halves(x: Tensor, apart: int, axis: int) -> tuple[Tensor, Tensor]:
    """Half the sum and half the difference of pixels some way apart along an axis."""
    import torch

    side = x.shape[axis]
    tail = x.narrow(axis, side - apart, apart).flip(axis)
    other = torch.cat([x.narrow(axis, apart, side - apart), tail], axis)
    return (x + other) / 2, (x - other) / 2


def _halves_back(low: Tensor, high: Tensor, apart: int, axis: int) -> Tensor:
    """The adjoint of `_halves`."""
    side = low.shape[axis]
    made, other = (low + high) / 2, (low - high) / 2
    inside = other.narrow(axis, 0, side - apart)
    made.narrow(axis, apart, side - apart).add_(inside)
    made.narrow(axis, side - apart, apart).add_(other.narrow(axis, side - apart, apart).flip(axis))
    return made


def x_like(p: Tensor) -> Tensor:
    """A black picture of the size that belongs to a prior's values."""
    return p.new_zeros(p.shape[1:])
