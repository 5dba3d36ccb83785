"""Blur kernels: what each is, and its taps on the grid of pixels.

A kernel is convolved with the picture, and it is centred: its taps lie symmetrically around the
middle of their array, which has an odd side for a kernel around a pixel and an even side for one
around the corner of four pixels (`between`). So no kernel moves the picture.

References: Gaussian and motion kernels are the usual ones; the generalised Gaussian, the plateau
and the circular low-pass (sinc) are those of Wang et al., "Real-ESRGAN", ICCVW 2021.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from srqa.errors import UsageError

Array: TypeAlias = npt.NDArray[np.float64]
LARGEST = 255
"""Taps a side."""
_FINE = 32
"""Parts of a pixel, along each axis, on which discs and lines are drawn."""


@dataclass(frozen=True, slots=True)
class Gaussian:
    """A Gaussian, or with another `power` or as a `plateau` one of its relatives.

    With q = x' C^-1 x, where C has the eigenvalues sigma^2 and sigma_y^2, a tap is exp(-q^power/2),
    or for a plateau 1 / (1 + q^power).

    Attributes:
        sigma: standard deviation in pixels along the axis at `angle`.
        sigma_y: along the other; None for the same.
        angle: degrees, counterclockwise from the horizontal.
        power: 1 for the Gaussian itself.
        plateau: the flat-topped relative.
        size: taps a side; None for three standard deviations on each side.
    """

    sigma: float
    sigma_y: float | None = None
    angle: float = 0.0
    power: float = 1.0
    plateau: bool = False
    size: int | None = None

    def __post_init__(self) -> None:
        for sigma in (self.sigma, self.sigma if self.sigma_y is None else self.sigma_y):
            _check("The standard deviation of a Gaussian kernel", sigma, 0.01, 40)
        _check("The power of a Gaussian kernel", self.power, 0.1, 20)
        _check_size(self.size)

    def draw(self, between: bool) -> Array:
        """Taps, not yet normalised."""
        across = self.sigma if self.sigma_y is None else self.sigma_y
        x, y = _grid(_side(self.size, 3 * max(self.sigma, across), between))
        turn = math.radians(self.angle)
        u = (x * math.cos(turn) - y * math.sin(turn)) / self.sigma
        v = (x * math.sin(turn) + y * math.cos(turn)) / across
        q = (u * u + v * v) ** self.power
        taps: Array = 1 / (1 + q) if self.plateau else np.exp(-0.5 * q)
        return taps


@dataclass(frozen=True, slots=True)
class Motion:
    """The track of a point that moves at constant speed along a straight line.

    Attributes:
        length: pixels.
        angle: degrees, counterclockwise from the horizontal.
    """

    length: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        _check("The length of a motion kernel", self.length, 1, LARGEST - 4)

    def draw(self, between: bool) -> Array:
        """Taps, not yet normalised."""
        side = _side(None, self.length / 2 + 1, between)
        steps = math.ceil(self.length * _FINE)
        along = ((np.arange(steps) + 0.5) / steps - 0.5) * self.length
        turn = math.radians(self.angle)
        x = along * math.cos(turn) + (side - 1) / 2
        y = -along * math.sin(turn) + (side - 1) / 2
        taps = np.zeros((side, side))
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        for i in (0, 1):
            for j in (0, 1):
                share = (1 - np.abs(x - left - i)) * (1 - np.abs(y - top - j))
                np.add.at(taps, (top + j, left + i), share)
        return taps


@dataclass(frozen=True, slots=True)
class Disk:
    """A lens out of focus: the same weight everywhere within a circle.

    Attributes:
        radius: pixels.
    """

    radius: float

    def __post_init__(self) -> None:
        _check("The radius of a disk kernel", self.radius, 0.5, LARGEST / 2 - 1)

    def draw(self, between: bool) -> Array:
        """Taps, not yet normalised: the part of each pixel that lies in the circle."""
        side = _side(None, self.radius + 0.5, between)
        x, y = _grid(side * _FINE)
        inside = np.hypot(x, y) <= self.radius * _FINE
        taps: Array = inside.reshape(side, _FINE, side, _FINE).mean((1, 3))
        return taps


@dataclass(frozen=True, slots=True)
class Sinc:
    """An ideal low-pass, circular, cut off by its window: rings around edges.

    Attributes:
        cutoff: radians a pixel, at most pi.
        size: taps a side.
    """

    cutoff: float
    size: int = 21

    def __post_init__(self) -> None:
        _check("The cutoff of a sinc kernel", self.cutoff, 0.05, math.pi)
        _check_size(self.size)

    def draw(self, between: bool) -> Array:
        """Taps, not yet normalised."""
        from scipy.special import j1

        radius = np.hypot(*_grid(_side(self.size, 0, between)))
        away = np.where(radius > 0, radius, 1)
        ring = self.cutoff * j1(self.cutoff * away) / (2 * np.pi * away)
        taps: Array = np.where(radius > 0, ring, self.cutoff**2 / (4 * np.pi))
        return taps


@dataclass(frozen=True, slots=True)
class Taps:
    """A kernel that is given by its values.

    Attributes:
        values: rows of the kernel.
        source: where it comes from, for the manifest.
    """

    values: tuple[tuple[float, ...], ...]
    source: str = ""

    def draw(self, between: bool) -> Array:
        """The values, moved by a part of a pixel where their centre of mass is not the middle."""
        return _centred(np.array(self.values, np.float64), between)


Kernel: TypeAlias = Gaussian | Motion | Disk | Sinc | Taps
KINDS: dict[str, type[Kernel]] = {
    "gaussian": Gaussian,
    "motion": Motion,
    "disk": Disk,
    "sinc": Sinc,
    "taps": Taps,
}


@lru_cache(maxsize=256)
def taps(kernel: Kernel, between: bool = False) -> Array:
    """The kernel's weights, which sum to 1: (n, n), n odd, or even if it lies `between` pixels.

    Example:
        >>> taps(Gaussian(1.6, size=7)).shape, taps(Gaussian(1.6), between=True).shape
        ((7, 7), (12, 12))
    """
    drawn = kernel.draw(between)
    total: Array = drawn / drawn.sum()
    total.setflags(write=False)
    return total


def centre_of_mass(values: Array) -> tuple[float, float]:
    """How far below and to the right of the array's middle the weights balance, in pixels."""
    total = values.sum()
    down, right = (
        float((values.sum(1 - axis) * (np.arange(n) - (n - 1) / 2)).sum() / total)
        for axis, n in enumerate(values.shape)
    )
    return down, right


def to_dict(kernel: Kernel) -> dict[str, Any]:
    """The kernel as plain values, for a manifest."""
    kind = next(name for name, one in KINDS.items() if type(kernel) is one)
    return {"kind": kind} | asdict(kernel)


def from_dict(facts: Mapping[str, Any]) -> Kernel:
    """What `to_dict` gave.

    Raises:
        UsageError: it describes no kernel.
    """
    values = dict(facts)
    try:
        kind = KINDS[values.pop("kind")]
        if kind is Taps:
            values["values"] = tuple(tuple(float(v) for v in row) for row in values["values"])
        return kind(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"This describes no kernel: {facts!r:.200}.") from error


def _grid(side: int) -> tuple[Array, Array]:
    """Coordinates around the middle, to the right and up to down."""
    at = np.arange(side) - (side - 1) / 2
    x, y = np.meshgrid(at, at)
    return x, y


def _side(size: int | None, reach: float, between: bool) -> int:
    """Taps a side: those asked for or needed, and one more where the parity is the other."""
    side = 2 * math.ceil(reach) + 1 if size is None else size
    return min(side + (side % 2 == between), LARGEST + between)


def _centred(values: Array, between: bool) -> Array:
    """Values with their centre of mass in the middle of a square of the right parity.

    They move by linear interpolation, which is exact for whole pixels.
    """
    down, right = centre_of_mass(values)
    top, left = ((n - 1) / 2 + move for n, move in zip(values.shape, (down, right), strict=True))
    height, width = values.shape
    reach = math.ceil(max(top, left, height - 1 - top, width - 1 - left) - 1e-9 + between / 2)
    side = 2 * reach + 1 + (1 if between else 0)
    moved = np.zeros((side, side))
    y = np.arange(height) - top + (side - 1) / 2
    x = np.arange(width) - left + (side - 1) / 2
    rows, columns = _spread(y, side), _spread(x, side)
    moved = rows.T @ values @ columns
    used = np.abs(moved) > 1e-12 * np.abs(moved).max()
    trim = min(
        int(np.argmax(used.any(1))), int(np.argmax(used.any(1)[::-1])),
        int(np.argmax(used.any(0))), int(np.argmax(used.any(0)[::-1])),
    )  # fmt: skip
    return moved[trim : side - trim, trim : side - trim]


def _spread(places: Array, side: int) -> Array:
    """Each place's share of the whole numbers beside it, (places, side)."""
    shares: Array = np.clip(1 - np.abs(places[:, None] - np.arange(side)[None]), 0, 1)
    shares[shares < 1e-9] = 0
    return shares


def _check(what: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{what} is between {low:g} and {high:g}, not {value:g}.")


def _check_size(size: int | None) -> None:
    if size is not None and not 1 <= size <= LARGEST:
        raise UsageError(f"A kernel has 1 to {LARGEST} taps a side, not {size}.")
