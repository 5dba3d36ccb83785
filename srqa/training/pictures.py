"""The pictures of a training, in memory as 8 bits, and their low resolution if it is settled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from srqa.degradation.model import Degradation, stream
from srqa.degradation.steps import Noise, as_8_bits
from srqa.errors import InputError, UsageError
from srqa.images.finder import Finder
from srqa.images.read import read

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it, of how much."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and what a degradation makes of it.

    Attributes:
        name: its path below the folder that was given.
        high: (H, W, 3), sides being multiples of the scale.
        low: (H / scale, W / scale, 3), or None where chance has its say in every patch.
    """

    name: str
    high: Pixels
    low: Pixels | None


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """What is trained on, and what is not.

    Attributes:
        training, validation: pictures.
        notes: what users should know, in sentences.
    """

    training: tuple[Picture, ...]
    validation: tuple[Picture, ...]
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Of all pixels, so that a training goes on with the pictures that it began with."""
        digest = hashlib.sha256()
        for picture in (*self.training, *self.validation):
            digest.update(f"{picture.name}\0{picture.high.shape}\0".encode("utf-8", "replace"))
            digest.update(picture.high.data)
        return digest.hexdigest()

    @property
    def megapixels(self) -> float:
        """Of the pictures that are trained on."""
        return sum(p.high.size for p in self.training) / 3e6


def load(
    hr: Sequence[str],
    validation: Sequence[str],
    hold_out: int | None,
    degradation: Degradation,
    patch: int,
    seed: int,
    progress: Progress | None = None,
) -> Data:
    """Read all pictures.

    Args:
        hr: folders or files of pictures to train on.
        validation: likewise, of pictures to validate on.
        hold_out: without `validation`, so many of `hr` are validated on, spread over their names;
            None for a tenth of them, at most 8. Files of one name count as one picture.
        degradation: what makes low resolution, with a whole scale.
        patch: side of the patches in pixels of the low resolution; smaller pictures are left out.
        seed: of the degradation.
        progress: called after each picture.

    Raises:
        PairingError: a folder has no pictures or cannot be read.
        ReadError: a picture is damaged.
        InputError: no picture is large enough.
    """
    side = patch * int(degradation.scale)
    notes: list[str] = []
    reader = _Reader(degradation, side, seed, notes, progress)
    training = reader.pictures(hr)
    if validation:
        held = reader.pictures(validation)
    else:
        contents = sorted({_content(p) for p in training})
        count = min(8, len(contents) // 10) if hold_out is None else hold_out
        if count >= len(contents):
            raise UsageError(
                f"Of {_counted(len(contents))} none is left to train on if {count} are held out."
            )
        apart = {contents[(2 * i + 1) * len(contents) // (2 * count)] for i in range(count)}
        held = tuple(p for p in training if _content(p) in apart)
        training = tuple(p for p in training if _content(p) not in apart)
    return Data(training, held, tuple(notes))


def _content(picture: Picture) -> str:
    """The same for one picture in several sizes, each in a folder of its own."""
    return Path(picture.name).stem


@dataclass(frozen=True, slots=True)
class _Reader:
    degradation: Degradation
    side: int
    seed: int
    notes: list[str]
    progress: Progress | None

    def pictures(self, places: Sequence[str]) -> tuple[Picture, ...]:
        finder = Finder(frozenset())
        several = len(places) > 1
        found = []
        for place in places:
            if not Path(place).exists():
                raise InputError(f"There is no {place}.")
            above = f"{Path(place).name}/" if several else ""
            found += [(above + one.name, one.path) for one in finder.find(Path(place))]
        small: list[str] = []
        kept: list[Picture] = []
        for at, (name, path) in enumerate(found, 1):
            pixels = _colour(as_8_bits(read(Path(path)).pixels))
            if min(pixels.shape[:2]) < self.side:
                small.append(f"{name} ({pixels.shape[1]}x{pixels.shape[0]})")
            else:
                kept.append(self._picture(name, pixels))
            if self.progress:
                self.progress("reading pictures", at, len(found))
        self._tell(small, kept)
        return tuple(kept)

    def _tell(self, small: list[str], kept: list[Picture]) -> None:
        if not small:
            return
        need = f"{self.side} pixels a side, which a patch needs at this scale"
        if not kept:
            raise InputError(
                f"All {_counted(len(small))} are smaller than {need}, as {small[0]}.",
                "A smaller --patch helps, or larger pictures.",
            )
        more = f" and {len(small) - 3} more" if len(small) > 3 else ""
        self.notes.append(f"Left out, being smaller than {need}: {', '.join(small[:3])}{more}.")

    def _picture(self, name: str, pixels: Pixels) -> Picture:
        scale = int(self.degradation.scale)
        height, width = (side // scale * scale for side in pixels.shape[:2])
        high = np.ascontiguousarray(pixels[:height, :width])
        low = None
        if settled(self.degradation):
            rng = stream(self.seed, name, "degradation")
            low = self.degradation(high, rng)
        return Picture(name, high, low)


def settled(degradation: Degradation) -> bool:
    """Whether a degradation leaves nothing to chance.

    >>> from srqa.degradation.presets import degradation
    >>> settled(degradation("bi", 2)), settled(degradation("dn", 2))
    (True, False)
    """
    drawn = [degradation.draw(np.random.default_rng(seed)) for seed in (0, 1)]
    return drawn[0] == drawn[1] and not any(isinstance(step, Noise) for step in drawn[0])


def _colour(pixels: Any) -> Pixels:
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def _counted(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
