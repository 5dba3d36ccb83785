"""Places: pristine crops of photographs, to which everything else is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from srqa.degradation.model import stream
from srqa.errors import InputError
from srqa.images.collection import some
from srqa.images.finder import Finder
from srqa.images.read import read
from srqa.images.resize import imresize

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[str, int, int], None]

SIDE = 192
"""Pixels a side: the scales 2, 3 and 4 divide it."""
_FLAT = 1.0
"""Levels of detail, below which a crop has nothing that an upscaler could get right or wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A pristine crop.

    Attributes:
        name: the photograph's, and a number.
        photograph: where it is from: places of one photograph are never parted by a fold.
        pixels: (SIDE, SIDE, 3).
    """

    name: str
    photograph: str
    pixels: Pixels


def find_places(
    folder: Path, count: int, seed: int = 0, progress: Progress | None = None
) -> tuple[list[Place], list[str]]:
    """Crops of the photographs in a folder, as evenly many of each as there are.

    A JPEG or another lossy picture is first made half as large, so that no trace of its compression
    is taken for pristine. Crops of one photograph do not overlap, and are not flat.

    Args:
        folder: of photographs, with sub-folders.
        count: how many at most.
        seed: settles which.
        progress: called with (what, photographs read, of how many).

    Returns:
        The places, photograph by photograph, and notes for the user.

    Raises:
        PairingError: there are no pictures.
        ReadError: one cannot be read.
        InputError: none is large enough.
    """
    found = Finder(frozenset()).find(folder)
    chosen: list[list[Place]] = []
    small: list[str] = []
    for done, one in enumerate(found):
        if progress:
            progress("Reading photographs", done, len(found))
        name = str(PurePosixPath(one.name).with_suffix(""))
        cut = crops(_pristine(Path(one.path)), stream(seed, name, "places"))
        if not cut:
            small.append(one.name)
        chosen.append([Place(f"{name}#{n}", name, c) for n, c in enumerate(cut)])
    order = islice(_in_turns(chosen), count)
    places = sorted(order, key=lambda p: (p.photograph, int(p.name.rpartition("#")[2])))
    if not places:
        raise InputError(
            f"No photograph in {folder} has a crop of {SIDE}x{SIDE} pixels that is not flat.",
            f"JPEG pictures are halved first, so they need sides of {2 * SIDE} pixels or more.",
        )
    notes = [f"{len(small)} photographs are too small or flat: {some(small)}."] if small else []
    if len(places) < count:
        notes.append(f"Only {len(places)} of {count} places could be found.")
    return places, notes


def _in_turns(groups: Sequence[Sequence[Place]]) -> Any:
    """The first of each group, then the second of each, and so on."""
    left = [iter(group) for group in groups if group]
    while left:
        for group in list(left):
            if (place := next(group, None)) is None:
                left.remove(group)
            else:
                yield place


def _pristine(path: Path) -> Pixels:
    """A photograph in RGB, 8 bits, halved if its coding lost something."""
    picture = read(path)
    pixels = picture.pixels
    if pixels.dtype == np.uint16:
        pixels = pixels / 65535
    if pixels.dtype != np.uint8:
        pixels = np.floor(np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
    if picture.lossy and min(pixels.shape[:2]) >= 2 * SIDE:
        pixels = np.asarray(imresize(pixels, 0.5))
    elif picture.lossy:
        return np.empty((0, 0, 3), np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return pixels


def crops(pixels: Pixels, rng: np.random.Generator) -> list[Pixels]:
    """Crops of a picture (H, W, 3) that do not overlap and are not flat, in random order."""
    rows, columns = (n // SIDE for n in pixels.shape[:2])
    if not rows * columns:
        return []
    top, left = (rng.integers(n % SIDE + 1) for n in pixels.shape[:2])
    cells = [(top + SIDE * r, left + SIDE * c) for r in range(rows) for c in range(columns)]
    cut = (pixels[y : y + SIDE, x : x + SIDE] for y, x in rng.permutation(cells))
    return [np.ascontiguousarray(crop) for crop in cut if _detail(crop) > _FLAT]


def _detail(crop: Pixels) -> float:
    """Mean distance of grey values from their blurred neighbourhood, in levels."""
    import cv2

    grey = crop.astype(np.float32).mean(axis=2)
    return float(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5)).mean())
