"""WebP through libwebp: still pictures by imagecodecs (GIL released), animations by Pillow."""

from __future__ import annotations

import struct

from srqa.images.decoders.metadata import exif_orientation
from srqa.images.decoders.raw import Raw, Unreadable, check_size, from_channels, truncated


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode a WebP; of an animation the first frame on its canvas."""
    chunks = _chunks(data)
    width, height = _canvas(chunks)
    check_size(width, height, max_pixels)
    lossy = b"VP8L" not in chunks
    if b"ANIM" in chunks:
        from srqa.images.decoders.pillow import decode_webp_animation

        raw = decode_webp_animation(data, width * height)
        raw.lossy = b"VP8 " in chunks.get(b"ANMF", b"VP8 ")[:64]
    else:
        import imagecodecs

        raw = from_channels(imagecodecs.webp_decode(data), lossy)
    if raw.pixels.shape[:2] != (height, width):
        raise Unreadable("is damaged: its size is not what its header says")
    raw.orientation = exif_orientation(chunks.get(b"EXIF", b""))
    raw.icc = chunks.get(b"ICCP")
    return raw


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each kind; pixel data only as far as their headers."""
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise truncated()
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= size + 8:
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            raise truncated()
        keep = length if name in (b"EXIF", b"ICCP") else min(length, 64)
        found.setdefault(name, data[at + 8 : at + 8 + keep])
        at += 8 + length + length % 2
    return found


def _canvas(chunks: dict[bytes, bytes]) -> tuple[int, int]:
    if b"VP8X" in chunks and len(chunks[b"VP8X"]) >= 10:
        content = chunks[b"VP8X"]
        width = int.from_bytes(content[4:7], "little") + 1
        return width, int.from_bytes(content[7:10], "little") + 1
    if b"VP8L" in chunks and len(chunks[b"VP8L"]) >= 5:
        bits = int.from_bytes(chunks[b"VP8L"][1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if b"VP8 " in chunks and len(chunks[b"VP8 "]) >= 10:
        width, height = struct.unpack_from("<HH", chunks[b"VP8 "], 6)
        return width & 0x3FFF, height & 0x3FFF
    raise Unreadable("is damaged: its WebP header is invalid")
