"""What is measured: each rival evaluates the same pairs with the same decoder and threads.

Run as ``python -m benchmarks.rivals NAME REF OUT THREADS``; prints one JSON document with the
seconds of the loop alone (imports left out) and the means that it found.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

CROP = 4
Scores = tuple[float, float]


def _pixels(path: Path) -> np.ndarray[Any, Any]:
    return imagecodecs.png_decode(path.read_bytes())


def _luma(path: Path) -> np.ndarray[Any, Any]:
    weights = np.array([65.481, 128.553, 24.966], np.float32) / np.float32(255 * 255)
    y = _pixels(path).astype(np.float32) @ weights + np.float32(16 / 255)
    return y[CROP:-CROP, CROP:-CROP]


def decoding() -> Callable[[Path, Path], Scores]:
    """Nothing but decoding both pictures: what no evaluation can be faster than."""

    def pair(a: Path, b: Path) -> Scores:
        _pixels(a), _pixels(b)
        return 0.0, 0.0

    return pair


def scikit_image() -> Callable[[Path, Path], Scores]:
    """scikit-image on Y, with the Gaussian window of the SSIM paper."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    def pair(a: Path, b: Path) -> Scores:
        x, y = _luma(a), _luma(b)
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        _, full = structural_similarity(x, y, data_range=1.0, full=True, **options)
        inner = full[5:-5, 5:-5].mean(dtype=np.float64)
        return float(peak_signal_noise_ratio(x, y, data_range=1.0)), float(inner)

    return pair


def piq() -> Callable[[Path, Path], Scores]:
    """piq on Y, without its downsampling, one picture a thread."""
    import piq as library
    import torch

    torch.set_num_threads(1)

    def pair(a: Path, b: Path) -> Scores:
        x, y = (torch.from_numpy(np.ascontiguousarray(_luma(p)))[None, None] for p in (a, b))
        with torch.inference_mode():
            similarity = library.ssim(x, y, data_range=1.0, downsample=False)
            # piq.psnr adds an epsilon that costs 0.002 dB here; everybody gives the true value.
            return float(-10 * torch.log10(((x - y) ** 2).mean())), float(similarity)

    return pair


RIVALS: dict[str, Callable[[], Callable[[Path, Path], Scores]]] = {
    "decoding": decoding,
    "scikit-image": scikit_image,
    "piq": piq,
}


def loop(name: str, reference: Path, output: Path, threads: int) -> dict[str, Any]:
    """Evaluate all pairs of two folders."""
    pair = RIVALS[name]()
    names = sorted(path.name for path in reference.glob("*.png"))
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as executor:
        scores = list(executor.map(lambda n: pair(output / n, reference / n), names))
    seconds = time.perf_counter() - start
    psnr, ssim = np.mean(scores, axis=0).tolist()
    return {"seconds": seconds, "psnr-y": psnr, "ssim-y": ssim}


if __name__ == "__main__":
    rival, reference_folder, output_folder, workers = sys.argv[1:]
    print(json.dumps(loop(rival, Path(reference_folder), Path(output_folder), int(workers))))
