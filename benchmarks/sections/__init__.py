"""What is measured: one module a section, each gives its comparisons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.comparison import Comparison


@dataclass(frozen=True)
class Setting:
    """What all sections need to know.

    Attributes:
        folder: where pictures are made, and kept for the next section.
        decoder: the fastest one of others' on this machine.
        threads: for everybody.
        device: "cpu" or "cuda".
        quick: smaller and fewer pictures, to see that all runs.
    """

    folder: Path
    decoder: str
    threads: int = 2
    device: str = "cpu"
    quick: bool = False

    def size(self, width: int = 1280, height: int = 720) -> tuple[int, int]:
        """The size of a pair: a quarter a side when in a hurry."""
        return (width // 4, height // 4) if self.quick else (width, height)


Section = Callable[[Setting], Sequence[Comparison]]


def sections() -> dict[str, Section]:
    """By the name that ``--only`` takes, in order."""
    from benchmarks.sections import (
        classical,
        folders,
        memory,
        naturalness,
        networks,
        scaling,
        startup,
    )

    return {
        "startup": startup.comparisons,
        "folders": folders.comparisons,
        "again": folders.again,
        "classical": classical.comparisons,
        "lpips": networks.comparisons,
        "methods": networks.methods,
        "batches": networks.folders,
        "naturalness": naturalness.comparisons,
        "sizes": scaling.sizes,
        "scaling": scaling.comparisons,
        "memory": memory.comparisons,
    }


def fastest_decoder(setting: Setting) -> Setting:
    """The setting with the fastest of others' PNG decoders on this machine, in as many threads."""
    import statistics
    import time
    from concurrent.futures import ThreadPoolExecutor

    from benchmarks.contenders.loops import decoders
    from benchmarks.pictures import make_pair

    pair = [path.read_bytes() for path in make_pair(setting.folder, *setting.size())]
    files = pair * (2 * setting.threads)
    spent: dict[str, list[float]] = {}
    with ThreadPoolExecutor(setting.threads) as pool:
        for _ in range(7):
            for name, decode in decoders().items():
                start = time.perf_counter()
                list(pool.map(decode, files))
                spent.setdefault(name, []).append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in spent.items()}
    others = {name: median for name, median in medians.items() if name != "srqa"}
    return replace(setting, decoder=min(others, key=lambda name: others[name]))
