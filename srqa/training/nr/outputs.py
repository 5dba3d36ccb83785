"""Outputs of real super-resolution at one place, from inputs clean and degraded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from srqa.degradation.model import Classical, Degradation
from srqa.degradation.realesrgan import RealEsrgan
from srqa.models.loading import load
from srqa.models.running import Enlarger
from srqa.models.settings import Settings
from srqa.training.nr.places import Pixels

Method = tuple[str, int]
"""A model of the zoo and its scale."""

NETWORKS: tuple[Method, ...] = (
    ("dat-light", 2),
    ("dat-light", 3),
    ("dat-light", 4),
    ("real-esrgan-x4plus", 4),
    ("real-esrgan-x4plus-anime", 4),
    ("real-esrgan-animevideov3", 4),
    ("waifu2x-photo", 2),
    ("liif", 4),
)
"""The networks that are used."""

SLOW = frozenset({"dat-light", "liif", "real-esrgan-x4plus", "real-esrgan-x4plus-anime", "tv"})
_PLAIN = ("nearest", "bilinear", "lanczos")
_CLASSICAL = ("ibp", "tikhonov", "wavelet", "tv", "aplus")


class Output(NamedTuple):
    """What one method made of one input, which has a number."""

    method: str
    input: int
    pixels: Pixels


class Input(NamedTuple):
    """How the low-resolution input of some methods is made."""

    name: str
    degradation: Degradation
    methods: tuple[str, ...]


def outputs(pristine: Pixels, rng: np.random.Generator, quick: bool = False) -> Iterator[Output]:
    """Three inputs of the place, one clean and two degraded, through several methods each.

    Between the outputs of DAT-light, which is true to the input, and of a Real-ESRGAN, which
    invents texture, mixtures of both are made as well: the GAN's texture in steps.

    Args:
        pristine: the place.
        rng: settles the inputs, the methods and the mixtures.
        quick: leave the slow networks out.

    Raises:
        WeightsError: those of a network cannot be had.
    """
    for number, one in enumerate((_clean(rng), _worn(rng), _real(rng))):
        low = one.degradation(pristine, rng)
        scale = round(one.degradation.scale)
        made: dict[str, Pixels] = {}
        for method in one.methods:
            if quick and method in SLOW:
                continue
            made[method] = _enlarged(low, method, scale)
            yield Output(f"{method} x{scale} of {one.name}", number, made[method])
        gans = [m for m in made if m.startswith("real-esrgan")]
        if gans and "dat-light" in made:
            gan = gans[rng.integers(len(gans))]
            for share in rng.choice([0.25, 0.5, 0.75], 2, replace=False):
                mixed = share * made[gan] + (1 - share) * made["dat-light"]
                name = f"{share:.2f} {gan} x{scale} of {one.name}"
                yield Output(name, number, rounded(mixed / 255))


def rounded(picture: Any) -> Pixels:
    """Values in [0, 1] as 8 bits, as every output is saved."""
    return np.asarray(np.floor(np.clip(picture, 0, 1) * 255 + 0.5), np.uint8)


def _some(rng: np.random.Generator, chances: dict[str, float]) -> tuple[str, ...]:
    return tuple(name for name, chance in chances.items() if rng.random() < chance)


def _one(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    return names[rng.integers(len(names))]


_GANS = {
    "real-esrgan-x4plus": 0.6,
    "real-esrgan-animevideov3": 0.5,
    "real-esrgan-x4plus-anime": 0.3,
    "liif": 0.15,
}


def _clean(rng: np.random.Generator) -> Input:
    """Bicubic, as benchmarks have it; x4 half of the time."""
    scale = int(rng.choice([2, 3, 4, 4]))
    more = {2: {"waifu2x-photo": 1.0}, 3: {}, 4: _GANS}[scale]
    methods = ("bicubic", _one(rng, _PLAIN), _one(rng, _CLASSICAL), "dat-light", *_some(rng, more))
    return Input("bicubic", Classical(scale, "bi"), methods)


def _worn(rng: np.random.Generator) -> Input:
    """x4 of blurred, noisy or compressed inputs."""
    kind = _one(rng, ("blur", "noise", "jpeg", "all"))
    settings: dict[str, Any] = {}
    if kind in ("blur", "all"):
        settings |= {"kernel": "aniso", "sigma": (0.8, 3.5), "sigma_y": (0.8, 3.5)}
    if kind in ("noise", "all"):
        settings["noise"] = (1.5, 18.0)
    if kind in ("jpeg", "all"):
        settings |= {"codec": "jpeg", "quality": (30, 90)}
    methods = ("bicubic", _one(rng, _CLASSICAL), "dat-light", *_some(rng, _GANS))
    return Input(kind, Classical(4, kind, **settings), methods)


def _real(rng: np.random.Generator) -> Input:
    """x4 of what Real-ESRGAN was trained on."""
    methods = ("bicubic", *_some(rng, {"dat-light": 0.6} | _GANS))
    return Input("real-esrgan", RealEsrgan(4), methods)


@lru_cache(maxsize=32)
def _enlarger(method: str, scale: int) -> Enlarger:
    return Enlarger(load(method, scale), Settings(scale, tile=None))


def _enlarged(low: Pixels, method: str, scale: int) -> Pixels:
    return np.asarray(_enlarger(method, scale)(low))
