"""The little that differs between numpy arrays and torch tensors, so that metrics are written once.

Metrics see **planes**: a numpy array (C, H, W) for one picture, or a tensor (N, C, H, W) for a
batch, float, values in [0, 1]. A reduction over a picture gives a float for an array and a
tensor (N,) for a batch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

Planes: TypeAlias = Any
"""An array (C, H, W) or a tensor (N, C, H, W); the type checker cannot follow code for both."""

Value: TypeAlias = Any
"""A float for one picture, a tensor (N,) for a batch."""


def is_tensor(x: object) -> bool:
    """Tell whether `x` is a torch tensor, without importing torch."""
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)  # or a thread is importing it
    return tensor is not None and isinstance(x, tensor)


def namespace(x: object) -> Any:
    """The module, numpy or torch, whose functions (sqrt, where, clip, ...) take `x`."""
    return sys.modules["torch"] if is_tensor(x) else np


def in_double(x: Planes) -> Planes:
    """In float64, or as it is where a device has none."""
    if is_tensor(x):
        return x if x.device.type == "mps" else x.double()
    return x.astype(np.float64, copy=False)


def total(x: Planes) -> Value:
    """Sum over each picture in float64 (float32 would lose digits on large pictures)."""
    if is_tensor(x):
        wide = sys.modules["torch"].float64 if x.device.type != "mps" else x.dtype
        return x.sum(dim=(-3, -2, -1), dtype=wide)
    # OpenCV's sum is faster, but its last digits depend on where in memory the array lies.
    return float(np.sum(x, dtype=np.float64))


def root(x: Planes) -> Planes:
    """Square root, 0 for what is below 0, whose gradient at 0 is 0 instead of infinite."""
    if not is_tensor(x):
        return np.sqrt(np.maximum(x, 0.0))
    torch = sys.modules["torch"]
    positive = x > 0
    return torch.where(positive, torch.sqrt(torch.where(positive, x, 1.0)), 0.0)


def count(x: Planes) -> int:
    """Number of samples of one picture."""
    return int(np.prod(tuple(x.shape)[-3:]))


@lru_cache(maxsize=256)
def constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """A tensor (n,) of fixed numbers, sent to its device once: sending makes the host wait."""
    import torch

    with torch.inference_mode(False):  # it must serve gradients later
        return torch.tensor(values, dtype=dtype, device=device)


@lru_cache(maxsize=64)
def on_device(
    make: Callable[..., Any], args: tuple[Any, ...], dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """The table that ``make(*args)`` gives, sent to its device once, as `constant` does."""
    import torch

    with torch.inference_mode(False):
        return torch.tensor(make(*args), dtype=dtype, device=device)


def as_batch(x: Planes) -> torch.Tensor:
    """Planes of either kind as a tensor (N, C, H, W)."""
    import torch

    if isinstance(x, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(x))[None]
    tensor: torch.Tensor = x
    return tensor


def unbatch(value: torch.Tensor, like: Planes) -> Value:
    """Give back a float where the metric was asked about one numpy picture."""
    return value if is_tensor(like) else float(value.item())


def as_value(x: Any) -> Value:
    """A number of one picture as a float, those of a batch as they are."""
    return x if is_tensor(x) else float(x)
