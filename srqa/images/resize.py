"""`imresize` as MATLAB defines it, for arrays and tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from srqa.errors import UsageError
from srqa.images.arrays import Planes, is_tensor

Kernel = Literal["nearest", "bilinear", "bicubic", "lanczos2", "lanczos3"]
Border = Literal["mirror", "clamp"]
_FloatArray = np.ndarray[Any, np.dtype[np.float64]]


def _box(x: _FloatArray) -> _FloatArray:
    return np.where((x >= -0.5) & (x < 0.5), 1.0, 0.0)


def _triangle(x: _FloatArray) -> _FloatArray:
    height: _FloatArray = 1 - np.abs(x)
    return np.where(height > 0, height, 0.0)


def _cubic(x: _FloatArray) -> _FloatArray:
    """Keys' cubic convolution with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def _lanczos(lobes: int) -> Callable[[_FloatArray], _FloatArray]:
    return lambda x: np.sinc(x) * np.sinc(x / lobes) * (np.abs(x) < lobes)


_KERNELS: dict[str, tuple[Callable[[_FloatArray], _FloatArray], float]] = {
    "nearest": (_box, 1.0),
    "bilinear": (_triangle, 2.0),
    "bicubic": (_cubic, 4.0),
    "lanczos2": (_lanczos(2), 4.0),
    "lanczos3": (_lanczos(3), 6.0),
}


@lru_cache(maxsize=128)
def contributions(
    length: int, out_length: int, scale: float, kernel: Kernel, antialias: bool, border: Border
) -> tuple[_FloatArray, np.ndarray[Any, np.dtype[np.intp]]]:
    """Weights and source indices, (out_length, taps) each, of a resize along one axis."""
    function, width = _KERNELS[kernel]
    stretch = scale if antialias and scale < 1 and kernel != "nearest" else 1.0
    width = width / stretch
    centre = np.arange(1, out_length + 1) / scale + 0.5 * (1 - 1 / scale)
    left = np.floor(centre - width / 2)
    taps = math.ceil(width) + 2
    index = left[:, None] + np.arange(taps)[None, :]
    weight = stretch * function(stretch * (centre[:, None] - index))
    weight = weight / weight.sum(axis=1, keepdims=True)
    index = index.astype(np.intp) - 1
    if border == "clamp":
        index = np.clip(index, 0, length - 1)
    else:
        index = np.mod(index, 2 * length)
        index = np.where(index < length, index, 2 * length - 1 - index)
    used = np.any(weight != 0, axis=0)
    return weight[:, used], index[:, used]


def _target(
    height: int, width: int, scale: float | None, size: tuple[int, int] | None
) -> tuple[tuple[int, int], tuple[float, float]]:
    if (scale is None) == (size is None):
        raise UsageError("imresize needs either a scale or a size, and not both.")
    if size is not None:
        if min(size) < 1:
            raise UsageError(f"imresize cannot make a picture of size {size[0]}x{size[1]}.")
        return size, (size[0] / height, size[1] / width)
    if scale is None or not math.isfinite(scale) or scale <= 0:
        raise UsageError(f"imresize needs a positive scale, not {scale}.")
    return (math.ceil(height * scale), math.ceil(width * scale)), (scale, scale)


def imresize(
    image: Planes,
    scale: float | None = None,
    size: tuple[int, int] | None = None,
    kernel: Kernel = "bicubic",
    *,
    antialias: bool = True,
    border: Border = "mirror",
) -> Planes:
    """Resize as MATLAB's ``imresize`` does.

    The kernel is widened by ``1 / scale`` when shrinking (`antialias`), weights are normalised, the
    output has ``ceil(size * scale)`` pixels a side, and the axis with the smaller scale goes first
    (rows when equal). Integer pixels are rounded half up and clamped **after each pass**, as MATLAB
    does for uint8 input; float pixels are neither rounded nor clamped.

    Args:
        image: array (H, W) or (H, W, C), uint8, uint16 or float; or a tensor (..., H, W), through
            which gradients flow.
        scale: output size over input size, any positive number.
        size: (height, width) of the output, instead of `scale`.
        kernel: "bicubic" is Keys' with a = -0.5.
        antialias: widen the kernel when shrinking.
        border: "mirror" repeats the picture mirrored (newer MATLAB), "clamp" the edge (older).

    Returns:
        The same kind and dtype as `image` (float16 and float32 arrays are computed in float64).

    Raises:
        UsageError: neither or both of `scale` and `size`, or one that makes no picture.

    Example:
        >>> import numpy as np
        >>> imresize(np.arange(16, dtype=np.uint8).reshape(4, 4), 0.5).shape
        (2, 2)
    """
    axes = (-2, -1) if is_tensor(image) else (0, 1)
    height, width = image.shape[axes[0]], image.shape[axes[1]]
    lengths, scales = _target(height, width, scale, size)
    order = (0, 1) if scales[0] <= scales[1] else (1, 0)
    for axis in order:
        weight, index = contributions(
            image.shape[axes[axis]], lengths[axis], scales[axis], kernel, antialias, border
        )
        image = resample(image, weight, index, axes[axis])
    return image


def resample(
    image: Planes, weight: _FloatArray, index: np.ndarray[Any, np.dtype[np.intp]], axis: int
) -> Planes:
    """Weighted sums of pixels along one axis: what `imresize` does once for each axis.

    Args:
        image: an array of any shape, integers being rounded half up and clamped; or a tensor.
        weight, index: (out_length, taps) each, as `contributions` gives them.
        axis: the axis to work along; negative ones count from the last, for tensors -2 or -1.

    Returns:
        The same kind and dtype, the axis being ``out_length`` long.
    """
    if is_tensor(image):
        return _along_tensor(image, weight, index, axis)
    return _along_array(image, weight, index, axis % image.ndim)


def merged(
    weight: _FloatArray, index: np.ndarray[Any, np.dtype[np.intp]], length: int
) -> tuple[_FloatArray, np.ndarray[Any, np.dtype[np.intp]]]:
    """The same sums for `resample` with each of `length` samples named once, side by side."""
    first = index.min(1, keepdims=True)
    taps = np.arange(int((index - first).max()) + 1)
    sums = [(weight * (index - first == tap)).sum(1) for tap in taps]
    return np.stack(sums, 1), np.minimum(first + taps, length - 1)


def shrunk_bilinear(planes: Planes, height: int, width: int) -> Planes:
    """Bilinear between the nearest samples, without antialiasing; sample centres aligned.

    Args:
        planes: (C, H, W) array or (N, C, H, W) tensor, float.
        height: of the result.
        width: of the result.
    """
    if is_tensor(planes):
        from torch.nn.functional import interpolate

        return interpolate(planes, size=(height, width), mode="bilinear", align_corners=False)
    import cv2

    size = (width, height)
    return np.stack([cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in planes])


def _along_array(image: Any, weight: _FloatArray, index: Any, axis: int) -> Any:
    shape = [1] * image.ndim
    shape[axis] = -1
    result = np.zeros(
        [weight.shape[0] if i == axis else n for i, n in enumerate(image.shape)], np.float64
    )
    for tap in range(weight.shape[1]):
        result += weight[:, tap].reshape(shape) * np.take(image, index[:, tap], axis=axis)
    if np.issubdtype(image.dtype, np.integer):
        result = np.clip(np.floor(result + 0.5), 0, np.iinfo(image.dtype).max)
    return result.astype(image.dtype)


def _sent(weight: _FloatArray, index: Any, image: Any) -> tuple[Any, Any]:
    """The tables as tensors beside the image."""
    import torch

    if image.device.type == "cpu":
        return torch.as_tensor(weight, dtype=image.dtype), torch.as_tensor(index)
    return _kept(weight.tobytes(), index.tobytes(), weight.shape, image.dtype, image.device)


@lru_cache(maxsize=64)
def _kept(
    weight: bytes, index: bytes, shape: tuple[int, ...], dtype: Any, device: Any
) -> tuple[Any, Any]:
    """Sent to the device once: sending makes the host wait."""
    import torch

    gains = np.frombuffer(weight, np.float64).reshape(shape)
    places = np.frombuffer(index, np.intp).reshape(shape)
    with torch.inference_mode(False):  # they must serve gradients later
        return (
            torch.tensor(gains, dtype=dtype, device=device),
            torch.tensor(places, device=device),
        )


def _along_tensor(image: Any, weight: _FloatArray, index: Any, axis: int) -> Any:
    gains, places = _sent(weight, index, image)
    if axis == -2:
        gains = gains[:, :, None]
    result = image.new_zeros(())
    for tap in range(gains.shape[1]):
        result = result + gains[:, tap] * image.index_select(axis, places[:, tap])
    return result
