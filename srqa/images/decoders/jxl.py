"""JPEG XL through libjxl (imagecodecs). Size, depth and coding are read from the header first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from srqa.images.decoders.boxes import boxes
from srqa.images.decoders.raw import (
    Raw,
    Unreadable,
    check_size,
    expand,
    from_channels,
    truncated,
    unit_float,
)

CODESTREAM = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


@dataclass(slots=True)
class _Header:
    width: int
    height: int
    bits: int = 8
    floating: bool = False
    animated: bool = False
    premultiplied: bool = False
    lossy: bool = True


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode the first frame of a JPEG XL; libjxl applies the orientation itself."""
    stream, rebuilt_jpeg = _codestream(data)
    header = _read_header(_Bits(stream))
    check_size(header.width, header.height, max_pixels)
    import imagecodecs

    values = imagecodecs.jpegxl_decode(data, 0, numthreads=1)
    sides = sorted(values.shape[:2])
    if sides != sorted((header.width, header.height)):
        raise Unreadable("is damaged: its size is not what its header says")
    lossy = header.lossy or rebuilt_jpeg
    if values.dtype.kind == "f":
        values, note = unit_float(values, clip=lossy)
    elif values.dtype in (np.uint8, np.uint16) and header.bits <= 16:
        values, note = expand(values, 2**header.bits - 1)
    else:
        raise Unreadable(f"is a JPEG XL with {header.bits}-bit samples, which srqa does not read")
    raw = from_channels(values, lossy)
    raw.premultiplied = header.premultiplied
    raw.notes += [note] if note else []
    if header.animated:
        raw.notes.append("animation: only the first frame read")
    return raw


def _codestream(data: bytes) -> tuple[bytes, bool]:
    """The first bytes of the codestream, and whether the file is a JPEG packed without loss."""
    if data.startswith(CODESTREAM):
        return data[:4096], False
    stream, jpeg = b"", False
    for kind, start, end in boxes(data):
        jpeg = jpeg or kind == b"jbrd"
        if not stream and kind in (b"jxlc", b"jxlp"):
            first = start + (4 if kind == b"jxlp" else 0)
            stream = data[first : min(end, first + 4096)]
    if not stream.startswith(CODESTREAM):
        raise truncated("its picture is missing")
    return stream, jpeg


class _Bits:
    """Reads numbers from bytes, least significant bit first, after the two bytes of signature."""

    def __init__(self, stream: bytes) -> None:
        self._value = int.from_bytes(stream[2:], "little")
        self._left = 8 * (len(stream) - 2)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise truncated("its header is incomplete")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

    def choose(self, *choices: tuple[int, int]) -> int:
        """One of four (bits, offset) by a two-bit selector."""
        bits, offset = choices[self.take(2)]
        return offset + self.take(bits)


def _read_header(bits: _Bits) -> _Header:
    """SizeHeader and ImageMetadata of ISO/IEC 18181-1, as far as xyb_encoded."""
    header = _Header(*_size(bits))
    if bits.take(1):  # all_default: 8 bits, XYB
        return header
    if bits.take(1):  # extra_fields
        bits.take(3)
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            return header  # a preview: nothing more can be told cheaply
        if bits.take(1):
            header.animated = True
            bits.choose((0, 100), (0, 1000), (10, 1), (30, 1))
            bits.choose((0, 1), (0, 1001), (8, 1), (10, 1))
            bits.choose((0, 0), (3, 0), (16, 0), (32, 0))
            bits.take(1)
    header.floating, header.bits = _depth(bits)
    bits.take(1)
    for _ in range(bits.choose((0, 0), (0, 1), (4, 2), (12, 1))):
        header.premultiplied |= _extra_channel(bits)
    header.lossy = bool(bits.take(1))
    return header


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        if small:
            return 8 * (bits.take(5) + 1)
        return bits.choose((9, 1), (13, 1), (18, 1), (30, 1))

    height = side()
    ratio = bits.take(3)
    if not ratio:
        return side(), height
    numerator, denominator = _RATIOS[ratio - 1]
    return height * numerator // denominator, height


def _depth(bits: _Bits) -> tuple[bool, int]:
    if not bits.take(1):
        return False, bits.choose((0, 8), (0, 10), (0, 12), (6, 1))
    depth = bits.choose((0, 32), (0, 16), (0, 24), (6, 1))
    bits.take(4)
    return True, depth


def _extra_channel(bits: _Bits) -> bool:
    """Read past an extra channel; whether it is alpha that the colours are multiplied by."""
    if bits.take(1):  # default: 8-bit alpha
        return False
    kind = bits.choose((0, 0), (0, 1), (4, 2), (6, 18))
    _depth(bits)
    bits.choose((0, 0), (0, 3), (0, 4), (3, 1))
    for _ in range(bits.choose((0, 0), (4, 0), (5, 16), (10, 48))):
        bits.take(8)
    if kind == 0:
        return bool(bits.take(1))
    if kind in (2, 5):  # spot colour, colour filter array
        raise Unreadable("is a JPEG XL with spot colours or raw sensor data")
    return False
