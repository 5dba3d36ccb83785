"""On what and with what was measured."""

from __future__ import annotations

import datetime
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from srqa.devices import available_cores

LIBRARIES = (
    "numpy", "opencv-python-headless", "imagecodecs", "torch", "scikit-image", "piq",
    "torchmetrics", "lpips", "pyiqa", "sewar", "pyspng",
)  # fmt: skip


def describe(device: str) -> dict[str, str]:
    """The machine and the date, in words."""
    found = {
        "date": datetime.date.today().isoformat(),
        "processor": f"{_processor()}, {available_cores()} cores",
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "load": load(),
    }
    if device != "cpu":
        import torch

        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def libraries() -> dict[str, str]:
    """Versions of what takes part; an empty text for what is not installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


class Others:
    """How much of the machine others take while something is measured here."""

    def __init__(self) -> None:
        self._start = time.perf_counter(), _busy(), _own()

    def share(self) -> float | None:
        """Their share of all cores since the beginning; None where the system does not say.

        Child processes count as our own once they have ended.
        """
        start, busy, own = self._start
        if not busy:
            return None
        cores = (time.perf_counter() - start) * (os.cpu_count() or 1)
        return max(0.0, (_busy() - busy) - (_own() - own)) / cores


def _busy() -> float:
    """Seconds in which cores worked since the machine's start, or 0 if it is not Linux."""
    try:
        first = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, *rest = map(int, first)
    return (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    return sum(os.times()[:4])


def load() -> str:
    """How many processes wanted a core in the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
