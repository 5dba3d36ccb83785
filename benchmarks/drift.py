"""How far `--dtype bfloat16` moves the metrics on networks, on damaged photographs.

``python -m benchmarks.drift`` prints, for each metric, the largest and the mean difference from
float32, absolute and relative, and whether an order changes: that of the methods' means, and that
of any two methods on any one photograph.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from PIL import Image

from srqa.demo import photographs
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.metrics import features
from srqa.metrics.comparison import Comparison
from srqa.metrics.registry import specs
from srqa.metrics.spec import MetricSpec

METHODS = ("bicubic x4", "blur", "jpeg 30", "noise 8")


def damaged(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """What each of `METHODS` makes of (H, W, 3) uint8."""
    import cv2

    large = imresize(imresize(pixels, 0.25), 4)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=30)
    noise = np.random.default_rng(0).normal(0, 8, pixels.shape)
    made = (large, cv2.GaussianBlur(pixels, (0, 0), 1.5), Image.open(file), pixels + noise)
    return {
        name: np.clip(np.floor(np.asarray(x, np.float64) + 0.5), 0, 255).astype(np.uint8)
        for name, x in zip(METHODS, made, strict=True)
    }


def pictures(side: int) -> Iterator[np.ndarray]:
    """The middles of scikit-image's photographs, at most `side` pixels a side, multiples of 4."""
    for path in photographs():
        pixels = read(path).pixels
        if pixels.ndim == 3 and min(pixels.shape[:2]) >= 128:
            height, width = (min(n, side) // 4 * 4 for n in pixels.shape[:2])
            top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
            yield np.ascontiguousarray(pixels[top : top + height, left : left + width])


def planes(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 as planes (3, H, W)."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / np.float32(255)


def measure(chosen: list[MetricSpec], side: int, device: str) -> dict[str, dict[str, np.ndarray]]:
    """By metric and type the values (pictures, methods)."""
    import torch

    found: dict[str, dict[str, list[list[float]]]] = {
        spec.name: {"float32": [], "bfloat16": []} for spec in chosen
    }
    for number, pixels in enumerate(pictures(side), 1):
        print(f"photograph {number}", file=sys.stderr)
        first, *others = (
            torch.from_numpy(planes(p))[None].to(device)
            for p in (pixels, *damaged(pixels).values())
        )
        for tensor in (first, *others):
            features.share(tensor)
        with torch.inference_mode():
            for spec in chosen:
                for dtype, rows in found[spec.name].items():
                    with features.settings(dtype=dtype):  # type: ignore[arg-type]
                        rows.append([spec(other, first).item() for other in others])
    return {
        name: {dtype: np.array(rows) for dtype, rows in both.items()}
        for name, both in found.items()
    }


def changes(exact: np.ndarray, near: np.ndarray) -> tuple[bool, int, int]:
    """Whether the order of the means differs; pairs on one picture that turn round, of how many."""
    order = [list(np.argsort(x.mean(0))) for x in (exact, near)]
    turned = [
        (exact[:, i] - exact[:, j]) * (near[:, i] - near[:, j]) < 0
        for i, j in combinations(range(exact.shape[1]), 2)
    ]
    return order[0] != order[1], int(np.sum(turned)), int(np.size(turned))


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--side", type=int, default=384, help="longest side in pixels")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--metrics", default="", help="names, with commas between")
    options = parser.parse_args()
    wanted = [name for name in options.metrics.split(",") if name]
    chosen = [
        spec
        for spec in specs()
        if isinstance(spec.function, Comparison)
        and (spec.name in wanted if wanted else spec.name != "lpips-squeeze")
    ]
    table = measure(chosen, options.side, options.device)
    print("| metric | mean value | largest drift | mean drift | largest, relative | mean, relative "
          "| order of means | pairs turned |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for name, values in table.items():
        exact, near = values["float32"], values["bfloat16"]
        drift = np.abs(near - exact)
        relative = drift / np.abs(exact)
        moved, turned, pairs = changes(exact, near)
        cells = (
            f"{exact.mean():.3g}",
            f"{drift.max():.1e}",
            f"{drift.mean():.1e}",
            f"{100 * relative.max():.2f} %",
            f"{100 * relative.mean():.2f} %",
            "changed" if moved else "same",
            f"{turned} of {pairs}",
        )
        print(f"| `{name}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
