"""What `srqa demo correlate` looks at: photographs enlarged in six ways, and published scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from srqa import assets
from srqa.demo import photographs
from srqa.images.read import read
from srqa.images.resize import Kernel, imresize
from srqa.images.write import write

SCALE = 4
TILE = 192
"""Pixels a side of a content."""
_TILES = 4
_KERNELS: dict[str, Kernel] = {
    "nearest": "nearest", "bilinear": "bilinear", "bicubic": "bicubic", "lanczos": "lanczos3",
}  # fmt: skip


def make_pictures(folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write ``hr/`` and ``outputs/METHOD/``: parts of each photograph, enlarged in six ways."""
    sources = photographs()
    for done, source in enumerate(sources):
        if progress:
            progress(done, len(sources))
        pixels = read(source).pixels
        for part, tile in enumerate(_parts(pixels)):
            name = f"{source.stem}-{part + 1}.png"
            small = imresize(tile, 1 / SCALE)
            write(folder / "hr" / name, tile)
            for method, kernel in _KERNELS.items():
                write(folder / "outputs" / method / name, imresize(small, SCALE, kernel=kernel))
            sharp = imresize(small, SCALE, kernel="lanczos3")
            write(folder / "outputs" / "sharpened" / name, _masked(sharp, 1.5))
            write(folder / "outputs" / "overdone" / name, _masked(sharp, 5.0))
    if progress:
        progress(len(sources), len(sources))


def _parts(pixels: Any) -> list[Any]:
    """The four parts about the middle."""
    height, width = pixels.shape[:2]
    top, left = max(0, height // 2 - TILE), max(0, width // 2 - TILE)
    places = [(top + TILE * i, left + TILE * j) for i in (0, 1) for j in (0, 1)]
    tiles = [pixels[y : y + TILE, x : x + TILE] for y, x in places]
    return [tile for tile in tiles if tile.shape[:2] == (TILE, TILE)][:_TILES]


def _masked(pixels: Any, strength: float) -> Any:
    """An unsharp mask of sigma 1.5."""
    import cv2

    unit = pixels.astype(np.float32)
    mask = unit - cv2.GaussianBlur(unit, (0, 0), 1.5, borderType=cv2.BORDER_REFLECT)
    return np.clip(np.rint(unit + strength * mask), 0, 255).astype(np.uint8)


def published() -> tuple[Path, Path]:
    """Human scores of 120 super-resolved pictures and eleven metrics' values, as published.

    Returns:
        Files of ratings and of scores; see studies/qualisr/README.md.
    """
    folder = assets.path("studies/qualisr")
    return folder / "ratings.csv", folder / "scores.csv"
