"""Writing pictures: pixels to a file's bytes, and back to the pixels that a reader will see.

PNG and TIFF keep every value of 8 and 16 bits, TIFF also floats. JPEG and WebP hold 8 bits and lose
information by a quality from 1 to 100.
"""

from __future__ import annotations

import io
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from srqa.errors import UsageError
from srqa.files import make_folder, replacing

LOSSLESS = frozenset({".png", ".tif", ".tiff"})
LOSSY = {".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


def encode(pixels: npt.NDArray[Any], suffix: str) -> bytes:
    """A picture as the content of a lossless file.

    Args:
        pixels: (H, W) or (H, W, 3); uint8, uint16, or for TIFF float32.
        suffix: ".png", ".tif" or ".tiff".

    Raises:
        UsageError: another suffix, or values that the format does not hold.

    Example:
        >>> import numpy as np
        >>> encode(np.zeros((2, 2), np.uint8), ".png")[:4]
        b'\\x89PNG'
    """
    kind = suffix.lower()
    if kind not in LOSSLESS:
        raise UsageError(f"Pictures are written as {', '.join(sorted(LOSSLESS))}, not '{suffix}'.")
    pixels = np.ascontiguousarray(pixels)
    if kind == ".png":
        if pixels.dtype not in (np.uint8, np.uint16):
            raise UsageError(f"PNG holds 8 or 16 bits, not {pixels.dtype}.", "Write TIFF instead.")
        import imagecodecs

        return bytes(imagecodecs.png_encode(pixels, level=6))
    import tifffile

    file = io.BytesIO()
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(file, pixels, photometric=photometric, compression="zlib", metadata=None)
    return file.getvalue()


def compress(pixels: npt.NDArray[np.uint8], codec: str, quality: int) -> bytes:
    """A picture as a JPEG (libjpeg-turbo) or WebP (libwebp) file; colours at half resolution.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        codec: "jpeg" or "webp".
        quality: 1 to 100, as of the coding's library.

    Raises:
        UsageError: another coding or quality, or a picture too large for the format.
    """
    if codec not in ("jpeg", "webp"):
        raise UsageError(f"Pictures are compressed as jpeg or webp, not {codec!r}.")
    if not 1 <= quality <= 100:
        raise UsageError(f"The quality of {codec} is 1 to 100, not {quality}.")
    longest = 65535 if codec == "jpeg" else 16383
    if max(pixels.shape[:2]) > longest:
        raise UsageError(f"{codec} holds at most {longest} pixels a side.")
    import imagecodecs

    pixels = np.ascontiguousarray(pixels)
    if codec == "jpeg":
        sampling = "420" if pixels.ndim == 3 else None
        return bytes(imagecodecs.jpeg8_encode(pixels, level=quality, subsampling=sampling))
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    return bytes(imagecodecs.webp_encode(colour, level=quality, lossless=False))


def decompress(data: bytes, codec: str, channels: int) -> npt.NDArray[np.uint8]:
    """The pixels of what `compress` gave; (H, W) for one channel."""
    import imagecodecs

    decoder = imagecodecs.jpeg8_decode if codec == "jpeg" else imagecodecs.webp_decode
    pixels: npt.NDArray[np.uint8] = decoder(data)
    return pixels[..., 1] if channels == 1 and pixels.ndim == 3 else pixels


def write(path: Path, pixels: npt.NDArray[Any]) -> bytes:
    """Write a lossless file, whole or not at all; folders are made.

    Returns:
        The file's content.

    Raises:
        UsageError: as of `encode`.
        OutputError: it cannot be written.
    """
    data = encode(pixels, PurePath(path).suffix)
    write_bytes(path, data)
    return data


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; folders are made.

    Raises:
        OutputError: it cannot be written.
    """
    make_folder(path.parent)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
