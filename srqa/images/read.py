"""Reading pictures: one written policy for everything that could change a pixel.

The format is told by the first bytes. Whatever is wrong with a file (missing, cut short, damaged,
not a picture, larger than allowed) is one `ReadError` that names it. Importing this module costs
only numpy; each decoder is imported when the first file of its format comes.

What version 1 of the policy does:

- EXIF orientation is applied (JPEG, PNG, WebP, the TIFF tag, the turns and mirrors of AVIF).
- 8-bit files become uint8 and 16-bit files uint16, however dark; 1, 2 and 4 bits are spread over
  the full range of 8, 10 and 12 bits over that of 16, rounded to the nearest.
- Float TIFF and float JPEG XL become float32 and must lie in [0, 1].
- A palette becomes RGB, even a grey one; only in BMP and GIF the grey ramp 0..255 gives grey.
- CMYK becomes RGB as in Pillow: R = (1 - C)(1 - K).
- Alpha (also PNG's tRNS and GIF's transparent colour) is dropped with a note where it is opaque,
  and else treated as `DecodePolicy.alpha` says. Compositing is done on the stored, that is
  gamma-encoded, values: value x alpha + background x (1 - alpha), rounded half up.
- Gamma chunks are ignored, ICC profiles too unless `DecodePolicy.icc` is "convert".
- A cut file is an error even if only its end is missing: PNG needs IEND, JPEG its end marker,
  WebP, AVIF and JPEG XL every byte that their headers promise. TIFF, BMP, PNM and GIF need all
  pixel data; what may follow them (GIF's trailer, later pages and frames) is not looked at.
- Of animations and files with several pages the first is read.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from srqa.errors import ReadError, UsageError
from srqa.images.decoders import identify
from srqa.images.decoders.finish import finish
from srqa.images.decoders.raw import Raw, Unreadable

SUFFIXES: frozenset[str] = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp"}
    | {".gif", ".avif", ".jxl", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm"}
)


@dataclass(frozen=True, slots=True)
class DecodePolicy:
    """How files become pixels; recorded with every result.

    Attributes:
        alpha: what to do with an alpha channel that is not opaque: "refuse" it, composite on
            "white" or "black" (on stored, gamma-encoded values), or "drop" it.
        icc: "ignore" embedded profiles, as the literature's tools do, or "convert" to sRGB with
            LittleCMS, perceptual intent, at 8 or 16 bits. JPEG XL gives no profile to convert.
        max_pixels: pictures whose header says more than this are refused before decoding.
        version: version of the policy's definition.

    Raises:
        UsageError: a value outside these choices.

    Example:
        >>> DecodePolicy(alpha="white").describe()
        {'alpha': 'white', 'icc': 'ignore', 'max_pixels': 536870912, 'version': 1}
    """

    alpha: Literal["refuse", "white", "black", "drop"] = "refuse"
    icc: Literal["ignore", "convert"] = "ignore"
    max_pixels: int = 2**29
    version: int = 1

    def __post_init__(self) -> None:
        if self.alpha not in ("refuse", "white", "black", "drop"):
            raise UsageError(f"alpha must be refuse, white, black or drop, not {self.alpha!r}")
        if self.icc not in ("ignore", "convert"):
            raise UsageError(f"icc must be ignore or convert, not {self.icc!r}")
        if self.max_pixels < 1:
            raise UsageError(f"max_pixels must be at least 1, not {self.max_pixels}")

    def describe(self) -> dict[str, str | int]:
        """The policy as plain values, for a manifest."""
        return {
            "alpha": self.alpha,
            "icc": self.icc,
            "max_pixels": self.max_pixels,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded file.

    Attributes:
        pixels: (H, W) grey or (H, W, 3) RGB; uint8, uint16, or float32 in [0, 1]; C-contiguous.
        format: "png", "jpeg", "tiff", "webp", "bmp", "gif", "avif", "jxl", "jp2" or "pnm".
        lossy: the file's coding loses information (always said of AVIF, where it cannot be told).
        notes: what was done on the way, in short sentences without the file's name.
    """

    pixels: npt.NDArray[Any]
    format: str
    lossy: bool
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self.pixels.ndim == 2 else 3

    @property
    def depth(self) -> int:
        """Bits a sample: 8, 16, or 32 for float."""
        return 8 * self.pixels.dtype.itemsize


def read_bytes(path: Path) -> bytes:
    """The whole content of a file.

    Args:
        path: a regular file, or a link to one.

    Raises:
        ReadError: it is missing, empty, a folder or a device, or may not be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ReadError(f"{path} is a folder, not a picture")
        if not stat.S_ISREG(mode):
            raise ReadError(f"{path} is not a regular file")
        data = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path} {_cause(path, error)}") from error
    except (ValueError, RuntimeError) as error:  # a null byte in the name; older link loops
        raise ReadError(f"{path} cannot be opened: {error}") from error
    except MemoryError as error:
        raise ReadError(f"{path} is too large for the memory of this machine") from error
    if not data:
        raise ReadError(f"{path} is empty (0 bytes)")
    return data


def _cause(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        try:
            dangling = path.is_symlink()
        except OSError:
            dangling = False
        return "is a link to a file that does not exist" if dangling else "does not exist"
    sentences = {
        errno.EACCES: "may not be read: you have no rights to it",
        errno.EPERM: "may not be read: you have no rights to it",
        errno.ELOOP: "is a symbolic link that leads back to itself",
        errno.ENOTDIR: "does not exist: a part of its path is a file, not a folder",
        errno.ENAMETOOLONG: "does not exist: its name is too long",
    }
    known = sentences.get(error.errno or 0)
    return known or f"cannot be read: {error.strerror or error}"


def decode(data: bytes, name: str, policy: DecodePolicy = DecodePolicy()) -> Picture:
    """Decode a picture file's content.

    Args:
        data: the whole file.
        name: what to call it in messages; its suffix does not matter.
        policy: see DecodePolicy.

    Returns:
        The picture; the array belongs to the caller.

    Raises:
        ReadError: anything that keeps the file from being decoded completely.

    Example:
        >>> decode(b"P5 2 1 255\\n\\x07\\xff", "two.pgm").pixels.tolist()
        [[7, 255]]
    """
    with one_sentence(name):
        kind, raw = undecorated(data, policy.max_pixels)
        pixels, notes = finish(raw, policy.alpha, policy.icc)
        if not pixels.flags.writeable:
            pixels = pixels.copy()
        return Picture(pixels, kind, raw.lossy, tuple(notes))


def undecorated(data: bytes, max_pixels: int) -> tuple[str, Raw]:
    """The format of a file's content and its values as they are stored; inside `one_sentence`."""
    if not data:
        raise Unreadable("is empty (0 bytes)")
    kind, decoder = identify(data)
    try:
        return kind, decoder(data, max_pixels)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # decoders raise what they like
        raise Unreadable(f"is damaged: {_said(kind, error)}") from error


@contextmanager
def one_sentence(name: str) -> Iterator[None]:
    """Whatever keeps a file from being decoded becomes one `ReadError` that names it."""
    try:
        yield
    except Unreadable as problem:
        raise ReadError(f"{name} {problem.reason}", problem.hint) from problem
    except MemoryError as error:
        raise ReadError(f"{name} is too large for the memory of this machine") from error
    except Exception as error:
        raise ReadError(f"{name} is damaged: {_said('picture', error)}") from error


def _said(kind: str, error: Exception) -> str:
    """A decoder's own words on one line, as far as they can be shown."""
    words = "" if isinstance(error, UnicodeError) else " ".join(str(error).split())
    shown = "".join(c for c in words if c.isprintable())[:160]
    return f"the {kind} decoder says {shown!r}" if shown else f"the {kind} decoder failed"


def read(path: Path | str, policy: DecodePolicy = DecodePolicy()) -> Picture:
    """Read a picture file.

    Args:
        path: the file; its format is told by its content.
        policy: see DecodePolicy.

    Returns:
        The picture, pixels as (H, W) or (H, W, 3).

    Raises:
        ReadError: the file cannot be read or not be decoded completely.

    Example:
        >>> picture = read("photo.png", DecodePolicy(alpha="white"))  # doctest: +SKIP
    """
    path = Path(path)
    return decode(read_bytes(path), str(path), policy)
