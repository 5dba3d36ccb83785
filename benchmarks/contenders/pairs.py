"""One pair of pictures in memory, in the form that a library takes: a metric's own time."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contender import Work

SMALL = 256
"""Pixels a side of the pictures that warm a contender up."""


def own(metrics: list[str], output: str, reference: str, threads: int, device: str = "cpu") -> Work:
    """srqa's metrics, one after the other, on the planes that its engine hands over."""
    from srqa.engine.protocol import Prepared, get_protocol
    from srqa.metrics import registry

    specs = [registry.get(name) for name in metrics]
    maps = any(spec.features for spec in specs)
    as_engine(maps)
    limit_threads(threads, torch=device != "cpu" or maps)
    pictures = [Prepared(pixels(path), get_protocol("sr")) for path in (output, reference)]
    planes = {}
    for spec in specs:
        kept = [picture.planes(spec, 0) for picture in pictures][: 1 if spec.kind == "nr" else 2]
        planes[spec.name] = [tensor(p[None], device) if device != "cpu" else p for p in kept]
        spec(*(p[..., :SMALL, :SMALL].copy() if device == "cpu" else p for p in planes[spec.name]))

    def work() -> dict[str, float]:
        forget()
        return {spec.name: float(spec(*planes[spec.name])) for spec in specs}

    return work


def rival(
    library: str, metric: str, output: str, reference: str, threads: int, device: str = "cpu"
) -> Work:
    """A metric of a rival's."""
    import torch

    from benchmarks.contenders import rivals

    limit_threads(threads, torch=True)
    function = rivals.call(library, metric, device)
    pair = [pixels(path) for path in (output, reference)]
    if library != "sewar":
        pair = [planes_of(p) for p in pair]
    if library in rivals.TENSORS:
        pair = [tensor(p[None], device) for p in pair]
    elif device != "cpu":
        from benchmarks.contender import Absent

        raise Absent(f"{library} computes on the CPU only")
    with torch.inference_mode():
        small = (slice(None),) * (pair[0].ndim - 2) if library != "sewar" else ()
        function(*(p[(*small, slice(SMALL), slice(SMALL))] for p in pair))

    def work() -> dict[str, float]:
        with torch.inference_mode():
            return {metric: float(function(*pair))}

    return work


def reading(output: str, reference: str, threads: int) -> Work:
    """One read of both pictures' planes: what no metric can be faster than."""
    from concurrent.futures import ThreadPoolExecutor

    halves = [
        part
        for path in (output, reference)
        for part in np.array_split(planes_of(pixels(path)).reshape(-1), threads)
    ]
    pool = ThreadPoolExecutor(threads)

    def work() -> dict[str, float]:
        return {"sum": sum(pool.map(lambda part: float(part.sum()), halves))}

    return work


def pixels(path: str) -> np.ndarray[Any, Any]:
    """A picture file, (H, W, 3) uint8."""
    from srqa.images.read import read

    return read(Path(path)).pixels


def planes_of(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(H, W, 3) uint8 as planes (3, H, W) float32 in [0, 1]."""
    from srqa.engine.protocol import to_planes

    return to_planes(picture)


def tensor(planes: np.ndarray[Any, Any], device: str) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(planes)).to(device)


_conditions = ExitStack()
atexit.register(_conditions.close)


def limit_threads(threads: int, torch: bool) -> None:
    """So many threads inside a picture, for everybody, and float32 that is float32.

    By itself cuDNN rounds to TensorFloat-32 what it convolves: faster, but not the same values.
    """
    import cv2

    cv2.setNumThreads(threads)
    if torch:
        import torch as library

        from srqa.metrics.precision import full_precision

        library.set_num_threads(threads)
        _conditions.enter_context(full_precision(library.device("cpu")))


def as_engine(maps: bool = False) -> None:
    """What srqa's engine sets for itself: freed memory is kept. For srqa and for bare limits."""
    from srqa.threads import tuned_process

    _conditions.enter_context(tuned_process(maps=maps))


def forget() -> None:
    """Drop kept maps of networks: each call computes all."""
    import sys

    if "torch" in sys.modules:
        from srqa.metrics import features

        features.forget()
