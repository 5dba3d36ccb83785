"""How much memory is free, and sizes as people write them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from srqa.errors import UsageError

_UNITS = {
    "": 1,
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", 1)},
    **{prefix: 1000**power for power, prefix in enumerate("KMGT", 1)},
    **{f"{prefix}IB": 1024**power for power, prefix in enumerate("KMGT", 1)},
}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([a-zA-Z]*)\s*")
LEAST = 70 * 10**6
"""What the smallest network takes on a small picture; less is a slip."""
UNKNOWN = 4 * 2**30
"""What is taken for free where the system does not say."""


def parse(text: str | int) -> int:
    """A size in bytes.

    Args:
        text: a number of bytes, or a number and a unit in any case: ``B``, ``KB`` (1000 bytes),
            ``KiB`` (1024), and so on with M, G and T; ``4G`` is ``4GB``.

    Raises:
        UsageError: that is no size, or one that is too small to be meant.

    Example:
        >>> parse("4GB"), parse("1.5 GiB"), parse(500_000_000)
        (4000000000, 1610612736, 500000000)
    """
    found = _SIZE.fullmatch(str(text))
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None:
        raise UsageError(
            f"--memory {text} is no size.", hint="Write it as 4GB, 500MB, 2GiB or in bytes."
        )
    size = int(float(found[1]) * unit)
    if size < LEAST:
        raise UsageError(
            f"--memory {text} is {size} bytes, and networks need at least {LEAST // 10**6} MB.",
            hint="Write it as 4GB, 500MB, 2GiB or in bytes.",
        )
    return size


def free(device: str = "cpu") -> int:
    """Bytes that this process may still take: on the machine and in its container, or on a GPU.

    Args:
        device: "cpu", "cuda" or "cuda:N".
    """
    if device.partition(":")[0] == "cuda":
        import torch

        return free_on_gpu(torch.device(device))
    known = [size for size in (_of_machine(), *_of_groups()) if size is not None]
    return max(min(known, default=UNKNOWN), 0)


_HELD = ("reserved_bytes", "allocated_bytes")


def free_on_gpu(device: Any) -> int:
    """Bytes that torch may still take on a CUDA device, its own reserve included."""
    import torch

    # Asked often: memory_reserved and memory_allocated would flatten the statistics first.
    held = torch.cuda.memory_stats_as_nested_dict(device)
    now = [held[kind]["all"]["current"] if held else 0 for kind in _HELD]
    return int(torch.cuda.mem_get_info(device)[0]) + now[0] - now[1]


def forget_peak(device: str) -> None:
    """Begin anew to note how much tensors take on a card; nothing on a CPU."""
    if device.partition(":")[0] == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(torch.device(device))


def peak(device: str) -> int:
    """Bytes that tensors took at most on a card since `forget_peak`; 0 on a CPU."""
    if device.partition(":")[0] != "cuda":
        return 0
    import torch

    return int(torch.cuda.max_memory_allocated(torch.device(device)))


def _of_machine() -> int | None:
    if sys.platform == "win32":
        return _of_windows()
    if sys.platform == "darwin":
        return _of_macos()
    return available(Path("/proc/meminfo"))


def available(meminfo: Path) -> int | None:
    """What Linux could give to programs without swapping, from a file like ``/proc/meminfo``."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    kilobytes = found.get("MemAvailable", found.get("MemFree"))
    return int(kilobytes.split()[0]) * 1024 if kilobytes else None


def _of_groups() -> Iterator[int]:
    if sys.platform.startswith("linux"):
        yield from left_in_groups(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))


def left_in_groups(membership: Path, root: Path) -> Iterator[int]:
    """What the control groups of this process leave, versions 1 and 2, parents included.

    Args:
        membership: a file like ``/proc/self/cgroup``.
        root: where the groups are mounted.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            bases = [root, root / "unified"]
            names = ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            bases = [root / "memory"]
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        for base in bases:
            # A container often sees its own group as the root of the mount.
            group = base / path.lstrip("/")
            for place in (group, *group.parents):
                left = _left(place, *names)
                if left is not None:
                    yield left
                if place == base:
                    break


def _left(group: Path, limit: str, used: str, reclaimable: str) -> int | None:
    """The limit of a group less what its processes use; files that may go do not count."""
    try:
        allowed = (group / limit).read_text().strip()
        if allowed == "max" or int(allowed) >= 2**60:
            return None
        taken = int((group / used).read_text())
    except (OSError, ValueError):
        return None
    try:
        facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        facts = {}
    return max(int(allowed) - taken + int(facts.get(reclaimable, 0)), 0)


def _of_windows() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of kernel32."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "available", "total_pages",
                                                      "free_pages", "total_virtual",
                                                      "free_virtual", "extended")),
        )  # fmt: skip

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (it exists on Windows only)
    return int(status.available) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _of_macos() -> int | None:
    """Pages that are free, inactive or may be purged, as ``vm_stat`` tells them."""
    import subprocess

    try:
        said = subprocess.check_output(["/usr/bin/vm_stat"], text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return from_vm_stat(said)


def from_vm_stat(text: str) -> int | None:
    """Bytes that can be had, from what ``vm_stat`` prints.

    Example:
        >>> from_vm_stat("(page size of 16384 bytes)\\nPages free: 2.\\nPages inactive: 1.")
        49152
    """
    size = re.search(r"page size of (\d+) bytes", text)
    pages = dict(re.findall(r"^Pages (free|inactive|purgeable|speculative):\s+(\d+)", text, re.M))
    if size is None or "free" not in pages:
        return None
    return int(size[1]) * sum(int(n) for n in pages.values())
