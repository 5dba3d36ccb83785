"""What metrics on networks take of memory and time when pictures do not fit.

``python -m benchmarks.memory`` computes each metric on a pair of one size with ample memory (maps
made whole) and with less and less of it (in bands), interleaved, each time in a process of its own
with one thread, and prints processor time as a ratio to the whole maps, the peak of memory beyond
what the process held before (torch, trained numbers, the decoded pair), and how far values are
apart. Linux only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

AMPLE = 2**44


def measure(name: str, dtype: str, memory: int, height: int, width: int) -> dict[str, Any]:
    """Value, seconds of processor time, and peak in bytes of one pair, in this process."""
    import torch

    from srqa.metrics import features, registry
    from srqa.threads import tuned_process

    torch.set_num_threads(1)
    pair = [planes(height, width, damaged) for damaged in (True, False)]
    spec = registry.get(name)
    with tuned_process(maps=True), features.settings(memory=memory, dtype=dtype):  # type: ignore[arg-type]
        spec(*(p[:, :64, :64] for p in pair))
        Path("/proc/self/clear_refs").write_text("5")
        before, start = status("VmRSS"), time.process_time()
        value = spec(*pair)
        seconds, peak = time.process_time() - start, status("VmHWM") - before
    return {"value": value, "seconds": seconds, "peak": peak}


def planes(height: int, width: int, damaged: bool) -> np.ndarray:
    """A photograph enlarged to the size, (3, H, W); damaged it went through a quarter of it."""
    import cv2

    from srqa.demo import photographs
    from srqa.images.read import read

    made = cv2.resize(read(photographs()[0]).pixels, (width, height), interpolation=cv2.INTER_CUBIC)
    if damaged:
        small = cv2.resize(made, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
        made = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        grain = np.zeros_like(made, np.int16)
        cv2.randn(grain, 0, 3)
        made = np.clip(made + grain, 0, 255)
    result = np.empty((3, height, width), np.float32)
    for channel in range(3):
        np.divide(made[..., channel], np.float32(255), out=result[channel], dtype=np.float32)
    return result


def status(key: str) -> int:
    """Bytes, from what Linux says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) * 1024


def in_a_process(*case: Any) -> dict[str, Any]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--one", *map(str, case)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure in turns, print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--metrics", default="lpips,lpips-vgg,st-lpips,dists")
    parser.add_argument("--size", default="2040x1356")
    parser.add_argument("--memory", default="2GB,1GB,500MB", help="beside as much as it wants")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-whole", action="store_true", help="where whole maps do not fit")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, dtype, *numbers = options.one
        print(json.dumps(measure(name, dtype, *map(int, numbers))))
        return
    from srqa.memory import parse

    width, height = map(int, options.size.split("x"))
    sizes = {} if options.no_whole else {"as much as it wants": AMPLE}
    sizes |= {text: parse(text) for text in options.memory.split(",")}
    print(f"| {options.size}, {options.dtype} | memory | peak | time, x whole | spread | apart |")
    print("|---|---|---|---|---|---|")
    for name in options.metrics.split(","):
        found: dict[str, list[dict[str, Any]]] = {text: [] for text in sizes}
        for _ in range(options.rounds):
            for text, size in sizes.items():
                found[text].append(in_a_process(name, options.dtype, size, height, width))
        first = next(iter(found.values()))
        for text, rounds in found.items():
            ratios = [r["seconds"] / w["seconds"] for r, w in zip(rounds, first, strict=True)]
            cells = (
                text,
                f"{max(r['peak'] for r in rounds) / 1e6:.0f} MB",
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{abs(rounds[0]['value'] - first[0]['value']):.0e}",
            )
            print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
