"""How large losses are on bicubic enlargements, and what weights make them pull alike.

``python -m benchmarks.losses`` prints, for each term, its mean value on patches of photographs, and
the weight at which its gradient with respect to the output is as long as that of ``l1``.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from benchmarks.drift import pictures
from srqa.images.resize import imresize
from srqa.losses import parse

TERMS = (
    "l1", "l2", "charbonnier", "edge", "cycle", "tv",
    "content:relu2_2", "content:relu2_2:mse", "content:relu3_3", "content:relu3_3:mse",
    "content:relu3_3:l1", "content:conv5_3:mse",
    "texture:relu2_2", "texture:relu2_2:mse", "texture:relu3_3", "texture:relu3_3:mse",
    "ssim", "lpips", "lpips-vgg", "dists",
)  # fmt: skip


def patches(side: int, scale: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Bicubic enlargements, references and inputs: the middle of each photograph."""
    found = []
    for pixels in pictures(side):
        if min(pixels.shape[:2]) == side:
            found.append(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    hr = torch.from_numpy(np.stack(found)).float() / 255
    lr = imresize(hr, 1 / scale)
    return imresize(lr, scale).clamp(0, 1), hr, lr


def measure(text: str, sr: torch.Tensor, hr: torch.Tensor, lr: torch.Tensor, scale: int):
    """The value of a term, and the length of its gradient."""
    sr = sr.clone().requires_grad_()
    terms = parse(text, scale)(sr, hr, lr)
    (slope,) = torch.autograd.grad(terms.total, sr)
    return float(terms.total.detach()), float(slope.norm())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, nargs="+", default=[96])
    parser.add_argument("--scale", type=int, default=4)
    options = parser.parse_args()
    for side in options.side:
        batch = patches(side, options.scale)
        print(f"\n{len(batch[0])} patches of {side} x {side}, x{options.scale}\n")
        print("| term | value | weight to pull like `l1` |\n|---|---|---|")
        _, unit = measure("l1", *batch, options.scale)
        for text in TERMS:
            value, length = measure(text, *batch, options.scale)
            print(f"| `{text}` | {value:.3g} | {unit / length:.2g} |", flush=True)


if __name__ == "__main__":
    main()
