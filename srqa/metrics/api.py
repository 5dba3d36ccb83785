"""Metrics for Python users: one call on arrays, PIL pictures or tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from srqa.errors import InputError, MismatchError, NotApplicableError, UsageError
from srqa.images import colour
from srqa.images.arrays import Planes, is_tensor, namespace
from srqa.metrics import licences, registry
from srqa.metrics.spec import Kind, MetricSpec, SetValue

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

    def __call__(
        self,
        distorted: Pixels | Iterable[Pixels],
        reference: Pixels | Iterable[Pixels] | None = None,
        *,
        given: float | None = None,
    ) -> Any:
        """Compute the metric.

        Args:
            distorted: the output: an array (H, W, 3) or (H, W), a PIL picture, or a tensor
                (N, C, H, W) or (C, H, W) with 1 or 3 channels. Integers span their type's range;
                floats are in [0, 1] and are not quantised. For a metric of level "set" all outputs
                one after the other: a list, a batch, or anything else that can be gone through.
            reference: what it is compared with (the low-resolution input for kind "lr"), of the
                same kind as `distorted`; none for a no-reference metric. For a metric of level
                "set" the outputs' references in the same order.
            given: the number that only the user has (the Ma score for `pi`).

        Returns:
            A float for arrays and pictures, a scalar tensor for (C, H, W), a tensor (N,) for
            (N, C, H, W). No border is cut. For a metric of level "set" a `SetValue`: the value, the
            ends of its 95 % interval (NaN where there is none), and how many patches it rests on.

        Raises:
            UsageError: a reference is missing, or one too many; a picture instead of a set.
            InputError: something that is no picture.
            MismatchError: the sizes differ.
            NotApplicableError: the pictures are too small for the metric.
        """
        spec = self.spec
        if spec.parts:
            return self._of_parts(distorted, reference)
        if (reference is None) != (spec.kind == "nr"):
            need = {"fr": "a reference", "lr": "the low-resolution input", "nr": "no reference"}
            raise UsageError(f"{spec.name} takes {need[spec.kind]}.")
        if (given is None) != (not spec.given):
            raise UsageError(
                f"{spec.name} needs the picture's {spec.given.title()} score: given=NUMBER."
                if spec.given
                else f"{spec.name} takes no given number."
            )
        if spec.level == "set":
            return self._of_sets(distorted, reference)
        pictures: list[Any] = [distorted] if reference is None else [distorted, reference]
        ready, single = self.prepare(*pictures)
        value = spec(*ready) if given is None else spec(*ready, given)
        return value[0] if single else value

    def _of_parts(self, distorted: Any, reference: Any) -> float:
        """The value of a fused metric, from those of its parts."""
        if (reference is None) != (self.spec.kind == "nr"):
            raise UsageError(
                f"{self.name} takes {'no' if self.spec.kind == 'nr' else 'a'} reference."
            )
        values = []
        for spec in map(registry.get, self.spec.parts):
            pictures = (distorted,) if spec.kind == "nr" else (distorted, reference)
            values.append(float(Metric(spec)(*pictures)))
        return float(self.spec.function(*values))

    def prepare(self, *pictures: Pixels) -> tuple[list[Planes], bool]:
        """The planes that the metric's function takes, and whether they were one tensor (C, H, W).

        Raises:
            InputError, MismatchError, NotApplicableError: as when the metric is called.
        """
        planes = [_planes(picture) for picture in pictures]
        if len({is_tensor(p) for p in planes}) > 1:
            raise InputError("Both pictures must be tensors, or neither.")
        planes = _one_dtype(planes)
        _check(self.spec, planes)
        single = is_tensor(planes[0]) and planes[0].ndim == 3
        return [self.channel(p[None] if single else p) for p in planes], single

    def _of_sets(self, outputs: Any, references: Any) -> SetValue:
        """The value of two sets, of which only samples are held."""
        spec = self.spec
        gather: Any = spec.gather
        samples: tuple[list[Any], list[Any]] = ([], [])
        for pair in zip_longest(_each(spec, outputs), _each(spec, references)):
            if pair[0] is None or pair[1] is None:
                raise MismatchError(f"The two sets for {spec.name} differ in length.")
            planes = [_planes(picture) for picture in pair]
            if any(p.ndim != 3 for p in planes):
                raise InputError(f"{spec.name} takes sets of pictures, not of batches.")
            sizes = [f"{p.shape[-1]}x{p.shape[-2]}" for p in planes]
            if sizes[0] != sizes[1]:
                raise MismatchError(
                    f"Output {len(samples[0])} of the set is {sizes[0]}, its reference {sizes[1]}."
                )
            for taken, p in zip(samples, planes, strict=True):
                taken.append(gather(self.channel(p[None] if is_tensor(p) else p)))
        value: SetValue = spec.function(*samples)
        return value

    def channel(self, planes: Planes) -> Planes:
        """What the metric sees of planes of stored samples or of values in [0, 1]."""
        channel, rounded = self.spec.input, self.spec.rounding == "uint8"
        if channel != "rgb" and rounded:
            if not _floating(planes):
                return colour.rounded_plane(planes, channel)
            wide = planes.double() if is_tensor(planes) else planes.astype(np.float64)
            value = colour.luma(wide) if channel == "y" else colour.gray(wide)
            return namespace(value).floor(value * 255 + 0.5) / 255
        if channel == "y" and isinstance(planes, np.ndarray) and not _floating(planes):
            pixels = np.ascontiguousarray(planes.transpose(1, 2, 0))
            return colour.luma_of_bytes(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
        planes = _unit(planes)
        if channel != "rgb":
            return colour.luma(planes) if channel == "y" else colour.gray(planes)
        if planes.shape[-3] == 3:
            return planes
        if isinstance(planes, np.ndarray):
            return np.repeat(planes, 3, axis=-3)
        return planes.expand(*planes.shape[:-3], 3, *planes.shape[-2:])


def metric(name: str, *, accept_licence: bool = False) -> Metric:
    """A metric as a function of two pictures (one for no-reference metrics).

    On tensors the metric is differentiable where it can be, so that it may serve as a loss.

    Args:
        name: as in ``srqa metrics list``.
        accept_licence: use it even if its code or trained weights forbid commercial use.

    Raises:
        UsageError: there is no such metric, or its licence must be accepted first.

    Example:
        >>> import numpy as np
        >>> hr = np.zeros((16, 16, 3), np.uint8)
        >>> metric("ssim-y")(hr, hr)
        1.0
    """
    spec = registry.get(name)
    licences.check_accepted([spec], accept_licence)
    return Metric(spec)


def difference_map(name: str, distorted: Pixels, reference: Pixels) -> Any:
    """Where two pictures differ, by a metric that can say so at every pixel.

    `error` is the mean of |dR|, |dG| and |dB| on the 0..255 scale; `mse`, `delta-e` and `flip` are
    what these metrics average; `ssim` and `ssim-y` are 1 - SSIM. The mean of these maps is the
    metric's value (1 less it for SSIM). `lpips`, `lpips-vgg`, `lpips-squeeze`, `st-lpips` and
    `st-lpips-vgg` are the layers' differences enlarged to the picture, whose mean is near the
    metric's value.

    Args:
        name: of a metric with a map, or "error".
        distorted: the output, as `metric` takes it.
        reference: what it is compared with, of the same kind and size.

    Returns:
        An array (H, W) for arrays and pictures, a tensor (H, W) for (C, H, W) and (N, H, W) for
        (N, C, H, W). 0 where the pictures are equal, larger the more they differ; NaN in the rim of
        5 pixels where SSIM's window does not fit.

    Raises:
        UsageError: there is no such map.
        InputError, MismatchError, NotApplicableError: as `metric`.
        WeightsError: the network's trained numbers cannot be had.

    Example:
        >>> import numpy as np
        >>> hr = np.zeros((16, 16, 3), np.uint8)
        >>> float(difference_map("error", hr + 3, hr).max())
        3.0
    """
    from srqa.metrics import maps

    found = maps.get(name)
    planes, single = Metric(found.spec).prepare(distorted, reference)
    made = found.function(*planes)
    return made[0] if single else made


def list_metrics(
    kind: Kind | None = None,
    licence: Literal["permissive"] | None = None,
    level: Literal["image", "set"] | None = None,
) -> list[str]:
    """Names of the metrics.

    Args:
        kind: "fr" (full reference), "nr" (none) or "lr" (against the low-resolution input).
        licence: "permissive" leaves out metrics whose code or trained numbers may not be used for
            any purpose, commercial ones included.
        level: "image" (a value per image) or "set" (one for all images).

    Example:
        >>> "psnr-y" in list_metrics("fr")
        True
    """
    return [s.name for s in select(kind, licence, level)]


def select(
    kind: Kind | None = None,
    licence: Literal["permissive"] | None = None,
    level: Literal["image", "set"] | None = None,
) -> Sequence[MetricSpec]:
    """The specs of `list_metrics`."""
    return [
        spec
        for spec in registry.specs()
        if (kind is None or spec.kind == kind)
        and (level is None or spec.level == level)
        and (licence is None or licences.permissive(spec))
    ]


def _each(spec: MetricSpec, pictures: Any) -> Iterator[Any]:
    """The pictures of a set, one after the other."""
    single = getattr(pictures, "ndim", 4) < 4 or not hasattr(pictures, "__iter__")
    if single or isinstance(pictures, str):
        raise UsageError(
            f"{spec.name} compares two sets of pictures, not two pictures.",
            hint="Give a list of outputs and a list of their references.",
        )
    return iter(pictures)


def _planes(picture: Pixels) -> Planes:
    """A picture's planes, its samples as they are.

    Raises:
        InputError: it is none.
    """
    if is_tensor(picture):
        return _tensor_planes(picture)
    array: np.ndarray[Any, Any] = np.asarray(picture)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3) or array.size == 0:
        raise InputError(
            f"An array of shape {array.shape} is not a picture: (H, W), (H, W, 1) or (H, W, 3)."
        )
    if array.dtype.kind == "f":
        _check_range(float(array.min()), float(array.max()))
    elif array.dtype.kind != "u":
        raise InputError(
            f"Pixels of type {array.dtype} are not understood.",
            hint="Use uint8, uint16, or floats in [0, 1].",
        )
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def _tensor_planes(picture: Any) -> Planes:
    if picture.ndim not in (3, 4) or picture.shape[-3] not in (1, 3) or picture.numel() == 0:
        raise InputError(
            f"A tensor of shape {tuple(picture.shape)} is not a picture (C, H, W) or a batch "
            "(N, C, H, W) with 1 or 3 channels."
        )
    if not picture.is_floating_point():
        if str(picture.dtype) not in _INTEGERS:
            raise InputError(f"Pixels of type {picture.dtype} are not understood.")
        return picture
    if picture.device.type == "cpu":  # elsewhere the look would make the host wait
        values = picture.detach()
        _check_range(float(values.min()), float(values.max()))
    return picture


def _one_dtype(planes: list[Planes]) -> list[Planes]:
    """8-bit pictures and float64 arrays may meet: both are then float64."""
    if is_tensor(planes[0]) or len({p.dtype for p in planes}) == 1:
        return planes
    floats = [_unit(p) for p in planes]
    return floats if len({p.dtype for p in floats}) == 1 else [p.astype("f8") for p in floats]


def _floating(planes: Planes) -> bool:
    return bool(planes.is_floating_point() if is_tensor(planes) else planes.dtype.kind == "f")


def _unit(planes: Planes) -> Planes:
    """Stored samples as float32 in [0, 1]; floats as they are."""
    if _floating(planes):
        return planes
    if is_tensor(planes):
        return planes.float() / _INTEGERS[str(planes.dtype)]
    return planes.astype(np.float32) / np.float32(np.iinfo(planes.dtype).max)


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
