"""How good the classical methods are: PSNR-Y and SSIM-Y on pictures degraded by MATLAB's bicubic.

    python -m benchmarks.classical hr/ --scales 2,3,4
    python -m benchmarks.classical --scales 3 --noise 10     # photographs of scikit-image

Prints a table in Markdown. Pictures are cut to their middle of `--side` pixels.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import srqa
from srqa.images.read import read
from srqa.models.classical import METHODS
from srqa.models.classical.reconstruction import tv
from srqa.models.upscaler import Upscaler


def upscaled(method: Upscaler, low: np.ndarray[Any, Any], scale: int) -> np.ndarray[Any, Any]:
    """8-bit pixels (H, W, 3), enlarged."""
    planes = torch.from_numpy(low).permute(2, 0, 1)[None].float() / 255
    made = method.run(planes, scale)[0].permute(1, 2, 0).numpy()
    return np.floor(made.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def middle(pixels: np.ndarray[Any, Any], side: int, multiple: int) -> np.ndarray[Any, Any]:
    """The middle of a picture as RGB, its sides multiples of the scale."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    height, width = (min(n, side) // multiple * multiple for n in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def main() -> None:
    from srqa.demo import photographs

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hr", nargs="?", type=Path)
    parser.add_argument("--scales", default="2,3,4")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--border", choices=("mirror", "clamp"), default="mirror")
    parser.add_argument("--side", type=int, default=512)
    given = parser.parse_args()
    paths = sorted(given.hr.iterdir()) if given.hr else photographs()
    methods = {name: make() for name, make in METHODS.items()}
    if given.noise:
        methods[f"tv(noise={given.noise:g})"] = tv(noise=given.noise)
    print("| scale | method | PSNR-Y | SSIM-Y | s / megapixel |\n|---|---|---|---|---|")
    for scale in map(int, given.scales.split(",")):
        pictures = [middle(read(path).pixels, given.side, scale) for path in paths]
        lows = [
            srqa.degrade(p, scale, noise=given.noise, border=given.border, name=path.stem)
            for p, path in zip(pictures, paths, strict=True)
        ]
        for name, method in methods.items():
            start = time.process_time()
            made = [upscaled(method, low, scale) for low in lows]
            spent = (time.process_time() - start) / (sum(m[..., 0].size for m in made) / 1e6)
            cut = slice(scale, -scale), slice(scale, -scale)
            values = [
                [srqa.metric(kind)(a[cut], b[cut]) for kind in ("psnr-y", "ssim-y")]
                for a, b in zip(made, pictures, strict=True)
            ]
            psnr, ssim = np.mean(values, axis=0)
            print(f"| x{scale} | {name} | {psnr:.2f} | {ssim:.4f} | {spent:.2f} |", flush=True)


if __name__ == "__main__":
    main()
