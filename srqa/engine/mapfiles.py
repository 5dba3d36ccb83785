"""Maps as files: colours, numbers, and what each file says of itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np

from srqa.files import make_folder, printable, replacing
from srqa.images.layout import Item
from srqa.images.read import DecodePolicy, read

Form = Literal["colour", "gray", "float"]
Colours = Literal["inferno", "viridis", "cividis"]
SUFFIXES: dict[Form, str] = {"colour": ".png", "gray": ".png", "float": ".tiff"}
NO_VALUE = 255
"""The level of pixels without a value; those with one have 0 to 254."""
_KEY = "srqa"
_RESERVED = re.compile(r'[<>:"\\|?*\x00-\x1f]')
_LONGEST = 150
"""Bytes of a name; file systems allow 255, and a suffix and a temporary name must fit too."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a map's file says of itself.

    Attributes:
        map: its name.
        signature: how pixels became numbers.
        peak: the value at the end of the scale (`form` "float" has the values themselves).
        unit: of the values.
        form, colours: how values became samples; no colours but in "colour".
        inputs: sha256 of output and reference.
        mean: over all pixels that have a value.
        high: the value below which 99.5 % of them are.
        beyond: the share of them beyond the peak.
    """

    map: str
    signature: str
    peak: float
    unit: str
    form: Form
    colours: str
    inputs: tuple[str, str]
    mean: float = 0.0
    high: float = 0.0
    beyond: float = 0.0

    def same_making(self, other: Facts) -> bool:
        """Whether two files would hold the same."""
        names = [f.name for f in fields(Facts) if f.name not in ("mean", "high", "beyond")]
        return all(getattr(self, name) == getattr(other, name) for name in names)


@lru_cache(maxsize=4)
def palette(colours: Colours) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Colours of the levels 0 to 254, dark to light, and a grey for `NO_VALUE`; (256, 3) RGB.

    The tables are matplotlib's (CC0), which look evenly spaced to the eye, as OpenCV carries them.
    """
    import cv2

    tables = {
        "inferno": cv2.COLORMAP_INFERNO,
        "viridis": cv2.COLORMAP_VIRIDIS,
        "cividis": cv2.COLORMAP_CIVIDIS,
    }
    steps = np.rint(np.linspace(0, 255, NO_VALUE)).astype(np.uint8)
    made = cv2.applyColorMap(steps[:, None], tables[colours])[:, 0, ::-1]
    return np.concatenate([made, np.full((1, 3), 128, np.uint8)])


def levels(values: np.ndarray[Any, Any], peak: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Values as levels: 0 to 254 for 0 to the peak and beyond, `NO_VALUE` for NaN."""
    scaled = np.clip(np.nan_to_num(values, nan=0.0, posinf=peak) * (254 / peak), 0, 254)
    found: np.ndarray[Any, np.dtype[np.uint8]] = np.rint(scaled).astype(np.uint8)
    found[np.isnan(values)] = NO_VALUE
    return found


def write_map(path: Path, values: np.ndarray[Any, Any], facts: Facts) -> None:
    """Write a map (H, W) whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    make_folder(path.parent)
    about = json.dumps(asdict(facts))
    with replacing(path) as temporary:
        if facts.form == "float":
            import tifffile

            tifffile.imwrite(
                temporary,
                values.astype(np.float32),
                description=about,
                metadata=None,
                photometric="minisblack",
                compression="zlib",
            )
        else:
            temporary.write_bytes(coded(values, facts, about))


def coded(values: np.ndarray[Any, Any], facts: Facts, about: str = "") -> bytes:
    """A map as a PNG file: 8 bits of colour, or 16 bits of grey where NaN is 0."""
    import io

    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if about:
        info.add_text(_KEY, about)
    file = io.BytesIO()
    if facts.form == "gray":
        unit = np.nan_to_num(values, nan=0.0, posinf=facts.peak) / facts.peak
        whole = np.rint(np.clip(unit, 0, 1) * 65535).astype(np.uint16)
        Image.fromarray(whole).save(file, "PNG", pnginfo=info, compress_level=4)
    else:
        save_levels(file, levels(values, facts.peak), facts.colours, info)
    return file.getvalue()


def save_levels(
    file: Any, found: np.ndarray[Any, np.dtype[np.uint8]], colours: Any, info: Any = None
) -> None:
    """Write levels as a PNG with a palette; `NO_VALUE` is transparent."""
    from PIL import Image

    image = Image.frombytes("P", found.shape[::-1], np.ascontiguousarray(found).tobytes())
    image.putpalette(palette(colours).tobytes())
    image.save(file, "PNG", pnginfo=info, transparency=NO_VALUE, compress_level=4)


def read_facts(path: Path) -> Facts | None:
    """What a map's file says of itself; None if it is no map of srqa's or is damaged."""
    try:
        if path.suffix == ".tiff":
            import tifffile

            with tifffile.TiffFile(path) as file:
                about = file.pages[0].description  # type: ignore[union-attr]
        else:
            from PIL import Image

            with Image.open(path) as image:
                about = image.text[_KEY]  # type: ignore[attr-defined]
            read(path, DecodePolicy(alpha="drop"))  # stricter than Pillow: not a byte is missing
        found = json.loads(about)
        return Facts(**(found | {"inputs": tuple(found["inputs"])}))
    except Exception:  # whatever stands there, it is not what we wrote
        return None


def read_levels(path: Path, facts: Facts) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The levels (H, W) of a map's file, whatever its form."""
    if facts.form == "float":
        import tifffile

        return levels(tifffile.imread(path), facts.peak)
    from PIL import Image

    with Image.open(path) as image:
        stored = np.asarray(image)
    return stored if facts.form == "colour" else levels(stored / np.float64(65535), 1.0)


def paths(
    items: Sequence[Item], names: Iterable[str], suffix: str
) -> dict[tuple[Item, str], PurePosixPath]:
    """Where each map lies in the folder: ``METHOD/[DATASET/]CONTENT_MAP``, no two alike.

    Letters of any script and spaces stay. What some file system refuses becomes ``_``. Two names
    that some file system takes for one are told apart by ``~2``.
    """
    several = len({item.scale for item in items}) > 1
    taken: set[str] = set()
    found: dict[tuple[Item, str], PurePosixPath] = {}
    for item in items:
        parts = [_part(item.method), _part(item.dataset)]
        *folders, stem = (_part(part) for part in item.content.split("/"))
        folder = PurePosixPath(*filter(None, [*parts, *folders]))
        if several and item.scale:
            stem += f"_x{item.scale:g}"
        for name in names:
            free, number = f"{stem}_{name}{suffix}", 1
            while str(folder / free).casefold() in taken:
                number += 1
                free = f"{stem}_{name}~{number}{suffix}"
            taken.add(str(folder / free).casefold())
            found[item, name] = folder / free
    return found


def _part(name: str) -> str:
    """A name as part of a path, on any file system; empty stays empty."""
    safe = _RESERVED.sub("_", printable(name)).replace("/", "_").rstrip(". ")
    if name and not safe:
        safe = "_" * len(name)
    coded_name = safe.encode()
    if len(coded_name) > _LONGEST:
        digest = hashlib.sha256(coded_name).hexdigest()[:8]
        safe = coded_name[: _LONGEST - 9].decode(errors="ignore") + "-" + digest
    return safe
