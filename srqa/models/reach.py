"""How far spandrel's networks look around a pixel, which tiles must have around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

FAR = 32
"""Pixels around a tile where the receptive field is large, or all of the picture."""
_EXACT = 48
"""Up to so many pixels the halo covers all of the receptive field."""

_PLAIN = {"Compact", "SwiftSRGAN", "DnCNN", "ESRGAN", "SPAN"}
"""Chains of convolutions and nothing else, all at the size of the input or larger."""
_WINDOWS = {"SwinIR", "Swin2SR", "DRCT", "SCUNet", "DITN", "IPT", "FFTformer", "Uformer"}
"""Attention in windows, or transforms of patches, and nothing that sees the whole picture."""
_POOLING = {
    *("ATD", "CRAFT", "DAT", "DCTLSA", "FBCNN", "FDAT", "GRL", "HAT", "HVICIDNet", "KBNet"),
    *("MMRealSR", "MixDehazeNet", "NAFNet", "OmniSR", "RCAN", "RGT", "RealCUGAN"),
    *("RetinexFormer", "SAFMN", "SAFMNBCIE", "SeemoRe"),
}
"""Statistics of the whole picture: pooling, attention among channels, normalisation."""


def reach(found: ImageModelDescriptor[Any]) -> tuple[int | None, str]:
    """The halo of a network, and why tiles are not exact with it, as of `Upscaler`.

    Networks for faces, which place a face by its surroundings, must not be cut.
    """
    name = found.architecture.id
    if found.purpose == "FaceSR":
        return None, ""
    if name in _PLAIN:
        reach = _convolutions(found.model) * found.size_requirements.multiple_of
        if reach <= _EXACT:
            return reach, ""
        return FAR, f"the network looks up to {reach} pixels around, further than the halo"
    if name in _POOLING:
        return FAR, "the network looks at statistics of all of the picture"
    if name in _WINDOWS:
        return FAR, "the network works in windows, which lie elsewhere in a tile"
    return FAR, "the network may look further than the halo"


def _convolutions(module: Any) -> int:
    """How far a chain of convolutions looks, at most: as if all came one after the other."""
    from torch import nn

    layers = (layer for layer in module.modules() if isinstance(layer, nn.Conv2d))
    return sum((max(layer.kernel_size) - 1) * max(layer.dilation) // 2 for layer in layers)
