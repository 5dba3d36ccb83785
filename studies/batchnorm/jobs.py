"""The trainings of the study: both blocks, from each seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from srqa.training import settings
from srqa.training.settings import Settings

FILE = Path(__file__).with_name("train.toml")
PLAIN, NORMALISED = "plain", "normalised"


def trainings(
    pictures: tuple[str, ...], seeds: int, steps: int | None = None
) -> Mapping[str, Settings]:
    """``plain-SEED`` and ``normalised-SEED``; equal seeds see equal patches in equal order."""
    shared = settings.made(settings.read(FILE) | {"hr": pictures})
    if steps:
        shared = replace(shared, steps=steps)
    options = {PLAIN: shared.options, NORMALISED: {**shared.options, "normalised": 1}}
    return {
        f"{kind}-{seed}": replace(shared, seed=seed, options=options[kind])
        for seed in range(seeds)
        for kind in (PLAIN, NORMALISED)
    }


def kind_of(name: str) -> str:
    """Which block a training's name stands for.

    Example:
        >>> kind_of("normalised-2")
        'normalised'
    """
    return name.rsplit("-", 1)[0]
