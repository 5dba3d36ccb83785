"""Pictures of one size on their way to a device, while it computes something else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


class Upload:
    """Stacks planes and sends them to a device.

    For a GPU they are stacked in page-locked memory and travel on a stream of their own: the host
    does not wait, and neither does what the GPU is computing. On a CPU they stay where they are.
    """

    def __init__(self, device: str) -> None:
        """
        Args:
            device: "cpu", "cuda" or "cuda:N".
        """
        import torch

        self._device = torch.device(device)
        gpu: Any = torch.cuda
        self._stream = gpu.Stream(self._device) if self._device.type == "cuda" else None

    def __call__(self, planes: Sequence[np.ndarray[Any, Any]]) -> torch.Tensor:
        """The planes (C, H, W) as a tensor (N, C, H, W) for the current stream of the device."""
        import torch

        shape = (len(planes), *planes[0].shape)
        dtype = torch.from_numpy(planes[0][:0].copy()).dtype
        host = torch.empty(shape, dtype=dtype, pin_memory=self._stream is not None)
        for place, picture in zip(host.numpy(), planes, strict=True):
            np.copyto(place, picture)
        if self._stream is None:
            return host
        with torch.cuda.stream(self._stream):
            tensor = host.to(self._device, non_blocking=True)
        current = torch.cuda.current_stream(self._device)
        current.wait_stream(self._stream)
        tensor.record_stream(current)  # else its memory might be given away while it is read
        return tensor


class Clock:
    """How long the device computes from here to `stop`, without making the host wait."""

    def __init__(self, device: str) -> None:
        """
        Args:
            device: "cpu", "cuda" or "cuda:N".
        """
        self._device = device
        self._start = self._end = self._now()

    def stop(self) -> None:
        """Measure up to what was asked of the device so far."""
        self._end = self._now()

    @property
    def seconds(self) -> float:
        """From start to stop; on a GPU all of it must be done."""
        if self._device == "cpu":
            return float(self._end - self._start)
        return float(self._start.elapsed_time(self._end)) / 1000

    def _now(self) -> Any:
        if self._device == "cpu":
            return time.perf_counter()
        import torch

        gpu: Any = torch.cuda
        event = gpu.Event(enable_timing=True)
        event.record(gpu.current_stream(torch.device(self._device)))
        return event
