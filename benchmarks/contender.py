"""A contender: a name, work to be done in a process of its own, and what the work yields.

Whatever is measured, a loop over folders, one call of a metric, a whole command, is a contender:
``prepare(**given)`` runs once in a fresh process (imports, pictures, a small warming call) and
returns the work, a function without arguments. Each call of the work is one sample.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

Values = dict[str, float]
"""What the work yields, by name: values of metrics, which are compared between contenders."""
Work = Callable[[], Values]
Prepare = Callable[..., Work]

ROOT = Path(__file__).parents[1]


class Absent(Exception):
    """A contender cannot take part here; says why."""


@dataclass(frozen=True)
class Contender:
    """Who takes part, and how.

    Attributes:
        name: as tables show it.
        prepare: a module-level function that returns the work.
        given: its arguments, plain values.
        units: how many pairs (or megapixels, ...) one call of the work goes through.
        differs: why its values cannot equal the others'; empty if they must.
        whole: one call is a program from its start to its end, and its memory is all of that.
    """

    name: str
    prepare: Prepare
    given: Mapping[str, Any] = field(default_factory=dict)
    units: float = 1
    differs: str = ""
    whole: bool = False

    @property
    def place(self) -> str:
        """Where a process finds `prepare`."""
        return f"{self.prepare.__module__}:{self.prepare.__name__}"


@dataclass(frozen=True)
class Sample:
    """One measurement, each number for one call of the work.

    Attributes:
        seconds: by the clock.
        processor: of all cores, child processes included.
        peak: bytes beyond what the process held before, on the GPU if there is one; for programs
            all that they held.
    """

    seconds: float
    processor: float
    peak: int
    values: Values


class Process:
    """A contender's process, which prepares by itself; then it is asked for samples."""

    def __init__(self, contender: Contender, threads: int) -> None:
        settings = {
            **os.environ,
            "OMP_NUM_THREADS": str(threads),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.getenv("PYTHONPATH")])]),
            "PYTHONWARNINGS": "ignore",
        }
        self._name = contender.name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", contender.place,
             json.dumps(dict(contender.given)), str(threads), json.dumps(contender.whole)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings,
        )  # fmt: skip

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def ready(self) -> None:
        """Wait until it is prepared.

        Raises:
            Absent: the contender cannot take part.
        """
        self._answer()

    def sample(self) -> Sample:
        """Call the work: once for the first time, then as often as a good measurement needs.

        Raises:
            Absent: the contender cannot take part.
        """
        if self._process.stdin is None:
            raise Absent(f"{self._name} has ended")
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # how it ended is told by its answer
        return Sample(**self._answer())

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait()
            raise Absent(f"its process ended with exit code {self._process.returncode}")
        answer = json.loads(line)
        if "absent" in answer:
            raise Absent(answer["absent"])
        return dict(answer)
