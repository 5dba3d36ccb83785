"""What no head may get wrong, at fixed strengths, on the pristine crop; nothing is learned from it.

Single artefacts must lower the score, though most of them make a picture sharper by any measure of
sharpness, and two series must fall step by step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

BLURS = (1.5, 3.0, 6.0)
"""Sigmas of the Gaussians, in pixels."""
QUALITIES = (50, 20, 8)
"""Of JPEG."""


def guards(pristine: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Names of guards, and pictures: those of one name are a series, the weakest first.

    Args:
        pristine: (H, W, 3).
    """
    import cv2

    height, width = pristine.shape[:2]
    values = pristine.astype(np.float32)
    for sigma in BLURS:
        yield "blur", _bytes(cv2.GaussianBlur(values, (0, 0), sigma))
    for quality in QUALITIES:
        settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
        data = cv2.imencode(".jpg", np.ascontiguousarray(pristine[..., ::-1]), settings)[1]
        coded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        yield "jpeg", np.ascontiguousarray(np.asarray(coded)[..., ::-1])
    pattern = np.random.default_rng(0).standard_normal(values.shape, dtype=np.float32)
    yield "noise", _bytes(values + 10 * pattern)
    yield "sharpening", _bytes(values + 4 * (values - cv2.GaussianBlur(values, (0, 0), 1.2)))
    y, x = np.mgrid[:height, :width]
    yield "checkerboard", _bytes(values + np.where((x + y) % 2, 8, -8)[..., None])
    for scale in (2, 3, 4):
        size = (width // scale, height // scale)
        small = cv2.resize(pristine, size, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
        yield f"nearest x{scale}", np.asarray(large)


def _bytes(values: object) -> Pixels:
    return np.asarray(np.floor(np.clip(np.asarray(values), 0, 255) + 0.5), np.uint8)
