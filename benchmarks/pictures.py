"""Pairs of PNG files made of the photographs in the scikit-image wheel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from srqa.demo import photographs
from srqa.devices import available_cores
from srqa.images.read import read

WIDTH, HEIGHT = 1280, 720
Pixels = np.ndarray[Any, Any]


def make_pairs(folder: Path, n: int) -> tuple[Path, Path]:
    """Write `n` pairs of 1280x720 into ``folder/ref`` and ``folder/out``.

    Files that are there are kept. A reference is a window of a photograph enlarged to 1280x720 with
    a little grain, as a camera leaves it; its output is the reference shrunk by 2 and enlarged.
    """
    reference, output = folder / "ref", folder / "out"
    for place in (reference, output):
        place.mkdir(parents=True, exist_ok=True)
    sources = [read(path).pixels for path in photographs()]

    def make(i: int) -> None:
        if (output / f"{i:04d}.png").exists():
            return
        rng = np.random.default_rng(i)
        hr = _grainy(_window(sources[i % len(sources)], rng), rng, WIDTH, HEIGHT)
        write(reference / f"{i:04d}.png", hr)
        write(output / f"{i:04d}.png", shrunk_and_enlarged(hr, 2))

    with ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(make, range(n)))
    return reference, output


def make_pair(folder: Path, width: int, height: int) -> tuple[Path, Path]:
    """One pair of any size, as those of `make_pairs`: the reference's and the output's path."""
    reference, output = (folder / f"{width}x{height}-{kind}.png" for kind in ("ref", "out"))
    if not output.exists():
        folder.mkdir(parents=True, exist_ok=True)
        hr = _grainy(read(photographs()[0]).pixels, np.random.default_rng(0), width, height)
        write(reference, hr)
        write(output, shrunk_and_enlarged(hr, 2))
    return reference, output


def make_methods(folder: Path, n: int, size: tuple[int, int]) -> tuple[Path, list[Path]]:
    """A reference alone in its folder, and outputs of `n` methods, each blurred a little more."""
    place = folder / f"methods-{size[0]}x{size[1]}"
    source, _ = make_pair(folder, *size)
    hr = read(source).pixels
    paths = [place / kind / "0.png" for kind in ("ref", *(f"method{i + 1}" for i in range(n)))]
    for number, path in enumerate(paths):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            blurred = cv2.GaussianBlur(hr, (0, 0), 0.3 + 0.3 * number)
            write(path, blurred if number else hr)
    return paths[0], paths[1:]


def make_small(folder: Path, n: int, side: int = 32) -> tuple[Path, Path]:
    """Many small pairs, for the memory that a long run takes."""
    reference, output = folder / f"small{n}-ref", folder / f"small{n}-out"
    for place in (reference, output):
        place.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        if not (output / f"{i:05d}.png").exists():
            noise = np.random.default_rng(i).integers(0, 256, (side, side, 3), np.uint8)
            write(reference / f"{i:05d}.png", noise)
            write(output / f"{i:05d}.png", cv2.GaussianBlur(noise, (0, 0), 1))
    return reference, output


def write(path: Path, pixels: Pixels) -> None:
    """RGB to a file whose format its suffix says."""
    cv2.imwrite(str(path), pixels[..., ::-1])


def shrunk_and_enlarged(pixels: Pixels, scale: int) -> Pixels:
    """What bicubic makes of the picture shrunk by `scale`."""
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (width // scale, height // scale), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _window(photograph: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = photograph.shape[:2]
    side = int(min(width, height * 16 / 9) * rng.uniform(0.7, 1.0))
    tall = side * 9 // 16
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - side + 1)
    return photograph[top : top + tall, left : left + side]


def _grainy(part: Pixels, rng: np.random.Generator, width: int, height: int) -> Pixels:
    large = cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)
    for rows in range(0, height, 1024):
        some = large[rows : rows + 1024]
        grain = rng.normal(0, 1.5, some.shape)
        large[rows : rows + 1024] = np.clip(np.round(some + grain), 0, 255)
    return large
