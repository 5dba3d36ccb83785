"""Kernels from files: NumPy, MATLAB, text and pictures; one or many in a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from srqa.degradation.kernels import LARGEST, Taps
from srqa.errors import InputError
from srqa.images.read import SUFFIXES, decode, read_bytes

_HINT = "A kernel is a .npy, .mat, .txt or .csv file of weights that sum to 1, or a picture of it."
_TOLERANCE = 0.01


def read_kernels(text: str, *, normalise: bool = False) -> tuple[Taps, ...]:
    """The kernels in a file.

    Args:
        text: the file's path; ``#N`` behind it takes the N-th kernel, counted from 1.
        normalise: divide by the sum, whatever it is. Pictures always are.

    Returns:
        At least one kernel.

    Raises:
        InputError: there is no such file, or what it holds is no kernel.

    Example:
        >>> read_kernels("kernels_12.mat#3")  # doctest: +SKIP
    """
    name, _, number = text.rpartition("#")
    if not name or not number.isdigit():
        name, number = text, ""
    arrays = _arrays(Path(name))
    if not arrays:
        raise InputError(f"{name} is no kernel: it holds no matrix of numbers.", _HINT)
    found = tuple(
        _kernel(array, name if len(arrays) == 1 else f"{name}#{at}", normalise)
        for at, array in enumerate(arrays, 1)
    )
    if not number:
        return found
    if not 1 <= int(number) <= len(found):
        raise InputError(f"{name} holds {len(found)} kernels; there is no number {number}.")
    return (found[int(number) - 1],)


def _arrays(path: Path) -> list[Any]:
    data = read_bytes(path)
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return _planes(np.load(io.BytesIO(data), allow_pickle=False))
        if suffix == ".mat":
            return _matlab(data)
        if suffix in (".txt", ".csv"):
            lines = data.decode("utf-8-sig").replace(",", " ").replace(";", " ")
            return [np.loadtxt(io.StringIO(lines), ndmin=2)]
    except (ValueError, TypeError, EOFError, NotImplementedError, UnicodeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{path} cannot be read as a kernel: {reason}.", _HINT) from error
    if suffix in SUFFIXES:
        pixels = decode(data, str(path)).pixels.astype(np.float64)
        grey = pixels if pixels.ndim == 2 else pixels.mean(2)
        total = grey.sum()
        return [grey / total if total else grey]
    raise InputError(f"{path} is not a kernel by its suffix.", _HINT)


def _matlab(data: bytes) -> list[Any]:
    """The kernels of the variable that holds most of them."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(io.BytesIO(data))  # type: ignore[arg-type]
    except MatReadError as error:
        raise ValueError(str(error)) from error
    found = [
        _planes(np.moveaxis(value, -1, 0) if value.ndim > 2 and value.dtype != object else value)
        for name, value in content.items()
        if not name.startswith("__")
    ]
    return max(found, key=len, default=[])


def _planes(value: Any) -> list[Any]:
    """A matrix as one kernel, a stack or cell array as many."""
    array = np.asarray(value)
    if array.dtype == object:
        return [plane for cell in array.ravel(order="F") for plane in _planes(cell)]
    if array.ndim == 2:
        return [array]
    if array.ndim > 2:
        return [*array.reshape(-1, *array.shape[-2:])]
    return []


def _kernel(array: Any, name: str, normalise: bool) -> Taps:
    if array.dtype.kind not in "buif" or array.ndim != 2 or not array.size:
        raise InputError(f"{name} is no kernel: it holds no matrix of numbers.", _HINT)
    values = array.astype(np.float64)
    height, width = values.shape
    if max(height, width) > LARGEST:
        raise InputError(
            f"{name} is no kernel: {height}x{width} taps; at most {LARGEST} a side can be used.",
            _HINT,
        )
    if not np.isfinite(values).all():
        raise InputError(f"{name} is no kernel: it holds NaN or infinite weights.", _HINT)
    total = float(values.sum())
    if not abs(total) > 1e-6 * float(np.abs(values).sum()):
        raise InputError(f"{name} is no kernel: its weights sum to 0.", _HINT)
    if not normalise and abs(total - 1) > _TOLERANCE:
        raise InputError(
            f"The weights in {name} sum to {total:.4g}, not to 1.",
            "Pass --normalise-kernel to divide them by their sum.",
        )
    return Taps(tuple(tuple(row) for row in (values / total).tolist()), name)
