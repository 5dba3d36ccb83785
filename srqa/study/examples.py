"""Pictures for the studies that come with srqa: made on first use from others' photographs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from srqa.demo import photographs
from srqa.errors import InputError
from srqa.files import replacing
from srqa.images.read import read
from srqa.images.resize import Kernel, imresize
from srqa.study.pictures import encode

SCALE = 4
SIDE = 384
"""Pixels a side that are kept of a photograph, from its middle."""
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
