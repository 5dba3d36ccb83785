"""Weights in the `.bin` files of ncnn, for the networks whose layers are known.

Such a file holds the numbers of one layer after the other and no names. A convolution is a flag of
four bytes, its weights as float32 or float16 as the flag says, padded to four bytes, and the bias
as float32; a PReLU is its slopes as float32. (ncnn, `src/modelbin.cpp`.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from srqa.errors import WeightsError
from srqa.weights.tensors import Arrays

_HALF = 0x01306B47


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution (out, in, height, width), its transpose if `turned`, or slopes (channels,)."""

    name: str
    shape: tuple[int, ...]
    turned: bool = False


def convolutions(names: Sequence[str], channels: Sequence[int], side: int = 3) -> Iterator[Layer]:
    """A chain of convolutions from ``channels[i]`` to ``channels[i + 1]``."""
    for name, before, after in zip(names, channels, channels[1:], strict=False):
        yield Layer(name, (after, before, side, side))


def upconv7() -> list[Layer]:
    """waifu2x's upconv7, named as nunif names it."""
    names = [f"net.{2 * i}" for i in range(7)]
    layers = list(convolutions(names, (3, 16, 32, 64, 128, 128, 256)))
    return [*layers, Layer(names[6], (3, 256, 4, 4), turned=True)]


def compact(features: int = 64, depth: int = 16, scale: int = 4) -> list[Layer]:
    """Real-ESRGAN's SRVGGNetCompact, as its authors name it."""
    layers = [Layer("body.0", (features, 3, 3, 3)), Layer("body.1", (features,))]
    for i in range(2, 2 * depth + 2, 2):
        layers += [Layer(f"body.{i}", (features, features, 3, 3))]
        layers += [Layer(f"body.{i + 1}", (features,))]
    return [*layers, Layer(f"body.{2 * depth + 2}", (3 * scale**2, features, 3, 3))]


def rrdb(blocks: int, features: int = 64, growth: int = 32) -> list[Layer]:
    """Real-ESRGAN's RRDBNet at scale 4, as its authors name it."""
    layers = [Layer("conv_first", (features, 3, 3, 3))]
    for block in range(blocks):
        for dense in (1, 2, 3):
            for i in range(1, 6):
                shape = (growth if i < 5 else features, features + (i - 1) * growth, 3, 3)
                layers.append(Layer(f"body.{block}.rdb{dense}.conv{i}", shape))
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        layers.append(Layer(name, (features, features, 3, 3)))
    return [*layers, Layer("conv_last", (3, features, 3, 3))]


def read(data: bytes, layers: Sequence[Layer]) -> Arrays:
    """The numbers of a file as arrays, named and laid out as in torch.

    Args:
        data: the content of a `.bin` file.
        layers: what it holds, in the order in which it is used.

    Returns:
        ``NAME.weight`` and ``NAME.bias``; halves stay halves.

    Raises:
        WeightsError: the file is too short or too long, or its numbers are packed in another way.
    """
    found: Arrays = {}
    place = 0

    def take(kind: str, shape: tuple[int, ...]) -> np.ndarray:
        nonlocal place
        count = math.prod(shape)
        end = place + count * np.dtype(kind).itemsize
        if end > len(data):
            raise WeightsError("The ncnn file is shorter than the network that it should hold.")
        numbers = np.frombuffer(data[place:end], kind).reshape(shape)
        place = end + -end % 4
        return numbers

    for layer in layers:
        if len(layer.shape) == 1:
            found[f"{layer.name}.weight"] = take("<f4", layer.shape)
            continue
        flag = int(take("<u4", (1,))[0])
        if flag not in (0, _HALF):
            raise WeightsError(f"The ncnn file keeps the layer {layer.name} in a packed form.")
        weight = take("<f2" if flag else "<f4", layer.shape)
        found[f"{layer.name}.weight"] = weight.swapaxes(0, 1) if layer.turned else weight
        found[f"{layer.name}.bias"] = take("<f4", layer.shape[:1])
    if place != len(data):
        raise WeightsError("The ncnn file is longer than the network that it should hold.")
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def read_upconv7(data: bytes) -> Arrays:
    """waifu2x's upconv7."""
    return read(data, upconv7())


def read_compact(data: bytes) -> Arrays:
    """Real-ESRGAN's compact network of 16 layers and scale 4."""
    return read(data, compact())


def read_rrdb(data: bytes) -> Arrays:
    """Real-ESRGAN's RRDBNet of 23 blocks, or of 6."""
    return read(data, rrdb(23 if len(data) > 20_000_000 else 6))
