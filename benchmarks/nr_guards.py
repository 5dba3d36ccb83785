"""How many crops of photographs pass each guard of srqa-nr: the figures of docs/srqa-nr.md.

    python -m benchmarks.nr_guards photographs/              # lossy ones halved, as for training
    python -m benchmarks.nr_guards photographs/ --as-is      # every one as it is
    python -m benchmarks.nr_guards photographs/ --unpack /usr/share/gcompris-qt/rcc/erase.rcc

The last first fills the folder with the JPEG and WebP pictures inside files of Debian's package
gcompris-qt-data, none of which srqa-nr was trained on. Intervals are by bootstrap over photographs.
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from srqa.images.finder import Finder
from srqa.images.read import read
from srqa.metrics.registry import get
from srqa.training.nr.guards import guards
from srqa.training.nr.places import Place, crops, find_places
from srqa.training.nr.report import interval

LEAST_SIDE = 400
"""Of a picture that is unpacked, so that halves of it have a crop."""
_BEGINNING = re.compile(rb"RIFF....WEBPVP8|\xff\xd8\xff[\xe0\xe1\xdb]", re.DOTALL)


def unpack(source: Path, folder: Path) -> int:
    """The JPEG and WebP pictures that lie uncompressed in a resource file of Qt."""
    data = source.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for number, found in enumerate(_BEGINNING.finditer(data)):
        at = found.start()
        size = int.from_bytes(data[at - 4 : at], "big")  # Qt writes it before each file
        try:
            with Image.open(io.BytesIO(data[at : at + size])) as picture:
                picture.load()
        except OSError:
            continue
        if min(picture.size) >= LEAST_SIDE and picture.mode in ("RGB", "RGBA"):
            suffix = str(picture.format).lower()
            (folder / f"{source.stem}-{number}.{suffix}").write_bytes(data[at : at + size])
            count += 1
    return count


def as_they_are(folder: Path) -> list[Place]:
    """Crops of pictures that nothing was done to."""
    places = []
    for one in Finder(frozenset()).find(folder):
        pixels = read(Path(one.path)).pixels[..., :3]
        made = crops(pixels, np.random.default_rng(0)) if pixels.ndim == 3 else []
        places += [Place(f"{one.name}#{n}", one.name, crop) for n, crop in enumerate(made)]
    return places


def passes(place: Place, score: Any) -> dict[str, bool]:
    """Which guards hold at a place."""
    import torch

    kinds, made = zip(*guards(place.pixels), strict=True)
    batch = torch.from_numpy(np.stack([place.pixels, *made])).permute(0, 3, 1, 2).float() / 255
    pristine, *scores = score(batch).tolist()
    steps: dict[str, list[float]] = {}
    for kind, value in zip(kinds, scores, strict=True):
        steps.setdefault(kind, [pristine]).append(value)
    return {kind: bool((np.diff(values) < 0).all()) for kind, values in steps.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--as-is", action="store_true", help="halve none")
    parser.add_argument("--metric", default="srqa-nr")
    parser.add_argument("--unpack", type=Path, nargs="+", default=[], metavar="FILE.rcc")
    given = parser.parse_args()
    for file in given.unpack:
        print(f"{file.name}: {unpack(file, given.folder)} pictures")
    places = as_they_are(given.folder) if given.as_is else find_places(given.folder, 10**6)[0]
    score = get(given.metric)
    found = [passes(place, score) for place in places]
    photographs = np.array([place.photograph for place in places])
    print(f"{len(places)} crops of {len(set(photographs))} photographs, {given.metric}")
    for kind in found[0]:
        values = np.array([float(each[kind]) for each in found])
        low, high = interval(values, photographs, seed=0)
        print(f"{kind:14} {values.sum():.0f} {values.mean():.1%} ({low:.1%} to {high:.1%})")


if __name__ == "__main__":
    main()
