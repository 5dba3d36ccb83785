"""Where pictures differ: the metrics that can say so at every pixel, and the plain error.

A map has the size of the pictures and is 0 where they are equal. Where a metric looks at windows
that must fit into the picture, the rim has no value (NaN).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from srqa.errors import UsageError
from srqa.images.arrays import Planes, Value, count, is_tensor, namespace, total
from srqa.images.filters import strips, sum_over_strips
from srqa.metrics import difference, lpips, perceived, registry, structural
from srqa.metrics.spec import INF, MetricSpec


@dataclass(frozen=True, slots=True, eq=False)
class DifferenceMap:
    """A metric's map of where pictures differ.

    Attributes:
        spec: the metric: what it is called, which channel it sees, what it needs.
        function: ``f(distorted, reference)`` on planes gives an array (H, W) for an array and a
            tensor (N, H, W) for a batch: not negative, NaN where there is no value.
        peak: the value at the end of the colour scale, where nobody says otherwise.
        unit: of the values, or "" for a plain number.
        shows: what a value is, in a few words.
        score: the metric's value from the mean of its map; None where the two are not the same.
    """

    spec: MetricSpec
    function: Callable[[Planes, Planes], Any]
    peak: float
    unit: str = ""
    shows: str = ""
    score: Callable[[float], float] | None = None

    @property
    def name(self) -> str:
        """What users type."""
        return self.spec.name


def get(name: str) -> DifferenceMap:
    """The map of a metric, or the map "error".

    Raises:
        UsageError: there is no such metric, or it has no map.

    Example:
        >>> get("ssim-y").shows
        '1 − SSIM'
    """
    key = name.strip().lower().replace("_", "-")
    if key in _MAPS:
        return _MAPS[key]
    known = f"Maps are {', '.join(_MAPS)}."
    try:
        found = registry.get(name).name
    except UsageError as error:
        near = difflib.get_close_matches(key, _MAPS, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}? {known}" if near else known
        raise UsageError(f"There is no map {name!r}.", hint=hint) from error
    if found in _MAPS:
        return _MAPS[found]
    raise UsageError(f"The metric {found} gives no map of where pictures differ.", hint=known)


def names() -> list[str]:
    """The names of all maps."""
    return list(_MAPS)


def absolute_error(distorted: Planes, reference: Planes) -> tuple[Value, int]:
    """Sum and count of |difference| over R, G and B, on the 0..255 scale."""

    def part(a: Planes, b: Planes) -> tuple[Value, int]:
        apart = abs(a - b) * 255
        return total(apart), count(apart)

    value, n = sum_over_strips(part, distorted, reference, 0)
    return value, n


def _over_picture(
    part: Callable[[Planes, Planes], Planes], halo: int, distorted: Planes, reference: Planes
) -> Any:
    """The mean over channels of the map that `part` makes, set into the picture's size.

    Args:
        part: planes of both pictures to a map (..., C, h, w), smaller by `halo` on each side.
        halo: rows and columns at the rim that have no value.
        distorted: the picture to judge.
        reference: the picture to judge by.
    """
    if is_tensor(distorted):
        found = part(distorted, reference).mean(-3)
        pad = namespace(found).nn.functional.pad
        return pad(found, (halo, halo, halo, halo), value=float("nan"))
    height, width = distorted.shape[-2:]
    whole = np.full((height, width), np.nan, np.float32)
    for rows in strips(height, halo):
        made = part(distorted[:, rows], reference[:, rows]).mean(axis=0, dtype=np.float64)
        whole[rows.start + halo : rows.stop - halo, halo : width - halo] = made
    return whole


def _absolute(a: Planes, b: Planes) -> Planes:
    return abs(a - b) * 255


def _squared(a: Planes, b: Planes) -> Planes:
    return (a - b) ** 2 * 255**2


def _dissimilarity(a: Planes, b: Planes) -> Planes:
    luminance, contrast = structural.structure_losses(a, b)
    return (luminance + contrast - luminance * contrast).clip(0.0, None)


def _same(mean: float) -> float:
    return mean


def _complement(mean: float) -> float:
    return 1.0 - mean


_ERROR = MetricSpec(
    name="error",
    function=absolute_error,
    summary="mean absolute difference of R, G and B, on the 0..255 scale",
    crop="none",
    higher_is_better=False,
    bounds=(0.0, INF),
    additive=True,
)
"""No metric of the registry: what `error` needs to be treated like one."""


def _of(
    name: str,
    function: Callable[[Planes, Planes], Any],
    peak: float,
    shows: str,
    unit: str = "",
    score: Callable[[float], float] | None = None,
) -> DifferenceMap:
    return DifferenceMap(registry.get(name), function, peak, unit, shows, score)


_STRUCTURE = partial(_over_picture, _dissimilarity, structural.HALO)

_ALL: tuple[DifferenceMap, ...] = (
    DifferenceMap(
        _ERROR, partial(_over_picture, _absolute, 0), 64.0, "levels",
        "mean of |ΔR|, |ΔG| and |ΔB| in levels of 8 bits", _same,
    ),
    _of("mse", partial(_over_picture, _squared, 0), 4096.0,
        "mean of ΔR², ΔG² and ΔB² in levels of 8 bits", "levels²", _same),
    _of("delta-e", partial(_over_picture, difference.colour_difference, 0), 20.0,
        "CIEDE2000 colour difference", "ΔE", _same),
    _of("ssim", _STRUCTURE, 1.0, "1 − SSIM, mean of R, G and B", "", _complement),
    _of("ssim-y", _STRUCTURE, 1.0, "1 − SSIM", "", _complement),
    _of("flip", perceived.flip_map, 1.0, "what is seen when flipping between the two", "", _same),
    *(
        _of(name, partial(lpips.difference_map, name), 1.0, f"difference of {seen} features")
        for name, seen in {
            "lpips": "AlexNet",
            "lpips-vgg": "VGG16",
            "lpips-squeeze": "SqueezeNet",
            "st-lpips": "shift-tolerant AlexNet",
            "st-lpips-vgg": "shift-tolerant VGG16",
        }.items()
    ),
)  # fmt: skip
_MAPS = {found.name: found for found in _ALL}
