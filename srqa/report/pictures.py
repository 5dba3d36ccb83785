"""The pictures of a report: read again, checked, cut where methods differ, coded without loss."""

from __future__ import annotations

import base64
import hashlib
import io
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from srqa.engine.protocol import quantise
from srqa.engine.results import FileRow, Score
from srqa.errors import SrqaError
from srqa.images.read import DecodePolicy, decode, read_bytes
from srqa.report.choice import Choice
from srqa.report.facts import Facts

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
MAX_BYTES = 17_500_000
"""Of coded pictures; as base64 they take a third more, and the file stays under 25 MB."""
MAX_PIXELS = 800_000
MIN_PIXELS = 90_000
_BYTES_A_PIXEL = 1.9
_STEP = 8


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture as it stands in the HTML file."""

    method: str
    uri: str
    width: int
    height: int


@dataclass(slots=True)
class Exhibit:
    """One content: the reference (method "") and outputs of one size, and what was left out.

    `origin` is where the shown part lies in the whole picture, (x, y).
    """

    choice: Choice
    reference: Coded | None = None
    outputs: list[Coded] = field(default_factory=list)
    note: str = ""
    origin: tuple[int, int] = (0, 0)
    left_out: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Gallery:
    """All that is shown, and one sentence if not all that was chosen fits."""

    exhibits: list[Exhibit]
    note: str = ""


class _LeftOutError(Exception):
    """A picture is not shown; the message says why."""


def make_gallery(
    facts: Facts, choices: list[Choice], progress: Callable[[int, int], None] | None = None
) -> Gallery:
    """Read and code the chosen contents, as many as fit into the size of a report.

    Args:
        facts: of the Run.
        choices: contents in the order of the report.
        progress: called with (done, all) after each content.
    """
    reader = _Reader(facts)
    pictures = max(1, len(choices) * (len(facts.methods) + 1))
    area = min(MAX_PIXELS, max(MIN_PIXELS, int(MAX_BYTES / pictures / _BYTES_A_PIXEL)))
    made = Gallery([])
    total = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for done, choice in enumerate(choices):
            if progress:
                progress(done, len(choices))
            exhibit, size = _exhibit(facts, reader, choice, area, pool)
            if made.exhibits and total + size > MAX_BYTES:
                made.note = (
                    f"{len(made.exhibits)} of {len(choices)} contents are shown; more would make "
                    "this file larger than 25 MB."
                )
                break
            total += size
            made.exhibits.append(exhibit)
    if progress:
        progress(len(choices), len(choices))
    return made


class _Reader:
    def __init__(self, facts: Facts) -> None:
        self._files: dict[tuple[str, str], FileRow] = {
            (row.role, row.name): row for row in facts.run.file_rows
        }
        policy: dict[str, Any] = facts.run.manifest.get("decode_policy") or {}
        known = {k: v for k, v in policy.items() if k in DecodePolicy.__dataclass_fields__}
        self._policy = DecodePolicy(**known)

    def pixels(self, role: str, name: str) -> Pixels:
        """A picture at 8 bits, if its file is still what the Run read."""
        row = self._files.get((role, name))
        if row is None:
            raise _LeftOutError(f"{name} is not among the files that the Run read")
        try:
            data = read_bytes(Path(row.path))
        except SrqaError as error:
            raise _LeftOutError(f"{name} cannot be read any more") from error
        if hashlib.sha256(data).hexdigest() != row.sha256:
            raise _LeftOutError(f"{name} has changed since it was scored")
        try:
            return quantise(decode(data, name, self._policy).pixels, 8)
        except SrqaError as error:
            raise _LeftOutError(str(error)) from error


def _exhibit(
    facts: Facts, reader: _Reader, choice: Choice, area: int, pool: ThreadPoolExecutor
) -> tuple[Exhibit, int]:
    exhibit = Exhibit(choice)
    rows = _rows(facts, choice)
    loaded: dict[str, Pixels] = {}
    references = {row.reference for row in rows.values() if row.reference}
    wanted = [("", "reference", name) for name in sorted(references)[:1]]
    wanted += [(method, "output", row.image) for method, row in rows.items()]
    for method, role, name in wanted:
        try:
            loaded[method] = reader.pixels(role, name)
        except _LeftOutError as reason:
            exhibit.left_out.append(f"{reason}.")
    cut = _fit(loaded, exhibit)
    if not cut:
        return exhibit, 0
    box = _window(cut, area)
    exhibit.note = _note(cut, loaded, box)
    x, y, width, height = box
    exhibit.origin = (x, y)
    views = {m: p[y : y + height, x : x + width] for m, p in cut.items()}
    coded = dict(zip(views, pool.map(encode, views.values()), strict=True))
    for method, (kind, data) in coded.items():
        uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        picture = Coded(method, uri, width, height)
        if method:
            exhibit.outputs.append(picture)
        else:
            exhibit.reference = picture
    return exhibit, sum(len(data) for _, data in coded.values())


def _rows(facts: Facts, choice: Choice) -> dict[str, Score]:
    found: dict[str, Score] = {}
    for metric in facts.metrics:
        for method in facts.methods_in(choice.group):
            scores = facts.values.get((choice.group, method, metric.name), {})
            if choice.content in scores:
                found.setdefault(method, scores[choice.content])
    return {method: found[method] for method in facts.methods if method in found}


def _fit(loaded: dict[str, Pixels], exhibit: Exhibit) -> dict[str, Pixels]:
    """Pictures cut to their common top left part; those of another size altogether are left out."""
    if not loaded:
        return {}
    model = loaded[""] if "" in loaded else max(loaded.values(), key=lambda p: p.shape[:2])
    tall, wide = model.shape[:2]
    kept = {}
    for method, pixels in loaded.items():
        height, width = pixels.shape[:2]
        if min(height / tall, tall / height, width / wide, wide / width) < 0.9:
            exhibit.left_out.append(
                f"The output of {method} is {width}x{height}, not {wide}x{tall}."
            )
        else:
            kept[method] = pixels
    height = min(pixels.shape[0] for pixels in kept.values())
    width = min(pixels.shape[1] for pixels in kept.values())
    return {method: pixels[:height, :width] for method, pixels in kept.items()}


def _window(pictures: dict[str, Pixels], area: int) -> tuple[int, int, int, int]:
    """The part of at most `area` pixels in which pictures differ most: (x, y, width, height)."""
    outputs = [p for method, p in pictures.items() if method]
    seen = outputs if len(outputs) > 1 else list(pictures.values())
    height, width = seen[0].shape[:2]
    return (0, 0, width, height) if height * width <= area else busiest(_disagreement(seen), area)


def busiest(energy: np.ndarray[Any, Any], area: int) -> tuple[int, int, int, int]:
    """The part of a map (H, W), of at most `area` pixels, with the largest sum of its values.

    Returns:
        x, y, width, height; the whole if that is small enough.
    """
    height, width = energy.shape
    if height * width <= area:
        return 0, 0, width, height
    shrink = math.sqrt(area / (height * width))
    w = min(width, max(1, round(width * shrink)))
    h = min(height, max(1, area // w))
    sums = np.pad(_in_blocks(energy).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = max(1, h // _STEP), max(1, w // _STEP)
    inside = (sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns]) + sums[
        :-rows, :-columns
    ]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return min(int(left) * _STEP, width - w), min(int(top) * _STEP, height - h), w, h


def _disagreement(pictures: list[Pixels]) -> np.ndarray[Any, Any]:
    """Standard deviation over pictures."""
    grey = [p if p.ndim == 2 else p.mean(axis=2, dtype=np.float32) for p in pictures]
    total = sum(g.astype(np.float32) for g in grey)
    squares = sum(g.astype(np.float32) ** 2 for g in grey)
    n = len(grey)
    spread: np.ndarray[Any, Any] = np.sqrt(np.maximum(squares / n - (total / n) ** 2, 0))
    return spread


def _in_blocks(energy: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Sums over blocks of `_STEP` pixels."""
    height, width = (side - side % _STEP for side in energy.shape)
    if not height or not width:
        return np.ones((1, 1))
    blocks = energy[:height, :width].reshape(height // _STEP, _STEP, width // _STEP, _STEP)
    summed: np.ndarray[Any, np.dtype[np.float64]] = blocks.sum(axis=(1, 3), dtype=np.float64)
    return summed


def _note(cut: dict[str, Pixels], loaded: dict[str, Pixels], box: tuple[int, int, int, int]) -> str:
    x, y, w, h = box
    whole = next(iter(loaded.values()))
    height, width = whole.shape[:2]
    if (w, h) == (width, height):
        return f"{w}x{h}, whole picture"
    where = "where methods differ most" if len(cut) > 2 else "where the differences are largest"
    if (h, w) == next(iter(cut.values())).shape[:2]:
        return f"common part {w}x{h} of {width}x{height}"
    return f"crop {w}x{h} at ({x}, {y}) of {width}x{height}, {where}"


def encode(pixels: Pixels) -> tuple[str, bytes]:
    """A picture without loss, as WebP or PNG, whichever is smaller: (subtype, file)."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    png = io.BytesIO()
    image.save(png, "PNG", compress_level=6)
    webp = io.BytesIO()
    try:
        image.convert("RGB").save(webp, "WEBP", lossless=True, quality=40, method=2)
    except (OSError, ValueError):  # a side over 16383, or a Pillow without WebP
        return "png", png.getvalue()
    if webp.tell() < png.tell():
        return "webp", webp.getvalue()
    return "png", png.getvalue()
