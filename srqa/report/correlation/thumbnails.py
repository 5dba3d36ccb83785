"""Small pictures for hovering, larger ones for disagreements, where a Run's files are there."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from srqa.correlation.analysis import Correlation
from srqa.correlation.disagreement import Disagreement
from srqa.engine.protocol import quantise
from srqa.errors import SrqaError
from srqa.images.read import DecodePolicy, decode, read_bytes
from srqa.report.pictures import busiest

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
SIDE = 112
"""Longest side of what is shown beside the pointer."""
MOST = 400
"""Pictures beyond which none is shown beside the pointer: the page would grow too large."""
SHOWN = 18
"""Disagreements with pictures."""
_CROP = 256 * 192


@dataclass(slots=True)
class Thumbnails:
    """Pictures as data addresses.

    Attributes:
        small: by row of the table.
        pairs: by place in the list of shown disagreements: first, second, reference ('' if none).
        shown: the disagreements that are shown, strongest of each pair of metrics first.
    """

    small: dict[int, str] = field(default_factory=dict)
    pairs: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    shown: list[Disagreement] = field(default_factory=list)


def make_thumbnails(
    found: Correlation, progress: Callable[[str, int, int], None] | None = None
) -> Thumbnails:
    """Read what can be read; what is missing or has changed has no thumbnail."""
    made = Thumbnails(shown=chosen(found))
    if not found.metrics.files:
        return made
    images = found.data.frame["image"].tolist()
    if len(images) <= MOST:
        for row, name in enumerate(images):
            if progress:
                progress("Reading pictures", row, len(images))
            pixels = _pixels(found, "output", name)
            if pixels is not None:
                made.small[row] = _coded(_shrunk(pixels), 80)
    references = found.data.frame["reference"].tolist()
    for place, one in enumerate(made.shown):
        if progress:
            progress("Reading pictures", place, len(made.shown))
        first, second = (_pixels(found, "output", images[i]) for i in (one.first, one.second))
        if first is None or second is None or first.shape[:2] != second.shape[:2]:
            continue
        reference = _pixels(found, "reference", references[one.first])
        made.pairs[place] = _cut(first, second, reference)
    return made


def chosen(found: Correlation) -> list[Disagreement]:
    """The strongest disagreement of each pair of metrics, then the next ones, `SHOWN` in all."""
    by_pair: dict[tuple[str, str], list[Disagreement]] = {}
    for one in found.disagreements:
        by_pair.setdefault((one.by, one.against), []).append(one)
    ranks = sorted(
        (rank, -one.strength, i, one)
        for i, group in enumerate(by_pair.values())
        for rank, one in enumerate(group)
    )
    return [one for *_, one in ranks[:SHOWN]]


def _pixels(found: Correlation, role: str, name: str) -> Pixels | None:
    path, sha256 = found.metrics.files.get((role, name), ("", ""))
    if not path:
        return None
    try:
        data = read_bytes(Path(path))
        if hashlib.sha256(data).hexdigest() != sha256:
            return None
        pixels = quantise(decode(data, name, DecodePolicy(alpha="drop")).pixels, 8)
    except SrqaError:
        return None
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _shrunk(pixels: Pixels) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return image


def _cut(first: Pixels, second: Pixels, reference: Pixels | None) -> tuple[str, str, str]:
    """The part in which both differ most, of each."""
    energy = np.abs(first.astype(np.float32) - second).mean(axis=2)
    x, y, w, h = busiest(energy, _CROP)
    views = [first, second]
    if reference is not None and reference.shape[:2] == first.shape[:2]:
        views.append(reference)
    uris = [_coded(Image.fromarray(np.ascontiguousarray(v[y : y + h, x : x + w])), 92)
            for v in views]  # fmt: skip
    return uris[0], uris[1], uris[2] if len(uris) > 2 else ""


def _coded(image: Image.Image, quality: int) -> str:
    out = io.BytesIO()
    image.convert("RGB").save(out, "WEBP", quality=quality, method=4)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
