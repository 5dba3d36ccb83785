"""Real-ESRGAN's degradation: two rounds of blur, resizing, noise and JPEG, with sinc filters.

Wang, Xie, Dong and Shan, "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure
Synthetic Data", ICCVW 2021. The numbers are those of the configuration that its authors published
for the x4plus model. Theirs works on batches and by an approximation of JPEG through which
gradients flow; here JPEG is libjpeg's, and the high-resolution picture is not sharpened first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from srqa.degradation.kernels import Gaussian, Kernel, Sinc
from srqa.degradation.model import Degradation
from srqa.degradation.sampling import check_scale
from srqa.degradation.steps import Blur, Compress, Method, Noise, Rescale, Step

_SIZES = tuple(range(7, 22, 2))
_SHAPES = ("iso", "aniso", "generalised-iso", "generalised-aniso", "plateau-iso", "plateau-aniso")
_SHAPES_P = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
_METHODS: tuple[Method, ...] = ("area", "bilinear", "bicubic")
_SINC_P, _FINAL_SINC_P, _GREY_P, _GAUSSIAN_P = 0.1, 0.8, 0.4, 0.5
_QUALITY = (30.0, 95.0)


@dataclass(frozen=True, slots=True)
class _Round:
    """One of the two rounds: probabilities and ranges."""

    blur_p: float
    sigma: tuple[float, float]
    resize_p: tuple[float, float, float]  # up, down, neither
    resize: tuple[float, float]
    noise: tuple[float, float]
    poisson: tuple[float, float]


_FIRST = _Round(1.0, (0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1, 30), (0.05, 3.0))
_SECOND = _Round(0.8, (0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1, 25), (0.05, 2.5))


@dataclass(frozen=True)
class RealEsrgan(Degradation):
    """Real-ESRGAN's second-order degradation; every picture draws its own.

    Attributes:
        scale: high over low resolution.
    """

    scale: float = 4
    name: str = "real-esrgan"
    floating: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def draw(self, rng: np.random.Generator) -> tuple[Step, ...]:
        """The steps of one picture."""
        steps = [
            *_blur(_FIRST, rng),
            *_resize(_FIRST, rng, "picture"),
            _noise(_FIRST, rng),
            _jpeg(rng),
            *_blur(_SECOND, rng),
            *_resize(_SECOND, rng, "low"),
            _noise(_SECOND, rng),
        ]
        last: list[Step] = [Rescale(1, "low", _choice(rng, _METHODS))]
        if rng.random() < _FINAL_SINC_P:
            size = _choice(rng, _SIZES)
            last.append(Blur(Sinc(float(rng.uniform(math.pi / 3, math.pi)), size), "reflect"))
        jpeg: list[Step] = [_jpeg(rng)]
        return tuple(steps + (last + jpeg if rng.random() < 0.5 else jpeg + last))

    def describe(self) -> dict[str, Any]:
        """The settings as plain values, for a manifest."""
        return {"name": self.name, "scale": self.scale}


def _choice(rng: np.random.Generator, among: Any, p: Any = None) -> Any:
    return among[int(rng.choice(len(among), p=p))]


def _blur(one: _Round, rng: np.random.Generator) -> list[Step]:
    if rng.random() >= one.blur_p:
        return []
    size = _choice(rng, _SIZES)
    kernel: Kernel
    if rng.random() < _SINC_P:
        lowest = math.pi / 3 if size < 13 else math.pi / 5
        kernel = Sinc(float(rng.uniform(lowest, math.pi)), size)
    else:
        kernel = _gaussian(one.sigma, size, rng)
    return [Blur(kernel, "reflect")]


def _gaussian(bounds: tuple[float, float], size: int, rng: np.random.Generator) -> Gaussian:
    shape = _choice(rng, _SHAPES, _SHAPES_P)
    sigma = float(rng.uniform(*bounds))
    across, angle = None, 0.0
    if shape.endswith("aniso"):
        across, angle = float(rng.uniform(*bounds)), float(rng.uniform(-180, 180))
    power = 1.0
    if not shape.startswith(("iso", "aniso")):
        below, above = (1.0, 2.0) if shape.startswith("plateau") else (0.5, 4.0)
        smaller = rng.random() < 0.5
        power = float(rng.uniform(below, 1.0) if smaller else rng.uniform(1.0, above))
    return Gaussian(sigma, across, angle, power, shape.startswith("plateau"), size)


def _resize(one: _Round, rng: np.random.Generator, of: Literal["picture", "low"]) -> list[Step]:
    way = _choice(rng, ("up", "down", "keep"), one.resize_p)
    low, high = one.resize
    factor = {"up": (1.0, high), "down": (low, 1.0), "keep": (1.0, 1.0)}[way]
    return [Rescale(float(rng.uniform(*factor)), of, _choice(rng, _METHODS))]


def _noise(one: _Round, rng: np.random.Generator) -> Step:
    kind: Literal["gaussian", "poisson"] = "gaussian" if rng.random() < _GAUSSIAN_P else "poisson"
    bounds = one.noise if kind == "gaussian" else one.poisson
    return Noise(kind, float(rng.uniform(*bounds)), bool(rng.random() < _GREY_P))


def _jpeg(rng: np.random.Generator) -> Step:
    return Compress("jpeg", round(float(rng.uniform(*_QUALITY))))
