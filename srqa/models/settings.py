"""How an upscaler is run, and what it cannot be asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from srqa.errors import UsageError
from srqa.models.loading import check_scale
from srqa.models.upscaler import Upscaler

Dtype = Literal["auto", "float32", "float16", "bfloat16"]
SMALLEST_TILE = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """How an upscaler is run.

    Attributes:
        scale: of the model; one that it can.
        outscale: of the result, where it is to be another: resized from the model's output as
            MATLAB's imresize does.
        tile: side of the tiles in pixels of the input; "auto" by the memory that is free; None
            never cuts.
        overlap: pixels around each tile; the model's own halo when not said.
        batch: tiles computed together.
        ensemble: the mean over the eight turns and mirrorings of the input.
        device: "cpu", "cuda" or "cuda:N".
        dtype: in which networks compute; "auto" is half precision where a GPU has it and the model
            is known to be safe, else float32.
        memory: bytes that may be used; what is free when not said.
    """

    scale: float
    outscale: float | None = None
    tile: int | Literal["auto"] | None = "auto"
    overlap: int | None = None
    batch: int | None = None
    ensemble: bool = False
    device: str = "cpu"
    dtype: Dtype = "auto"
    memory: int | None = None


def check(upscaler: Upscaler, settings: Settings) -> None:
    """Refuse what a model cannot.

    Raises:
        UsageError: another scale, other channels, or settings that make no sense.
    """
    scale, name = settings.scale, upscaler.name
    if not (math.isfinite(scale) and scale >= 1):
        raise UsageError(f"The scale must be a number of at least 1, not {scale:g}.")
    check_scale(upscaler, scale)
    if upscaler.channels not in (None, 1, 3):
        raise UsageError(
            f"{name} takes {upscaler.channels} channels, and pictures have 1 or 3.",
            "It is no model for super-resolution of pictures.",
        )
    outscale = settings.outscale
    if outscale is not None and not (math.isfinite(outscale) and outscale > 0):
        raise UsageError(f"--outscale must be a positive number, not {outscale:g}.")
    if settings.ensemble and scale != round(scale):
        raise UsageError(f"The ensemble needs a whole scale, not {scale:g}.")
    if isinstance(settings.tile, int) and settings.tile < SMALLEST_TILE:
        raise UsageError(f"Tiles must have at least {SMALLEST_TILE} pixels a side.")
    for what, number, least in (("overlap", settings.overlap, 0), ("batch", settings.batch, 1)):
        if number is not None and number < least:
            raise UsageError(f"--{what} must be at least {least}, not {number}.")


def first_dtype(upscaler: Upscaler, settings: Settings) -> str:
    """In what a network computes until it shows that it cannot: "float32", "float16", ..."""
    if settings.dtype != "auto":
        return settings.dtype
    safe = upscaler.half and upscaler.module is not None and settings.device != "cpu"
    return "float16" if safe else "float32"
