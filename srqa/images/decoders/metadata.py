"""The two things that srqa takes from a picture's metadata: EXIF orientation, ICC description."""

from __future__ import annotations

import struct


def exif_orientation(exif: bytes) -> int:
    """The orientation tag of an EXIF block, with or without the `Exif\\0\\0` in front.

    Returns:
        1 to 8; 1 for a block that lacks the tag or cannot be read.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
            if tag == 0x0112:
                code = {1: "B", 3: "H", 4: "I"}.get(kind, "H")
                (value,) = struct.unpack_from(order + code, tiff, entry + 8)
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def icc_description(profile: bytes) -> str:
    """The description in an ICC profile (`desc` tag of version 2 or 4), or an empty string."""
    try:
        (count,) = struct.unpack_from(">I", profile, 128)
        for entry in range(132, 132 + 12 * min(count, 100), 12):
            name, start, size = struct.unpack_from(">4sII", profile, entry)
            if name == b"desc":
                return _text(profile[start : start + size])
    except (struct.error, UnicodeDecodeError):
        return ""
    return ""


def _text(block: bytes) -> str:
    """The text of a `desc` (ASCII) or `mluc` (UTF-16) element, control characters removed."""
    text = ""
    if block[:4] == b"desc":
        (length,) = struct.unpack_from(">I", block, 8)
        text = block[12 : 12 + length].decode("latin-1")
    elif block[:4] == b"mluc":
        length, start = struct.unpack_from(">II", block, 20)
        text = block[start : start + length].decode("utf-16-be")
    return "".join(c for c in text if c.isprintable()).strip()[:80]


def icc_space(profile: bytes) -> str:
    """The colour space that a profile is for: 'RGB', 'GRAY', 'CMYK', ..."""
    return profile[16:20].decode("latin-1").strip()
