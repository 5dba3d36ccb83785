"""How far a network of spandrel's looks around a pixel, which tiles must have around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

FAR = 32
"""Pixels around a tile where the receptive field is larger, or not known."""


def reach(found: ImageModelDescriptor[Any]) -> tuple[int | None, str]:
    """The halo of a network and why tiles are not exact with it, as of `Upscaler`."""
    return FAR, "the network looks further than the halo"
