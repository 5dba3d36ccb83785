"""The boxes of ISO media files (size, type, content), in which AVIF, JPEG XL and JPEG 2000 lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from srqa.images.decoders.raw import truncated


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the content of each box in data[start:end].

    Raises:
        Unreadable: a box reaches past the end.
    """
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            raise truncated(f"its part {kind.decode('latin-1')!r} is incomplete")
        yield kind, start + head, start + size
        start += size


def find(data: bytes, path: list[bytes], start: int = 0) -> tuple[int, int] | None:
    """Start and end of the content of the first box at a path such as [b"meta", b"pitm"]."""
    end = len(data)
    for kind in path:
        found = next(((s, e) for k, s, e in boxes(data, start, end) if k == kind), None)
        if found is None:
            return None
        start, end = found
        if kind == b"meta":
            start += 4
    return found
