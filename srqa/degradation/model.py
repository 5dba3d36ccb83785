"""How a degradation is described before chance has its say, and how a picture goes through it."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from srqa.degradation import steps as stages
from srqa.degradation.kernels import Disk, Gaussian, Kernel, Motion, Taps, taps
from srqa.degradation.sampling import check_scale, low_size
from srqa.degradation.steps import Blur, Compress, Downsample, Method, Noise, Pixels, Step
from srqa.errors import InputError, UsageError
from srqa.images.resize import Border

Range: TypeAlias = float | tuple[float, float]
"""A value, or bounds between which one is drawn for each picture, evenly."""
KernelName = Literal["none", "gaussian", "aniso", "motion", "disk"]
METHODS: tuple[Method, ...] = ("bicubic", "bilinear", "lanczos", "area", "nearest")
KERNELS: tuple[KernelName, ...] = ("none", "gaussian", "aniso", "motion", "disk")


class Degradation(ABC):
    """From a high-resolution picture to a low-resolution one.

    `draw` settles what is left to chance, and gives steps that a manifest can hold; calling the
    object draws and applies at once, which is what a training loop wants.
    """

    name: str
    scale: float
    floating: bool
    """Between the steps pixels are floats; else integers are rounded after each."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> tuple[Step, ...]:
        """The steps of one picture."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """The settings as plain values, for a manifest."""

    def __call__(self, pixels: Any, rng: np.random.Generator) -> Any:
        """Degrade a picture, a patch, or a batch of them.

        Args:
            pixels: array (H, W) or (H, W, 3), uint8, uint16 or floats in [0, 1]; or a tensor
                (C, H, W) or (N, C, H, W) of floats in [0, 1], each picture drawing its own.
            rng: where all chance comes from.

        Returns:
            The same kind and dtype; sides are those of the high resolution divided by the scale,
            whatever does not fit being cut at the bottom and right.

        Raises:
            InputError: nothing would be left, or the picture is smaller than a kernel.
        """
        if isinstance(pixels, np.ndarray) or pixels.ndim < 4:
            return self.apply(pixels, self.draw(rng), rng)
        import torch

        return torch.stack([self(one, rng) for one in pixels])

    def apply(self, pixels: Any, steps: Sequence[Step], rng: np.random.Generator) -> Any:
        """Take one picture, array or tensor, through steps that are drawn already."""
        if isinstance(pixels, np.ndarray):
            return degrade_pixels(pixels, steps, rng, self.scale, floating=self.floating)
        import torch

        exact = torch.float64 if pixels.dtype == torch.float64 else torch.float32
        planes = pixels.detach().to("cpu", exact).numpy()
        image = planes[0] if planes.shape[0] == 1 else np.moveaxis(planes, 0, 2)
        made = torch.from_numpy(self.apply(np.ascontiguousarray(image), steps, rng))
        made = made[None] if made.ndim == 2 else made.permute(2, 0, 1).contiguous()
        return made.to(pixels)


def degrade_pixels(
    pixels: Pixels,
    steps: Sequence[Step],
    rng: np.random.Generator,
    scale: float,
    *,
    floating: bool = False,
) -> Pixels:
    """Cut what does not fit the scale and take the rest through the steps.

    Raises:
        InputError: nothing would be left, or the first kernel is larger than the picture.
    """
    low, high = low_size(pixels.shape[0], pixels.shape[1], scale)
    first = steps[0] if steps else None
    if isinstance(first, Blur) and (side := len(taps(first.kernel, first.between))) > min(high):
        raise InputError(
            f"{high[1]}x{high[0]} pixels are fewer than the {side}x{side} taps of the kernel"
        )
    return stages.apply(steps, pixels[: high[0], : high[1]], rng, low, floating=floating)


def stream(seed: int, name: str, use: str) -> np.random.Generator:
    """The random numbers of one picture for one use, whatever comes before or beside it.

    They come from Philox, a counter-based generator, whose key is a hash of the seed, of the
    picture's name and of the use.
    """
    text = f"{seed}\0{name}\0{use}".encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(text).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


@dataclass(frozen=True)
class Classical(Degradation):
    """``Y = (X * H) down s + noise``, and perhaps compression, as the literature has it.

    Attributes:
        scale: high over low resolution.
        name: of the preset that it comes from.
        kernel: the kind of H, or kernels of which one is drawn for each picture.
        sigma: of "gaussian" and "aniso", in pixels of the high resolution.
        sigma_y: of "aniso", the other axis.
        angle: of "aniso" and "motion", in degrees.
        length: of "motion". radius: of "disk". size: taps a side of a Gaussian, None for enough.
        blur_border: what lies outside the picture for H; None for that of `border`.
        down, border: how pixels of the low resolution come about, see `steps.Downsample`.
        photons: of Poisson noise, the mean count at white; None for none.
        noise: of Gaussian noise, in levels of 8 bits; it comes after Poisson noise.
        grey: noise is the same in all channels.
        codec: "jpeg", "webp" or None; quality: 1 to 100.

    Raises:
        UsageError: a value that makes no sense.
    """

    scale: float
    name: str = ""
    kernel: KernelName | tuple[Kernel, ...] = "none"
    sigma: Range = 1.6
    sigma_y: Range = (0.6, 5.0)
    angle: Range = (0.0, 180.0)
    length: Range = (5.0, 25.0)
    radius: Range = 2.0
    size: int | None = None
    blur_border: Border | None = None
    down: Method = "bicubic"
    border: Border = "mirror"
    photons: Range | None = None
    noise: Range = 0.0
    grey: bool = False
    codec: Literal["jpeg", "webp"] | None = None
    quality: Range = 40
    floating: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        check_scale(self.scale)
        if isinstance(self.kernel, str) and self.kernel not in KERNELS:
            raise UsageError(f"There is no kernel {self.kernel!r}; there are {', '.join(KERNELS)}.")
        if self.down not in METHODS:
            raise UsageError(
                f"There is no downsampling {self.down!r}; there are {', '.join(METHODS)}."
            )
        for border in (self.border, self.blur_border or "mirror"):
            if border not in ("mirror", "clamp"):
                raise UsageError(f"A border is mirror or clamp, not {border!r}.")
        if self.codec not in (None, "jpeg", "webp"):
            raise UsageError(f"A picture is compressed by jpeg or webp, not by {self.codec!r}.")
        check_range("Noise", self.noise, 0, 255)
        check_range("The quality", self.quality, 1, 100)
        check_range("An angle", self.angle, -360, 360)
        if self.photons is not None:
            check_range("The number of photons at white", self.photons, 1, 1e9)
        for bound in (0, 1):
            self._kernel(lambda value, at=bound: _bounds(value)[at])

    def _kernel(self, draw: Any) -> Kernel | None:
        if isinstance(self.kernel, tuple):
            return self.kernel[min(int(draw((0, len(self.kernel)))), len(self.kernel) - 1)]
        if self.kernel == "gaussian":
            return Gaussian(draw(self.sigma), size=self.size)
        if self.kernel == "aniso":
            sigma, across = draw(self.sigma), draw(self.sigma_y)
            return Gaussian(sigma, across, draw(self.angle), size=self.size)
        if self.kernel == "motion":
            return Motion(draw(self.length), draw(self.angle))
        return Disk(draw(self.radius)) if self.kernel == "disk" else None

    def draw(self, rng: np.random.Generator) -> tuple[Step, ...]:
        """The steps of one picture."""

        def value(one: Range) -> float:
            low, high = _bounds(one)
            return low if low == high else float(rng.uniform(low, high))

        steps: list[Step] = []
        kernel = self._kernel(value)
        if kernel is not None:
            between = self.down == "nearest" and self.scale % 2 == 0
            steps.append(Blur(kernel, self.blur_border or self.border, between))
        if self.scale != 1:
            steps.append(Downsample(self.scale, self.down, self.border))
        if self.photons is not None:
            steps.append(Noise("poisson", 1.0, self.grey, value(self.photons)))
        if (level := value(self.noise)) > 0:
            steps.append(Noise("gaussian", level, self.grey))
        if self.codec:
            steps.append(Compress(self.codec, round(value(self.quality))))
        return tuple(steps)

    def describe(self) -> dict[str, Any]:
        """The settings as plain values, for a manifest."""
        facts = {key: value for key, value in asdict(self).items() if key != "kernel"}
        if isinstance(self.kernel, str):
            return facts | {"kernel": self.kernel}
        sources = [k.source if isinstance(k, Taps) else str(k) for k in self.kernel]
        digest = hashlib.sha256(repr(self.kernel).encode()).hexdigest()
        return facts | {"kernel": sources, "kernel_sha256": digest}


def check_range(what: str, value: Range, low: float, high: float) -> None:
    """Refuse bounds that are out of order or beyond what makes sense.

    Raises:
        UsageError: saying so.
    """
    bounds = _bounds(value)
    if not (all(map(math.isfinite, bounds)) and low <= bounds[0] <= bounds[1] <= high):
        shown = f"{bounds[0]:g}" if bounds[0] == bounds[1] else f"{bounds[0]:g}:{bounds[1]:g}"
        raise UsageError(
            f"{what} is between {low:g} and {high:g}, or a range LOW:HIGH within; not {shown}."
        )


def _bounds(value: Range) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)
