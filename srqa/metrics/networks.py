"""The networks whose maps the learned metrics compare: AlexNet, VGG16, SqueezeNet 1.1.

A network is a tuple of plain steps over the numbers of one weight file. All take R, G, B in [0, 1]
with ImageNet's mean and deviation taken out: LPIPS' own shift and scale on [-1, 1] are the same
numbers. They run without autocast and without TF32, in float32 or, where that is chosen, with
convolutions and maps in bfloat16; they are differentiable with respect to the picture. Maps lie
channels last, but in float32 on a GPU, whose convolutions would only turn them round and back.

In bfloat16 the first convolution still reads and computes float32: it is a small part of the work,
and rounding the picture to 8 bits of mantissa would be three quarters of the whole drift.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from srqa.images.arrays import Planes, as_batch, constant
from srqa.metrics import winograd

if TYPE_CHECKING:
    import torch

Dtype = Literal["float32", "bfloat16"]
"""In which networks compute."""

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
SQUEEZENET_FILES = ("squeezenet1-1", "lpips-squeeze-heads")
"""LPIPS' heads come from a package, the network itself only from torchvision's address."""


class Step(NamedTuple):
    """One layer. Equal steps on equal maps give equal maps, whatever the network's name.

    Attributes:
        operation: "conv", "relu", "max" (pooling), "ceil" (the same, keeping a last partial
            window), "blur" (a binomial filter behind a reflected border), "l2" (root of the
            filtered squares) or "expand" (SqueezeNet's 1x1 and 3x3 convolutions side by side, and
            ReLU).
        channels: of the result.
        kernel: side of the window.
        stride: of the window.
        padding: around the map.
        key: beginning of the parameters' names.
    """

    operation: Literal["conv", "relu", "max", "ceil", "blur", "l2", "expand"]
    channels: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    key: str = ""

    @property
    def tail(self) -> int:
        """Rows before the last that later rows of the result may still need."""
        mirrored = self.padding + 1 if self.operation == "blur" else 0
        return max(self.kernel - 1, mirrored)

    def size(self, side: int) -> int:
        """Samples along a side of the result if there are `side` before; 0 if there are none."""
        if side < 1 or (self.operation == "blur" and side <= self.padding):
            return 0
        room = side + 2 * self.padding - self.kernel
        if self.operation == "ceil":
            room += self.stride - 1
        return max(room // self.stride + 1, 0)


class Reach(NamedTuple):
    """Map sample i is made of picture rows ``stride * i - before`` to ``stride * i + after``."""

    stride: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Network:
    """Steps over the numbers of one weight file.

    Attributes:
        name: for `MetricSpec.features`.
        weights: name of the weight file.
        steps: in order.
        maps: name of a map, and the number of steps that make it.
        taps: the maps that LPIPS and DISTS read, kept while passing.
        more: further maps that are kept.
    """

    name: str
    weights: str
    steps: tuple[Step, ...]
    maps: dict[str, int]
    taps: tuple[str, ...]
    more: tuple[str, ...] = ()

    def reach(self, depth: int) -> Reach:
        """The part of the picture that a sample depends on after `depth` steps."""
        stride, before, after = 1, 0, 0
        for step in self.steps[:depth]:
            before += stride * step.padding
            after += stride * (step.kernel - 1 - step.padding)
            stride *= step.stride
        return Reach(stride, before, after)

    def size(self, side: int, depth: int) -> int:
        """Samples along a side of `side` pixels after `depth` steps; 0 if there are none."""
        for step in self.steps[:depth]:
            side = step.size(side)
        return side

    @property
    def transformed(self) -> int:
        """Bytes of `transformed` weights."""
        before = (3, *(step.channels for step in self.steps))
        shapes = [
            (step.channels, count, step.kernel, step.kernel)
            for step, count in zip(self.steps, before, strict=False)
            if step.operation == "conv"
        ]
        return sum(winograd.size(shape) for shape in shapes if winograd.pays(shape))

    def min_side(self, depth: int | None = None) -> int:
        """The shortest side in pixels that leaves a sample after `depth` steps (all by default)."""
        depth = len(self.steps) if depth is None else depth
        return next(side for side in range(1, 1000) if self.size(side, depth) > 0)

    def features(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Names of maps for `MetricSpec.features`; the taps by default."""
        return tuple(f"{self.name}:{name}" for name in names or self.taps)


def _alexnet() -> Network:
    convolutions = [
        Step("conv", 64, 11, 4, 2, "features.0"),
        Step("conv", 192, 5, 1, 2, "features.3"),
        Step("conv", 384, 3, 1, 1, "features.6"),
        Step("conv", 256, 3, 1, 1, "features.8"),
        Step("conv", 256, 3, 1, 1, "features.10"),
    ]
    steps: list[Step] = []
    maps = {}
    for number, convolution in enumerate(convolutions, 1):
        if number in (2, 3):
            steps.append(Step("max", steps[-1].channels, 3, 2))
        steps += [convolution, Step("relu", convolution.channels)]
        maps[f"relu{number}"] = len(steps)
    return Network("alexnet", "lpips-alex", tuple(steps), maps, tuple(maps))


def _vgg16(
    name: str = "vgg16",
    weights: str = "lpips-vgg",
    pooling: Literal["max", "l2", "blur"] = "max",
    slices: bool = False,
) -> Network:
    """VGG16 to relu5_3; `slices` says that parameters are named as in the authors' ST-LPIPS."""
    steps: list[Step] = []
    maps: dict[str, int] = {}
    index = 0
    for stage, (channels, layers) in enumerate(
        ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1
    ):
        if stage > 1:
            before = steps[-1].channels
            if pooling == "l2":
                steps.append(Step("l2", before, 3, 2, 1))
            elif pooling == "max":
                steps.append(Step("max", before, 2, 2))
            else:
                steps += [Step("max", before, 2, 1), Step("blur", before, 3, 2, 2)]
                index += 1
            index += 1
        for layer in range(1, layers + 1):
            key = f"net.slice{stage}.{index}" if slices else f"features.{index}"
            steps.append(Step("conv", channels, 3, 1, 1, key))
            maps[f"conv{stage}_{layer}"] = len(steps)
            steps.append(Step("relu", channels))
            maps[f"relu{stage}_{layer}"] = len(steps)
            index += 2
    taps = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    return Network(name, weights, tuple(steps), maps, taps, ("conv5_3",))


def _squeezenet() -> Network:
    steps = [Step("conv", 64, 3, 2, 0, "features.0"), Step("relu", 64)]
    maps = {"relu1": 2}
    for index, channels in ((3, 128), (4, 128), (6, 256), (7, 256), (9, 384), (10, 384),
                            (11, 512), (12, 512)):  # fmt: skip
        if index in (3, 6, 9):
            steps.append(Step("ceil", steps[-1].channels, 3, 2))
        squeezed = channels // 8
        steps += [
            Step("conv", squeezed, key=f"features.{index}.squeeze"),
            Step("relu", squeezed),
            Step("expand", channels, 3, 1, 1, f"features.{index}"),
        ]
        maps[f"fire{index}"] = len(steps)
    taps = ("relu1", "fire4", "fire7", "fire9", "fire10", "fire11", "fire12")
    return Network("squeezenet", "lpips-squeeze", tuple(steps), maps, taps)


def _shift_tolerant_alexnet() -> Network:
    """AlexNet whose strides are binomial filters (ST-LPIPS, Ghildyal and Liu 2022)."""
    steps = (
        Step("conv", 64, 11, 1, 2, "net.slice1.0"),
        Step("blur", 64, 3, 2, 2),
        Step("relu", 64),
        Step("max", 64, 3, 1),
        Step("blur", 64, 3, 2, 2),
        Step("conv", 192, 5, 1, 2, "net.slice2.5"),
        Step("relu", 192),
        Step("max", 192, 3, 1),
        Step("blur", 192, 3, 2, 2),
        Step("conv", 384, 3, 1, 1, "net.slice3.9"),
        Step("relu", 384),
        Step("conv", 256, 3, 1, 1, "net.slice4.11"),
        Step("relu", 256),
        Step("conv", 256, 3, 1, 1, "net.slice5.13"),
        Step("relu", 256),
    )
    maps = {f"relu{n}": depth for n, depth in enumerate((3, 7, 11, 13, 15), 1)}
    return Network("st-alexnet", "st-lpips-alex", steps, maps, tuple(maps))


ALEXNET = _alexnet()
VGG16 = _vgg16()
VGG16_L2 = _vgg16("vgg16-l2", pooling="l2")
SQUEEZENET = _squeezenet()
ST_ALEXNET = _shift_tolerant_alexnet()
ST_VGG16 = _vgg16("st-vgg16", "st-lpips-vgg", "blur", slices=True)


_loading = threading.Lock()
_loaded: dict[tuple[str, str, Dtype], dict[str, torch.Tensor]] = {}
_transformed: dict[str, dict[str, torch.Tensor]] = {}


def parameters(
    weights: str, device: Any = "cpu", dtype: Dtype = "float32"
) -> dict[str, torch.Tensor]:
    """The trained numbers of a weight file as tensors, loaded once per device and type.

    Convolutions of R, G and B are float32 always.

    Raises:
        WeightsError: the file cannot be had.
    """
    import torch

    key = (weights, str(device), dtype)
    with _loading:
        if key not in _loaded:
            with torch.inference_mode(False):  # they must serve gradients later
                numbers = {k: torch.tensor(v, device=device) for k, v in _read(weights).items()}
                exact = _of_first(numbers)
                _loaded[key] = {
                    name: _laid_out(
                        number.to(torch.float32 if name in exact else getattr(torch, dtype)), dtype
                    )
                    for name, number in numbers.items()
                }
        return _loaded[key]


def transformed(weights: str) -> dict[str, torch.Tensor]:
    """Weights for `winograd.convolved`, by the names of the plain ones, where they pay: on the CPU.

    Made once; `Network.transformed` says how many bytes they are.

    Raises:
        WeightsError: the file cannot be had.
    """
    import torch

    numbers = parameters(weights)
    with _loading:
        if weights not in _transformed:
            with torch.inference_mode(False):
                _transformed[weights] = {
                    name: winograd.transformed(number)
                    for name, number in numbers.items()
                    if number.ndim == 4 and winograd.pays(number.shape)
                }
        return _transformed[weights]


def _of_first(numbers: Mapping[str, torch.Tensor]) -> set[str]:
    """Names of the numbers of convolutions that take three channels."""
    layers = [k.removesuffix(".weight") for k, v in numbers.items() if v.shape[1:2] == (3,)]
    return {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}


def _read(weights: str) -> Mapping[str, Any]:
    import srqa.weights

    if weights != SQUEEZENET.weights:
        return srqa.weights.load(weights)
    backbone, heads = SQUEEZENET_FILES
    return srqa.weights.read(srqa.weights.path(backbone)) | srqa.weights.load(heads)


def unload() -> None:
    """Drop all trained numbers from memory."""
    with _loading:
        _loaded.clear()
        _transformed.clear()


def _laid_out(tensor: torch.Tensor, dtype: Dtype) -> torch.Tensor:
    """Weights or a map in the order of samples that is quickest for networks in `dtype`."""
    import torch

    if tensor.ndim != 4:
        return tensor
    if tensor.device.type == "cuda" and dtype == "float32":
        return tensor.contiguous()
    return tensor.contiguous(memory_format=torch.channels_last)


def normalised(planes: Planes, dtype: Dtype = "float32") -> torch.Tensor:
    """What the first step of networks in `dtype` takes: float32 (N, 3, H, W).

    Grey becomes R = G = B.
    """
    x = as_batch(planes).float()
    mean, deviation = (constant(v, x.dtype, x.device)[:, None, None] for v in (MEAN, DEVIATION))
    return _laid_out((x - mean) / deviation, dtype)


def apply(
    step: Step,
    x: torch.Tensor,
    numbers: Mapping[str, torch.Tensor],
    quick: Mapping[str, torch.Tensor] = MappingProxyType({}),
    *,
    dtype: Dtype = "float32",
    spare: bool = False,
    edges: bool = True,
) -> torch.Tensor:
    """One step.

    Args:
        step: the step.
        x: the map before it.
        numbers: of the network's weight file, in the type of the maps.
        quick: the same, `transformed`: convolutions take them where they can.
        dtype: of the result.
        spare: `x` itself may be overwritten.
        edges: the upper and the lower border are to be padded; else `x` has them already.
    """
    import torch
    import torch.nn.functional as F

    rows, columns = step.padding if edges else 0, step.padding
    if step.operation == "conv":
        name = f"{step.key}.weight"
        weight, bias = numbers[name], numbers[f"{step.key}.bias"]
        if name in quick and winograd.takes(x):
            return winograd.convolved(x, quick[name], bias, edges=edges)
        made = F.conv2d(x, weight, bias, step.stride, (rows, columns))
        return made.to(getattr(torch, dtype))
    if step.operation == "relu":
        return F.relu(x, inplace=spare)
    if step.operation in ("max", "ceil"):
        return F.max_pool2d(x, step.kernel, step.stride, ceil_mode=step.operation == "ceil")
    if step.operation == "blur":
        padded = F.pad(x, (columns, columns, rows, rows), mode="reflect")
        return _binomial(padded, step.stride, (0, 0))
    if step.operation == "l2":  # in float32: squares would lose what bfloat16 has left
        wide = x.float()
        filtered = _binomial(wide * wide, step.stride, (rows, columns))
        return filtered.add_(1e-12).sqrt_().to(x.dtype)
    inner = x if edges else x[:, :, step.padding : x.shape[2] - step.padding]
    both = [
        F.conv2d(
            part,
            numbers[f"{step.key}.expand{n}x{n}.weight"],
            numbers[f"{step.key}.expand{n}x{n}.bias"],
            padding=pads,
        )
        for n, part, pads in ((1, inner, (0, 0)), (3, x, (rows, columns)))
    ]
    return F.relu(torch.cat(both, 1))


def _binomial(x: torch.Tensor, stride: int, padding: tuple[int, int]) -> torch.Tensor:
    """Each channel filtered with (1, 2, 1)/4 along rows and columns."""
    import torch.nn.functional as F

    line = constant((0.25, 0.5, 0.25), x.dtype, x.device)
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, kernel, stride=stride, padding=padding, groups=x.shape[1])
