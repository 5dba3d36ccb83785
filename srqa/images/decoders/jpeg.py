"""JPEG through libjpeg-turbo (imagecodecs): the same values as Pillow and OpenCV, GIL released.

libjpeg fills what is missing with grey and only warns, so a cut file must be found by srqa itself:
a JPEG without its end marker is refused, and one whose last pixels are exactly the filling grey is
decoded again with more data, which changes nothing in a whole picture.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from srqa.images.decoders.metadata import exif_orientation
from srqa.images.decoders.raw import Array, Raw, Unreadable, check_size, expand, truncated

_EOI = b"\xff\xd9"
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_BASELINE = {0xC0, 0xC1}
_SUPPORTED = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_ALONE = {0x01, *range(0xD0, 0xD9)}
_FILLER = bytes(range(1, 240)) * 40


@dataclass(slots=True)
class _Header:
    width: int = 0
    height: int = 0
    bits: int = 0
    components: int = 0
    coding: int = 0
    adobe: bool = False
    exif: bytes = b""
    icc: dict[int, bytes] = field(default_factory=dict)
    scan: int = 0  # where the first scan starts


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode a JPEG with 8 or 12 bits; four components are inks (inverted when Adobe's)."""
    header = _header(data)
    check_size(header.width, header.height, max_pixels)
    if header.coding not in _SUPPORTED or header.bits not in (8, 12):
        raise Unreadable(
            f"is a JPEG of a kind that srqa does not read (SOF{header.coding - 0xC0}, "
            f"{header.bits} bits): only DCT coding with 8 or 12 bits is"
        )
    if header.components not in (1, 3, 4):
        raise Unreadable(f"is a JPEG with {header.components} components; 1, 3 or 4 can be read")
    end = data.find(_EOI, header.scan)
    if end < 0:
        raise truncated("its end marker is missing")
    blocks = -(-header.width // 8) * -(-header.height // 8)
    if header.coding in _BASELINE and blocks > 4 * (len(data) - header.scan):
        raise truncated()  # a block of 8x8 takes at least two bits
    values = _libjpeg(data)
    if values.shape[:2] != (header.height, header.width):
        raise Unreadable("is damaged: its size is not what its header says")
    _check_complete(data, end, values)
    return _raw(header, values)


def _raw(header: _Header, values: Array) -> Raw:
    pixels, note = expand(values, 2**header.bits - 1)
    raw = Raw(pixels, lossy=True)
    if note:
        raw.notes.append(note)
    if header.components == 4:
        raw.cmyk = True
        if header.adobe:
            raw.pixels = np.invert(pixels)
    raw.orientation = exif_orientation(header.exif)
    if header.icc:
        raw.icc = b"".join(header.icc[n] for n in sorted(header.icc))
    return raw


def _header(data: bytes) -> _Header:
    """Walk the segments up to the first scan."""
    header = _Header()
    at = 2
    while True:
        at = data.find(b"\xff", at)
        while at >= 0 and data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at < 0 or at + 4 > len(data):
            raise truncated("it ends before its first scan")
        marker = data[at + 1]
        if marker in _ALONE or marker == 0:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        content = data[at + 4 : at + 2 + length]
        if marker == 0xD9 or len(content) < length - 2:
            raise truncated("it ends before its first scan")
        at += 2 + length
        _segment(header, marker, content)
        if marker == 0xDA:
            if not header.coding:
                raise Unreadable("is damaged: a scan comes before the frame header")
            header.scan = at
            return header


def _segment(header: _Header, marker: int, content: bytes) -> None:
    if marker in _FRAMES:
        if header.coding or len(content) < 6:
            raise Unreadable("is damaged: its frame header is invalid")
        header.bits, header.height, header.width, header.components = struct.unpack_from(
            ">BHHB", content
        )
        header.coding = marker
    elif marker == 0xE1 and content.startswith(b"Exif\0\0") and not header.exif:
        header.exif = content
    elif marker == 0xE2 and content.startswith(b"ICC_PROFILE\0") and len(content) > 14:
        header.icc.setdefault(content[12], content[14:])
    elif marker == 0xEE and content.startswith(b"Adobe"):
        header.adobe = True


def _check_complete(data: bytes, end: int, values: Array) -> None:
    """Find the picture whose scan ends before its pixels do, although it has an end marker."""
    corner = values[-2:, -2:]
    if values.dtype == np.uint8 and ((corner == 128) | (corner == 127)).all():
        longer = _libjpeg(data[:end] + _FILLER + data[end:])
        if not np.array_equal(longer, values):
            raise truncated()


def _libjpeg(data: bytes) -> Array:
    import imagecodecs

    values: Array = imagecodecs.jpeg8_decode(data)
    return values
