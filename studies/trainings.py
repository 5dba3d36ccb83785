"""Several trainings for one study, each of which goes on where it was, and their networks' Run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from srqa.degradation.api import degrade
from srqa.engine.choice import Fetching
from srqa.engine.leaderboard import Progress, resumed, tidy
from srqa.engine.results import Run
from srqa.errors import InputError
from srqa.images.finder import Finder
from srqa.models.upscaling import upscale_files
from srqa.training import card, state
from srqa.training.loop import Running, Telling, train
from srqa.training.settings import Settings

from .stages import evaluated, stage

METHOD = "bicubic"
"""Interpolation, beside which the networks stand."""


def pictures_but(places: Sequence[Path], contents: Sequence[str]) -> tuple[str, ...]:
    """Files of the pictures that are no contents, to train on.

    Raises:
        InputError: none is left.
    """
    found = sorted(one.path for place in places for one in Finder(frozenset()).find(place))
    left = tuple(path for path in found if Path(path).stem.split("_by_")[0] not in contents)
    if not left:
        raise InputError("No pictures are left to train on: all are contents.", "--contents 4")
    return left


def train_all(
    jobs: Mapping[str, Settings],
    folder: Path,
    running: Running,
    progress: Progress | None = None,
    fetching: Fetching | None = None,
) -> dict[str, Path]:
    """Train a network a job into ``folder/NAME``, or go on with it; finished ones are left alone.

    Returns:
        The networks' files.

    Raises:
        RunError: a folder holds a training with other settings or pictures.
        SrqaError: as of `srqa.training.loop.train`.
    """
    made = {}
    for name, settings in jobs.items():
        place = folder / name
        network = card.path(place, settings)
        if not _finished(network, settings):
            telling = Telling(fetching=fetching, step=stage(progress, f"training {name}"))
            train(
                settings,
                place,
                running=running,
                resume=(place / state.NAME).exists(),
                telling=telling,
            )
        made[name] = network
    return made


def _finished(network: Path, settings: Settings) -> bool:
    try:
        facts = card.read(network.with_suffix(".json"))
    except InputError:
        return False
    same = facts.get("settings") == json.loads(settings.text)
    return same and facts.get("steps") == settings.steps and network.exists()


def score(
    networks: Mapping[str, Path],
    folder: Path,
    scale: int,
    metrics: Sequence[str],
    device: str = "auto",
    progress: Progress | None = None,
    fetching: Fetching | None = None,
    command: str = "",
) -> Run:
    """Enlarge the contents in ``folder/hr`` with each network and evaluate, as `srqa leaderboard`.

    Outputs lie in ``folder/outputs/NAME``, the Run in ``folder/run``.

    Raises:
        InputError: a content cannot be enlarged.
    """
    made = resumed(
        lambda resume: degrade(
            folder / "hr", scale, out=folder / "lr", resume=resume, overwrite=not resume
        )
    )
    tidy(made.folder, [made.folder / one.lr for row in made.records for one in row.files])
    for name in (METHOD, *networks):
        _enlarge(name, networks.get(name), folder, scale, device, progress)

    names = (METHOD, *networks)
    return evaluated(
        folder, names, scale, metrics, device=device, progress=progress, fetching=fetching,
        command=command,
    )  # fmt: skip


def _enlarge(
    name: str, network: Path | None, folder: Path, scale: int, device: str,
    progress: Progress | None,
) -> None:  # fmt: skip
    made = resumed(
        lambda resume: upscale_files(
            folder / "lr",
            "" if network else name,
            weights=network,
            scale=scale,
            out=folder / "outputs" / name,
            device=device,
            progress=stage(progress, f"enlarging with {name}"),
            resume=resume,
            overwrite=not resume,
        )
    )
    tidy(made.folder, made.outputs)
    if made.problems:
        raise InputError(f"{name}: {made.problems[0].problem}")


def quickly(settings: Settings, steps: int | None) -> Settings:
    """The same with fewer steps, to try things out."""
    return replace(settings, steps=steps) if steps else settings
