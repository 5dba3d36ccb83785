"""The numbers of a TorchScript archive, without running what it holds.

Such an archive is a zip file: `data.pkl` is a pickle of the module tree, `data/KEY` are the
numbers, and `code/` is a program, which is left alone. The pickle is read by an unpickler that
builds containers, inert objects in place of the archive's own classes, and arrays; whatever else it
asks for is refused.
"""

from __future__ import annotations

import collections
import io
import math
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from srqa.errors import WeightsError
from srqa.weights.tensors import Arrays

_TYPES = {
    "DoubleStorage": np.float64,
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}
_LISTS = {f"build_{kind}list" for kind in ("int", "tensor", "double", "bool")}


class _Module:
    """Stands for an object of a class that only the archive's own code defines."""

    state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


def is_script(data: bytes) -> bool:
    """Whether this is a TorchScript archive: a zip file that holds code beside a pickle."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return False
    return _root(names) is not None and any("/code/" in name for name in names)


def _root(names: list[str]) -> str | None:
    """The folder in which `data.pkl` stands."""
    return next((n.removesuffix("data.pkl") for n in names if n.endswith("/data.pkl")), None)


class _Unpickler(pickle.Unpickler):
    """Builds arrays from the archive's blocks, and inert objects for its classes."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}data.pkl")))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if module == "torch.jit._pickle" and name in _LISTS:
            return list
        if (module, name) == ("torch.jit._pickle", "restore_type_tag"):
            return _first
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not allowed")

    def persistent_load(self, pid: Any) -> Any:
        kind, dtype, key, _device, _count = pid
        if kind != "storage" or dtype not in _TYPES.values():
            raise pickle.UnpicklingError(f"it asks for {kind!r}, which is not allowed")
        block = self._archive.read(f"{self._root}data/{key}")
        return np.frombuffer(block, np.dtype(dtype).newbyteorder("<"))


def _first(value: object, _tag: object) -> object:
    return value


def _tensor(
    storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Any:
    """A tensor as an array of its own, whose every sample lies inside the storage."""
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if offset < 0 or any(step < 0 for step in stride) or any(n < 0 for n in size):
        raise pickle.UnpicklingError("a tensor has a negative size")
    if math.prod(size) == 0:
        return np.empty(size, storage.dtype)
    if last >= len(storage):
        raise pickle.UnpicklingError("a tensor is larger than its numbers")
    bytes_a_sample = storage.dtype.itemsize
    view = np.lib.stride_tricks.as_strided(
        storage[offset:], size, [step * bytes_a_sample for step in stride]
    )
    return view.astype(storage.dtype.newbyteorder("="), order="C")


def read_script(data: bytes) -> Arrays:
    """The tensors of a TorchScript archive by their names in the module tree.

    Raises:
        WeightsError: it is damaged, or asks for more than tensors.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            root = _root(archive.namelist())
            tree = _Unpickler(archive, root or "").load()
            found = dict(_named(tree, ""))
    except Exception as error:  # a damaged archive fails in any way it likes
        raise WeightsError(f"The TorchScript archive cannot be read: {error}.") from error
    if not found:
        raise WeightsError("The TorchScript archive holds no tensors.")
    return found


def _named(value: object, prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays below a module, named as in its state dict."""
    state = value.state if isinstance(value, _Module) else None
    if not isinstance(state, Mapping):
        return
    for name, member in state.items():
        if isinstance(member, np.ndarray):
            yield f"{prefix}{name}", member
        else:
            yield from _named(member, f"{prefix}{name}.")
