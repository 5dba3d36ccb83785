"""Folders of pictures through a degradation, on worker threads, to be taken up again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import numpy as np

from srqa.degradation import record as records
from srqa.degradation.model import Degradation, degrade_pixels, stream
from srqa.degradation.record import Journal, Made, Record, Settings
from srqa.degradation.sampling import low_size
from srqa.degradation.steps import Compress, Pixels, Step
from srqa.devices import available_cores
from srqa.errors import InputError, OutputError, SrqaError, UsageError
from srqa.files import make_folder, printable
from srqa.images.collection import some
from srqa.images.finder import Finder
from srqa.images.read import decode, read_bytes
from srqa.images.write import LOSSY, decompress, encode, write_bytes
from srqa.threads import in_threads, tuned_process

Progress: TypeAlias = Callable[[int, int], None]
_LARGE = 25_000_000
"""Pictures with more pixels are degraded one at a time, for the sake of memory."""
_PROBLEM = "the picture is too large for the memory of this machine"


@dataclass(frozen=True, slots=True)
class Degraded:
    """A folder of low-resolution pictures.

    Attributes:
        folder: where they are.
        records: how each picture was made, in the order of their names.
        made: how many were made now; the others were there.
        notes: what users should know.
    """

    folder: Path
    records: tuple[Record, ...]
    made: int
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Record, ...]:
        """Pictures from which nothing was made."""
        return tuple(one for one in self.records if one.problem)


@dataclass(frozen=True, slots=True)
class Source:
    """A picture to degrade: its file, its path below the given folder, where it goes."""

    path: str
    name: str
    target: str

    @property
    def key(self) -> str:
        """What its random numbers hang on: its path without the suffix."""
        return str(PurePosixPath(self.name).with_suffix(""))

    def steps(self, degradation: Degradation, seed: int) -> tuple[Step, ...]:
        """What the degradation draws for it."""
        return degradation.draw(stream(seed, self.key, "draw"))


def find_sources(place: Path, settings: Settings) -> tuple[list[Source], list[str]]:
    """The pictures below a folder, or the one that is given, and notes.

    Raises:
        PairingError: there are none, or the folder cannot be read.
        UsageError: two would become the same file.
    """
    finder = Finder(frozenset())
    sources: list[Source] = []
    taken: dict[str, str] = {}
    for found in finder.find(place):
        target = settings.naming.target(found.name, settings.scale)
        other = taken.setdefault(target.casefold(), found.name)
        if other != found.name:
            raise UsageError(
                f"{other} and {found.name} would both become {target}.",
                "Tell them apart, for instance by --name '{content}_{ext}.png'.",
            )
        sources.append(Source(found.path, found.name, target))
    notes = []
    if finder.ignored:
        notes.append(f"{len(finder.ignored)} files are no pictures: {some(finder.ignored)}.")
    return sources, notes


def degrade_folder(
    place: Path,
    out: Path,
    settings: Settings,
    steps: Callable[[Source], Sequence[Step]],
    *,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str = "",
) -> Degraded:
    """Degrade the pictures in a folder into another.

    Args:
        place: a folder of high-resolution pictures, or one picture.
        out: the folder to write into; the folders below `place` are made again in it.
        settings: what all pictures share.
        steps: gives what is to be done to a picture.
        workers: threads; all cores when not said. They change nothing but the time it takes.
        resume: keep files that are there and were made from the same pictures.
        overwrite: replace files that are there.
        progress: called with (pictures done, all).
        command: for the manifest.

    Raises:
        UsageError: options that contradict each other.
        PairingError: there are no pictures.
        OutputError: the folder cannot be used, or holds files already.
        RunError: it was made by other settings, or another process is at it.
    """
    if resume and overwrite:
        raise UsageError("--resume and --overwrite contradict each other.")
    _check_place(place, out)
    sources, notes = find_sources(place, settings)
    if not (resume or overwrite):
        records.check_free(out, [one.target for one in sources])
    make_folder(out)
    job = _Job(out, settings, steps)
    with Journal(out, settings) as journal:
        names = {one.name for one in sources}
        before = journal.finished() if resume else {}
        before = {name: record for name, record in before.items() if name in names}
        journal.start(before.values())
        tasks = (_Task(one, job, before.get(one.name)) for one in sources)
        count = max(1, min(workers or available_cores(), len(sources)))
        found: dict[str, Record] = {}
        made = 0
        if progress:
            progress(0, len(sources))
        with tuned_process(), closing(in_threads(tasks, count)) as finished:
            for record in finished:
                if not record.problem and record is not before.get(record.source):
                    journal.add(record)
                    made += 1
                found[record.source] = record
                if progress:
                    progress(len(found), len(sources))
        ordered = tuple(found[one.name] for one in sources)
        records.write_manifest(out, settings, ordered, command)
        journal.remove()
    return Degraded(out, ordered, made, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Job:
    """What every worker needs."""

    out: Path
    settings: Settings
    steps: Callable[[Source], Sequence[Step]]
    large: threading.Lock = field(default_factory=threading.Lock)


class _Task:
    """One picture, which may have been degraded before."""

    def __init__(self, source: Source, job: _Job, before: Record | None) -> None:
        self._source, self._job, self._before = source, job, before

    def __call__(self) -> Record:
        try:
            return self._made()
        except OutputError:  # then no other picture can be written either
            raise
        except SrqaError as error:
            problem = f"{error} {error.hint}".strip()
        except MemoryError:
            problem = _PROBLEM
        return Record(self._source.name, problem=problem)

    def _made(self) -> Record:
        source, settings = self._source, self._job.settings
        data = read_bytes(Path(source.path))
        digest = hashlib.sha256(data).hexdigest()
        steps = tuple(self._job.steps(source))
        before = self._before
        same = before and (before.sha256, before.steps) == (digest, steps)
        if before and same and before.stands(self._job.out):
            return before
        picture = decode(data, source.name, settings.policy)
        notes = list(picture.notes)
        pixels = picture.pixels
        if pixels.dtype == np.float32 and settings.naming.suffix not in (".tif", ".tiff"):
            pixels = np.floor(pixels * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
            notes.append("float values written with 16 bits")
        is_large = pixels.shape[0] * pixels.shape[1] > _LARGE
        with self._job.large if is_large else nullcontext():
            files = self._write(pixels, steps)
        return Record(source.name, digest, steps, files, tuple(notes))

    def _write(self, pixels: Pixels, steps: tuple[Step, ...]) -> tuple[Made, ...]:
        source, settings = self._source, self._job.settings
        naming, scale = settings.naming, settings.scale
        rng = stream(settings.seed, source.key, "noise")
        coding: Compress | None = None
        if naming.suffix in LOSSY:
            coding = _last(steps, LOSSY[naming.suffix])
            steps = steps[:-1]
        try:
            low = degrade_pixels(pixels, steps, rng, scale, floating=settings.floating)
        except InputError as error:
            raise InputError(f"{error}.") from error
        size = low_size(pixels.shape[0], pixels.shape[1], scale)[0]
        made = []
        for lr, hr, (top, left, height, width) in naming.parts(source.target, size, scale):
            part = np.ascontiguousarray(low[top : top + height, left : left + width])
            if coding:
                content = coding.file(part)
                part = decompress(content, coding.codec, 1 if part.ndim == 2 else 3)
            else:
                content = encode(part, naming.suffix)
            write_bytes(self._job.out / lr, content)
            y, x, h, w = (_whole(side * scale) for side in (top, left, height, width))
            if hr:
                area = pixels[y : y + h, x : x + w]
                write_bytes(self._job.out / hr, encode(area, PurePosixPath(hr).suffix))
            digest = hashlib.sha256(content).hexdigest()
            made.append(Made(lr, digest, records.pixel_hash(part), hr, (y, x, h, w)))
        return tuple(made)


def _last(steps: Sequence[Step], codec: str) -> Compress:
    last = steps[-1] if steps else None
    if isinstance(last, Compress) and last.codec == codec:
        return last
    raise UsageError(
        f"Files of {codec} are written where compression by {codec} is the last step.",
        "Let --name end in .png, which keeps every value.",
    )


def _whole(side: float) -> int:
    """Rounded up, but for what floating point adds."""
    return int(np.ceil(round(side, 6)))


def _check_place(place: Path, out: Path) -> None:
    if not place.exists():
        raise InputError(f"{place} does not exist.", "Give the folder of high-resolution pictures.")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file, not a folder.", "--name says what files are called.")
    folder = place if place.is_dir() else place.parent
    if out.resolve() == folder.resolve():
        raise UsageError("--out is the folder of the high-resolution pictures.", "Choose another.")


def replaying(given: Iterable[Record]) -> Callable[[Source], Sequence[Step]]:
    """The steps that a manifest holds, for `degrade_folder`."""
    known = {one.source: one.steps for one in given if not one.problem}

    def steps(source: Source) -> Sequence[Step]:
        if source.name not in known:
            raise InputError(f"{source.name} is not in the manifest.")
        return known[source.name]

    return steps


def told(record: Record) -> str:
    """Why a picture failed, beginning with its name."""
    name = printable(record.source)
    return record.problem if record.problem.startswith(name) else f"{name}: {record.problem}"


def differences(before: Iterable[Record], after: Iterable[Record]) -> list[str]:
    """Pictures that did not come out as their manifest says, and why, a sentence each."""
    found = {one.source: one for one in after}
    sentences = []
    for old in before:
        new: Any = found.get(old.source)
        if old.problem:
            continue
        if new is None:
            sentences.append(f"{old.source} is missing")
        elif new.problem:
            sentences.append(told(new))
        elif new.sha256 != old.sha256:
            sentences.append(f"{old.source} is another picture than that of the manifest")
        elif [one.pixels for one in new.files] != [one.pixels for one in old.files]:
            sentences.append(f"{old.source} came out with other pixels")
    return sentences
