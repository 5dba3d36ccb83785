"""`make bench`: psnr-y and ssim-y of 1280x720 pairs, srqa beside its rivals, interleaved.

Prints ratios with their spread. Each measurement is a process of its own, from its start to its
end. Values are compared first, so that no one is fast by being wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.pictures import HEIGHT, WIDTH, make_pairs
from benchmarks.rivals import CROP, RIVALS
from srqa.devices import available_cores

AGREEMENT = {"psnr-y": 1e-4, "ssim-y": 1e-5}


@dataclass
class Measured:
    """What a contender took: whole processes (by the clock, and of all cores), its loop alone."""

    whole: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    loop: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    values: dict[str, float] = field(default_factory=dict)


def command(name: str, reference: Path, output: Path, threads: int) -> list[str]:
    """The command line of a contender."""
    if name == "srqa":
        start = "from srqa.cli import main; main()"
        options = ["--ref", str(reference), "--scale", str(CROP), "--workers", str(threads)]
        run = ["evaluate", str(output), *options, "--no-cache", "--quiet", "--json"]
        return [sys.executable, "-c", start, *run]
    module = [sys.executable, "-m", "benchmarks.rivals", name]
    return [*module, str(reference), str(output), str(threads)]


def measure(name: str, into: Measured, *folders: Path, threads: int) -> None:
    """Run a contender once."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command(name, *folders, threads), stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        into.whole.append(time.perf_counter() - start)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{name} failed with exit code {process.returncode}.")
        out.seek(0)
        document: dict[str, Any] = json.loads(out.read())
    into.processor.append(usage.ru_utime + usage.ru_stime)
    into.megabytes = max(into.megabytes, usage.ru_maxrss / 1024)
    if name == "srqa":
        into.values = {row["metric"]: row["mean"] for row in document["summary"]}
    else:
        into.loop.append(document["seconds"])
        into.values = {metric: document[metric] for metric in AGREEMENT}


def check_agreement(results: dict[str, Measured]) -> None:
    """Stop if anybody's numbers differ: a comparison of speed would mean nothing."""
    for name, result in results.items():
        for metric, tolerance in AGREEMENT.items():
            difference = abs(result.values[metric] - results["srqa"].values[metric])
            if name != "decoding" and difference > tolerance:
                sys.exit(f"{name} and srqa disagree on {metric} by {difference:.3g}; no benchmark.")


def show(results: dict[str, Measured], pairs: int, threads: int) -> None:
    """Print the table of ratios."""
    base = results["decoding"]
    print(
        f"\npsnr-y and ssim-y of {pairs} pairs of {WIDTH}x{HEIGHT} PNG files, {threads} threads, "
        f"{len(base.whole)} interleaved rounds\n{platform.machine()}, {available_cores()} cores, "
        f"Python {platform.python_version()}\n"
    )
    head = ("process", "x decoding", "spread", "cpu time", "x decoding", "loop", "peak memory")
    print(f"{'':14}" + "".join(f"{word:>13}" for word in head))
    for name, result in results.items():
        ratios = [a / b for a, b in zip(result.whole, base.whole, strict=True)]
        work = [a / b for a, b in zip(result.processor, base.processor, strict=True)]
        cells = (
            f"{statistics.median(result.whole):.2f} s",
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
            f"{statistics.median(result.processor):.2f} s",
            f"{statistics.median(work):.2f}",
            f"{statistics.median(result.loop):.2f} s" if result.loop else "-",
            f"{result.megabytes:.0f} MB",
        )
        print(f"{name:14}" + "".join(f"{cell:>13}" for cell in cells))
    own = statistics.median(results["srqa"].whole)
    print(
        f"\nsrqa's whole command against decoding's loop alone (no start-up, no import): "
        f"{own / statistics.median(base.loop):.2f}"
    )
    print("Decoding is the bare decoder over the same files; values agree (checked before).")


def main() -> None:
    """Parse, make the pictures, measure in turns, print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=min(2, available_cores()))
    parser.add_argument("--rivals", default=",".join(list(RIVALS)[1:]), help="who else runs")
    parser.add_argument("--pictures", type=Path, help="keep the pictures here")
    options = parser.parse_args()
    rivals = [name for name in options.rivals.split(",") if name]
    with tempfile.TemporaryDirectory() as temporary:
        print(f"making {options.pairs} pairs ...", file=sys.stderr)
        folders = make_pairs(options.pictures or Path(temporary), options.pairs)
        results = {name: Measured() for name in ("decoding", "srqa", *rivals)}
        for turn in range(options.rounds):
            for name, result in results.items():
                print(f"round {turn + 1}: {name}", file=sys.stderr)
                measure(name, result, *folders, threads=options.threads)
            check_agreement(results)
    show(results, options.pairs, options.threads)


if __name__ == "__main__":
    main()
