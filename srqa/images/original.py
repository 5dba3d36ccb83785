"""A picture with all that should outlive its enlargement: alpha, colour profile, EXIF."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from srqa.images.decoders.finish import inks_to_rgb, orient
from srqa.images.decoders.metadata import icc_space
from srqa.images.decoders.raw import FULL, Raw
from srqa.images.read import DecodePolicy, one_sentence, read_bytes, undecorated

_THUMBNAIL, _ORIENTATION, _EXIF_FOLDER, _MAKER_NOTE = 1, 0x0112, 0x8769, 0x927C
_SIZES = (0x0100, 0x0101, 0xA002, 0xA003)
"""Tags that tell the size that the picture had."""


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """A decoded file with what `srqa.images.read` leaves away.

    Attributes:
        pixels: (H, W) grey or (H, W, 3) RGB; uint8, uint16, or float32 in [0, 1]; upright, not
            multiplied by alpha.
        alpha: (H, W) of the same dtype, or None where there is none or all of it is opaque.
        icc: the embedded ICC profile, if it is for these channels, else empty.
        exif: the EXIF block without thumbnail, sizes and turn, or empty.
        format: as of `srqa.images.read.Picture`.
        notes: what was done on the way, in short sentences.
    """

    pixels: npt.NDArray[Any]
    alpha: npt.NDArray[Any] | None = None
    icc: bytes = b""
    exif: bytes = b""
    format: str = ""
    notes: tuple[str, ...] = ()


def read_original(path: Path | str) -> Original:
    """Read a picture file with its alpha channel, colour profile and EXIF block.

    The pixels are turned as EXIF says, and the tag that says so is reset to 1. A profile that is
    for other channels than the pixels have now (CMYK, a palette's) is left out.

    Args:
        path: the file; its format is told by its content.

    Raises:
        ReadError: the file cannot be read or not be decoded completely.

    Example:
        >>> read_original("photo.jpg").exif[:4]  # doctest: +SKIP
        b'MM\x00*'
    """
    path = Path(path)
    return decode_original(read_bytes(path), str(path))


def decode_original(data: bytes, name: str) -> Original:
    """The same from a file's content; `name` is for messages.

    Raises:
        ReadError: it cannot be decoded completely.
    """
    with one_sentence(name):
        kind, raw = undecorated(data, DecodePolicy().max_pixels)
        return _original(raw, kind, _exif(data))


def _original(raw: Raw, kind: str, exif: bytes) -> Original:
    notes = list(raw.notes)
    pixels, alpha = raw.pixels, raw.alpha
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = inks_to_rgb(pixels)
        notes.append("CMYK converted to RGB")
    if alpha is not None and bool((alpha == FULL[alpha.dtype]).all()):
        alpha = None
        notes.append("opaque alpha channel dropped")
    if alpha is not None and raw.premultiplied:
        pixels = _divided(pixels, alpha)
        notes.append("colours divided by alpha")
    icc = raw.icc or b""
    if icc and icc_space(icc) != ("GRAY" if pixels.ndim == 2 else "RGB"):
        icc = b""
        notes.append("embedded profile left out: it is not for these channels")
    if raw.orientation != 1:
        pixels = orient(pixels, raw.orientation)
        alpha = None if alpha is None else orient(alpha, raw.orientation)
        notes.append(f"EXIF orientation {raw.orientation} applied")
    whole = None if alpha is None else np.ascontiguousarray(alpha)
    return Original(np.ascontiguousarray(pixels), whole, icc, exif, kind, tuple(notes))


def _divided(pixels: npt.NDArray[Any], alpha: npt.NDArray[Any]) -> npt.NDArray[Any]:
    full = FULL[pixels.dtype]
    weight = alpha.astype(np.float64) / full
    weight = weight if pixels.ndim == 2 else weight[..., None]
    colour = np.where(weight > 0, pixels / np.where(weight > 0, weight, 1), 0).clip(0, full)
    plain: npt.NDArray[Any] = (np.rint(colour) if full > 1 else colour).astype(pixels.dtype)
    return plain


def _exif(data: bytes) -> bytes:
    """The EXIF block as TIFF structures, ready to be written again, or empty."""
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                with Image.open(io.BytesIO(data)) as image:
                    if image.format == "TIFF" or not image.getexif():
                        return b""
                    tags = image.getexif()
                    if _ORIENTATION in tags:
                        tags[_ORIENTATION] = 1
                    inner = tags.get_ifd(_EXIF_FOLDER)
                    for tag in _SIZES:
                        tags.pop(tag, None)
                        inner.pop(tag, None)
                    inner.pop(_MAKER_NOTE, None)
                    tags.get_ifd(_THUMBNAIL).clear()
                    return tags.tobytes().removeprefix(b"Exif\0\0")
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return b""  # a damaged block is not carried on
