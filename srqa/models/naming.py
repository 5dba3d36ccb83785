"""Which pictures are enlarged, and what the results are called."""

from __future__ import annotations

import os
import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from srqa.errors import InputError, UsageError
from srqa.images.bands import SUFFIXES
from srqa.images.collection import some
from srqa.images.finder import Finder
from srqa.images.names import nfc

FIELDS = ("name", "model", "scale", "suffix")
"""What may stand in braces in a pattern of names."""


@dataclass(frozen=True, slots=True)
class Job:
    """A picture and where its enlargement goes.

    Attributes:
        source: the picture's file.
        name: its path relative to what was given, for tables and manifests.
        target: the file to write.
    """

    source: Path
    name: str
    target: Path


@dataclass(frozen=True, slots=True)
class Naming:
    """What results are called.

    Attributes:
        model: the model's name.
        scale: of the result.
        format: a key of `srqa.images.bands.SUFFIXES`.
        out: a folder or a file; beside the picture, or ``outputs/MODEL`` for folders, if not said.
        pattern: as ``{name}_{model}``, without a suffix; see `FIELDS`.
    """

    model: str
    scale: float
    format: str
    out: Path | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        if self.pattern is None:
            return
        try:
            fields = [field for _, field, _, _ in string.Formatter().parse(self.pattern) if field]
            self.pattern.format(**dict.fromkeys(FIELDS, ""))
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise UsageError(
                f"The pattern of names {self.pattern!r} cannot be read: {error}.",
                f"In braces may stand {', '.join(FIELDS)}: '{{name}}_{{model}}'.",
            ) from error
        if "name" not in fields:
            raise UsageError(f"The pattern of names {self.pattern!r} lacks {{name}}.")
        if any(mark in self.pattern for mark in ("/", "\\")):
            raise UsageError("A pattern of names is for files: give folders by --out.")

    def called(self, source: Path, pattern: str) -> str:
        """The name of a picture's enlargement."""
        fields = {"name": source.stem, "suffix": source.suffix[1:], "model": portable(self.model)}
        return pattern.format(**fields, scale=f"{self.scale:g}") + SUFFIXES[self.format]


def portable(model: str) -> str:
    """A model's name as it may stand in the name of a file or folder on any system."""
    return "".join("-" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in model)


def find_jobs(pictures: Sequence[Path], naming: Naming) -> tuple[list[Job], Path, str]:
    """The pictures, and the folder and name of the manifest.

    Raises:
        InputError: there are none, or two would be written to one file, or over an input.
        UsageError: `out` is a file and there are several pictures.
    """
    if not pictures:
        raise UsageError("No pictures are given.", "Name a file or a folder.")
    for place in pictures:
        if not place.exists():
            raise InputError(f"{place} does not exist.", "Look at how it is spelt.")
    folders = [place for place in pictures if place.is_dir()]
    out = naming.out
    if out is not None and out.suffix.lower() in _KNOWN and not out.is_dir():
        if folders or len(pictures) > 1:
            raise UsageError(
                f"--out {out} is one file, and there may be several pictures.", "Name a folder."
            )
        jobs = [Job(pictures[0], nfc(pictures[0].name), out)]
        _refuse_clashes(jobs)
        return jobs, out.parent, f"{out.name}.json"
    if out is None and not folders:
        jobs = _beside(pictures, naming)
        _refuse_clashes(jobs)
        first = jobs[0].target
        return jobs, first.parent, f"{first.name}.json"
    out = out or Path("outputs") / portable(naming.model)
    jobs = list(_into(pictures, out, naming, len(folders)))
    _refuse_clashes(jobs)
    return jobs, out, "upscale.json"


_KNOWN = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg", ".webp": "webp"} | {
    ".tif": "tiff",
    ".tiff": "tiff",
}


def format_of(out: Path | None, given: str | None) -> str:
    """The format that was asked for, by name or by the suffix of a file.

    Raises:
        UsageError: both were, and they differ.
    """
    told = _KNOWN.get(out.suffix.lower()) if out is not None and not out.is_dir() else None
    if told and given and told != given:
        raise UsageError(f"--out {out} is no {given} by its suffix.")
    return given or told or "png"


def _beside(pictures: Sequence[Path], naming: Naming) -> list[Job]:
    pattern = naming.pattern or "{name}_{model}"
    return [
        Job(path, nfc(path.name), path.with_name(naming.called(path, pattern))) for path in pictures
    ]


def _into(pictures: Sequence[Path], out: Path, naming: Naming, folders: int) -> list[Job]:
    finder = Finder(frozenset({os.path.realpath(out)}))
    jobs = []
    for place in dict.fromkeys(pictures):
        prefix = Path(place.resolve().name) if place.is_dir() and folders > 1 else Path()
        for found in finder.find(place):
            source = Path(found.path)
            inner = prefix / Path(found.name).parent
            called = naming.called(source, naming.pattern or "{name}")
            jobs.append(Job(source, str(prefix / found.name), out / inner / called))
    return jobs


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    by_target: dict[str, list[Job]] = defaultdict(list)
    sources = {os.path.realpath(job.source): job.source for job in jobs}
    for job in jobs:
        by_target[nfc(str(job.target)).casefold()].append(job)
        if os.path.realpath(job.target) in sources:
            raise InputError(
                f"{job.target} is one of the pictures and would be written over.",
                "Choose another --out, or a --name such as '{name}_{model}'.",
            )
    for several in by_target.values():
        if len(several) > 1:
            raise InputError(
                f"{some([job.name for job in several])} would be written to one file, "
                f"{several[0].target}.",
                "--name '{name}_{suffix}' tells them apart.",
            )
