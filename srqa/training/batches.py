"""Patches: each a function of the seed, the step and its place in the batch, and no more."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from srqa.degradation.model import Degradation, stream
from srqa.images.colour import luma
from srqa.training.pictures import Picture, Pixels

if TYPE_CHECKING:
    from torch import Tensor

    Batch = tuple[Tensor, Tensor]

_MARGIN = 12
"""Pixels of the low resolution around a patch that is degraded for itself, and cut off."""


class Batches:
    """Batches of aligned patches.

    Args:
        pictures: to cut from, each as often as every other.
        degradation: for pictures whose low resolution is not the same always.
        patch: side in pixels of the low resolution.
        channels: 3, or 1 for Y.
        seed: of all chance.
    """

    def __init__(
        self,
        pictures: tuple[Picture, ...],
        degradation: Degradation,
        *,
        patch: int,
        channels: int,
        seed: int,
    ) -> None:
        self._pictures = pictures
        self._degradation = degradation
        self._scale = int(degradation.scale)
        self._patch, self._channels, self._seed = patch, channels, seed

    def example(self, step: int, place: int) -> tuple[Pixels, Pixels]:
        """Low and high resolution of one patch, turned and mirrored as chance has it."""
        rng = stream(self._seed, f"{step}/{place}", "patch")
        picture = self._pictures[int(rng.integers(len(self._pictures)))]
        scale, side = self._scale, self._patch
        rows, columns = (length // scale for length in picture.high.shape[:2])
        top, left = (int(rng.integers(length - side + 1)) for length in (rows, columns))
        turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        if picture.low is None:
            low, high = self._degraded(picture.high, top, left, rng)
        else:
            low = picture.low[top : top + side, left : left + side]
            high = _cut(picture.high, top * scale, left * scale, side * scale)
        return _turned(low, turns, mirrored), _turned(high, turns, mirrored)

    def _degraded(
        self, picture: Pixels, top: int, left: int, rng: np.random.Generator
    ) -> tuple[Pixels, Pixels]:
        """A patch with a margin around it, where there is one, is degraded and cut."""
        scale, side = self._scale, self._patch
        rows, columns = (length // scale for length in picture.shape[:2])
        first = max(top - _MARGIN, 0), max(left - _MARGIN, 0)
        last = min(top + side + _MARGIN, rows), min(left + side + _MARGIN, columns)
        around = picture[first[0] * scale : last[0] * scale, first[1] * scale : last[1] * scale]
        low = self._degradation(np.ascontiguousarray(around), rng)
        inside = low[top - first[0] :, left - first[1] :][:side, :side]
        return inside, _cut(picture, top * scale, left * scale, side * scale)

    def batch(self, step: int, first: int, last: int) -> Batch:
        """Examples `first` to `last` (left out) of a step, (n, C, h, w) in [0, 1]."""
        examples = [self.example(step, place) for place in range(first, last)]
        low, high = (self._tensor(parts) for parts in zip(*examples, strict=True))
        return low, high

    def _tensor(self, parts: tuple[Pixels, ...]) -> Tensor:
        import torch

        pixels = torch.from_numpy(np.stack(parts)).permute(0, 3, 1, 2).float() / 255
        planes: Tensor = luma(pixels) if self._channels == 1 else pixels
        return planes.contiguous()

    def following(
        self, start: int, end: int, first: int, last: int, workers: int
    ) -> Iterator[Batch]:
        """`batch` for the steps from `start` to `end` (left out), made ahead in threads."""
        with ThreadPoolExecutor(workers, "srqa-batch") as pool:
            waiting: deque[Future[Batch]] = deque()
            ahead = iter(range(start, end))
            try:
                while True:
                    while len(waiting) < 2 * workers and (step := next(ahead, None)) is not None:
                        waiting.append(pool.submit(self.batch, step, first, last))
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def _cut(picture: Pixels, top: int, left: int, side: int) -> Pixels:
    return picture[top : top + side, left : left + side]


def _turned(pixels: Pixels, turns: int, mirrored: bool) -> Pixels:
    return np.rot90(pixels[:, ::-1] if mirrored else pixels, turns)
