"""The demonstration: real photographs, small inputs, four upscalers, an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from srqa.engine.choice import Fetching
from srqa.engine.evaluate import Progress, evaluate
from srqa.engine.protocol import modcrop
from srqa.engine.results import Run
from srqa.errors import InputError
from srqa.files import make_folder, replacing
from srqa.images.read import read
from srqa.images.resize import Kernel, imresize

SCALE = 4
LONGEST = 512
"""Pixels a side that are kept of a photograph, from its middle."""
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

    HR is the photograph's middle; LR is MATLAB's bicubic; each method enlarges LR. "sharpened" is
    Lanczos and a strong unsharp mask: nearer to what people like, further from the pixels.
    """
    sources = photographs()
    for done, source in enumerate(sources):
        if progress:
            progress(done, len(sources))
        hr = modcrop(_middle(read(source).pixels), SCALE)
        lr = imresize(hr, 1 / SCALE)
        name = f"{source.stem}.png"
        _write(folder / "hr" / name, hr)
        _write(folder / "lr" / name, lr)
        for method, kernel in _UPSCALERS.items():
            enlarged = imresize(lr, SCALE, kernel=kernel)
            _write(folder / "outputs" / method / name, enlarged)
        _write(folder / "outputs" / "sharpened" / name, _sharpened(enlarged))
    if progress:
        progress(len(sources), len(sources))


def _middle(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    top, left = (max(side - LONGEST, 0) // 2 for side in pixels.shape[:2])
    return pixels[top : top + LONGEST, left : left + LONGEST]


def _sharpened(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An unsharp mask of sigma 1.5, four times over."""
    import cv2

    unit = pixels.astype(np.float32)
    mask = unit - cv2.GaussianBlur(unit, (0, 0), 1.5, borderType=cv2.BORDER_REFLECT)
    return np.clip(np.rint(unit + 4 * mask), 0, 255).astype(np.uint8)


def _write(path: Path, pixels: np.ndarray[Any, Any]) -> None:
    from PIL import Image

    make_folder(path.parent)
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def evaluate_pictures(
    folder: Path, progress: Progress | None = None, fetching: Fetching | None = None
) -> Run:
    """Evaluate what `make_pictures` wrote; the Run is in ``folder/run``."""
    return evaluate(
        folder / "outputs",
        folder / "hr",
        lr=folder / "lr",
        scale=SCALE,
        out=folder / "run",
        overwrite=True,
        progress=progress,
        fetching=fetching,
        command=f"srqa evaluate outputs/ --ref hr/ --lr lr/ --scale {SCALE} --out run",
    )
