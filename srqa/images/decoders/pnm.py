"""PBM, PGM and PPM, plain or binary, decoded by hand: the only way to keep 16 bits everywhere."""

from __future__ import annotations

import re

import numpy as np

from srqa.images.decoders.raw import Array, Raw, Unreadable, check_size, expand, truncated

_SPACE = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])"
_NUMBER = _SPACE + rb"+(\d{1,10})"
_HEADER = {
    True: re.compile(rb"P[14]" + _NUMBER * 2 + rb"(?:#[^\r\n]*)?[ \t\r\n\v\f]"),
    False: re.compile(rb"P[2356]" + _NUMBER * 3 + rb"(?:#[^\r\n]*)?[ \t\r\n\v\f]"),
}


def decode(data: bytes, max_pixels: int) -> Raw:
    """Decode P1 to P6; 1 bit becomes 8, a maximum other than 255 or 65535 is scaled to it."""
    kind = data[1:2]
    bitmap = kind in b"14"
    found = _HEADER[bitmap].match(data[:4096])
    if found is None:
        raise Unreadable("is damaged: its PNM header is invalid")
    width, height, *rest = (int(number) for number in found.groups())
    maximum = rest[0] if rest else 1
    if not 1 <= maximum <= 65535:
        raise Unreadable(f"is damaged: its header says that white is {maximum}")
    check_size(width, height, max_pixels)
    shape = (height, width, 3) if kind in b"36" else (height, width)
    body = memoryview(data)[found.end() :]
    if kind in b"123":
        values = _plain(bytes(body), shape, bitmap)
    elif bitmap:
        values = np.unpackbits(_binary(body, "u1", (height, (width + 7) // 8)), axis=1)[:, :width]
    else:
        values = _binary(body, "u1" if maximum < 256 else ">u2", shape)
    pixels, note = expand(values, maximum)
    if bitmap:
        pixels = np.invert(pixels)
    return Raw(pixels, lossy=False, notes=[note] if note else [])


def _plain(body: bytes, shape: tuple[int, ...], bitmap: bool) -> Array:
    text = re.sub(rb"#[^\r\n]*", b" ", body)
    words = re.findall(rb"[01]", text) if bitmap else text.split()
    count = int(np.prod(shape))
    if len(words) < count:
        raise truncated()
    if any(len(word) > 5 or not word.isdigit() for word in words[:count]):
        raise Unreadable("is damaged: its values are not whole numbers of 0 to 65535")
    return np.array(words[:count], dtype=np.uint32).reshape(shape)


def _binary(body: memoryview, dtype: str, shape: tuple[int, ...]) -> Array:
    count = int(np.prod(shape))
    if len(body) < count * np.dtype(dtype).itemsize:
        raise truncated()
    return np.frombuffer(body, dtype=dtype, count=count).reshape(shape)
