"""JPEG 2000 through OpenJPEG (imagecodecs): grey and RGB of 1 to 16 bits, with or without alpha."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from srqa.images.decoders.boxes import boxes, find
from srqa.images.decoders.raw import Raw, Unreadable, check_size, expand, from_channels, truncated

CODESTREAM = b"\xff\x4f\xff\x51"
_SRGB, _GREY = 16, 17


@dataclass(slots=True)
class _Header:
    width: int
    height: int
    bits: int
    lossy: bool


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode a JP2 file or a bare codestream; other colours than grey and sRGB are refused."""
    if data.startswith(CODESTREAM):
        start, icc = 0, None
    else:
        content = find(data, [b"jp2c"])
        if content is None:
            raise truncated("its picture is missing")
        start, icc = content[0], _colours(data)
    header = _codestream(data, start, max_pixels)
    import imagecodecs

    values = imagecodecs.jpeg2k_decode(data, numthreads=1)
    if values.shape[:2] != (header.height, header.width) or values.dtype.kind != "u":
        raise Unreadable("is damaged: its pixels are not what its header says")
    values, note = expand(values, 2**header.bits - 1)
    raw = from_channels(values, header.lossy)
    raw.icc = icc
    raw.notes += [note] if note else []
    return raw


def _colours(data: bytes) -> bytes | None:
    """The ICC profile; refuses palettes and colour spaces whose values are neither grey nor RGB."""
    place = find(data, [b"jp2h"])
    if place is None:
        raise truncated("its header is missing")
    for kind, start, end in boxes(data, *place):
        if kind == b"pclr":
            raise Unreadable("is a JPEG 2000 with a palette, which srqa does not read")
        if kind == b"colr" and data[start] == 2:
            return data[start + 3 : end]
        if kind == b"colr" and data[start] == 1:
            (space,) = struct.unpack_from(">I", data, start + 3)
            if space not in (_SRGB, _GREY):
                raise Unreadable(f"is a JPEG 2000 with a colour space srqa does not read ({space})")
    return None


def _codestream(data: bytes, at: int, max_pixels: int) -> _Header:
    """Size, depth and wavelet from the markers SIZ and COD."""
    if data[at : at + 4] != CODESTREAM:
        raise Unreadable("is damaged: its codestream header is invalid")
    length, _, x1, y1, x0, y0 = struct.unpack_from(">HHIIII", data, at + 4)
    (components,) = struct.unpack_from(">H", data, at + 40)
    check_size(x1 - x0, y1 - y0, max_pixels)
    if not 1 <= components <= 4 or length != 38 + 3 * components:
        raise Unreadable(f"is a JPEG 2000 with {components} components; 1 to 4 can be read")
    parts = {data[at + 42 + 3 * n : at + 45 + 3 * n] for n in range(components)}
    depth = next(iter(parts))
    if len(parts) > 1 or depth[1:] != b"\1\1" or depth[0] > 15:
        raise Unreadable("is a JPEG 2000 with signed, subsampled or unequal components")
    coding = data.find(b"\xff\x52", at + 4 + length)
    lossy = coding < 0 or data[coding + 13 : coding + 14] != b"\1"
    return _Header(x1 - x0, y1 - y0, depth[0] + 1, lossy)
