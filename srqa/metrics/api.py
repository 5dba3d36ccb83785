"""Metrics for Python users: one call on arrays, PIL pictures or tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from srqa.errors import InputError, MismatchError, NotApplicableError, UsageError
from srqa.images import colour
from srqa.images.arrays import Planes, is_tensor, namespace
from srqa.metrics import registry
from srqa.metrics.spec import Kind, MetricSpec

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    Pixels: TypeAlias = np.ndarray[Any, Any] | torch.Tensor | Image
else:
    Pixels: TypeAlias = Any

_INTEGERS = {"torch.uint8": 255.0, "torch.uint16": 65535.0}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that can be called on pictures. See `metric`."""

    spec: MetricSpec

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.spec.name

    def __call__(self, distorted: Pixels, reference: Pixels | None = None) -> Any:
        """Compute the metric.

        Args:
            distorted: the output: an array (H, W, 3) or (H, W), a PIL picture, or a tensor
                (N, C, H, W) or (C, H, W) with 1 or 3 channels. Integers span their type's range;
                floats are in [0, 1] and are not quantised.
            reference: what it is compared with (the low-resolution input for kind "lr"), of the
                same kind as `distorted`; none for a no-reference metric.

        Returns:
            A float for arrays and pictures, a scalar tensor for (C, H, W), a tensor (N,) for
            (N, C, H, W). No border is cut.

        Raises:
            UsageError: a reference is missing, or one too many.
            InputError: something that is no picture.
            MismatchError: the sizes differ.
            NotApplicableError: the pictures are too small for the metric.
        """
        spec = self.spec
        if (reference is None) != (spec.kind == "nr"):
            need = {"fr": "a reference", "lr": "the low-resolution input", "nr": "no reference"}
            raise UsageError(f"{spec.name} takes {need[spec.kind]}.")
        given = [distorted] if reference is None else [distorted, reference]
        planes = [_planes(picture) for picture in given]
        if len({is_tensor(p) for p in planes}) > 1:
            raise InputError("Both pictures must be tensors, or neither.")
        planes = _one_dtype(planes)
        _check(spec, planes)
        single = is_tensor(planes[0]) and planes[0].ndim == 3
        ready = [self._channel(p[None] if single else p) for p in planes]
        value = spec(*ready)
        return value[0] if single else value

    def _channel(self, planes: Planes) -> Planes:
        channel, rounded = self.spec.input, self.spec.rounding == "uint8"
        if channel == "y":
            return colour.luma(planes, rounded)
        if channel == "gray":
            gray = colour.gray(planes)
            return namespace(gray).floor(gray * 255 + 0.5) / 255 if rounded else gray
        if planes.shape[-3] == 3:
            return planes
        if isinstance(planes, np.ndarray):
            return np.repeat(planes, 3, axis=-3)
        return planes.expand(*planes.shape[:-3], 3, *planes.shape[-2:])


def metric(name: str) -> Metric:
    """A metric as a function of two pictures (one for no-reference metrics).

    On tensors the metric is differentiable where it can be, so that it may serve as a loss.

    Args:
        name: as in ``srqa metrics list``.

    Raises:
        UsageError: there is no such metric.

    Example:
        >>> import numpy as np
        >>> hr = np.zeros((16, 16, 3), np.uint8)
        >>> metric("ssim-y")(hr, hr)
        1.0
    """
    return Metric(registry.get(name))


def list_metrics(
    kind: Kind | None = None, licence: Literal["permissive"] | None = None
) -> list[str]:
    """Names of the metrics.

    Args:
        kind: "fr" (full reference), "nr" (none) or "lr" (against the low-resolution input).
        licence: "permissive" leaves out metrics whose code or weights may not be used freely.

    Example:
        >>> "psnr-y" in list_metrics("fr")
        True
    """
    return [s.name for s in select(kind, licence)]


def select(kind: Kind | None = None, licence: str | None = None) -> Sequence[MetricSpec]:
    """The specs of `list_metrics`."""
    free = ("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause")
    return [
        spec
        for spec in registry.specs()
        if (kind is None or spec.kind == kind) and (licence is None or spec.code_licence in free)
    ]


def _planes(picture: Pixels) -> Planes:
    if is_tensor(picture):
        return _tensor_planes(picture)
    array: np.ndarray[Any, Any] = np.asarray(picture)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3) or array.size == 0:
        raise InputError(
            f"An array of shape {array.shape} is not a picture: (H, W), (H, W, 1) or (H, W, 3)."
        )
    if array.dtype.kind == "u":
        array = array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    elif array.dtype.kind != "f":
        raise InputError(
            f"Pixels of type {array.dtype} are not understood.",
            hint="Use uint8, uint16, or floats in [0, 1].",
        )
    _check_range(float(array.min()), float(array.max()))
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def _tensor_planes(picture: Any) -> Planes:
    if picture.ndim not in (3, 4) or picture.shape[-3] not in (1, 3) or picture.numel() == 0:
        raise InputError(
            f"A tensor of shape {tuple(picture.shape)} is not a picture (C, H, W) or a batch "
            "(N, C, H, W) with 1 or 3 channels."
        )
    if not picture.is_floating_point():
        peak = _INTEGERS.get(str(picture.dtype))
        if peak is None:
            raise InputError(f"Pixels of type {picture.dtype} are not understood.")
        return picture.float() / peak
    if picture.device.type == "cpu":  # elsewhere the look would make the host wait
        values = picture.detach()
        _check_range(float(values.min()), float(values.max()))
    return picture


def _one_dtype(planes: list[Planes]) -> list[Planes]:
    """8-bit pictures and float64 arrays may meet: both are then float64."""
    if is_tensor(planes[0]) or len({p.dtype for p in planes}) == 1:
        return planes
    return [p.astype(np.float64) for p in planes]


def _check_range(low: float, high: float) -> None:
    """NaN fails both comparisons; a loss may overshoot [0, 1], but not live on 0..255."""
    if not (low >= -1.0 and high <= 2.0):
        raise InputError(
            f"Float pixels must be in [0, 1], but these go from {low:g} to {high:g}.",
            hint="Divide by the peak (255 for 8 bits).",
        )


def _check(spec: MetricSpec, planes: list[Planes]) -> None:
    shape = tuple(planes[0].shape)
    if spec.kind == "fr" and shape[-2:] != tuple(planes[1].shape)[-2:]:
        other = tuple(planes[1].shape)
        raise MismatchError(
            f"The pictures differ in size: {shape[-1]}x{shape[-2]} and {other[-1]}x{other[-2]}."
        )
    if planes[0].ndim != planes[-1].ndim or shape[:-3] != tuple(planes[-1].shape)[:-3]:
        raise MismatchError("The two batches differ in their number of pictures.")
    if min(shape[-2:]) < spec.min_side:
        raise NotApplicableError(
            f"{shape[-1]}x{shape[-2]} pixels is too small for {spec.name}, which needs "
            f"{spec.min_side} a side."
        )
