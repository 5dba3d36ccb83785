"""Pairs of 1280x720 PNG files made of the photographs in the scikit-image wheel."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from srqa.demo import photographs
from srqa.images.read import read

WIDTH, HEIGHT = 1280, 720


def make_pairs(folder: Path, n: int) -> tuple[Path, Path]:
    """Write `n` pairs into ``folder/ref`` and ``folder/out``; files that are there are kept.

    A reference is a window of a photograph enlarged to 1280x720 with a little grain, as a camera
    leaves it; its output is the reference shrunk by 2 and enlarged again.
    """
    reference, output = folder / "ref", folder / "out"
    for place in (reference, output):
        place.mkdir(parents=True, exist_ok=True)
    sources = [read(path).pixels for path in photographs()]
    for i in range(n):
        if (output / f"{i:04d}.png").exists():
            continue
        rng = np.random.default_rng(i)
        hr = _window(sources[i % len(sources)], rng)
        half = cv2.resize(hr, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
        sr = cv2.resize(half, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        for place, pixels in ((reference, hr), (output, sr)):
            cv2.imwrite(str(place / f"{i:04d}.png"), pixels[..., ::-1])
    return reference, output


def _window(photograph: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = photograph.shape[:2]
    side = int(min(width, height * 16 / 9) * rng.uniform(0.7, 1.0))
    tall = side * 9 // 16
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - side + 1)
    part = photograph[top : top + tall, left : left + side]
    large = cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    grain = rng.normal(0, 1.5, large.shape)
    return np.clip(np.round(large + grain), 0, 255).astype(np.uint8)
