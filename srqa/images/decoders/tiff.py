"""TIFF and BigTIFF through tifffile, for the kinds of file that picture tools write."""

from __future__ import annotations

import io
import logging
import math
from typing import Any

import numpy as np

from srqa.images.decoders.raw import (
    Array,
    Raw,
    Unreadable,
    check_size,
    expand,
    truncated,
    unit_float,
)

_CODINGS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000}
_JPEG = 7
_PHOTOMETRIC = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3}  # number of colour channels
_PALETTE, _CMYK, _YCBCR = 3, 5, 6


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode the first page: grey, RGB, palette or CMYK of 1 to 16 bits, or float in [0, 1]."""
    import tifffile

    logger = logging.getLogger("tifffile")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # else its warnings reach the terminal
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        if not len(file.pages):
            raise truncated("its first page is missing")
        page: Any = file.pages[0]
        _check(page, len(data), max_pixels)
        values: Array = page.asarray(maxworkers=1)
        raw = _raw(page, values)
        if len(file.pages) > 1:
            raw.notes.append(f"first of {len(file.pages)} pages read")
    return raw


def _check(page: Any, size: int, max_pixels: int) -> None:
    """Refuse what cannot be read rightly before any pixel is decoded."""
    check_size(page.imagewidth, page.imagelength, max_pixels)
    photometric, coding = int(page.photometric), int(page.compression)
    if photometric not in _PHOTOMETRIC or (photometric == _YCBCR and coding != _JPEG):
        raise Unreadable(f"is a TIFF with colours that srqa does not read ({_name(page)})")
    if coding not in _CODINGS:
        raise Unreadable(f"is a TIFF with a compression that srqa does not read ({coding})")
    extra = page.samplesperpixel - _PHOTOMETRIC[photometric]
    if page.imagedepth != 1 or extra not in (0, 1):
        raise Unreadable(f"is a TIFF with {page.samplesperpixel} channels of {_name(page)}")
    if page.dtype is None or page.dtype.kind not in "buf" or page.dtype.itemsize > 8:
        raise Unreadable("is a TIFF with samples that srqa does not read (signed or complex)")
    segments = math.prod(page.chunked)
    offsets, counts = page.dataoffsets, page.databytecounts
    if math.prod(page.chunks) > 2 * page.samplesperpixel * max(max_pixels, 1 << 20):
        raise Unreadable("is damaged: its tiles are larger than any picture may be")
    if len(offsets) < segments or len(counts) < segments:
        raise truncated("parts of its pixel data are missing")
    if any(n <= 0 or at <= 0 or at + n > size for at, n in zip(offsets, counts, strict=False)):
        raise truncated()


def _name(page: Any) -> str:
    return str(getattr(page.photometric, "name", page.photometric))


def _raw(page: Any, values: Array) -> Raw:
    if values.size and page.axes == "SYX":
        values = np.moveaxis(values, 0, -1)
    elif page.axes not in ("YX", "YXS"):
        raise Unreadable(f"is a TIFF with the axes {page.axes}, not a picture")
    values = values.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    notes: list[str] = []
    photometric = int(page.photometric)
    if photometric == _PALETTE:
        values = _expand_palette(page, values)
        notes.append("palette expanded to RGB")
    else:
        values, note = _full_range(page, values)
        notes += [note] if note else []
    if photometric == 0:
        values = (1 if values.dtype.kind == "f" else np.iinfo(values.dtype).max) - values
        notes.append("white-is-zero values inverted")
    colours = 3 if photometric == _PALETTE else _PHOTOMETRIC[photometric]
    extra = page.extrasamples
    icc = page.tags.get(34675)
    orientation = page.tags.valueof(274, 1)
    raw = Raw(
        values[..., 0] if colours == 1 else values[..., :colours],
        lossy=int(page.compression) == _JPEG,
        alpha=values[..., colours] if values.shape[2] > colours else None,
        premultiplied=bool(extra) and int(extra[0]) == 1,
        cmyk=photometric == _CMYK,
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        icc=bytes(icc.value) if icc is not None and isinstance(icc.value, bytes) else None,
        notes=notes,
    )
    if raw.cmyk and values.dtype.kind == "f":
        raise Unreadable("is a TIFF with float CMYK values, which srqa does not read")
    return raw


def _full_range(page: Any, values: Array) -> tuple[Array, str | None]:
    if values.dtype.kind == "f":
        return unit_float(values)
    bits = int(page.bitspersample)
    if values.dtype.kind == "b" or bits == 1:
        return expand(values.astype(np.uint8), 1)
    if values.dtype.kind != "u" or not 2 <= bits <= 16:
        raise Unreadable(f"is a TIFF with {bits}-bit integer samples; 1 to 16 bits can be read")
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return expand(native, 2**bits - 1)


def _expand_palette(page: Any, values: Array) -> Array:
    """Look the colours up; the 16-bit entries of a TIFF palette become 8 bits by their high byte.

    Palettes whose entries are all below 256 were written as 8-bit values by mistake.
    """
    colormap = page.colormap
    if colormap is None or values.dtype.kind not in "bu":
        raise Unreadable("is damaged: its palette is missing")
    colours = np.asarray(colormap).reshape(3, -1).T
    if int(colours.max()) > 255:
        colours = colours >> 8
    index = values[..., 0].astype(np.intp)
    if int(index.max()) >= len(colours):
        raise Unreadable("is damaged: it uses colours that its palette does not have")
    looked_up: Array = colours.astype(np.uint8)[index]
    if values.shape[2] == 2:
        return np.concatenate([looked_up, values[..., 1:].astype(np.uint8)], axis=2)
    return looked_up
