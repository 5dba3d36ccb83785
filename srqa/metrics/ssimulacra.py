"""SSIMULACRA 2.1: structure and edges of X, Y and B at six scales, weighted by what people said.

Written from the published definition (libjxl, tools/ssimulacra2), whose Gaussian is the recursive
one of Charalampidis 2016: a sum of three cosines, cut off where they vanish. Here it is the filter
of nine taps that this recursion amounts to, with nothing outside the picture, as there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from srqa.images.arrays import Planes, Value, in_double, is_tensor, namespace, total
from srqa.images.filters import block_means, separable_valid, sum_over_parts

MIN_SIDE = 8
SCALES = 6
WHOLE_SIDE = 225
"""The shortest side that leaves six scales; below it the weights belong to other scales."""

_SIGMA = 1.5
_REACH = 4
"""Of the blur."""
_C2 = 0.0009
_BIAS = 0.0037930732552754493
_ABSORBANCE = (
    (0.30, 1 - 0.30 - 0.078, 0.078),
    (0.23, 1 - 0.23 - 0.078, 0.078),
    (0.24342268924547819, 0.20476744424496821, 1 - 0.24342268924547819 - 0.20476744424496821),
)
# Of 3 planes x 6 scales x 2 norms x 3 maps (structure, added edges, lost edges), in this order.
_WEIGHTS = {
    1: 0.0007376606707406586,
    4: 0.0007793481682867309,
    7: 0.0004371155730107379,
    9: 1.1041726426657346,
    10: 0.00066284834129271,
    11: 0.00015231632783718752,
    13: 0.0016406437456599754,
    15: 1.8422455520539298,
    16: 11.441172603757666,
    18: 0.0007989109436015163,
    19: 0.000176816438078653,
    21: 1.8787594979546387,
    22: 10.94906990605142,
    24: 0.0007289346991508072,
    25: 0.9677937080626833,
    27: 0.00014003424285435884,
    28: 0.9981766977854967,
    29: 0.00031949755934435053,
    30: 0.0004550992113792063,
    33: 0.0013648766163243398,
    39: 7.466890328078848,
    41: 17.445833984131262,
    42: 0.0006235601634041466,
    45: 6.683678146179332,
    46: 0.00037724407979611296,
    47: 1.027889937768264,
    48: 225.20515300849274,
    51: 19.213238186143016,
    52: 0.0011401524586618361,
    53: 0.001237755635509985,
    54: 176.39317598450694,
    57: 24.43300999870476,
    58: 0.28520802612117757,
    59: 0.0004485436923833408,
    63: 34.77906344483772,
    64: 44.835625328877896,
    73: 0.0008680556573291698,
    79: 0.0005313191874358747,
    81: 0.00016533814161379112,
    87: 0.0004179171803251336,
    88: 0.0017290828234722833,
    90: 0.0020827005846636437,
    93: 8.826982764996862,
    94: 23.19243343998926,
    96: 95.1080498811086,
    97: 0.9863978034400682,
    98: 0.9834382792465353,
    99: 0.0012286405048278493,
    100: 171.2667255897307,
    101: 0.9807858872435379,
    105: 0.0005130064588990679,
    107: 0.00010854057858411537,
}


@lru_cache(maxsize=1)
def taps() -> tuple[float, ...]:
    """The Gaussian of sigma 1.5 as truncated cosines, symmetric, -4 .. 4."""
    radius = round(3.2795 * _SIGMA + 0.2546)
    omega = np.array([1.0, 3.0, 5.0]) * math.pi / (2 * radius)
    p = np.array([1.0, -1.0, 1.0]) / np.tan(omega / 2)
    r = np.array([1.0, -1.0, 1.0]) * p**2 / np.sin(omega)
    rho = np.exp(-0.5 * _SIGMA**2 * omega**2) / radius
    across = np.cross(p, r)
    zeta = across / across[2]
    beta = np.linalg.solve(np.stack([p, r, zeta]), [1.0, radius**2 - _SIGMA**2, float(zeta @ rho)])
    place = np.arange(-radius + 1, radius)
    return tuple((beta @ np.cos(np.outer(omega, place))).tolist())


def ssimulacra2(distorted: Planes, reference: Planes) -> Value:
    """SSIMULACRA 2.1 of Sneyers (Cloudinary, libjxl).

    Args:
        distorted: planes (3, H, W) or a tensor (N, 3, H, W), sRGB in [0, 1].
        reference: of the same shape.

    Returns:
        100 for equal pictures, about 90 where no difference is seen, 70 high, 50 medium and 30 low
        quality; it has no lower end. A float, or a tensor (N,).
    """
    first, second = reference, distorted
    light: Callable[[Planes], Planes] = _linear
    norms: list[tuple[Value, ...]] = []
    while len(norms) < SCALES and min(int(side) for side in first.shape[-2:]) >= MIN_SIDE:
        norms.append(_norms(first, second, light))
        odd = int(any(side % 2 for side in first.shape[-2:]))
        first, second = (
            block_means(p, 2, light, after=odd, outside="edge") for p in (first, second)
        )
        light = in_double
    return _score(norms)


def _linear(planes: Planes) -> Planes:
    """Linear light in float64; grey counts as R = G = B."""
    xp = namespace(planes)
    x = in_double(planes).clip(0.0, 1.0)
    light = xp.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    if light.shape[-3] == 3:
        return light
    return xp.concatenate([light] * 3, -3)


def _positive_xyb(rgb: Planes) -> Planes:
    xp = namespace(rgb)
    r, g, b = (rgb[..., i : i + 1, :, :] for i in range(3))
    root = _BIAS ** (1 / 3)
    long, middle, short = (
        (k[0] * r + k[1] * g + k[2] * b + _BIAS) ** (1 / 3) - root for k in _ABSORBANCE
    )
    y = (long + middle) / 2
    parts = [7.0 * (long - middle) + 0.42, y + 0.01, short - y + 0.55]
    return xp.concatenate(parts, -3)


def _norms(a: Planes, b: Planes, light: Callable[[Planes], Planes]) -> tuple[Value, ...]:
    """Mean and fourth-power mean of the maps of one scale, in the order of the weights.

    Args:
        a: the reference; the definition tells added from lost edges.
        b: the picture to judge.
        light: from such planes to linear light.

    Returns:
        Six values for each of X, Y and B.
    """
    height, width = (int(side) for side in a.shape[-2:])

    def part(rows: slice) -> tuple[Value, ...]:
        taken = slice(max(rows.start - _REACH, 0), min(rows.stop + _REACH, height))
        above, below = rows.start - taken.start, taken.stop - rows.stop
        outside = (_REACH - above, _REACH - below)
        x, y = (_positive_xyb(light(p[..., taken, :])) for p in (a, b))
        inner = slice(above, above + rows.stop - rows.start)
        found: list[Value] = []
        for plane in range(3):
            pair = [p[..., plane : plane + 1, :, :] for p in (x, y)]
            found += _sums(pair[0], pair[1], inner, outside)
        return tuple(found)

    sums = [value / (height * width) for value in sum_over_parts(part, a, 0)]
    fourth = (False, False, False, True, True, True) * 3
    return tuple(_fourth_root(v) if f else v for v, f in zip(sums, fourth, strict=True))


def _sums(a: Planes, b: Planes, inner: slice, outside: tuple[int, int]) -> list[Value]:
    """Sums of the three maps and of their fourth powers over the `inner` rows of one plane.

    `outside` says how many rows of nothing lie above and below.
    """

    def blur(plane: Planes) -> Planes:
        return separable_valid(_surrounded(plane, *outside), taps())

    xp = namespace(a)
    mean_a, mean_b = blur(a), blur(b)
    mixed = blur(a * b) - mean_a * mean_b
    spread = (blur(a * a) - mean_a * mean_a) + (blur(b * b) - mean_b * mean_b)
    apart = mean_a - mean_b
    unlike = 1 - (1 - apart * apart) * (2 * mixed + _C2) / (spread + _C2)
    a, b = a[..., inner, :], b[..., inner, :]
    edges = (1 + xp.abs(b - mean_b)) / (1 + xp.abs(a - mean_a)) - 1
    maps = [unlike.clip(0), edges.clip(0), (-edges).clip(0)]
    squares = [m * m for m in maps]
    return [total(m) for m in maps] + [total(s * s) for s in squares]


def _surrounded(plane: Planes, above: int, below: int) -> Planes:
    if is_tensor(plane):
        from torch.nn.functional import pad

        return pad(plane, (_REACH, _REACH, above, below))
    return np.pad(plane, ((0, 0), (above, below), (_REACH, _REACH)))


def _fourth_root(x: Value) -> Value:
    """The root whose slope at 0 is 0 instead of infinite."""
    if not is_tensor(x):
        return x**0.25
    xp = namespace(x)
    return xp.where(x > 0, xp.where(x > 0, x, 1.0) ** 0.25, 0.0 * x)


def _score(norms: list[tuple[Value, ...]]) -> Value:
    weights = np.zeros(3 * SCALES * 6)
    weights[list(_WEIGHTS)] = list(_WEIGHTS.values())
    table = weights[: 18 * len(norms)].reshape(3, len(norms), 6)
    together: Any = 0.0
    for scale, values in enumerate(norms):
        for place, value in enumerate(values):
            together = together + float(table[place // 6, scale, place % 6]) * value
    x = 0.9562382616834844 * together
    x = 2.326765642916932 * x - 0.020884521182843837 * x**2 + 6.248496625763138e-05 * x**3
    if not is_tensor(x):
        return 100.0 - 10.0 * float(x) ** 0.6276336467831387 if x > 0 else 100.0
    xp = namespace(x)
    return 100.0 - 10.0 * xp.where(x > 0, xp.where(x > 0, x, 1.0) ** 0.6276336467831387, 0.0 * x)
