"""Upscalers that are no neural networks, on torch, on CPU or GPU; all but `aplus` are untrained.

`METHODS` names them all; a factory gives the method with its defaults, and takes settings:

>>> METHODS["bicubic"]().name
'bicubic'
"""

from __future__ import annotations

from collections.abc import Callable

from srqa.models.classical.anchored import aplus
from srqa.models.classical.back_projection import ibp
from srqa.models.classical.interpolation import bicubic, bilinear, lanczos, nearest
from srqa.models.classical.reconstruction import tikhonov, tv, tv_noisy, wavelet
from srqa.models.upscaler import Upscaler

METHODS: dict[str, Callable[[], Upscaler]] = {
    "nearest": nearest,
    "bilinear": bilinear,
    "bicubic": bicubic,
    "lanczos": lanczos,
    "ibp": ibp,
    "tikhonov": tikhonov,
    "wavelet": wavelet,
    "tv": tv,
    "tv-noisy": tv_noisy,
    "aplus": aplus,
}
"""Factories of the classical methods by their names."""
