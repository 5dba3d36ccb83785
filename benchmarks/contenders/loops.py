"""Loops over the pairs of two folders, one picture a thread, everybody with the same decoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contender import Absent, Work
from benchmarks.contenders.pairs import as_engine, limit_threads

CROP = 4
Scores = tuple[float, ...]
Decoder = Callable[[bytes], np.ndarray[Any, Any]]


def decoders() -> dict[str, Decoder]:
    """Those that are installed, by name; `srqa` is its own."""
    import cv2
    import imagecodecs

    from srqa.images.read import decode

    found: dict[str, Decoder] = {
        "srqa": lambda data: decode(data, "picture").pixels,
        "imagecodecs": imagecodecs.png_decode,
        "OpenCV": lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED),
        "Pillow": _pillow,
    }
    try:
        import pyspng

        found["pyspng"] = pyspng.load
    except ImportError:
        pass
    return found


def _pillow(data: bytes) -> np.ndarray[Any, Any]:
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)))


def decoding(reference: str, output: str, pairs: int, decoder: str, threads: int) -> Work:
    """Nothing but reading and decoding both pictures: what no evaluation can be faster than."""
    as_engine()
    decode = _decoder(decoder)

    def pair(a: Path, b: Path) -> Scores:
        decode(a.read_bytes())
        decode(b.read_bytes())
        return ()

    return _over(pair, reference, output, pairs, threads, names=())


def hashing(reference: str, output: str, pairs: int, threads: int) -> Work:
    """Reading both files and taking their SHA-256."""

    def pair(a: Path, b: Path) -> Scores:
        for path in (a, b):
            hashlib.sha256(path.read_bytes()).hexdigest()
        return ()

    return _over(pair, reference, output, pairs, threads, names=())


def stamps(reference: str, output: str, pairs: int, threads: int) -> Work:
    """Asking the system for both files' sizes and times."""

    def pair(a: Path, b: Path) -> Scores:
        a.stat(), b.stat()
        return ()

    return _over(pair, reference, output, pairs, threads, names=())


def rival(
    library: str, reference: str, output: str, pairs: int, decoder: str, threads: int
) -> Work:
    """psnr-y and ssim-y by a rival, one picture a thread; values are of the first pair."""
    limit_threads(threads=1, torch=library != "scikit-image")
    if library != "scikit-image":
        import torch

        torch.set_num_threads(1)
    decode, of_luma = _decoder(decoder), _RIVALS[library]()

    def pair(a: Path, b: Path) -> Scores:
        return of_luma(_luma(decode(a.read_bytes())), _luma(decode(b.read_bytes())))

    return _over(pair, reference, output, pairs, threads, names=("psnr-y", "ssim-y"))


def _decoder(name: str) -> Decoder:
    found = decoders().get(name)
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


def _over(
    pair: Callable[[Path, Path], Scores],
    reference: str,
    output: str,
    pairs: int,
    threads: int,
    names: tuple[str, ...],
) -> Work:
    files = sorted(path.name for path in Path(reference).glob("*.png"))[:pairs]
    pool = ThreadPoolExecutor(threads)

    def one(name: str) -> Scores:
        return pair(Path(output) / name, Path(reference) / name)

    list(pool.map(one, files[:threads]))

    def work() -> dict[str, float]:
        scores = list(pool.map(one, files))
        return dict(zip(names, scores[0], strict=True))

    return work


def _luma(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    weights = np.array([65.481, 128.553, 24.966], np.float32) / np.float32(255 * 255)
    y = pixels.astype(np.float32) @ weights + np.float32(16 / 255)
    return np.ascontiguousarray(y[CROP:-CROP, CROP:-CROP])


def _scikit_image() -> Callable[[Any, Any], Scores]:
    """With the Gaussian window of the SSIM paper, where it fits into the picture."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}

    def pair(a: Any, b: Any) -> Scores:
        _, full = structural_similarity(a, b, data_range=1.0, full=True, **options)
        inner = full[5:-5, 5:-5].mean(dtype=np.float64)
        return float(peak_signal_noise_ratio(a, b, data_range=1.0)), float(inner)

    return pair


def _on_tensors(ssim: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Scores]:
    """PSNR from the mean squared error: piq and pyiqa add an epsilon that costs 0.002 dB."""
    import torch

    def pair(a: Any, b: Any) -> Scores:
        x, y = (torch.from_numpy(p)[None, None] for p in (a, b))
        with torch.inference_mode():
            return float(-10 * torch.log10(((x - y) ** 2).mean())), float(ssim(x, y))

    return pair


def _piq() -> Callable[[Any, Any], Scores]:
    import piq

    return _on_tensors(lambda a, b: piq.ssim(a, b, data_range=1.0, downsample=False))


def _torchmetrics() -> Callable[[Any, Any], Scores]:
    from torchmetrics.functional.image import structural_similarity_index_measure as ssim

    return _on_tensors(lambda a, b: ssim(a, b, data_range=1.0))


def _pyiqa() -> Callable[[Any, Any], Scores]:
    from pyiqa.archs.ssim_arch import ssim

    return _on_tensors(lambda a, b: ssim(a.double() * 255, b.double() * 255, data_range=255))


_RIVALS = {
    "scikit-image": _scikit_image,
    "piq": _piq,
    "torchmetrics": _torchmetrics,
    "pyiqa": _pyiqa,
}
