"""PNG through libdeflate and libpng: a checksum vouches for every pixel, 16 bits are kept.

srqa walks the chunks first. That costs microseconds, finds a missing end, and lets libpng see only
the chunks that make pixels: gamma, background and profiles can then neither change a value nor
make libpng write warnings to the terminal.

Inflating is four fifths of the work, and libdeflate does it in two thirds of the time that zlib
takes. So libpng is given the rows in a stream that is not compressed, and only undoes the filters.
Both let go of Python's lock, so that threads decode side by side; taking it back is what costs
where threads are many, so that there are few and long calls. What libdeflate does not take goes to
libpng as it is, which says what is wrong with it.

libdeflate checks the sum that ends the stream. The sums of the chunks that it came in, some
hundreds, are looked at only where it has not vouched for the stream.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from srqa.images.decoders.metadata import exif_orientation
from srqa.images.decoders.raw import Array, Raw, Unreadable, check_size, from_channels, truncated

Bytes: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_DEFLATE_LIMIT = 1032  # no deflate stream expands further
_WHOLE = 2**27
"""Bytes of rows up to which they are inflated whole, before libpng sees them."""
_BLOCK, _HEAD = 65535, 5  # of a deflate stream that is not compressed


@dataclass(slots=True)
class _Header:
    width: int
    height: int
    bits: int
    colour: int
    interlaced: bool

    def row_bytes(self, width: int) -> int:
        """Bytes of one stored row, with its filter byte."""
        return 1 + (width * self.bits * _SAMPLES[self.colour] + 7) // 8

    def passes(self) -> list[tuple[int, int, int, int, int, int]]:
        """x0, y0, dx, dy, width and height of each Adam7 pass that holds pixels."""
        found = []
        for x0, y0, dx, dy in _ADAM7:
            width, height = -((x0 - self.width) // dx), -((y0 - self.height) // dy)
            if width > 0 and height > 0:
                found.append((x0, y0, dx, dy, width, height))
        return found

    def stored_bytes(self) -> int:
        if not self.interlaced:
            return self.height * self.row_bytes(self.width)
        return sum(h * self.row_bytes(w) for *_, w, h in self.passes())


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode a PNG. A palette becomes RGB, 1-, 2- and 4-bit grey 8-bit, tRNS becomes alpha."""
    header = _header(data)
    check_size(header.width, header.height, max_pixels)
    chunks: dict[bytes, bytes] = {}
    parts: list[tuple[int, int]] = []
    others = False
    for name, start, length in _chunks(data):
        if name in (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"acTL"):
            _check_sum(data, name, start, length)
        if name == b"IDAT":
            parts.append((start, length))
        elif name in (b"IHDR", b"IEND"):
            continue
        elif name in (b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"acTL"):
            chunks.setdefault(name, data[start : start + length])
            others = True
        elif name[:1].isupper():
            raise Unreadable(f"needs a PNG extension that srqa does not know (chunk {name!r})")
        else:
            others = True
    compressed = sum(length for _, length in parts)
    if header.stored_bytes() > _DEFLATE_LIMIT * compressed:
        raise truncated("its pixel data are too short for its size")
    settings = _settings(header, chunks)
    rows = _inflated(header, [memoryview(data)[s : s + n] for s, n in parts])
    if rows is not None:
        values = _libpng(_uncompressed(rows, *_frame(header, settings)))
    else:
        for start, length in parts:
            _check_sum(data, b"IDAT", start, length)
        values = _slowly(header, settings, data, parts, others)
    return _raw(header, chunks, values)


def _slowly(
    header: _Header,
    settings: list[tuple[bytes, bytes]],
    data: bytes,
    parts: list[tuple[int, int]],
    others: bool,
) -> Array:
    """What libdeflate did not take, by libpng; `others` says that `data` holds other chunks."""
    if header.interlaced:
        return _deinterlace(header, settings, b"".join(data[s : s + n] for s, n in parts))
    if others:
        data = _assemble(header, settings, (data[s - 8 : s + n + 4] for s, n in parts))
    return _libpng(data)


def _raw(header: _Header, chunks: dict[bytes, bytes], values: Array) -> Raw:
    raw = from_channels(values, lossy=False)
    if header.colour == 3:
        raw.notes.append("palette expanded to RGB")
    elif header.bits < 8:
        raw.notes.append(f"{header.bits}-bit samples scaled to 8 bits")
    if b"acTL" in chunks:
        raw.notes.append("animation: only the default image read")
    if b"eXIf" in chunks:
        raw.orientation = exif_orientation(chunks[b"eXIf"])
    raw.icc = _profile(chunks.get(b"iCCP", b""))
    return raw


def _header(data: bytes) -> _Header:
    if len(data) < 33:
        raise truncated("its header is incomplete")
    length, name, width, height, bits, colour, method, filtering, interlace = struct.unpack_from(
        ">I4sIIBBBBB", data, 8
    )
    known = bits in _DEPTHS.get(colour, ()) and not method and not filtering and interlace < 2
    if length != 13 or name != b"IHDR" or not known:
        raise Unreadable("is damaged: its PNG header is invalid")
    return _Header(width, height, bits, colour, bool(interlace))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of each chunk's content, up to and including IEND."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            break
        yield name, at + 8, length
        if name == b"IEND":
            return
        at += 12 + length
    raise truncated("its last chunk is missing")


def _check_sum(data: bytes, name: bytes, start: int, length: int) -> None:
    """libpng would check it too, but also write a warning to the terminal."""
    (stored,) = struct.unpack_from(">I", data, start + length)
    if _crc(memoryview(data)[start - 4 : start + length]) != stored:
        raise Unreadable(f"is damaged: the checksum of its chunk {name.decode()} is wrong")


def _crc(piece: bytes | memoryview | Bytes) -> int:
    import imagecodecs

    function: Any = imagecodecs.zlibng_crc32  # takes any buffer, whatever its stub says
    return int(function(piece))


def _settings(header: _Header, chunks: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """The chunks besides IHDR and IDAT that decide pixels: palette and transparency."""
    palette, transparent = chunks.get(b"PLTE", b""), chunks.get(b"tRNS")
    kept = []
    if header.colour == 3:
        if not palette or len(palette) % 3 or len(palette) > 768:
            raise Unreadable("is damaged: its palette is missing or invalid")
        palette = palette[: 3 << header.bits]
        kept.append((b"PLTE", palette))
    if transparent is not None and header.colour < 4:
        fits = {
            0: len(transparent) == 2,
            2: len(transparent) == 6,
            3: 0 < len(transparent) <= len(palette) // 3,
        }
        if not fits[header.colour]:
            raise Unreadable("is damaged: its transparency chunk is invalid")
        kept.append((b"tRNS", transparent))
    return kept


def _chunk(name: bytes, content: bytes) -> bytes:
    return b"".join(
        (struct.pack(">I", len(content)), name, content, struct.pack(">I", _crc(name + content)))
    )


def _assemble(
    header: _Header, settings: list[tuple[bytes, bytes]], image_data: Iterator[bytes]
) -> bytes:
    """A PNG that is not interlaced and has no other chunks than those that make pixels."""
    start, end = _frame(header, settings)
    return b"".join([start, *image_data, end])


def _frame(header: _Header, settings: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """What stands before and behind the image data of such a PNG."""
    layout = struct.pack(
        ">IIBBBBB", header.width, header.height, header.bits, header.colour, 0, 0, 0
    )
    start = SIGNATURE + _chunk(b"IHDR", layout)
    middle = b"".join(_chunk(name, content) for name, content in settings)
    return start + middle, _chunk(b"IEND", b"")


def _inflated(header: _Header, compressed: list[memoryview]) -> bytes | None:
    """The rows, if their stream is whole, sound, and as long as it should be.

    Else, or of an interlaced picture, or where the picture is so large that its rows had better not
    lie in memory twice, None.
    """
    size = header.stored_bytes()
    if size > _WHOLE or header.interlaced:
        return None
    import imagecodecs

    try:
        rows = bytes(imagecodecs.deflate_decode(b"".join(compressed), out=size))
    except Exception:  # of the decoder's own kinds; libpng will say it in ours
        return None
    return rows if len(rows) == size else None


def _uncompressed(rows: bytes, before: bytes, behind: bytes) -> Bytes:
    """A PNG with one chunk of image data that holds `rows` as they are.

    It is one stream of blocks that are not compressed, all but the last of `_BLOCK` bytes.
    """
    import imagecodecs

    full = (len(rows) - 1) // _BLOCK
    rest = len(rows) - full * _BLOCK
    size = 2 + full * (_HEAD + _BLOCK) + _HEAD + rest + 4
    made = np.empty(len(before) + 8 + size + 4 + len(behind), np.uint8)
    left = made

    def take(count: int) -> Bytes:
        nonlocal left
        taken, left = left[:count], left[count:]
        return taken

    def put(*parts: bytes | memoryview) -> None:
        for part in parts:
            take(len(part))[:] = np.frombuffer(part, np.uint8)

    put(before, struct.pack(">I", size))
    checked = left[: 4 + size]
    put(b"IDAT\x78\x01")
    blocks = take(full * (_HEAD + _BLOCK)).reshape(full, _HEAD + _BLOCK)
    blocks[:, :_HEAD] = np.frombuffer(_block(_BLOCK, last=False), np.uint8)
    blocks[:, _HEAD:] = np.frombuffer(rows, np.uint8, full * _BLOCK).reshape(full, _BLOCK)
    put(_block(rest, last=True), memoryview(rows)[full * _BLOCK :])
    put(struct.pack(">I", imagecodecs.zlibng_adler32(rows)))
    put(struct.pack(">I", _crc(checked)), behind)
    return made


def _block(size: int, *, last: bool) -> bytes:
    """The head of a block that is not compressed."""
    return struct.pack("<BHH", last, size, size ^ 0xFFFF)


def _deinterlace(header: _Header, settings: list[tuple[bytes, bytes]], compressed: bytes) -> Array:
    """Decode Adam7: each of its seven passes is a PNG by itself, spread over the picture."""
    expected = header.stored_bytes()
    engine = zlib.decompressobj()
    stored = engine.decompress(compressed, expected)
    engine.decompress(engine.unconsumed_tail, 1)
    if len(stored) < expected or not engine.eof:
        raise truncated()
    picture: Array | None = None
    at = 0
    for x0, y0, dx, dy, width, height in header.passes():
        size = height * header.row_bytes(width)
        content = zlib.compress(stored[at : at + size], 0)
        at += size
        small = _Header(width, height, header.bits, header.colour, False)
        values = _libpng(_assemble(small, settings, iter([_chunk(b"IDAT", content)])))
        if picture is None:
            shape = (header.height, header.width, *values.shape[2:])
            picture = np.empty(shape, values.dtype)
        picture[y0::dy, x0::dx] = values
    if picture is None:
        raise truncated()
    return picture


def _libpng(data: bytes | Bytes) -> Array:
    import imagecodecs

    function: Any = imagecodecs.png_decode  # takes any buffer, whatever its stub says
    values: Array = function(data)
    return values


def _profile(chunk: bytes) -> bytes | None:
    """The ICC profile of an iCCP chunk: name, 0, method 0, deflate stream."""
    _, _, rest = chunk.partition(b"\0")
    if rest[:1] != b"\0":
        return None
    try:
        return zlib.decompressobj().decompress(rest[1:], 1 << 24) or None
    except zlib.error:
        return None
