"""Degradations that the literature knows by a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from srqa.degradation.model import Classical, Degradation
from srqa.degradation.realesrgan import RealEsrgan
from srqa.errors import UsageError


@dataclass(frozen=True, slots=True)
class Preset:
    """A name and what it stands for.

    Attributes:
        name: what users type.
        scale: taken when none is given; None if there is no usual one.
        about: one line for the help.
        make: gives the degradation at a scale.
    """

    name: str
    scale: float | None
    about: str
    make: Callable[[float], Degradation]


def _bd(scale: float) -> Classical:
    size = 7 if scale == 3 else None
    return Classical(scale, "bd", "gaussian", 1.6, size=size, blur_border="clamp", down="nearest")


PRESETS: tuple[Preset, ...] = (
    Preset("bi", None, "MATLAB's bicubic, the usual benchmark", lambda s: Classical(s, "bi")),
    Preset("bd", 3, "Gaussian blur of sigma 1.6, then one pixel of each s x s (RCAN, SRMD)", _bd),
    Preset(
        "dn", 3, "bicubic, then Gaussian noise of 30 (RCAN)", lambda s: Classical(s, "dn", noise=30)
    ),
    Preset(
        "jpeg",
        None,
        "bicubic, then JPEG of quality 40",
        lambda s: Classical(s, "jpeg", codec="jpeg", quality=40),
    ),
    Preset("real-esrgan", 4, "two rounds of blur, resizing, noise and JPEG, with sinc", RealEsrgan),
)


def degradation(
    preset: str = "bi", scale: float | None = None, settings: Mapping[str, Any] | None = None
) -> Degradation:
    """A degradation by its name, with settings of its own.

    Args:
        preset: a name of `PRESETS`.
        scale: high over low resolution; presets made for one scale have it as their default.
        settings: fields of `Classical` that shall be otherwise.

    Raises:
        UsageError: there is no such preset, no scale, or a setting that it does not take.

    Example:
        >>> degradation("dn", settings={"noise": 10}).noise
        10
    """
    found = next((one for one in PRESETS if one.name == preset), None)
    if found is None:
        names = ", ".join(one.name for one in PRESETS)
        raise UsageError(f"There is no degradation {preset!r}; there are {names}.")
    if scale is None and found.scale is None:
        raise UsageError(f"The degradation {preset} needs a scale.", "For instance --scale 4.")
    made = found.make(found.scale if scale is None else scale)  # type: ignore[arg-type]
    if not settings:
        return made
    if not isinstance(made, Classical):
        raise UsageError(
            f"The degradation {preset} draws everything itself; {', '.join(settings)} cannot be "
            "set.",
            "Leave the preset out to describe a degradation of your own.",
        )
    known = {f.name for f in fields(Classical)} - {"scale", "name", "floating"}
    if unknown := sorted(set(settings) - known):
        raise UsageError(f"A degradation has no setting {unknown[0]!r}.")
    if settings.get("kernel") == "aniso" and "sigma" not in settings:
        settings = {**settings, "sigma": (0.6, 5.0)}
    if "sigma" in settings and "size" not in settings:
        settings = {**settings, "size": None}
    return replace(made, **{"name": f"{preset}, changed", **settings})
