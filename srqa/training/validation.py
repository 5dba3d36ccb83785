"""How good a network is on pictures that it was not trained on, as files would have them."""

from __future__ import annotations

import numpy as np

from srqa.degradation.model import Degradation, stream
from srqa.errors import UsageError
from srqa.metrics import registry
from srqa.metrics.api import metric
from srqa.models import settings
from srqa.models.networks import Network
from srqa.models.running import Enlarger
from srqa.models.upscaler import Upscaler
from srqa.training.pictures import Picture, Pixels

LARGEST = 512
"""Side of the part in the middle of a picture that is looked at."""


class Validation:
    """Scores of networks on pictures: 8-bit results, as many pixels cut off as the scale says.

    Args:
        pictures: to look at; of each at most `LARGEST` pixels a side in its middle.
        degradation: what makes their low resolution, always the same.
        metrics: names of full-reference metrics.
        seed: of the degradation.

    Raises:
        UsageError: there is no such metric, or it compares something else than two pictures.
    """

    def __init__(
        self,
        pictures: tuple[Picture, ...],
        degradation: Degradation,
        metrics: tuple[str, ...],
        seed: int,
    ) -> None:
        self._scale = int(degradation.scale)
        self._pairs: list[tuple[Pixels, Pixels]] = []
        self._metrics = {name: metric(name) for name in metrics}
        for name in metrics:
            spec = registry.get(name)
            if spec.kind != "fr" or spec.level != "image":
                raise UsageError(f"{name} does not compare an output with its reference.")
        for picture in pictures:
            high = _middle(picture.high, LARGEST // self._scale * self._scale, self._scale)
            low = degradation(high, stream(seed, picture.name, "validation"))
            self._pairs.append((low, high))

    def __len__(self) -> int:
        return len(self._pairs)

    def of(self, network: Network, device: str = "cpu") -> dict[str, float]:
        """Mean of each metric; infinite values count as they are."""
        run = Upscaler(
            "network",
            network.enlarge,
            scales=network.scales,
            channels=network.channels,
            halo=network.halo,
            multiple=network.multiple,
            min_side=network.min_side,
            module=network,
        )
        return self._scores(run, device)

    def of_bicubic(self) -> dict[str, float]:
        """The same of bicubic interpolation."""
        from srqa.models.classical import METHODS

        return self._scores(METHODS["bicubic"](), "cpu")

    def _scores(self, upscaler: Upscaler, device: str) -> dict[str, float]:
        enlarge = Enlarger(
            upscaler, settings.Settings(scale=self._scale, device=device, dtype="float32")
        )
        cut = slice(self._scale, -self._scale)
        found: dict[str, list[float]] = {name: [] for name in self._metrics}
        for low, high in self._pairs:
            made = enlarge(low)
            pair = [np.ascontiguousarray(p[cut, cut]) for p in (made, high)]
            for name, measure in self._metrics.items():
                found[name].append(float(measure(*pair)))
        return {name: float(np.mean(values)) for name, values in found.items()}


def _middle(picture: Pixels, side: int, scale: int) -> Pixels:
    """At most `side` pixels a side around the middle, aligned with the low resolution."""
    places = []
    for length in picture.shape[:2]:
        taken = min(length, side)
        first = (length - taken) // 2 // scale * scale
        places.append(slice(first, first + taken))
    return np.ascontiguousarray(picture[places[0], places[1]])
