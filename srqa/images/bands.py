"""Writing pictures with alpha, profile and EXIF, band by band: PNG, TIFF, JPEG, WebP.

A file is written whole or not at all, and the same pixels always give the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from srqa.errors import OutputError, UsageError
from srqa.files import replacing

Array = npt.NDArray[Any]
SUFFIXES = {"png": ".png", "jpg": ".jpg", "webp": ".webp", "tiff": ".tif"}
"""The formats that can be written, and how their files' names end."""
_LONGEST = {"png": 2**31 - 1, "jpg": 65_500, "webp": 16_383, "tiff": 2**31 - 1}
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_STRIP = 64
_LEVEL = 4
"""Of deflate: more takes twice the time for less than a hundredth of the size."""
_TILE = 256
_BIGTIFF = 2**31


@dataclass(frozen=True, slots=True)
class Target:
    """What a file of a picture is to be like.

    Attributes:
        height, width: in pixels.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        dtype: of the samples: uint8, uint16, or float32 (TIFF only).
        format: a key of `SUFFIXES`.
        quality: 1 to 100 of JPEG and WebP; 100 is without loss in WebP.
        icc: an ICC profile, or empty.
        exif: an EXIF block in TIFF structures, or empty; TIFF files cannot carry it.
    """

    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]
    format: str = "png"
    quality: int = 95
    icc: bytes = b""
    exif: bytes = b""

    def check(self, name: str) -> None:
        """Refuse what the format cannot hold.

        Raises:
            UsageError: no such format, or it has no alpha, no such depth, or no such sides.
        """
        if self.format not in SUFFIXES:
            raise UsageError(
                f"Pictures cannot be written as {self.format}.", f"Known are {', '.join(SUFFIXES)}."
            )
        if max(self.height, self.width) > _LONGEST[self.format]:
            raise UsageError(
                f"{name} would be {self.width}x{self.height} pixels, and {self.format} allows "
                f"{_LONGEST[self.format]} a side.",
                "--format png or tiff can hold it.",
            )
        if self.channels in (2, 4) and self.format == "jpg":
            raise UsageError(
                f"{name} has an alpha channel, which JPEG cannot hold.",
                "--format png, webp or tiff keep it.",
            )
        if self.dtype == np.float32 and self.format != "tiff":
            raise UsageError(
                f"{name} has float samples, which {self.format} cannot hold.", "--format tiff."
            )


def write_bands(path: Path, target: Target, bands: Iterable[Array]) -> None:
    """Write a picture that comes in bands of rows, from the top.

    PNG and TIFF hold no more than a band in memory; JPEG and WebP need all of the picture.

    Args:
        path: the file; what was there stays if anything goes wrong.
        target: what the file is to be like.
        bands: arrays (rows, width, channels) of the target's dtype.

    Raises:
        UsageError: the format cannot hold it.
        OutputError: the file cannot be written.
    """
    target.check(path.name)
    with replacing(path) as temporary:
        _WRITERS[target.format](temporary, target, _checked(bands, target))


def _checked(bands: Iterable[Array], target: Target) -> Iterator[Array]:
    rows = 0
    for band in bands:
        if band.shape[1:] != (target.width, target.channels) or band.dtype != target.dtype:
            raise OutputError(f"A band of shape {band.shape} does not fit the picture.")
        rows += len(band)
        yield np.ascontiguousarray(band)
    if rows != target.height:
        raise OutputError(f"{rows} rows do not make a picture of {target.height}.")


def _png(path: Path, target: Target, bands: Iterator[Array]) -> None:
    bits = 8 * target.dtype.itemsize
    colour = _COLOUR_TYPES[target.channels]
    with path.open("wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n")
        header = struct.pack(">IIBBBBB", target.width, target.height, bits, colour, 0, 0, 0)
        _chunk(out, b"IHDR", header)
        if target.icc:
            _chunk(out, b"iCCP", b"ICC profile\0\0" + zlib.compress(target.icc, 9))
        if target.exif:
            _chunk(out, b"eXIf", target.exif)
        engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
        above: Array = np.zeros((target.width, target.channels), target.dtype)
        for band in bands:
            for top in range(0, len(band), _STRIP):
                part = band[top : top + _STRIP]
                _pieces(out, engine.compress(_filtered(part, above)))
                above = part[-1]
        _pieces(out, engine.flush())
        _chunk(out, b"IEND", b"")


def _pieces(out: IO[bytes], data: bytes) -> None:
    if data:
        _chunk(out, b"IDAT", data)


def _chunk(out: IO[bytes], name: bytes, content: bytes) -> None:
    out.write(struct.pack(">I", len(content)) + name + content)
    out.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))


def _filtered(rows: Array, above: Array) -> bytes:
    """Rows by the filter (none, left, up or Paeth) whose differences are smallest, each."""
    step = rows.shape[2] * rows.dtype.itemsize
    stored = rows.astype(rows.dtype.newbyteorder(">"), copy=False).view(np.uint8)
    stored = stored.reshape(len(rows), -1)
    first = above.astype(above.dtype.newbyteorder(">"), copy=False).view(np.uint8).reshape(1, -1)
    up = np.concatenate([first, stored[:-1]])
    left = np.zeros_like(stored)
    left[:, step:] = stored[:, :-step]
    corner = np.zeros_like(up)
    corner[:, step:] = up[:, :-step]
    candidates = (stored, stored - left, stored - up, stored - _paeth(left, up, corner))
    costs = np.stack([_cost(candidate) for candidate in candidates])
    best = costs.argmin(axis=0)
    made = np.empty((len(rows), stored.shape[1] + 1), np.uint8)
    for place, (number, candidate) in enumerate(zip((0, 1, 2, 4), candidates, strict=True)):
        chosen = best == place
        made[chosen, 0] = number
        made[chosen, 1:] = candidate[chosen]
    return made.tobytes()


def _cost(candidate: Array) -> Array:
    """The sum of a row's differences, each being as far from 0 as from 256."""
    sizes: Array = np.minimum(candidate, 0 - candidate).sum(axis=1, dtype=np.int64)
    return sizes


def _paeth(left: Array, up: Array, corner: Array) -> Array:
    a, b, c = (x.astype(np.int16) for x in (left, up, corner))
    to_a, to_b = np.abs(b - c), np.abs(a - c)
    to_c = np.abs(a + b - 2 * c)
    nearest: Array = np.where(
        (to_a <= to_b) & (to_a <= to_c), left, np.where(to_b <= to_c, up, corner)
    )
    return nearest


def _tiff(path: Path, target: Target, bands: Iterator[Array]) -> None:
    import tifffile

    grey = target.channels < 3
    shape = (target.height, target.width, target.channels)
    size = target.height * target.width * target.channels * target.dtype.itemsize
    tifffile.imwrite(
        path,
        _tiles(bands),
        shape=shape if target.channels > 1 else shape[:2],
        dtype=target.dtype,
        bigtiff=size >= _BIGTIFF,
        photometric="minisblack" if grey else "rgb",
        planarconfig="contig" if target.channels > 1 else None,
        extrasamples=["unassalpha"] if target.channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        tile=(_TILE, _TILE),
        iccprofile=target.icc or None,
        metadata=None,
        software="srqa",
    )


def _tiles(bands: Iterator[Array]) -> Iterator[Array]:
    """The same pixels in square tiles, row by row; those at the ends are filled up."""
    waiting: Array | None = None
    for band in bands:
        rows = band if waiting is None else np.concatenate([waiting, band])
        whole = len(rows) - len(rows) % _TILE
        for top in range(0, whole, _TILE):
            yield from _row_of_tiles(rows[top : top + _TILE])
        waiting = rows[whole:]
    if waiting is not None and len(waiting):
        yield from _row_of_tiles(waiting)


def _row_of_tiles(rows: Array) -> Iterator[Array]:
    for left in range(0, rows.shape[1], _TILE):
        part = rows[:, left : left + _TILE]
        tile = np.zeros((_TILE, _TILE, rows.shape[2]), rows.dtype)
        tile[: part.shape[0], : part.shape[1]] = part
        yield tile[..., 0] if rows.shape[2] == 1 else tile


def _pillow(path: Path, target: Target, bands: Iterator[Array], **options: Any) -> None:
    from PIL import Image

    pixels = np.concatenate(list(bands))
    image = Image.fromarray(pixels[..., 0] if target.channels == 1 else pixels)
    if target.format == "webp" and target.channels < 3:
        image = image.convert("RGB" if target.channels == 1 else "RGBA")
    if target.icc:
        options["icc_profile"] = target.icc
    if target.exif:
        options["exif"] = b"Exif\0\0" + target.exif if target.format == "jpg" else target.exif
    image.save(path, **options)


def _jpeg(path: Path, target: Target, bands: Iterator[Array]) -> None:
    _pillow(path, target, bands, format="JPEG", quality=target.quality, subsampling=0)


def _webp(path: Path, target: Target, bands: Iterator[Array]) -> None:
    lossless = target.quality == 100
    _pillow(
        path, target, bands, format="WEBP", quality=target.quality, lossless=lossless, exact=True
    )


_WRITERS: dict[str, Callable[[Path, Target, Iterator[Array]], None]] = {
    "png": _png,
    "tiff": _tiff,
    "jpg": _jpeg,
    "webp": _webp,
}
