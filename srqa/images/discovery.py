"""From folders to pictures: which dataset, scale and method each belongs to.

A folder that is only a token of scale (`x4`) is the scale. Folders whose names also stand under
the references are datasets. The others are the method: those that tell methods apart, or else what
stands below the given folder, or else its own name. A layout says it outright where that does not
fit. Nothing here opens a picture.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from srqa.images.finder import Finder, Found
from srqa.images.names import Picture, find_scale, nfc, told_scales

_ROLES = {"hr", "gt", "ref", "reference", "references", "original", "originals", "groundtruth"}
_NAMELESS = {"visualization"}
"""Folders that toolboxes put between method and dataset (BasicSR)."""

Parts = tuple[str, ...]
Place = tuple[Parts, Parts]
"""The end of a given folder's path, and the folders from there to a picture."""


def find_references(place: Path, layout: str | None, finder: Finder) -> list[Picture]:
    """The references; folders but for scales and roles (`HR`) name their dataset."""
    pictures: list[Picture] = []
    for found in finder.find(place, layout):
        _, scale, rest = _read_folders(found.folders)
        dataset = "/".join(
            found.folders[at] for at in rest if found.folders[at].casefold() not in _ROLES
        )
        pictures.append(_picture(found, scale, dataset=found.fields.get("dataset", dataset)))
    return _with_told_scales(pictures)


def find_inputs(place: Path, datasets: Sequence[str], finder: Finder) -> list[Picture]:
    """Low-resolution inputs; the given folder, too, may be named after a dataset or scale."""
    pictures: list[Picture] = []
    for found in finder.find(place):
        dataset, scale, _ = _read_folders((nfc(place.name), *found.folders), tuple(datasets))
        pictures.append(_picture(found, scale, dataset=dataset))
    return pictures


def find_outputs(
    places: Sequence[Path], datasets: Sequence[str], layout: str | None, finder: Finder
) -> list[Picture]:
    """The outputs: in the order of the given places, then of methods and names.

    Args:
        places: folders and files.
        datasets: names of the datasets that are known from the references.
        layout: as in `parse_layout`; what it does not tell is inferred from the given folder.
        finder: finds the files.
    """
    folders = [place if place.is_dir() else place.parent for place in places]
    labels = _labels(dict.fromkeys(folders), datasets)
    spelt = {known.casefold(): known for known in datasets}
    each = [
        [(found, (labels[folder], found.folders)) for found in finder.find(place, layout)]
        for place, folder in zip(places, folders, strict=True)
    ]
    methods = _methods(
        {(label, () if layout else below) for one in each for _, (label, below) in one}, datasets
    )
    pictures: list[Picture] = []
    for one in each:
        here: list[Picture] = []
        for found, (label, below) in one:
            within = () if layout else below
            dataset = _read_folders((*label, *within), tuple(datasets))[0]
            if "dataset" in found.fields:
                given = found.fields["dataset"]
                dataset = spelt.get(given.casefold(), given)
            scale = _read_folders((*label, *below))[1]
            method = found.fields.get("method", methods[label, within])
            prefix = "/".join((*label, "")) if len(labels) > 1 else ""
            here.append(_picture(found, scale, prefix, method, dataset))
        pictures += sorted(here, key=lambda p: (p.method, p.dataset or "", p.name))
    return _with_told_scales(pictures)


def _picture(
    found: Found,
    scale: float | None,
    prefix: str = "",
    method: str = "",
    dataset: str | None = None,
) -> Picture:
    stem, suffix = os.path.splitext(found.name.rpartition("/")[2])  # noqa: PTH122
    fields = found.fields
    if "scale" in fields:
        scale = float(fields["scale"])
    stem = fields.get("content", stem)
    return Picture(found.path, prefix + found.name, stem, suffix, scale, method, dataset)


def _with_told_scales(pictures: Sequence[Picture]) -> list[Picture]:
    """Where folders tell no scale, names may: if all of a method and dataset do."""
    groups: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for at, picture in enumerate(pictures):
        groups[picture.method, picture.dataset].append(at)
    told = dict[int, float]()
    for places in groups.values():
        scales = told_scales([pictures[at].stem for at in places])
        told |= zip(places, scales, strict=True) if scales else {}
    return [
        replace(picture, scale=told[at]) if picture.scale is None and at in told else picture
        for at, picture in enumerate(pictures)
    ]


@lru_cache(maxsize=4096)
def _read_folders(
    parts: Parts, datasets: tuple[str, ...] = ()
) -> tuple[str | None, float | None, tuple[int, ...]]:
    """Dataset and scale in a row of folders, and the places of those that are neither."""
    scale: float | None = None
    rest: list[int] = []
    for at, part in enumerate(parts):
        core, found = find_scale(part)
        scale = scale if found is None else found
        if core and part.casefold() not in _NAMELESS:
            rest.append(at)
    for dataset in sorted(datasets, key=_depth, reverse=True):
        wanted = [*filter(None, dataset.casefold().split("/"))]
        used: list[int] = []
        for at in rest:
            if len(used) < len(wanted) and parts[at].casefold() == wanted[len(used)]:
                used.append(at)
        if len(used) == len(wanted):
            return dataset, scale, tuple(at for at in rest if at not in used)
    return None, scale, tuple(rest)


def _depth(dataset: str) -> int:
    return len(dataset.split("/")) if dataset else 0


def _labels(folders: Collection[Path], datasets: Sequence[str]) -> dict[Path, Parts]:
    """For each folder the shortest end of its path that holds a method's name and is its own."""
    paths = {folder: tuple(nfc(part) for part in folder.parts[1:]) for folder in folders}

    def is_own(end: Parts) -> bool:
        return sum(path[-len(end) :] == end for path in paths.values()) == 1

    labels: dict[Path, Parts] = {}
    for folder, path in paths.items():
        ends = [path[-length:] for length in range(1, len(path) + 1)]
        telling = (end for end in ends if _read_folders(end, tuple(datasets))[2] and is_own(end))
        labels[folder] = next(telling, path)
    return labels


def _methods(places: Iterable[Place], datasets: Sequence[str]) -> Mapping[Place, str]:
    """Names of methods: the folders that tell places apart, if some do.

    Otherwise those below the given folder, or else what its own path says.
    """
    parts: dict[Place, tuple[list[str], list[str]]] = {}
    for label, below in places:
        whole = (*label, *below)
        rest = _read_folders(whole, tuple(datasets))[2]
        under = [whole[at] for at in rest if at >= len(label)]
        parts[label, below] = [whole[at] for at in rest], under
    shared = set.intersection(*(set(names) for names, _ in parts.values()))
    telling = [[name for name in names if name not in shared] for names, _ in parts.values()]
    if not all(telling):
        telling = [under or names for names, under in parts.values()]
    return {
        place: "/".join(names) or "outputs" for place, names in zip(parts, telling, strict=True)
    }
