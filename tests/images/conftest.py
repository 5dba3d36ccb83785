"""Makers of picture files, for the tests of reading."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image


class Maker:
    """Makes files in memory; `rgb` (24, 34, 3), `grey`, `rgb16` and `alpha` are what they show."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        y, x = np.mgrid[0:24, 0:34]
        smooth = np.stack([7 * x, 10 * y, 4 * (x + y)], axis=2)
        noisy = np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255)
        self.rgb = noisy.astype(np.uint8)
        self.grey = self.rgb[..., 0].copy()
        self.rgb16 = (self.rgb.astype(np.uint16) * 257) ^ rng.integers(
            0, 256, self.rgb.shape, dtype=np.uint16
        )
        self.alpha = rng.integers(0, 256, self.grey.shape, dtype=np.uint8)

    @property
    def rgba(self) -> np.ndarray:
        return np.dstack([self.rgb, self.alpha])

    def pillow(self, array: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
        image = Image.fromarray(array) if isinstance(array, np.ndarray) else array
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    def tiff(self, array: np.ndarray, **options: Any) -> bytes:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, array, **options)
        return buffer.getvalue()

    def chunk(self, name: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + crc

    def png(
        self,
        array: np.ndarray | Sequence[bytes],
        size: tuple[int, int] | None = None,
        bits: int = 8,
        colour: int = 0,
        before: Sequence[tuple[bytes, bytes]] = (),
        after: Sequence[tuple[bytes, bytes]] = (),
        interlaced: bool = False,
    ) -> bytes:
        """A PNG built by hand from an array or from packed rows; `size` is (width, height)."""
        if isinstance(array, np.ndarray):
            size = size or (array.shape[1], array.shape[0])
            step = [array]
            if interlaced:
                starts = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)]
                starts += [(0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
                step = [array[y::dy, x::dx] for x, y, dx, dy in starts]
            rows = [
                row.astype(f">u{array.dtype.itemsize}").tobytes()
                for part in step
                if part.size
                for row in part
            ]
        else:
            rows = list(array)
        if size is None:
            raise ValueError("packed rows need a size")
        header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, int(interlaced))
        body = zlib.compress(b"".join(b"\0" + row for row in rows))
        chunks = [(b"IHDR", header), *before, (b"IDAT", body), *after, (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(self.chunk(*one) for one in chunks)

    def exif(self, orientation: int, order: str = "<") -> bytes:
        mark = b"II*\0" if order == "<" else b"MM\0*"
        entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
        return (
            b"Exif\0\0"
            + mark
            + struct.pack(f"{order}IH", 8, 1)
            + entry
            + struct.pack(f"{order}I", 0)
        )

    def corpus(self) -> Iterator[tuple[str, bytes]]:
        """A small valid file of every kind that srqa reads."""
        rgb, grey, rgba, rgb16 = self.rgb, self.grey, self.rgba, self.rgb16
        image = Image.fromarray(rgb)
        yield "png", self.pillow(rgb, "PNG")
        yield "png-16", self.png(rgb16, bits=16, colour=2)
        yield "png-rgba", self.pillow(rgba, "PNG")
        yield "png-interlaced", self.png(rgb, colour=2, interlaced=True)
        yield "png-palette", self.pillow(image.quantize(9), "PNG", transparency=3)
        yield "jpeg", self.pillow(rgb, "JPEG", quality=90, exif=self.exif(6))
        yield "jpeg-progressive", self.pillow(rgb, "JPEG", progressive=True)
        yield "jpeg-grey", self.pillow(grey, "JPEG", restart_marker_rows=1)
        yield "jpeg-cmyk", self.pillow(image.convert("CMYK"), "JPEG")
        yield "tiff", self.tiff(rgb)
        yield "tiff-pillow", self.pillow(rgb, "TIFF")
        yield "tiff-lzw-16", self.tiff(rgb16, compression="lzw", byteorder=">")
        yield "tiff-deflate", self.tiff(grey, compression="deflate", predictor=True)
        yield "tiff-float", self.tiff((rgb / 255).astype(np.float32), photometric="rgb")
        yield "tiff-tiles", self.tiff(rgb, tile=(16, 16), compression="zstd")
        yield "tiff-jpeg", self.tiff(rgb, compression="jpeg")
        yield "tiff-fax", self.pillow(Image.fromarray(grey > 99), "TIFF", compression="group4")
        adobe = imagecodecs.cms_profile("adobergb")
        yield "tiff-icc", self.tiff(rgb, photometric="rgb", iccprofile=adobe)
        yield "tiff-palette", self.pillow(image.quantize(9), "TIFF")
        yield "webp", self.pillow(rgb, "WEBP")
        yield "webp-lossless", self.pillow(rgba, "WEBP", lossless=True, exif=self.exif(3))
        yield (
            "webp-animated",
            self.pillow(rgb, "WEBP", save_all=True, append_images=[image.rotate(9)]),
        )
        yield "bmp", self.pillow(rgb, "BMP")
        yield "bmp-grey", self.pillow(grey, "BMP")
        yield "gif", self.pillow(image.quantize(9), "GIF")
        yield (
            "gif-animated",
            self.pillow(rgb, "GIF", save_all=True, append_images=[image.rotate(9)]),
        )
        yield "avif", self.pillow(rgb, "AVIF")
        yield "avif-alpha", self.pillow(rgba, "AVIF")
        yield "avif-10", imagecodecs.avif_encode(rgb16 >> 6, level=90, bitspersample=10)
        yield (
            "avif-sequence",
            self.pillow(rgb, "AVIF", save_all=True, append_images=[image.rotate(9)]),
        )
        yield "jxl", imagecodecs.jpegxl_encode(rgb, distance=1.0)
        yield "jxl-lossless", imagecodecs.jpegxl_encode(rgba, lossless=True)
        yield "jxl-16", imagecodecs.jpegxl_encode(rgb16, lossless=True)
        yield (
            "jxl-animated",
            imagecodecs.jpegxl_encode(np.stack([rgb, 255 - rgb]), photometric="rgb"),
        )
        yield "jp2", self.pillow(rgb, "JPEG2000")
        yield "jp2-12", imagecodecs.jpeg2k_encode(rgb16 >> 4, bitspersample=12, level=0)
        yield "ppm", self.pillow(rgb, "PPM")
        yield "pgm-16", b"P5\n34 24\n65535\n" + rgb16[..., 0].astype(">u2").tobytes()
        yield "pgm-plain", b"P2 # c\n3 2 9\n0 1 2\n7 8 9\n"


@pytest.fixture(scope="session")
def make() -> Maker:
    return Maker()
