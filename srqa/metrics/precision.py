"""In what precision torch computes here: float32 means float32, whatever the user's own settings.

By default cuDNN rounds what it convolves to TensorFloat-32 (10 bits), and a user may have allowed
this, or bfloat16, for matrix products too, on GPUs as on CPUs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class _Exact:
    """Switches of the whole process, off while any thread is inside, then as they were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: list[Any] = []

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            places = _places()
            self._before = [getattr(place, name) for place, name, _ in places]
            for place, name, exact in places:
                setattr(place, name, exact)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for (place, name, _), value in zip(_places(), self._before, strict=True):
                    setattr(place, name, value)


_exact = _Exact()


def _places() -> list[tuple[Any, str, Any]]:
    """The switches: object, attribute, and the value that means float32."""
    import torch

    backends: Any = torch.backends
    if hasattr(backends.cuda.matmul, "fp32_precision"):  # torch 2.9
        units: tuple[Any, ...] = (
            backends.cudnn.conv,
            backends.cuda.matmul,
            backends.mkldnn.conv,
            backends.mkldnn.matmul,
        )
        return [(unit, "fp32_precision", "ieee") for unit in units]
    return [(backends.cudnn, "allow_tf32", False), (backends.cuda.matmul, "allow_tf32", False)]


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """No autocast, no TensorFloat-32, no bfloat16 in float32's place, for what runs inside."""
    import torch

    _exact.enter()
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        _exact.leave()
