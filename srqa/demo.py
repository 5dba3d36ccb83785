"""The demonstration: real photographs, small inputs, four upscalers, a ranking."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import srqa.weights
from srqa.engine.choice import Fetching
from srqa.engine.leaderboard import Progress, leaderboard
from srqa.engine.protocol import modcrop
from srqa.engine.results import Run
from srqa.errors import InputError, WeightsError
from srqa.images.read import Picture, read
from srqa.images.write import write
from srqa.models.cards import card

SCALE = 4
LONGEST = 256
"""Pixels a side that are kept of a photograph, from its middle."""
_PHOTOGRAPHS = (
    *("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "ihc.png"),
    *("motorcycle_left.png", "retina.jpg", "rocket.jpg"),
)
MODELS = ("bicubic", "tv", "real-esrgan-x4plus", "dat-light")
"""Interpolation, a reconstruction, a network for what people like, one for what was there."""


def photographs() -> list[Path]:
    """The photographs that the scikit-image wheel carries.

    Raises:
        InputError: scikit-image is not installed, or lacks them.
    """
    spec = find_spec("skimage")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(f) / "data" / name for f in folders for name in _PHOTOGRAPHS]
    found = [path for path in paths if path.exists()]
    if not found:
        raise InputError(
            "The demo takes its photographs from scikit-image, which is not installed here.",
            hint="pip install 'srqa[demo]'",
        )
    return found


def make_pictures(folder: Path) -> None:
    """Write ``hr/`` into `folder`: the middle of each photograph."""
    for source in photographs():
        write(folder / "hr" / f"{source.stem}.png", modcrop(_middle(read(source)), SCALE))


def _middle(picture: Picture) -> Any:
    top, left = (max(side - LONGEST, 0) // 2 for side in (picture.height, picture.width))
    return picture.pixels[top : top + LONGEST, left : left + LONGEST]


def available(fetching: Fetching | None = None) -> tuple[list[str], list[str]]:
    """The models of the demonstration that can run here, and why the others cannot.

    Args:
        fetching: called with (what, bytes done, bytes in all or None) while weights are fetched.
    """
    have, notes = [], []
    for name in MODELS:
        file = card(name).weights.get(SCALE)
        try:
            srqa.weights.pull([file] if file else [], fetching)
            have.append(name)
        except WeightsError as error:
            notes.append(f"{name} is left out: {error} {error.hint}".strip())
    return have, notes


def rank(
    folder: Path,
    models: list[str],
    progress: Progress | None = None,
    fetching: Fetching | None = None,
) -> Run:
    """Shrink what `make_pictures` wrote, enlarge it with `models`, evaluate.

    The Run, with inputs and outputs, is in ``folder/run``.
    """
    return leaderboard(
        folder / "hr",
        models,
        scale=SCALE,
        out=folder / "run",
        progress=progress,
        fetching=fetching,
        command=f"srqa leaderboard hr/ --scale {SCALE} --models {','.join(models)} --out run",
    )
