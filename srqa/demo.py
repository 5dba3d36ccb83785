"""The demonstration: real photographs, small inputs, three upscalers, an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from srqa.engine.evaluate import Progress, evaluate
from srqa.engine.protocol import modcrop
from srqa.engine.results import Run
from srqa.errors import InputError
from srqa.files import make_folder, replacing
from srqa.images.read import read
from srqa.images.resize import Kernel, imresize

SCALE = 4
METRICS = ("psnr-y", "ssim-y", "ms-ssim-y", "vif", "lr-psnr")
_PHOTOGRAPHS = (
    *("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "ihc.png"),
    *("motorcycle_left.png", "retina.jpg", "rocket.jpg"),
)
_UPSCALERS: dict[str, Kernel] = {"nearest": "nearest", "bicubic": "bicubic", "lanczos": "lanczos3"}


def photographs() -> list[Path]:
    """The photographs that the scikit-image wheel carries.

    Raises:
        InputError: scikit-image is not installed, or lacks them.
    """
    spec = find_spec("skimage")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(f) / "data" / name for f in folders for name in _PHOTOGRAPHS]
    found = [path for path in paths if path.exists()]
    if not found:
        raise InputError(
            "The demo takes its photographs from scikit-image, which is not installed here.",
            hint="pip install 'srqa[demo]'",
        )
    return found


def make_pictures(folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write ``hr/``, ``lr/`` and ``outputs/METHOD/`` into `folder`.

    HR is cut to a multiple of the scale; LR is MATLAB's bicubic; each method enlarges LR.
    """
    sources = photographs()
    for done, source in enumerate(sources):
        if progress:
            progress(done, len(sources))
        hr = modcrop(read(source).pixels, SCALE)
        lr = imresize(hr, 1 / SCALE)
        name = f"{source.stem}.png"
        _write(folder / "hr" / name, hr)
        _write(folder / "lr" / name, lr)
        for method, kernel in _UPSCALERS.items():
            _write(folder / "outputs" / method / name, imresize(lr, SCALE, kernel=kernel))
    if progress:
        progress(len(sources), len(sources))


def _write(path: Path, pixels: np.ndarray[Any, Any]) -> None:
    from PIL import Image

    make_folder(path.parent)
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def evaluate_pictures(folder: Path, progress: Progress | None = None) -> Run:
    """Evaluate what `make_pictures` wrote; the Run is in ``folder/run``."""
    return evaluate(
        folder / "outputs",
        folder / "hr",
        lr=folder / "lr",
        scale=SCALE,
        metrics=METRICS,
        out=folder / "run",
        overwrite=True,
        progress=progress,
        command=f"srqa evaluate outputs/ --ref hr/ --lr lr/ --scale {SCALE} -m {','.join(METRICS)} "
        "--out run",
    )
