"""Studies that come with srqa: their pictures, made on first use from others' photographs, and the
simulated one of `srqa demo correlate`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.demo import photographs
from srqa.errors import InputError
from srqa.files import replacing
from srqa.images.read import read
from srqa.images.resize import Kernel, imresize
from srqa.study.pictures import encode

if TYPE_CHECKING:
    from srqa.study.simulate import Simulated

SCALE = 4
SIDE = 384
"""Pixels a side that are kept of a photograph, from its middle."""
PEOPLE, SEED = 60, 3
JUDGED_BY = ("dists", "ssim-y")
"""What the people of the simulated study see: the first of these that the Run has."""
_KERNELS: dict[str, Kernel] = {"nearest": "nearest", "bicubic": "bicubic", "lanczos": "lanczos3"}


def builtin(name: str, data: Path) -> Path:
    """The folder of `builtin:NAME`: "demo/outputs" and "demo/hr", made if it is not there.

    Args:
        name: of the folder.
        data: of the study; the pictures lie below.

    Raises:
        InputError: there is no such folder, or the package with the photographs is missing.
    """
    head, _, rest = name.partition("/")
    if head != "demo" or rest not in ("outputs", "hr"):
        raise InputError(
            f"There is no builtin:{name}.", hint="builtin:demo/outputs, builtin:demo/hr"
        )
    folder = data / "pictures"
    if not (folder / rest).is_dir():
        temporary = data / f"pictures.{os.getpid()}"
        make_pictures(temporary)
        try:
            temporary.replace(folder)
        except OSError:
            if not (folder / rest).is_dir():
                raise
    return folder / rest


def make_pictures(folder: Path) -> None:
    """Write ``hr/`` and ``outputs/METHOD/``: photographs shrunk by 4 and enlarged in four ways.

    "sharpened" is Lanczos and a strong unsharp mask.
    """
    for source in photographs():
        hr = _middle(read(source).pixels)
        small = imresize(hr, 1 / SCALE)
        name = f"{source.stem}.png"
        _write(folder / "hr" / name, hr)
        for method, kernel in _KERNELS.items():
            enlarged = imresize(small, SCALE, kernel=kernel)
            _write(folder / "outputs" / method / name, enlarged)
        _write(folder / "outputs" / "sharpened" / name, _sharpened(enlarged))


def _middle(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    height, width = (min(side, SIDE) // SCALE * SCALE for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def _sharpened(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An unsharp mask of sigma 1.5, four times over."""
    import cv2

    unit = pixels.astype(np.float32)
    mask = unit - cv2.GaussianBlur(unit, (0, 0), 1.5, borderType=cv2.BORDER_REFLECT)
    return np.clip(np.rint(unit + 4 * mask), 0, 255).astype(np.uint8)


def _write(path: Path, pixels: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(encode(pixels))


def simulate_on(
    folder: Path, metrics: Collection[str], progress: Callable[[int, int], None] | None = None
) -> tuple[Simulated, str]:
    """A study of ``outputs/`` and ``hr/``, whose synthetic people see what a metric sees.

    Args:
        folder: holds them, and their scores as the Run ``run/``; the study is written there too.
        metrics: of that Run.
        progress: called with how many people are through, of how many.

    Returns:
        What the study found, and the metric.
    """
    from srqa.study.loading import FILE
    from srqa.study.simulate import simulate_study
    from srqa.study.starting import init_study
    from srqa.study.study import open_study

    judge = next(name for name in JUDGED_BY if name in metrics)
    if not (folder / "study" / FILE).exists():
        init_study("study", [folder / "outputs"], folder / "hr", home=folder)
    study = open_study("study", home=folder)
    try:
        study.prepare()
        found = simulate_study(
            study, PEOPLE, seed=SEED, progress=progress, quality=f"{folder / 'run'}:{judge}"
        )
    finally:
        study.store.database.close()
    return found, judge
