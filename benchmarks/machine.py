"""On what and with what was measured."""

from __future__ import annotations

import datetime
import os
import platform
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
