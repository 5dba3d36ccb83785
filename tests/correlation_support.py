"""Made ratings and scores: a quality, what people say of it, and metrics that see it or not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

METHODS = ("bicubic", "edsr", "esrgan", "swinir")
NOISE = {"psnr-y": 0.9, "ssim-y": 0.6, "lpips": 0.3, "niqe": 2.0}
"""How far each metric is off; lpips is the truest."""


def study(contents=24, methods=METHODS, votes=20, seed=0, noise=NOISE):
    """(ratings, scores): tables with a row a picture."""
    rng = np.random.default_rng(seed)
    keys = [(f"c{i:02}", method) for i in range(contents) for method in methods]
    level = np.linspace(-1, 1, len(methods))
    quality = (rng.normal(0, 0.5, (contents, 1)) + level).ravel()
    quality += rng.normal(0, 0.2, len(quality))
    sd = 0.7
    mos = 3 + quality + rng.normal(0, sd / math.sqrt(votes), len(quality))
    half = 2.09 * sd / math.sqrt(votes)
    frame = pd.DataFrame(keys, columns=["content", "method"])
    ratings = frame.assign(mos=mos, sd=sd, n=votes, ci_low=mos - half, ci_high=mos + half)
    scores = frame.copy()
    for name, off in noise.items():
        sign = -1 if name in ("lpips", "niqe") else 1
        scores[name] = sign * (quality + rng.normal(0, off, len(quality))) + 30
    return ratings, scores
