"""What every decoder hands back, and the small steps that several of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FULL = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): 1}


class Unreadable(Exception):
    """A decoder gives up; `reason` continues a sentence that starts with the file's name."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(slots=True)
class Raw:
    """The stored values of a file before alpha, inks, colour profile and orientation.

    Attributes:
        pixels: (H, W), (H, W, 3) or with `cmyk` (H, W, 4); uint8, uint16 or float32, full range.
        lossy: the coding loses information.
        alpha: (H, W) of the same dtype as the pixels, or None.
        premultiplied: the pixels have been multiplied by alpha.
        cmyk: the four channels are inks, 0 is bare paper.
        orientation: EXIF orientation, 1 to 8.
        icc: the embedded ICC profile, or None.
        notes: short sentences without the file's name.
    """

    pixels: Array
    lossy: bool
    alpha: Array | None = None
    premultiplied: bool = False
    cmyk: bool = False
    orientation: int = 1
    icc: bytes | None = None
    notes: list[str] = field(default_factory=list)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse an empty picture and one that is larger than the policy allows."""
    if width < 1 or height < 1:
        raise Unreadable(f"is damaged: its header says {width}x{height} pixels")
    if width * height > max_pixels:
        raise Unreadable(
            f"is too large: its header says {width}x{height} pixels, the limit is {max_pixels}",
            "Raise max_pixels in the decode policy if the picture is meant to be that large.",
        )


def truncated(what: str = "the pixel data end too early") -> Unreadable:
    return Unreadable(f"is truncated: {what}")


def expand(values: Array, maximum: int) -> tuple[Array, str | None]:
    """Scale integers 0..maximum to the full range of uint8 or uint16, rounded to the nearest.

    Args:
        values: unsigned integers of any shape.
        maximum: the value that stands for white, 1 to 65535.

    Returns:
        Array of the same shape, uint8 if maximum is below 256 and else uint16, and a note if
        the values were changed.

    Raises:
        Unreadable: a value is above maximum.
    """
    dtype = np.dtype(np.uint8 if maximum < 256 else np.uint16)
    full = FULL[dtype]
    if values.size and int(values.max()) > maximum:
        raise Unreadable(f"is damaged: it holds the value {int(values.max())} above {maximum}")
    if maximum == full:
        return values.astype(dtype, copy=False), None
    table = (np.arange(maximum + 1, dtype=np.uint64) * (2 * full) + maximum) // (2 * maximum)
    bits = maximum.bit_length()
    samples = f"{bits}-bit samples" if maximum == 2**bits - 1 else f"samples of 0..{maximum}"
    return table.astype(dtype)[values], f"{samples} scaled to {8 * dtype.itemsize} bits"


def unit_float(values: Array, clip: bool = False) -> tuple[Array, str | None]:
    """Turn floats of any width into float32 in [0, 1].

    Args:
        values: floats of any shape.
        clip: clamp what is outside (lossy codings overshoot) instead of refusing it.

    Returns:
        float32 array and a note if values were clamped.

    Raises:
        Unreadable: NaN or infinite values, or values outside [0, 1] that may not be clamped.
    """
    finite = np.isfinite(values)
    if not finite.all():
        n = int(values.size - np.count_nonzero(finite))
        raise Unreadable(f"holds {n} values that are not numbers (NaN or infinite)")
    low, high = float(values.min()), float(values.max())
    note = None
    if low < 0 or high > 1:
        if not clip:
            raise Unreadable(
                f"holds float values from {low:.6g} to {high:.6g}; "
                "float pictures must lie in [0, 1]",
                "Divide the values by their white level and write the file again.",
            )
        note = f"float values from {low:.6g} to {high:.6g} clamped to [0, 1]"
        values = values.clip(0, 1)
    return values.astype(np.float32, copy=False), note


def from_channels(values: Array, lossy: bool) -> Raw:
    """Split (H, W) or (H, W, 1..4) into colour and alpha: 2 is grey + alpha, 4 is RGB + alpha."""
    if values.ndim == 2:
        return Raw(values, lossy)
    if values.ndim != 3 or values.shape[2] not in (1, 2, 3, 4):
        raise Unreadable(f"has the unexpected shape {'x'.join(map(str, values.shape))}")
    channels = values.shape[2]
    if channels == 3:
        return Raw(values, lossy)
    pixels = values[..., 0] if channels < 3 else values[..., :3]
    return Raw(pixels, lossy, alpha=None if channels == 1 else values[..., -1])
