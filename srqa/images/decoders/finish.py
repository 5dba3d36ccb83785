"""From stored values to grey or RGB: colour profile, inks, alpha and orientation, in this order."""

from __future__ import annotations

from typing import Literal

import numpy as np

from srqa.images.decoders.metadata import icc_description, icc_space
from srqa.images.decoders.raw import FULL, Array, Raw, Unreadable

Alpha = Literal["refuse", "white", "black", "drop"]
Icc = Literal["ignore", "convert"]

_SPACES = {1: "GRAY", 3: "RGB", 4: "CMYK"}
_CMS_NAMES = {"GRAY": "gray", "RGB": "rgb", "CMYK": "cmyk"}


def finish(raw: Raw, alpha: Alpha, icc: Icc) -> tuple[Array, list[str]]:
    """Apply the policy to decoded values.

    Returns:
        (H, W) or (H, W, 3) C-contiguous pixels of the raw dtype, and all notes.
    """
    notes = list(raw.notes)
    pixels = _profile(raw, icc, notes)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = inks_to_rgb(pixels)
        notes.append("CMYK converted to RGB")
    if raw.alpha is not None:
        pixels = _alpha(pixels, raw.alpha, raw.premultiplied, alpha, notes)
    if raw.orientation != 1:
        pixels = orient(pixels, raw.orientation)
        notes.append(f"EXIF orientation {raw.orientation} applied")
    return np.ascontiguousarray(pixels), notes


def _profile(raw: Raw, icc: Icc, notes: list[str]) -> Array:
    if not raw.icc:
        return raw.pixels
    label = icc_description(raw.icc) or "without a name"
    shown = f"embedded profile {label!r}"
    space = _SPACES[1 if raw.pixels.ndim == 2 else raw.pixels.shape[2]]
    if space == "RGB" and ("srgb" in label.lower() or label == "c2"):
        return raw.pixels
    if icc == "ignore":
        notes.append(f"{shown} ignored")
        return raw.pixels
    if icc_space(raw.icc) != space:
        notes.append(f"{shown} ignored: it is not for {space.lower()} values")
        return raw.pixels
    notes.append(f"{shown} converted to sRGB")
    return _to_srgb(raw.pixels, raw.icc, space)


def _to_srgb(pixels: Array, profile: bytes, space: str) -> Array:
    """Convert to sRGB with LittleCMS (perceptual intent); a grey result stays grey."""
    if pixels.dtype not in (np.uint8, np.uint16):
        raise Unreadable(
            "has float values and a colour profile, which srqa cannot convert",
            "Read it with icc='ignore', or convert it to sRGB before.",
        )
    import imagecodecs

    try:
        converted: Array = imagecodecs.cms_transform(
            np.ascontiguousarray(pixels),
            profile,
            imagecodecs.cms_profile("srgb"),
            colorspace=_CMS_NAMES[space],
            outcolorspace="rgb",
        )
    except imagecodecs.CmsError as error:
        raise Unreadable(
            "has a colour profile that is damaged or cannot be converted to sRGB",
            "Read it with icc='ignore' to compare the stored values.",
        ) from error
    if space == "GRAY" and (converted == converted[..., :1]).all():
        return converted[..., 0]
    return converted


def inks_to_rgb(inks: Array) -> Array:
    """Pillow's conversion: R = (1 - C)(1 - K), the product of inks rounded to the nearest."""
    full = FULL[inks.dtype]
    wide = np.dtype(np.uint32 if full == 255 else np.uint64)
    light: Array = (full - inks[..., 3:]).astype(wide)
    covered: Array = (inks[..., :3].astype(wide) * light + full // 2) // full
    rgb: Array = (light - covered).astype(inks.dtype)
    return rgb


def _alpha(
    pixels: Array, alpha: Array, premultiplied: bool, policy: Alpha, notes: list[str]
) -> Array:
    full = FULL[pixels.dtype]
    opaque = np.count_nonzero(alpha == full)
    if opaque == alpha.size:
        notes.append("opaque alpha channel dropped")
        return pixels
    if policy == "refuse":
        share = 100 * (1 - opaque / alpha.size)
        raise Unreadable(
            f"has an alpha channel in which {share:.3g} % of the pixels are not opaque: "
            "pass --alpha white|black|drop",
            "white and black lay the picture on that background, drop ignores the alpha channel.",
        )
    if policy == "drop":
        notes.append("alpha channel ignored")
        return pixels
    notes.append(f"alpha channel composited on {policy}")
    weight = alpha if pixels.ndim == 2 else alpha[..., None]
    return _composite(pixels, weight, premultiplied, full if policy == "white" else 0)


def _composite(pixels: Array, alpha: Array, premultiplied: bool, background: int) -> Array:
    """value x alpha + background x (1 - alpha) on stored values, integers rounded half up."""
    full = FULL[pixels.dtype]
    if pixels.dtype.kind == "f":
        shown = pixels if premultiplied else pixels * alpha
        mixed: Array = (shown + background * (1 - alpha)).clip(0, 1).astype(np.float32)
        return mixed
    wide = np.dtype(np.uint32 if full == 255 else np.uint64)
    weight: Array = alpha.astype(wide)
    own: Array = np.full_like(weight, full) if premultiplied else weight
    total: Array = pixels.astype(wide) * own + background * (full - weight)
    rounded: Array = np.minimum((2 * total + full) // (2 * full), full).astype(pixels.dtype)
    return rounded


def orient(pixels: Array, orientation: int) -> Array:
    """Turn and mirror as EXIF orientation 1 to 8 says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
