"""What the hand-made metrics of the literature share: colours, similarity and weighted means.

All compare maps x and y of two pictures by (2 x y + c) / (x^2 + y^2 + c). What is computed here is
how far that is below 1, (x - y)^2 / (x^2 + y^2 + c): exactly 0 for equal pictures, and float32
keeps its digits however near they are.

All take R, G and B in [0, 1] (grey counts as R = G = B; values outside are clamped, as in a saved
picture) and convert colour as their papers do, on the 0..255 scale.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srqa.errors import NotApplicableError
from srqa.images.arrays import Planes, Value, is_tensor, namespace
from srqa.images.colour import mixtures
from srqa.images.filters import block_means

Weights = tuple[tuple[float, float, float], ...]
YIQ: Weights = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
LUMINANCE: Weights = YIQ[:1]


def mixer(weights: Weights) -> Callable[[Planes], Planes]:
    """A function from R, G and B in [0, 1] to weighted sums of them on the 0..255 scale."""
    scaled = [(255 * r, 255 * g, 255 * b) for r, g, b in weights]
    return lambda rgb: mixtures(clamped(rgb), scaled)


def clamped(rgb: Planes) -> Planes:
    """Values between 0 and 1; the same array if they are."""
    if is_tensor(rgb):
        return rgb.clamp(0.0, 1.0)
    return rgb if rgb.min() >= 0 and rgb.max() <= 1 else np.clip(rgb, 0.0, 1.0)


def prepared(planes: Planes) -> Planes:
    """Tensors of lower precision than float32 in float32; all else as it is."""
    if is_tensor(planes) and planes.element_size() < 4:
        return planes.float()
    return planes


def lost(x: Planes, y: Planes, constant: float, masking: float = 0.0) -> Planes:
    """How far the similarity of two maps is below 1.

    With `masking` a, the similarity is ((2 - a) x y + c) / (x^2 + y^2 - a x y + c).
    """
    apart = x - y
    apart = apart * apart
    return apart / (apart + (2 - masking) * (x * y) + constant)


def lost_together(first: Planes, second: Planes) -> Planes:
    """How far the product of two similarities is below 1, from how far they are."""
    return first + second - first * second


def weighted_mean(losses: Value, weights: Value, flat: Any) -> Value:
    """1 less a weighted mean of losses, from the two sums; no value for `flat` pictures.

    Raises:
        NotApplicableError: as `unless_flat`.
    """
    empty = weights <= 0
    if is_tensor(weights):
        value = 1.0 - losses / namespace(weights).where(empty, 1.0, weights)
    else:
        value = 1.0 if empty else 1.0 - losses / weights
    return unless_flat(value, flat, "two flat pictures have no structure to compare")


def unless_flat(value: Value, flat: Any, reason: str) -> Value:
    """The value(s) of pictures that are not `flat`.

    Raises:
        NotApplicableError: with the reason, for an array, or a tensor on the CPU, if any is `flat`.
            On another device its value is NaN, so that nobody has to wait for it.
    """
    if is_tensor(value) and value.device.type != "cpu":
        torch = namespace(value)
        return torch.where(flat, torch.nan, value)
    if flat.any() if is_tensor(flat) else flat:
        raise NotApplicableError(reason)
    return value


def both_flat(a: Planes, b: Planes) -> Any:
    """Whether every channel of either picture has one value only, and they are not equal."""
    if not is_tensor(a):
        return _flat(a) and _flat(b) and not np.array_equal(a, b)
    flat = [(p == p[..., :1, :1]).flatten(1).all(1) for p in (a, b)]
    return flat[0] & flat[1] & (a != b).flatten(1).any(1)


def _flat(planes: Planes) -> bool:
    """Looks no further than the first row of most pictures."""
    start = planes[:, :1, :1]
    return bool((planes[:, 0] == start[:, 0]).all() and (planes == start).all())


def structured(light: Planes) -> Any:
    """Whether a picture on the 0..255 scale varies by more than a thousandth: (N, 1, 1, 1), bool.

    What rounding leaves of flat ground would else be taken for structure.
    """
    if not is_tensor(light):
        return max(np.ptp(plane) for plane in light) > _NOTHING
    extent = light.amax((-2, -1), keepdim=True) - light.amin((-2, -1), keepdim=True)
    return (extent > _NOTHING).any(-3, keepdim=True)


_NOTHING = 1e-3


def masked(planes: Planes, mask: Any) -> Planes:
    """The planes where the mask of each picture is true, elsewhere 0."""
    if not is_tensor(planes):
        return planes if mask else np.zeros_like(planes)
    return namespace(planes).where(mask, planes, 0.0)


def shrinking(planes: Planes) -> int:
    """By how much pictures are shrunk to some 256 pixels on the shorter side."""
    return max(1, round(min(int(side) for side in planes.shape[-2:]) / 256))


def halved(planes: Planes, convert: Callable[[Planes], Planes] = lambda planes: planes) -> Planes:
    """Means of 2 x 2 of ``convert(planes)``; if a side is odd, zeros are added to both before."""
    after = int(any(side % 2 for side in planes.shape[-2:]))
    return block_means(planes, 2, convert, after=after)
