"""One module a file format: bytes in, stored values out (`raw.Raw`), `raw.Unreadable` if not.

The format is told by the first bytes, never by the file's name, and a decoder is imported when the
first file of its format comes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module

from srqa.images.decoders.raw import Raw, Unreadable

Decoder = Callable[[bytes, int], Raw]

# format, what its first bytes match, where its decoder is
_FORMATS = (
    ("png", rb"\x89PNG\r\n\x1a\n", "png:decode"),
    ("jpeg", rb"\xff\xd8\xff", "jpeg:decode"),
    ("tiff", rb"II[*+]\0|MM\0[*+]", "tiff:decode"),
    ("webp", rb"RIFF....WEBP", "webp:decode"),
    ("gif", rb"GIF8[79]a", "pillow:decode_gif"),
    ("avif", rb"....ftyp(?:.{4})*?avi[fs]", "avif:decode"),
    ("jxl", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "jxl:decode"),
    ("jp2", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n", "jp2:decode"),
    ("bmp", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", "pillow:decode_bmp"),
    ("pnm", rb"P[1-6][\s#]", "pnm:decode"),
)
_PATTERNS = [(name, re.compile(pattern, re.DOTALL), place) for name, pattern, place in _FORMATS]

# what else a file may be, for a better message
_OTHERS = (
    (rb"version https://git-lfs", "is a Git LFS pointer, not the picture itself"),
    (rb"(?i)\s*<(?:!doctype )?html", "is a web page, not a picture"),
    (rb"\s*(?:<\?xml[^>]*>\s*)?<svg", "is an SVG drawing, which has no pixels"),
    (rb"....ftyp(?:heic|heix|mif1|msf1)", "is a HEIC picture, which srqa does not read"),
    (rb"8BPS", "is a Photoshop file, which srqa does not read"),
    (rb"v/1\x01", "is an OpenEXR picture, which srqa does not read"),
    (rb"#\?RADIANCE", "is a Radiance HDR picture, which srqa does not read"),
    (rb"%PDF", "is a PDF file, not a picture"),
    (rb"PK\x03\x04", "is a ZIP archive, not a picture"),
    (rb"\x93NUMPY", "is a NumPy file, not a picture"),
)
_HINT = "Convert it to PNG, which keeps every value."


def identify(data: bytes) -> tuple[str, Decoder]:
    """The format of a file and its decoder, by its first bytes.

    Raises:
        Unreadable: no format that srqa reads.
    """
    start = data[:128]
    for name, pattern, place in _PATTERNS:
        if pattern.match(start):
            module, function = place.split(":")
            decoder: Decoder = getattr(import_module(f"{__name__}.{module}"), function)
            return name, decoder
    for other, sentence in _OTHERS:
        if re.match(other, start, re.DOTALL):
            raise Unreadable(sentence, _HINT)
    raise Unreadable(f"is not a picture srqa can read (starts with {_preview(start)})", _HINT)


def _preview(start: bytes) -> str:
    """The first bytes as text if they are text, else in hexadecimal."""
    head = start[:16]
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        text = " ".join(head.decode("ascii").split())
        return f"'{text}{'…' if len(start) > 16 else ''}'"
    return f"the bytes {head[:8].hex(' ')}"
