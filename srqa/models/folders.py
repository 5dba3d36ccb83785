"""Files of pictures through one model, one after the other, and what was made of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np

from srqa.errors import InputError, OutputError, SrqaError, WeightsError
from srqa.files import make_folder
from srqa.images.bands import Target, write_bands
from srqa.images.original import Original, decode_original
from srqa.images.read import read_bytes
from srqa.memory import forget_peak, peak
from srqa.models.naming import Job
from srqa.models.record import Enlargement, Record, sha256_of
from srqa.models.running import Array, Enlarger
from srqa.models.settings import Settings
from srqa.models.upscaler import Upscaler, enlarged

Progress = Callable[[int, int], None]
"""Called with what is done and all: tiles of one picture, or pictures where there are several."""


@dataclass(frozen=True, slots=True, eq=False)
class Upscaled:
    """What `upscale` made.

    Attributes:
        manifest: the file that says what was made and how.
        folder: in which it lies.
        settings: all that decided the results, as in the manifest.
        rows: a row a picture.
        notes: what users should know about the results.
        kept: how many results of before were still good.
        device: with what the first of them were made, in words.
    """

    manifest: Path
    folder: Path
    settings: dict[str, Any]
    rows: tuple[Enlargement, ...]
    notes: tuple[str, ...] = ()
    kept: int = 0
    device: str = ""

    @property
    def problems(self) -> tuple[Enlargement, ...]:
        """The pictures that have no result."""
        return tuple(row for row in self.rows if row.problem)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files that were written."""
        return tuple(self.folder / row.output for row in self.rows if not row.problem)

    @property
    def seconds_a_megapixel(self) -> float:
        """Of the results, while the model ran; NaN without any."""
        pixels = sum(row.output_size[0] * row.output_size[1] for row in self.rows)
        seconds = sum(row.seconds for row in self.rows)
        return seconds / pixels * 1e6 if pixels else float("nan")


class Work:
    """Pictures through one model, one after the other."""

    def __init__(
        self,
        upscaler: Upscaler,
        settings: Settings,
        kind: str,
        quality: int,
        progress: Progress | None,
    ) -> None:
        self._upscaler, self._settings = upscaler, settings
        self._kind, self._quality, self._progress = kind, quality, progress

    def through(
        self, jobs: Sequence[Job], record: Record, resume: bool, overwrite: bool
    ) -> Upscaled:
        """Enlarge all that is not done yet, and write the manifest.

        Raises:
            RunError: results are there already, or were made with other settings.
            OutputError: results cannot be written; what is finished is kept.
        """
        rows, kept = [], 0
        with record:
            done = record.start(resume, overwrite)
            settings = replace(self._settings, memory=record.chosen.get("memory"))
            enlarger = Enlarger(self._upscaler, settings)
            if not resume and not overwrite:
                _refuse_existing(jobs)
            several = len(jobs) > 1
            for at, job in enumerate(jobs):
                if several and self._progress:
                    self._progress(at, len(jobs))
                output = Path(os.path.relpath(job.target, record.manifest.parent)).as_posix()
                before = done.get(output)
                if before is not None and record.keeps(before, sha256_of(job.source)):
                    rows.append(before)
                    kept += 1
                    continue
                row = self._one(job, output, enlarger, None if several else self._progress)
                record.add(row)
                rows.append(row)
            if several and self._progress:
                self._progress(len(jobs), len(jobs))
            record.finish(rows)
        return Upscaled(
            record.manifest,
            record.manifest.parent,
            record.settings,
            tuple(rows),
            tuple(enlarger.notes),
            kept,
            str(record.chosen.get("device", "")),
        )

    def _one(
        self, job: Job, output: str, enlarger: Enlarger, progress: Progress | None
    ) -> Enlargement:
        row = Enlargement(job.name, output)
        try:
            data = read_bytes(job.source)
            row = replace(row, input_sha256=hashlib.sha256(data).hexdigest())
            original = decode_original(data, job.name)
            del data
            return self._written(row, job, original, enlarger, progress)
        except (OutputError, WeightsError):  # then no picture gets a result
            raise
        except SrqaError as error:
            sentence = str(error)
            told = sentence if job.name in sentence else f"{job.name}: {sentence}"
            return replace(row, problem=f"{told} {error.hint}".strip())
        except MemoryError:
            return replace(row, problem=f"{job.name} is too large for this machine's memory.")

    def _written(
        self,
        row: Enlargement,
        job: Job,
        original: Original,
        enlarger: Enlarger,
        progress: Progress | None,
    ) -> Enlargement:
        pixels, alpha, notes = self._fitting(original)
        height, width = pixels.shape[:2]
        target = Target(
            enlarged(height, enlarger.outscale),
            enlarged(width, enlarger.outscale),
            (1 if pixels.ndim == 2 else 3) + (alpha is not None),
            pixels.dtype,
            self._kind,
            self._quality,
            original.icc,
            original.exif,
        )
        target.check(job.name)
        make_folder(job.target.parent)
        for left_by_a_kill in job.target.parent.glob(f".{escape(job.target.name)}.*.tmp"):
            left_by_a_kill.unlink(missing_ok=True)
        seconds = enlarger.seconds
        forget_peak(self._settings.device)
        enlarger.through(
            lambda bands: write_bands(job.target, target, bands), pixels, alpha, progress
        )
        return replace(
            row,
            output_sha256=sha256_of(job.target),
            input_size=(width, height),
            output_size=(target.width, target.height),
            seconds=round(enlarger.seconds - seconds, 4),
            tile=enlarger.tile_for(height, width),
            dtype=enlarger.dtype,
            peak_memory=peak(self._settings.device),
            notes=tuple(notes),
        )

    def _fitting(self, original: Original) -> tuple[Array, Array | None, list[str]]:
        """Pixels and alpha at a depth that the format holds, and what was done."""
        pixels, alpha, notes = original.pixels, original.alpha, list(original.notes)
        if self._kind in ("jpg", "webp") and pixels.dtype == np.uint16:
            notes.append(f"16 bits rounded to the 8 of {self._kind}")
            pixels = _to_bytes(pixels)
            alpha = None if alpha is None else _to_bytes(alpha)
        if self._kind == "tiff" and original.exif:
            notes.append("EXIF left out: TIFF files are written without it")
        return pixels, alpha, notes


def _to_bytes(values: Array) -> Array:
    rounded: Array = ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return rounded


def _refuse_existing(jobs: Sequence[Job]) -> None:
    there = next((job.target for job in jobs if job.target.exists()), None)
    if there is not None:
        raise InputError(
            f"{there} exists already.", "--overwrite replaces it; or choose another --out."
        )
