"""BMP, GIF and animations through Pillow.

The plugin classes are used directly: `Image.open` would guess the format, and has a size limit of
its own that is global to the process and partly a warning. (Animated WebP keeps that limit, as an
error: the plugin itself checks it.)
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from srqa.images.decoders.raw import Raw, Unreadable, check_size, from_channels

if TYPE_CHECKING:
    from PIL.Image import Image


def decode_bmp(data: bytes, max_pixels: int) -> Raw:
    """Decode a BMP; a palette that is the grey ramp gives grey, any other RGB."""
    from PIL.BmpImagePlugin import BmpImageFile

    image = BmpImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    image.load()
    return _raw(image, lossy=False)


def decode_gif(data: bytes, max_pixels: int) -> Raw:
    """Decode the first frame of a GIF; a palette that is the grey ramp gives grey, else RGB."""
    from PIL.GifImagePlugin import GifImageFile

    check_size(
        int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"), max_pixels
    )
    image = GifImageFile(io.BytesIO(data))
    check_size(*image.size, max_pixels)
    image.load()
    raw = _raw(image, lossy=False)
    if image.is_animated:
        raw.notes.append("animation: only the first frame read")
    return raw


def decode_webp_animation(data: bytes, max_pixels: int) -> Raw:
    """Decode the first frame of an animated WebP, placed on its canvas."""
    from PIL.WebPImagePlugin import WebPImageFile

    return _first_frame(WebPImageFile(io.BytesIO(data)), max_pixels)


def decode_avif_sequence(data: bytes, max_pixels: int) -> Raw:
    """Decode the first frame of an AVIF sequence in 8 bits, orientation not applied."""
    from PIL.AvifImagePlugin import AvifImageFile

    return _first_frame(AvifImageFile(io.BytesIO(data)), max_pixels)


def _first_frame(image: Image, max_pixels: int) -> Raw:
    check_size(*image.size, max_pixels)
    image.load()
    raw = _raw(image, lossy=True)
    raw.notes.append("animation: only the first frame read")
    return raw


def _raw(image: Image, lossy: bool) -> Raw:
    notes = []
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode == "P" or "transparency" in image.info:
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        notes.append("palette expanded to RGB")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise Unreadable(f"has pixels of a kind that srqa does not read ({image.mode})")
    raw = from_channels(np.array(image), lossy)
    raw.notes += notes
    return raw
