"""From contents to a Run whose datasets are the conditions; each stage goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from srqa.degradation.api import degrade
from srqa.degradation.folders import Degraded, told
from srqa.engine.choice import Fetching
from srqa.engine.leaderboard import Progress, resumed, tidy
from srqa.engine.results import Run
from srqa.errors import InputError
from srqa.models.folders import Upscaled
from srqa.models.naming import portable
from srqa.models.upscaling import upscale_files

from ..stages import evaluated, stage
from .conditions import CONDITIONS, SCALE, Condition

METHODS = (
    *("bicubic", "aplus", "dat-light"),
    *("real-esrgan-animevideov3", "real-esrgan-x4plus"),
)
"""Interpolation; trained on bicubic inputs, the one small and the other large; trained on inputs
that were made as badly as real ones."""
METRICS = ("psnr-y", "ssim-y", "lpips")


def measure(
    folder: Path,
    methods: Sequence[str] = METHODS,
    conditions: Sequence[Condition] = CONDITIONS,
    metrics: Sequence[str] = METRICS,
    *,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    fetching: Fetching | None = None,
    command: str = "",
) -> Run:
    """Degrade ``folder/hr`` under each condition, enlarge with each method, evaluate.

    Inputs lie in ``lr/CONDITION``, outputs in ``outputs/METHOD/CONDITION``, the Run in ``run``;
    its datasets are the conditions. What an earlier call left there is used as far as it holds.

    Raises:
        InputError: a picture can be neither degraded nor enlarged: all must be comparable.
        WeightsError: the weights of a method or a metric cannot be had.
        OutputError: `folder` cannot be written.
    """
    for at, condition in enumerate(conditions):
        if progress:
            progress("degrading", at, len(conditions))
        _degrade(folder, condition, seed)
    inputs = [folder / "lr" / condition.name for condition in conditions]
    for method in methods:
        _enlarge(folder, method, inputs, device, progress, fetching)

    return evaluated(
        folder,
        [portable(method) for method in methods],
        SCALE,
        metrics,
        device=device,
        progress=progress,
        fetching=fetching,
        command=command,
        layout="{dataset}/{content}.png",
        reference_layout="{content}.png",
    )


def _degrade(folder: Path, condition: Condition, seed: int) -> None:
    def make(resume: bool) -> Degraded:
        return degrade(
            folder / "hr",
            out=folder / "lr" / condition.name,
            preset=condition.degradation,
            seed=seed,
            resume=resume,
            overwrite=not resume,
        )

    made = resumed(make)
    if made.failed:
        raise InputError(f"{condition.name}: {told(made.failed[0])}.")
    tidy(made.folder, [made.folder / one.lr for row in made.records for one in row.files])


def _enlarge(
    folder: Path,
    method: str,
    inputs: Sequence[Path],
    device: str,
    progress: Progress | None,
    fetching: Fetching | None,
) -> None:
    def make(resume: bool) -> Upscaled:
        return upscale_files(
            list(inputs),
            method,
            scale=SCALE,
            out=folder / "outputs" / portable(method),
            device=device,
            progress=stage(progress, method),
            fetching=fetching,
            resume=resume,
            overwrite=not resume,
        )

    made = resumed(make)
    tidy(made.folder, made.outputs)
    if made.problems:
        raise InputError(f"{method}: {made.problems[0].problem}")
