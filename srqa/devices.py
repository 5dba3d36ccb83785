"""What this machine computes with: its cores and its GPUs."""

from __future__ import annotations

import os
from pathlib import Path

from srqa.errors import UsageError


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_device(name: str) -> str:
    """The device that a name means: "auto" is a GPU if there is one.

    That there is none is found without importing torch.

    Args:
        name: "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        UsageError: there is no such device.
    """
    if name == "cpu":
        return name
    if name == "auto":
        if not any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/dxg", "/proc/driver/nvidia")):
            return "cpu"
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind != "cuda" or (index and not index.isdigit()):
        raise UsageError(f"There is no device {name!r}.", hint="Known are auto, cpu, cuda, cuda:N.")
    import torch

    if not torch.cuda.is_available():
        raise UsageError(
            f"--device {name}: torch finds no CUDA GPU here.", hint="Use --device cpu."
        )
    if index and int(index) >= torch.cuda.device_count():
        raise UsageError(f"--device {name}: there are only {torch.cuda.device_count()} GPUs.")
    return name


def describe(device: str) -> str:
    """A device in words: the card's name, or the CPU and how many threads torch uses on it."""
    import torch

    if device != "cpu":
        return str(torch.cuda.get_device_name(torch.device(device)))
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'' if threads == 1 else 's'}"
