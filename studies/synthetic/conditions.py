"""The ways in which low resolution is made: one thing is changed at a time, and then all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srqa.degradation.model import Classical, Degradation
from srqa.degradation.realesrgan import RealEsrgan

SCALE = 4
BASE = "bicubic"


@dataclass(frozen=True, slots=True)
class Condition:
    """A degradation that is studied.

    Attributes:
        name: as in tables and folders.
        family: what is changed: "kernel", "blur", "noise", "jpeg" or "mixed".
        amount: of it, for curves; NaN where it has none.
        words: what is done, for people.
        degradation: does it.
    """

    name: str
    family: str
    amount: float
    words: str
    degradation: Degradation


def _classical(name: str, family: str, words: str, amount: float, **settings: Any) -> Condition:
    return Condition(name, family, amount, words, Classical(SCALE, name, **settings))


def _blurred(sigma: float) -> Condition:
    return _classical(
        f"blur-{sigma:g}", "blur", f"Gaussian blur, σ = {sigma:g}, then every 4th pixel", sigma,
        kernel="gaussian", sigma=sigma, blur_border="clamp", down="nearest",
    )  # fmt: skip


def _noisy(level: int) -> Condition:
    words = f"bicubic, then noise of {level} levels"
    return _classical(f"noise-{level}", "noise", words, level, noise=level)


def _compressed(quality: int) -> Condition:
    words = f"bicubic, then JPEG of quality {quality}"
    return _classical(f"jpeg-{quality}", "jpeg", words, quality, codec="jpeg", quality=quality)


_NONE = float("nan")
CONDITIONS: tuple[Condition, ...] = (
    _classical(BASE, "kernel", "MATLAB's bicubic, as in training", _NONE),
    _classical("area", "kernel", "mean of 4x4 pixels", _NONE, down="area"),
    *(_blurred(sigma) for sigma in (0.5, 1.0, 1.6, 2.4, 3.2)),
    *(_noisy(level) for level in (3, 10, 25)),
    *(_compressed(quality) for quality in (90, 60, 30)),
    _classical(
        "camera", "mixed", "blur of σ = 2.4, noise of 10 levels, JPEG of quality 60", _NONE,
        kernel="gaussian", sigma=2.4, noise=10, codec="jpeg", quality=60,
    ),
    Condition("real-esrgan", "mixed", _NONE, "Real-ESRGAN's two rounds", RealEsrgan(SCALE)),
)  # fmt: skip
"""The first is what the others are compared with."""
