"""The process of one contender; its arguments are those of `benchmarks.contender.Process`.

Prepares the work and says so in one JSON line, then writes one for each line it reads; the first of
these is of its first call.
Imports nothing but the standard library by itself, so that programs start from a small process.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarks.contender import Absent, Work

LEAST = 0.2
"""Seconds that a sample should take at least: short calls are repeated."""
_PEAK = Path("/proc/self/clear_refs")


def main() -> None:
    """Prepare, then answer."""
    place, given, threads, whole = sys.argv[1], *map(json.loads, sys.argv[2:])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(document: dict[str, Any]) -> None:
        answers.write(json.dumps(document) + "\n")
        answers.flush()

    try:
        work = prepared(place, given, threads)
        answer({})
        if not sys.stdin.readline():
            return
        first = measured(work, 1, whole)
    except (Absent, ImportError) as error:
        answer({"absent": str(error)})
        return
    except Exception as error:
        traceback.print_exc()
        answer({"absent": f"{type(error).__name__}: {error}"})
        return
    answer(first)
    seconds = first["seconds"]
    if seconds < LEAST:  # the first call may have been slow
        seconds = measured(work, 1, whole)["seconds"]
    times = max(1, round(LEAST / max(seconds, 1e-6)))
    for _ in sys.stdin:
        answer(measured(work, times, whole))


def prepared(place: str, given: dict[str, Any], threads: int) -> Work:
    """The work of the contender at `place`."""
    module, _, name = place.partition(":")
    prepare = getattr(importlib.import_module(module), name)
    if "threads" in prepare.__code__.co_varnames[: prepare.__code__.co_argcount]:
        given = {"threads": threads} | given
    work: Work = prepare(**given)
    return work


def measured(work: Work, times: int, whole: bool) -> dict[str, Any]:
    """`Sample`'s numbers, of so many calls; `whole` says that each is a program."""
    held = _begin_peak()
    before, start = _processor(), time.perf_counter()
    values: dict[str, float] = {}
    for _ in range(times):
        values = work()
    _wait_for_gpu()
    seconds, processor = time.perf_counter() - start, _processor() - before
    return {
        "seconds": seconds / times,
        "processor": processor / times,
        "peak": _of_programs() if whole else _peak(held),
        "values": values,
    }


def _processor() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _gpu() -> Any:
    """torch.cuda where this process uses it."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


def _wait_for_gpu() -> None:
    if gpu := _gpu():
        gpu.synchronize()


def _begin_peak() -> int:
    """Bytes held now; from now on the peak is a new one."""
    if gpu := _gpu():
        gpu.synchronize()
        gpu.reset_peak_memory_stats()
        return int(gpu.memory_allocated())
    try:
        ctypes.CDLL(None).malloc_trim(0)
        _PEAK.write_text("5")
    except (OSError, AttributeError):  # not Linux
        return 0
    return _status("VmRSS")


def _peak(held: int) -> int:
    if gpu := _gpu():
        return int(gpu.max_memory_allocated()) - held
    return max(_status("VmHWM") - held, 0) if held else 0


def _of_programs() -> int:
    """Bytes that the largest program held."""
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return largest * (1 if sys.platform == "darwin" else 1024)


def _status(key: str) -> int:
    """Bytes, from what Linux says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) * 1024


if __name__ == "__main__":
    main()
