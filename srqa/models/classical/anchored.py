"""A+: the one classical method here that learned from examples.

Timofte, De Smet and Van Gool, "A+: Adjusted Anchored Neighborhood Regression for Fast
Super-Resolution", ACCV 2014. Bicubic interpolation, and on top of it, for each pixel of the input,
a patch of what interpolation lacks: one linear map of what is seen around that pixel, out of some
hundred maps, namely that of the anchor most like it. `benchmarks/aplus_train.py` made the numbers.

All that is linear in the paper's features (interpolation, derivatives, principal components) is one
convolution of the input here, and adding up the patches is its counterpart, transposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from srqa.errors import UsageError
from srqa.models.classical.interpolation import check_scale, interpolate
from srqa.models.upscaler import Upscaler

if TYPE_CHECKING:
    from torch import Tensor

SCALES = (2, 3, 4)
PATCH = 3
"""Pixels of the input along the side of a patch."""
REACH = 4
"""Pixels of the input around one on which its features depend: 1 of the patch, 1 of the
derivatives, 2 of the interpolation."""
_CELLS = 1 << 14
_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True, eq=False)
class Regressors:
    """What was learned for one scale s.

    Attributes:
        filters: (d, 1, 9, 9), which make the d features of a pixel of the input.
        anchors: (k, d), of length 1.
        maps: (k, d, r), of each anchor, from features to coefficients.
        basis: (r, 1, 3 s, 3 s), the patches that the coefficients weigh.
    """

    filters: Tensor
    anchors: Tensor
    maps: Tensor
    basis: Tensor


def aplus() -> Upscaler:
    """A+: hundreds of linear maps, learned from photographs, each for one kind of patch.

    Each plane for itself; it was trained on Y, for inputs made by MATLAB's bicubic.

    Example:
        >>> import torch
        >>> aplus().run(torch.rand(1, 1, 8, 9), 3).shape
        torch.Size([1, 1, 24, 27])
    """
    return Upscaler("aplus", run, scales=SCALES, channels=1, halo=REACH + 1)


def run(pictures: Tensor, scale: float) -> Tensor:
    """Enlarge (N, C, h, w) by 2, 3 or 4.

    Raises:
        UsageError: another scale.
    """
    check_scale(scale)
    if scale not in SCALES:
        raise UsageError(f"aplus enlarges by 2, 3 or 4, not by {scale:g}.")
    if not pictures.numel():
        return interpolate(pictures, scale)
    count, planes, height, width = pictures.shape
    wide = pictures.double().reshape(count * planes, 1, height, width)
    made = interpolate(wide, scale) + lacking(wide, regressors(int(scale)))
    return made.reshape(count, planes, *made.shape[-2:]).to(pictures.dtype)


@lru_cache(maxsize=len(SCALES))
def regressors(scale: int) -> Regressors:
    """The trained numbers for a scale."""
    import torch

    with np.load(_DATA / f"aplus-x{scale}.npz", allow_pickle=False) as file:
        parts = {name: torch.from_numpy(file[name].astype(np.float64)) for name in file}
    return Regressors(**parts)


def lacking(planes: Tensor, learned: Regressors) -> Tensor:
    """What bicubic interpolation of planes (N, 1, h, w) lacks, (N, 1, s h, s w).

    In float64, so that which anchor is nearest does not depend on how sums are ordered.
    """
    import torch
    from torch.nn.functional import conv_transpose2d

    filters, anchors, maps, basis = (
        part.to(planes) for part in (learned.filters, learned.anchors, learned.maps, learned.basis)
    )
    here = Regressors(filters, anchors, maps, basis)
    # One pixel beyond the edges has a patch, too, so that as many overlap there as elsewhere.
    given = mirrored(planes, REACH + 1)
    count, _, height, width = given.shape
    high = max(1, _CELLS // (count * width))
    bands = [
        _coefficients(given[:, :, top : top + high + 2 * REACH], here)
        for top in range(0, height - 2 * REACH, high)
    ]
    scale = basis.shape[-1] // PATCH
    patches = conv_transpose2d(torch.cat(bands, 2), basis, stride=scale)
    inner = slice(2 * scale, -2 * scale)
    return patches[..., inner, inner] / PATCH**2


def _coefficients(given: Tensor, learned: Regressors) -> Tensor:
    """Of the basis, (N, r, h, w), for planes with the filters' reach around them."""
    import torch
    from torch.nn.functional import conv2d

    found = conv2d(given, learned.filters)
    count, _, height, width = found.shape
    features = found.permute(0, 2, 3, 1).flatten(0, 2)
    nearest = (features @ learned.anchors.T).abs().argmax(1)
    members = nearest.bincount(minlength=len(learned.anchors)).tolist()
    made = features.new_empty(len(features), learned.maps.shape[2])
    for rows, one in zip(torch.split(nearest.argsort(), members), learned.maps, strict=True):
        made[rows] = features[rows] @ one
    return made.reshape(count, height, width, -1).permute(0, 3, 1, 2)


def mirrored(planes: Tensor, by: int) -> Tensor:
    """Planes (..., h, w) with `by` pixels more at each side, mirrored as `imresize` does."""
    import torch

    for axis in (-2, -1):
        side = planes.shape[axis]
        index = torch.arange(-by, side + by, device=planes.device) % (2 * side)
        planes = planes.index_select(axis, torch.where(index < side, index, 2 * side - 1 - index))
    return planes
