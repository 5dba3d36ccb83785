"""NIQE and BRISQUE by rivals, with the models that srqa carries (theirs would be fetched)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.contender import Work
from benchmarks.contenders.pairs import limit_threads, pixels, planes_of, tensor


def rival(library: str, metric: str, output: str, threads: int, device: str = "cpu") -> Work:
    """A no-reference metric of one picture."""
    import torch

    limit_threads(threads, torch=True)
    with tempfile.TemporaryDirectory() as folder:
        model = _MODELS[library, metric](Path(folder), device)
    picture = tensor(planes_of(pixels(output))[None], device)

    def work() -> dict[str, float]:
        with torch.inference_mode():
            return {metric: float(model(picture))}

    with torch.inference_mode():
        model(picture[..., :256, :256])
    return work


def _pyiqa_niqe(folder: Path, device: str) -> Callable[[Any], Any]:
    from pyiqa.archs.niqe_arch import NIQE
    from scipy.io import savemat

    from srqa.metrics.natural import parameters

    model = parameters("niqe")
    savemat(
        folder / "niqe.mat",
        {"mu_prisparam": model["mean"], "cov_prisparam": model["covariance"]},
    )
    return NIQE(
        test_y_channel=True,
        color_space="ycbcr",
        version="matlab",
        pretrained_model_path=str(folder / "niqe.mat"),
    ).to(device)


def _svm() -> tuple[Any, Any]:
    """Coefficients and support vectors, as piq and pyiqa store them."""
    import torch

    from srqa.metrics.natural import parameters

    model = parameters("brisque")
    return tuple(torch.tensor(model[k], dtype=torch.float32) for k in ("coefficients", "vectors"))


def _piq_brisque(folder: Path, device: str) -> Callable[[Any], Any]:
    from importlib import import_module

    module = import_module("piq.brisque")

    def ours(*_: Any, **__: Any) -> tuple[Any, Any]:
        coefficients, vectors = _svm()
        return coefficients.to(device), vectors.to(device)

    vars(module)["load_url"] = ours
    return lambda x: module.brisque(x, data_range=1.0)


def _pyiqa_brisque(folder: Path, device: str) -> Callable[[Any], Any]:
    import torch
    from pyiqa.archs.brisque_arch import BRISQUE

    torch.save(_svm(), folder / "brisque.pt")
    return BRISQUE(pretrained_model_path=str(folder / "brisque.pt")).to(device)


_MODELS = {
    ("pyiqa", "niqe"): _pyiqa_niqe,
    ("piq", "brisque"): _piq_brisque,
    ("pyiqa", "brisque"): _pyiqa_brisque,
}
