"""AVIF through libavif (imagecodecs): 8, 10 and 12 bits."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from srqa.images.decoders.boxes import boxes, find
from srqa.images.decoders.raw import Raw, Unreadable, check_size, expand, from_channels

# (quarter turns anticlockwise, mirror axis or -1) -> EXIF orientation; the turn comes first.
_ORIENTATION = {
    (0, -1): 1,
    (1, -1): 8,
    (2, -1): 3,
    (3, -1): 6,
    (0, 1): 2,
    (1, 1): 7,
    (2, 1): 4,
    (3, 1): 5,
    (0, 0): 4,
    (1, 0): 5,
    (2, 0): 2,
    (3, 0): 7,
}


@dataclass(slots=True)
class _Header:
    width: int = 0
    height: int = 0
    bits: int = 8
    turns: int = 0
    mirror: int = -1
    icc: bytes | None = None


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode the still picture; of a sequence its first frame, in 8 bits only."""
    header = _header(data)
    check_size(header.width, header.height, max_pixels)
    if find(data, [b"moov"]) is not None:
        return _first_frame(data, header)
    import imagecodecs

    raw = from_channels(imagecodecs.avif_decode(data, numthreads=1), lossy=True)
    if raw.pixels.shape[:2] != (header.height, header.width):
        raise Unreadable("is damaged: its size is not what its header says")
    if raw.pixels.dtype.itemsize == 2:
        raw.pixels, note = expand(raw.pixels, 2**header.bits - 1)
        raw.notes += [note] if note else []
        if raw.alpha is not None:
            raw.alpha, _ = expand(raw.alpha, 2**header.bits - 1)
    raw.orientation = _ORIENTATION[header.turns, header.mirror]
    raw.icc = header.icc
    return raw


def _first_frame(data: bytes, header: _Header) -> Raw:
    """Read a sequence with Pillow: the other library writes past its memory when asked to."""
    from srqa.images.decoders.pillow import decode_avif_sequence

    if header.bits > 8:
        raise Unreadable(f"is an AVIF sequence with {header.bits} bits, which srqa does not read")
    raw = decode_avif_sequence(data, header.width * header.height)
    raw.orientation = _ORIENTATION[header.turns, header.mirror]
    raw.icc = header.icc
    return raw


def _header(data: bytes) -> _Header:
    """Size, depth, orientation and profile: the properties of the file's primary item."""
    primary, properties, links = (
        find(data, path)
        for path in (
            [b"meta", b"pitm"],
            [b"meta", b"iprp", b"ipco"],
            [b"meta", b"iprp", b"ipma"],
        )
    )
    if primary is None or properties is None or links is None:
        raise Unreadable("is damaged or an AVIF without a still picture")
    code = ">H" if data[primary[0]] == 0 else ">I"
    (item,) = struct.unpack_from(code, data, primary[0] + 4)
    listed = list(boxes(data, *properties))
    header = _Header()
    for index in _linked(data, links[0], links[1], item):
        if 0 < index <= len(listed):
            _property(header, data, *listed[index - 1])
    if any(kind == b"av1C" for kind, *_ in listed):
        header.bits = max(
            _depth(data[start + 2])
            for kind, start, end in listed
            if kind == b"av1C" and end > start + 2
        )
    return header


def _linked(data: bytes, start: int, end: int, item: int) -> list[int]:
    """The numbers, from 1, of the properties that an item has (box `ipma`)."""
    version, wide = data[start], data[start + 3] & 1
    (entries,) = struct.unpack_from(">I", data, start + 4)
    at = start + 8
    for _ in range(entries):
        (number,) = struct.unpack_from(">H" if version < 1 else ">I", data, at)
        at += 2 if version < 1 else 4
        count = data[at]
        size = 2 if wide else 1
        found = data[at + 1 : at + 1 + count * size]
        at += 1 + count * size
        if at > end:
            break
        if number == item:
            if wide:
                return [v & 0x7FFF for v in struct.unpack(f">{count}H", found)]
            return [v & 0x7F for v in found]
    return []


def _property(header: _Header, data: bytes, kind: bytes, start: int, end: int) -> None:
    if kind == b"ispe":
        header.width, header.height = struct.unpack_from(">II", data, start + 4)
    elif kind == b"irot":
        header.turns = data[start] & 3
    elif kind == b"imir":
        header.mirror = data[start] & 1
    elif kind == b"colr" and data[start : start + 4] in (b"prof", b"rICC"):
        header.icc = data[start + 4 : end]


def _depth(flags: int) -> int:
    """Bits a sample from the flags of an av1C box: high_bitdepth, twelve_bit."""
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
