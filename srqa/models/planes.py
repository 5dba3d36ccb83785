"""From a picture's planes to what a model takes, and back; tensors (N, C, H, W) in [0, 1].

A model for RGB gets a grey picture three times and gives it back as grey. A model for one plane
gets Y of BT.601 in studio swing, on which such models are trained, and Cb and Cr are enlarged by
bicubic interpolation, as is an alpha channel always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from srqa.images.colour import gray, luma, rgb_of_ycbcr, ycbcr
from srqa.images.resize import imresize
from srqa.models.tiles import Span

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]

REACH = 3
"""Pixels of the input around a tile that bicubic interpolation needs, and one to spare."""
_BLACK, _SWING = 16 / 255, 219 / 255


def cut_out(pixels: Array, alpha: Array | None, row: Span, column: Span) -> Tensor:
    """What a tile needs of a picture and its alpha, (1, C, h, w) in [0, 1]."""
    import torch

    place = (slice(row.first, row.last), slice(column.first, column.last))
    part = pixels[place] if pixels.ndim == 3 else pixels[place][..., None]
    if alpha is not None:
        part = np.concatenate([part, alpha[place][..., None]], axis=2)
    full = np.iinfo(part.dtype).max if part.dtype.kind == "u" else 1
    values = np.ascontiguousarray(part.transpose(2, 0, 1), dtype=np.float32) / np.float32(full)
    return torch.from_numpy(values)[None]


def stored(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values in [0, 1] as samples of a picture, integers rounded half up."""
    if dtype.kind != "u":
        return values.astype(dtype, copy=False)
    full = np.iinfo(dtype).max
    samples: Array = np.floor(values * np.float32(full) + np.float32(0.5)).astype(dtype)
    return samples


def split(parts: Tensor, grey: bool, channels: int | None) -> tuple[Tensor, Tensor | None]:
    """What a model gets, and what is interpolated.

    Args:
        parts: grey or RGB, then alpha if there is one.
        grey: whether the first plane is all there is of the picture.
        channels: that the model takes: 3, 1, or None for any number.

    Returns:
        Planes for the model; Cb, Cr and alpha, or None where there are none.
    """
    colours = 1 if grey else 3
    picture, beside = parts[:, :colours], parts[:, colours:]
    if channels == 1 and not grey:
        converted = ycbcr(picture)
        picture = converted[:, :1]
        beside = _both(converted[:, 1:], beside)
    elif channels == 1:
        picture = luma(picture)
    elif channels == 3 and grey:
        picture = picture.expand(-1, 3, -1, -1)
    return picture.contiguous(), beside if beside.shape[1] else None


def join(
    made: Tensor, beside: Tensor | None, grey: bool, channels: int | None, scale: float
) -> Tensor:
    """What a model gave, and the rest enlarged beside it: grey or RGB, then alpha."""
    height, width = made.shape[-2:]
    rest = made[:, :0] if beside is None else resized(beside, scale, (height, width))
    if channels == 1 and not grey:
        made = rgb_of_ycbcr(_both(made, rest[:, :2]))
        rest = rest[:, 2:]
    elif channels == 1:
        made = (made - _BLACK) / _SWING
    elif channels == 3 and grey:
        made = gray(made)
    return _both(made, rest)


def padded(given: Tensor, multiple: int, least: int) -> Tensor:
    """A batch with sides that are multiples, and not too short: mirrored at the right and below."""
    for axis in (-2, -1):
        side = given.shape[axis]
        wanted = max(side, least)
        wanted += -wanted % multiple
        if wanted > side:
            given = given.index_select(axis, _mirrored(side, wanted, given))
    return given


def _mirrored(side: int, wanted: int, like: Tensor) -> Tensor:
    import torch

    index = torch.arange(wanted, device=like.device)
    if side == 1:
        return torch.zeros_like(index)
    index = index % (2 * side - 2)
    return torch.where(index < side, index, 2 * side - 2 - index)


def resized(planes: Tensor, scale: float, sides: tuple[int, int]) -> Tensor:
    """Bicubic, MATLAB's way; the scale says where pixels lie, the sides how many there are."""
    made: Tensor = imresize(planes, scale)
    return made[..., : sides[0], : sides[1]]


def _both(first: Tensor, second: Tensor) -> Tensor:
    import torch

    return torch.cat([first, second], 1)
