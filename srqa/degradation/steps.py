"""The steps that a degradation is made of, with nothing left to chance but the noise itself.

A step takes pixels and gives pixels of the same dtype, (H, W) or (H, W, 3). Integers are rounded
half up and clamped after each step, as MATLAB's functions do on uint8; floats lie in [0, 1] and
only noise and compression clip them.

Where samples lie: low-resolution pixel i stands at the middle of the s high-resolution pixels that
it covers, (i + 1/2) s - 1/2 counted from 0, as in MATLAB, for every kind of downsampling. Only
"nearest" must take a pixel there is: for odd s that is the middle one, for even s the one half a
pixel to the lower right, unless a blur before it is centred between pixels (`Blur.between`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from srqa.degradation import kernels
from srqa.degradation.kernels import Kernel
from srqa.degradation.sampling import area_weights
from srqa.errors import UsageError
from srqa.images.colour import gray
from srqa.images.resize import Border, contributions, resample
from srqa.images.resize import Kernel as Interpolation
from srqa.images.write import compress, decompress

Pixels: TypeAlias = npt.NDArray[Any]
Size: TypeAlias = tuple[int, int]
Method = Literal["bicubic", "bilinear", "lanczos", "area", "nearest"]


@dataclass(frozen=True, slots=True)
class Blur:
    """Convolution with a kernel.

    Attributes:
        kernel: what to convolve with.
        border: what lies outside: the edge ("clamp"), the mirrored picture ("mirror"), or the
            picture mirrored at its last pixel ("reflect").
        between: the kernel lies around the upper left corner of each pixel, for a decimation by an
            even factor after it.
    """

    kernel: Kernel
    border: Literal["mirror", "clamp", "reflect"] = "mirror"
    between: bool = False

    def __call__(self, pixels: Pixels, rng: np.random.Generator, low: Size) -> Pixels:
        """Blurred pixels."""
        import cv2

        taps = kernels.taps(self.kernel, self.between)
        borders = {
            "mirror": cv2.BORDER_REFLECT,
            "clamp": cv2.BORDER_REPLICATE,
            "reflect": cv2.BORDER_REFLECT_101,
        }
        turned = np.ascontiguousarray(taps[::-1, ::-1])
        return _by_plane(
            pixels, lambda plane: cv2.filter2D(plane, -1, turned, borderType=borders[self.border])
        )


@dataclass(frozen=True, slots=True)
class Downsample:
    """From high to low resolution, as MATLAB's ``imresize`` does: kernels widened by the scale.

    Attributes:
        scale: high over low resolution, at least 1.
        method: "bicubic" (a = -0.5), "bilinear", "lanczos" (three lobes), "area" (the mean of the
            pixels that are covered, by their covered parts), or "nearest" (one pixel of each).
        border: what lies outside, as of `imresize`.
    """

    scale: float
    method: Method = "bicubic"
    border: Border = "mirror"

    def __call__(self, pixels: Pixels, rng: np.random.Generator, low: Size) -> Pixels:
        """Pixels of the low resolution."""
        for axis in (0, 1):
            side = pixels.shape[axis]
            if self.method == "area":
                table = area_weights(side, low[axis], self.scale)
            else:
                names: dict[str, Interpolation] = {"lanczos": "lanczos3"}
                kernel: Interpolation = names.get(self.method, self.method)  # type: ignore[arg-type]
                factor = 1 / self.scale
                table = contributions(side, low[axis], factor, kernel, True, self.border)
            pixels = _resample_planes(pixels, table, axis)
        return pixels


@dataclass(frozen=True, slots=True)
class Rescale:
    """Up or down without widening the kernel, as networks' libraries do: shrinking may alias.

    "bicubic" has a = -0.75 and "bilinear" is the usual one (OpenCV's, torch's); "area" is the mean
    of what is covered. The corners of the picture stay where they are.

    Attributes:
        factor: output over input, or over the low resolution.
        of: what the factor is relative to: the "picture" as it comes, or the "low" resolution.
        method: "bicubic", "bilinear" or "area".
    """

    factor: float
    of: Literal["picture", "low"] = "picture"
    method: Method = "bicubic"

    def __call__(self, pixels: Pixels, rng: np.random.Generator, low: Size) -> Pixels:
        """Pixels of another size, at least one."""
        import cv2

        base = pixels.shape[:2] if self.of == "picture" else low
        height, width = (max(1, int(side * self.factor + 1e-6)) for side in base)
        if self.method == "area":
            for axis, side in enumerate((height, width)):
                table = area_weights(pixels.shape[axis], side, pixels.shape[axis] / side)
                pixels = _resample_planes(pixels, table, axis)
            return pixels
        kind = {"bicubic": cv2.INTER_CUBIC, "bilinear": cv2.INTER_LINEAR}[self.method]
        return _by_plane(pixels, lambda plane: cv2.resize(plane, (width, height), None, 0, 0, kind))


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise, clipped to the range of the pixels.

    Attributes:
        kind: "gaussian" or "poisson".
        level: of Gaussian noise the standard deviation in levels of 8 bits; Poisson noise is
            multiplied by it, so 1 is Poisson noise as it is.
        grey: the same in all channels (Poisson: that of the picture in grey), instead of each
            channel's own.
        photons: of Poisson noise, the mean count at full white; None takes the number of levels
            that the picture has, rounded up to a power of 2, as Real-ESRGAN does.
    """

    kind: Literal["gaussian", "poisson"] = "gaussian"
    level: float = 1.0
    grey: bool = False
    photons: float | None = None

    def __call__(self, pixels: Pixels, rng: np.random.Generator, low: Size) -> Pixels:
        """Noisy pixels."""
        full = _full(pixels)
        if self.kind == "gaussian":
            shape = pixels.shape[:2] if self.grey else pixels.shape
            noise = rng.standard_normal(shape, np.float32) * np.float32(self.level / 255 * full)
        else:
            unit = np.clip(pixels / np.float64(full), 0, 1)
            if self.grey and pixels.ndim == 3:
                unit = gray(unit.transpose(2, 0, 1))[0]
            photons = self.photons or _levels(unit)
            counts = rng.poisson(unit * photons)
            noise = (counts / photons - unit).astype(np.float32) * np.float32(self.level * full)
        if noise.ndim < pixels.ndim:
            noise = noise[..., None]
        return _rounded(np.clip(pixels + noise, 0, full), pixels.dtype)


@dataclass(frozen=True, slots=True)
class Compress:
    """Into a JPEG or WebP of 8 bits and back; colours at half resolution.

    Attributes:
        codec: "jpeg" (libjpeg-turbo) or "webp" (libwebp).
        quality: 1 to 100.
    """

    codec: Literal["jpeg", "webp"]
    quality: int

    def __call__(self, pixels: Pixels, rng: np.random.Generator, low: Size) -> Pixels:
        """What is left of the pixels."""
        channels = 1 if pixels.ndim == 2 else 3
        found = decompress(self.file(pixels), self.codec, channels)
        if pixels.dtype == np.uint8:
            return found
        if pixels.dtype == np.uint16:
            return found.astype(np.uint16) * np.uint16(257)
        unit: Pixels = found / np.float64(255)
        return unit.astype(pixels.dtype)

    def file(self, pixels: Pixels) -> bytes:
        """The file itself."""
        return compress(as_8_bits(pixels), self.codec, self.quality)


Step: TypeAlias = Blur | Downsample | Rescale | Noise | Compress
KINDS: dict[str, type[Step]] = {
    "blur": Blur,
    "downsample": Downsample,
    "rescale": Rescale,
    "noise": Noise,
    "compress": Compress,
}


def apply(
    steps: Sequence[Step], pixels: Pixels, rng: np.random.Generator, low: Size, *, floating: bool
) -> Pixels:
    """Take pixels through steps.

    Args:
        steps: one after the other.
        pixels: (H, W) or (H, W, 3); uint8, uint16, or floats in [0, 1].
        rng: what noise comes from.
        low: (height, width) of the low resolution.
        floating: between the steps integers are floats, and rounded once, at the end.

    Returns:
        Pixels of the same dtype.
    """
    dtype = pixels.dtype
    if floating and dtype.kind == "u":
        pixels = pixels / np.float32(_full(pixels))
    for step in steps:
        pixels = step(pixels, rng, low)
    if pixels.dtype != dtype:
        pixels = _rounded(np.clip(pixels, 0, 1) * np.iinfo(dtype).max, dtype)
    return np.ascontiguousarray(pixels)


def to_dict(step: Step) -> dict[str, Any]:
    """The step as plain values, for a manifest."""
    name = next(name for name, one in KINDS.items() if type(step) is one)
    values = {f.name: getattr(step, f.name) for f in fields(step)}
    if isinstance(step, Blur):
        values["kernel"] = kernels.to_dict(step.kernel)
        return {"step": name} | values
    return {"step": name} | asdict(step)


def from_dict(facts: Mapping[str, Any]) -> Step:
    """What `to_dict` gave.

    Raises:
        UsageError: it describes no step.
    """
    values = dict(facts)
    try:
        kind = KINDS[values.pop("step")]
        if kind is Blur:
            values["kernel"] = kernels.from_dict(values["kernel"])
        return kind(**values)
    except (KeyError, TypeError) as error:
        raise UsageError(f"This describes no step of a degradation: {facts!r:.200}.") from error


def as_8_bits(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Pixels of any depth, rounded half up and clamped to 8 bits."""
    if pixels.dtype == np.uint8:
        return pixels
    unit = np.clip(pixels / np.float64(_full(pixels)), 0, 1)
    return _rounded(unit * 255, np.dtype(np.uint8))


def _by_plane(pixels: Pixels, function: Any) -> Pixels:
    """A function of planes, which sees integers as float64 for the sake of exact rounding."""
    planes = [pixels] if pixels.ndim == 2 else [pixels[..., c] for c in range(pixels.shape[2])]
    made = []
    for plane in planes:
        wide = plane.astype(np.float64) if plane.dtype.kind == "u" else plane
        result = function(np.ascontiguousarray(wide))
        if plane.dtype.kind == "u":
            result = _rounded(np.clip(result, 0, _full(plane)), plane.dtype)
        made.append(result)
    return made[0] if pixels.ndim == 2 else np.stack(made, axis=2)


def _resample_planes(pixels: Pixels, table: tuple[Any, Any], axis: int) -> Pixels:
    """`resample`, a channel at a time: a third of the memory."""
    if pixels.ndim == 2:
        plane: Pixels = resample(pixels, *table, axis)
        return plane
    planes = [resample(pixels[..., c], *table, axis) for c in range(pixels.shape[2])]
    return np.stack(planes, axis=2)


def _full(pixels: Pixels) -> int:
    return int(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else 1


def _levels(unit: Pixels) -> float:
    """How many of 256 levels a picture has, rounded up to a power of 2."""
    used = np.unique(np.rint(unit * 255).astype(np.uint8)).size
    return float(2 ** np.ceil(np.log2(max(used, 2))))


def _rounded(values: Pixels, dtype: np.dtype[Any]) -> Pixels:
    rounded: Pixels = np.floor(values + 0.5) if dtype.kind == "u" else values
    return rounded.astype(dtype)
