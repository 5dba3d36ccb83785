"""What no head may get wrong, at fixed strengths, on the pristine crop; no weight comes of it.

Single artefacts must lower the score, though most of them make a picture sharper by any measure of
sharpness, and two series must fall step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from srqa.training.nr.samples import Samples

Pixels = npt.NDArray[np.uint8]

BLURS = (1.5, 3.0, 6.0)
"""Sigmas of the Gaussians, in pixels."""
QUALITIES = (50, 20, 8)
"""Of JPEG."""
LEAST = 0.95
"""Share of places at which each has to hold."""


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


def held(samples: Sequence[Samples], sums: Sequence[Any]) -> dict[str, npt.NDArray[np.bool_]]:
    """For each guard whether, place by place, scores fall from the pristine crop on, step by step.

    Args:
        samples: of each place, the pristine crop being the first.
        sums: of each place the scores, or what rises with them.

    Returns:
        {guard: (places,)}, in the order of their names.
    """
    found: dict[str, list[bool]] = {}
    for one, scores in zip(samples, sums, strict=True):
        guard = one.families == "guard"
        for kind in dict.fromkeys(one.kinds[guard].tolist()):
            steps = np.append(scores[0], scores[guard & (one.kinds == kind)])
            found.setdefault(kind, []).append(bool((np.diff(steps) < 0).all()))
    return {kind: np.array(each) for kind, each in sorted(found.items())}


def failed(shares: Mapping[str, float]) -> dict[str, float]:
    """The guards that hold at less than 95 % of places, of all and where they do."""
    return {kind: share for kind, share in shares.items() if share < LEAST}


def _bytes(values: object) -> Pixels:
    return np.asarray(np.floor(np.clip(np.asarray(values), 0, 255) + 0.5), np.uint8)
