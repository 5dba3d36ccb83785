"""What `srqa demo correlate` shows: a simulated study on real photographs, and published scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from srqa import assets
from srqa.demo import photographs
from srqa.engine.results import Run
from srqa.images.read import read
from srqa.images.resize import Kernel, imresize
from srqa.images.write import write
from srqa.ratings.answers import Answers, Stimulus, from_matrix
from srqa.ratings.simulation import Population, simulate

SCALE = 4
TILE = 192
"""Pixels a side of a content."""
_TILES = 4
OBSERVERS = 24
SEED = 3
_KERNELS: dict[str, Kernel] = {
    "nearest": "nearest", "bilinear": "bilinear", "bicubic": "bicubic", "lanczos": "lanczos3",
}  # fmt: skip
JUDGED_BY = ("dists", "ssim-y")
"""What the simulated people see: the first of these that the Run has."""


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


def simulated_people(run: Run) -> tuple[Answers, str]:
    """Votes of synthetic people on the pictures of a Run, and the metric whose eyes they have.

    Their opinion follows that metric's rank, and differs from it by content and by picture; so it
    is known which metric should come first.
    """
    from scipy.stats import norm, rankdata

    judge = next(name for name in JUDGED_BY if name in run.metrics)
    rows = [row for row in run.score_rows if row.metric == judge]
    values = np.array([row.value for row in rows])
    better = -values if judge == "dists" else values
    place = np.asarray(rankdata(better)) / (len(rows) + 1)
    rng = np.random.default_rng(SEED)
    contents = {row.content: float(rng.normal(0, 0.2)) for row in rows}
    quality = 3.0 + 0.95 * np.asarray(norm.ppf(place))
    quality += np.array([contents[row.content] for row in rows]) + rng.normal(0, 0.2, len(rows))
    votes = simulate(quality, OBSERVERS, None, Population(), rng)
    matrix = np.full((len(rows), OBSERVERS), np.nan)
    matrix[votes.stimulus, votes.observer] = votes.value
    stimuli = [Stimulus(row.image, row.dataset, row.content, row.scale, row.method) for row in rows]
    return from_matrix(matrix, stimuli, study="simulated"), judge


def published() -> tuple[Path, Path]:
    """Human scores of 120 super-resolved pictures and eleven metrics' values, as published.

    Returns:
        Files of ratings and of scores; see studies/qualisr/README.md.
    """
    folder = assets.path("studies/qualisr")
    return folder / "ratings.csv", folder / "scores.csv"
