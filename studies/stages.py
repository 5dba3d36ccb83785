"""What studies of methods share: progress of one stage among several, and the last stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from srqa.engine.choice import Fetching
from srqa.engine.evaluate import evaluate
from srqa.engine.leaderboard import Progress, resumed
from srqa.engine.results import Run


def stage(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    """What a stage calls with (done, of how many), or None where nobody listens."""
    return (lambda done, total: progress(what, done, total)) if progress else None


def evaluated(
    folder: Path,
    outputs: Sequence[str],
    scale: int,
    metrics: Sequence[str],
    *,
    device: str,
    progress: Progress | None,
    fetching: Fetching | None,
    command: str,
    **layout: Any,
) -> Run:
    """The Run of folders in ``folder/outputs`` against ``folder/hr``; it is kept in ``folder/run``.

    Raises:
        WeightsError: the weights of a metric cannot be had.
        OutputError: it cannot be written.
    """

    def make(resume: bool) -> Run:
        return evaluate(
            [folder / "outputs" / name for name in outputs],
            folder / "hr",
            metrics=list(metrics),
            scale=scale,
            device=device,
            out=folder / "run",
            progress=stage(progress, "evaluating"),
            fetching=fetching,
            command=command,
            resume=resume,
            overwrite=not resume,
            **layout,
        )

    return resumed(make)
