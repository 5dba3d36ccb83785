"""Whole programs, from their start to their end. Imports nothing heavy: they start from here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from benchmarks.contender import Work

OWN = (sys.executable, "-c", "from srqa.cli import main; main()")
"""srqa, as its installed script starts it."""


def program(command: Sequence[str]) -> Work:
    """Any command; its values are none."""

    def work() -> dict[str, float]:
        _run(command)
        return {}

    return work


def python(code: str) -> Work:
    """An interpreter that runs a line."""
    return program([sys.executable, "-c", code])


def own(arguments: Sequence[str]) -> Work:
    """srqa with any arguments; nothing of its output is looked at."""
    return program([*OWN, *arguments])


def evaluate(
    arguments: Sequence[str], metrics: str, threads: int, cache: bool = False, warm: bool = False
) -> Work:
    """`srqa evaluate`; its values are those of each method's first picture, means over all methods.

    Args:
        arguments: besides metrics and workers.
        metrics: as ``-m`` takes them.
        threads: workers.
        cache: each call begins with an empty cache of scores instead of none.
        warm: the cache is filled before and kept.
    """
    options = ["-m", metrics, "--workers", str(threads), "--quiet", "--json"]
    command = [*OWN, "evaluate", *arguments, *options]
    if not (cache or warm):
        command.append("--no-cache")
    folder = tempfile.mkdtemp(prefix="srqa-bench-") if cache or warm else ""
    settings = os.environ | {"SRQA_CACHE": folder}
    if not folder:
        del settings["SRQA_CACHE"]

    def work() -> dict[str, float]:
        if cache:
            shutil.rmtree(folder, ignore_errors=True)
        document = json.loads(_run(command, settings))
        first: dict[str, str] = {}
        found: dict[str, list[float]] = {}
        for row in document["images"]:
            if row["image"] == first.setdefault(row["method"], row["image"]):
                found.setdefault(row["metric"], []).append(row["value"])
        return {metric: sum(values) / len(values) for metric, values in found.items()}

    return work


def _run(command: Sequence[str], settings: dict[str, str] | None = None) -> bytes:
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, env=settings)
    if done.returncode:
        raise RuntimeError(f"{command[:4]} ended with exit code {done.returncode}")
    return done.stdout
