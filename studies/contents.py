"""The contents of a study: parts of photographs, chosen by a rule and not by eye."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from srqa.demo import photographs
from srqa.errors import InputError
from srqa.files import write_text
from srqa.images.colour import luma_of_bytes
from srqa.images.finder import Finder
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.images.write import encode, write_bytes

EVERYDAY = ("astronaut", "chelsea", "coffee", "motorcycle_left")
"""Those of scikit-image's photographs that show what people photograph."""
LEARNED_FROM = (
    *("aitzgorri", "friends", "life", "picosdeeuropa", "sunset", "Picture_0B", "Picture_1A"),
    *("Wine", "seeding", "cincinnati-bridge", "citrus-fruits", "european-honey-bee"),
)
"""Free photographs that the package's A+ was trained on; they are no contents."""
RECORD = "contents.json"
Progress = Callable[[str, int, int], None]


def make_contents(
    folder: Path,
    sources: Sequence[Path],
    most: int,
    side: int,
    progress: Progress | None = None,
) -> list[str]:
    """Write ``CONTENT.png`` into `folder`: a part of each of some photographs.

    First scikit-image's everyday photographs, then as many of the sources as make `most`, evenly
    spread over their names. What is there already is kept.

    Args:
        folder: where they go.
        sources: folders or files of the user's own.
        most: how many at most.
        side: of the square part, in pixels.
        progress: called with what is being done, how much is done, and of how much.

    Returns:
        Their names.

    Raises:
        InputError: no photograph is large enough, or there is none.
    """
    chosen = _shipped()[:most]
    own = [path for place in sources for path in _pictures(place)]
    chosen += [own[i] for i in _spread(len(own), most - len(chosen))]
    if not chosen:
        raise InputError("There are no photographs.", "--hr FOLDER, or pip install 'srqa[demo]'.")
    before = _record(folder)
    kept: dict[str, list[Any]] = {}
    for at, path in enumerate(chosen):
        if progress:
            progress("choosing contents", at, len(chosen))
        target = folder / f"{_name(path)}.png"
        made_from = [str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns, side]
        if before.get(target.stem) != made_from or not target.exists():
            part = detailed_part(_halved(path), side)
            if part is None:
                continue
            write_bytes(target, encode(part, ".png"))
        kept[target.stem] = made_from
    if not kept:
        raise InputError(f"No photograph has {side}x{side} pixels (JPEGs are halved first).")
    for stale in set(folder.glob("*.png")) - {folder / f"{name}.png" for name in kept}:
        stale.unlink()
    write_text(folder.parent / RECORD, json.dumps(kept, indent=1) + "\n")
    return list(kept)


def _record(folder: Path) -> dict[str, Any]:
    """What each content that is there was made from."""
    try:
        found = json.loads((folder.parent / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def detailed_part(pixels: np.ndarray[Any, Any], side: int) -> np.ndarray[Any, Any] | None:
    """The square with the most detail; None if the picture is too small.

    Places lie half a side apart. Detail is the mean length of Y's gradient: much of a photograph is
    sky or out of focus, where all methods are alike.

    Example:
        >>> import numpy as np
        >>> detailed_part(np.zeros((40, 60, 3), np.uint8), 32).shape
        (32, 32, 3)
    """
    height, width = pixels.shape[:2]
    if min(height, width) < side:
        return None
    step = side // 2
    slopes = np.hypot(*np.gradient(luma_of_bytes(pixels)[0]))
    _, top, left = max(
        (float(slopes[top : top + side, left : left + side].mean()), top, left)
        for top in range(0, height - side + 1, step)
        for left in range(0, width - side + 1, step)
    )
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def _shipped() -> list[Path]:
    try:
        return [path for path in photographs() if path.stem in EVERYDAY]
    except InputError:
        return []


def _pictures(place: Path) -> list[Path]:
    found = sorted((Path(one.path) for one in Finder(frozenset()).find(place)), key=_name)
    return [path for path in found if _name(path) not in LEARNED_FROM]


def _name(path: Path) -> str:
    return path.stem.split("_by_")[0]


def _spread(n: int, wanted: int) -> list[int]:
    """`wanted` places evenly over n.

    Example:
        >>> _spread(10, 3)
        [1, 5, 8]
    """
    if wanted <= 0:
        return []
    return list(range(n)) if n <= wanted else [int((i + 0.5) * n / wanted) for i in range(wanted)]


def _halved(path: Path) -> np.ndarray[Any, Any]:
    """The photograph, made half as large where its file was compressed with losses."""
    picture = read(path)
    pixels = imresize(picture.pixels, 0.5) if picture.lossy else picture.pixels
    return np.asarray(pixels)
