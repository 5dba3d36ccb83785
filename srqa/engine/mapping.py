"""The work of `make_maps`: pictures of one reference after the other, on worker threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from srqa.engine.compute import brief, too_small
from srqa.engine.evaluate import Progress
from srqa.engine.mapfiles import Colours, Facts, Form, read_facts, write_map
from srqa.engine.plan import Plan
from srqa.engine.protocol import Prepared, fit, same_type
from srqa.engine.results import NOT_APPLICABLE
from srqa.engine.runner import (
    PictureFile,
    by_reference,
    limit_torch_threads,
)
from srqa.errors import NotApplicableError, OutputError, SrqaError, WeightsError
from srqa.images.layout import Item
from srqa.metrics import features
from srqa.metrics.maps import DifferenceMap
from srqa.threads import in_threads, tuned_process


@dataclass(frozen=True, slots=True)
class Style:
    """How values become files.

    Attributes:
        form: "colour" (PNG), "gray" (16-bit PNG, 0 to 65535 for 0 to the peak) or "float" (TIFF of
            the values).
        colours: the table of form "colour".
        peaks: the value at the end of the scale, by map, where it is not the map's own.
    """

    form: Form = "colour"
    colours: Colours = "inferno"
    peaks: Mapping[str, float] = field(default_factory=dict)

    def peak(self, one: DifferenceMap) -> float:
        """The end of the scale of a map, the same for all pictures."""
        return self.peaks.get(one.name, one.peak)


@dataclass(frozen=True, slots=True)
class MapFile:
    """One map: its file, or why there is none.

    Attributes:
        item: the output and its reference.
        map: what is shown.
        path: of the file, relative to the folder.
        facts: what the file says of itself; None if there is none.
        problem: why there is none; starts with `NOT_APPLICABLE` where nothing went wrong.
        made: it was written now, not found.
    """

    item: Item
    map: DifferenceMap
    path: Path
    facts: Facts | None
    problem: str = ""
    made: bool = True


_OF_RUNS = "mean of images"


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker needs."""

    out: Path
    maps: tuple[DifferenceMap, ...]
    plan: Plan
    style: Style
    targets: Mapping[tuple[Item, str], Path]
    resume: bool
    stop: threading.Event = field(default_factory=threading.Event)

    def facts(self, one: DifferenceMap, item: Item, inputs: tuple[str, str]) -> Facts:
        """All that is known of a map before it is made."""
        return Facts(
            map=one.name,
            signature=self.plan.signature(one.spec, item.scale).replace(_OF_RUNS, "map"),
            peak=self.style.peak(one),
            unit=one.unit,
            form=self.style.form,
            colours=self.style.colours if self.style.form == "colour" else "",
            inputs=inputs,
        )


def run_job(
    items: Sequence[Item], job: Job, progress: Progress | None
) -> dict[tuple[Item, str], MapFile]:
    groups = by_reference(items)
    workers = max(min(job.plan.workers, len(groups)), 1)
    job = replace(job, plan=replace(job.plan, workers=workers))
    found: dict[tuple[Item, str], MapFile] = {}
    done = 0
    if progress:
        progress(0, len(items))
    tasks: Iterator[_Group] = (_Group(group, job) for group in groups)
    with tuned_process(), closing(in_threads(tasks, workers)) as finished:
        try:
            for files in finished:
                found |= {(file.item, file.map.name): file for file in files}
                done += len({file.item for file in files})
                if progress:
                    progress(done, len(items))
        finally:
            job.stop.set()
    return found


class _Group:
    """All outputs of one reference, so that it is read, decoded and converted once."""

    def __init__(self, items: list[Item], job: Job) -> None:
        self._items, self._job = items, job
        self._reference: PictureFile | None = None
        self._prepared: dict[object, Prepared] = {}

    def __call__(self) -> list[MapFile]:
        found: list[MapFile] = []
        for item in self._items:
            if self._job.stop.is_set():
                break
            try:
                found += self._of_item(item)
            except (OutputError, WeightsError):  # then no picture gets a map
                raise
            except SrqaError as error:
                found += self._none(item, f"{error} {error.hint}".strip())
            except MemoryError:
                found += self._none(item, f"{item.name} is too large for this machine's memory.")
        return found

    def _none(self, item: Item, problem: str) -> list[MapFile]:
        return [self._lacking(item, one, problem) for one in self._job.maps]

    def _lacking(self, item: Item, one: DifferenceMap, problem: str) -> MapFile:
        return MapFile(item, one, self._job.targets[item, one.name], None, problem, made=False)

    def _of_item(self, item: Item) -> list[MapFile]:
        job, plan = self._job, self._job.plan
        if item.reference is None:
            return self._none(item, f"{NOT_APPLICABLE}there is no reference for it")
        if self._reference is None:
            self._reference = PictureFile(
                "reference", item.reference, item.reference_name, plan.policy, None
            )
        reference = self._reference
        output = PictureFile("output", item.image, item.name, plan.policy, None)
        inputs = (output.sha256, reference.sha256)
        files = {one.name: self._found(item, one, inputs) for one in job.maps}
        todo = [one for one in job.maps if files[one.name] is None]
        if todo:
            a, b = fit(output.picture, reference.picture, plan.protocol, item.scale, plan.mismatch)
            if plan.protocol.depth == "stored":
                a, b = same_type(a, b)
            pictures = Prepared(a, plan.protocol), self._of_reference(b)
            _import_torch(todo, plan.workers)
            with features.settings(memory=plan.memory, threads=plan.workers):
                files |= {one.name: self._make(item, one, inputs, pictures) for one in todo}
        return [file for file in files.values() if file]

    def _of_reference(self, pixels: np.ndarray[Any, Any]) -> Prepared:
        key = (*pixels.shape[:2], pixels.dtype)
        if key not in self._prepared:
            self._prepared[key] = Prepared(pixels, self._job.plan.protocol)
        return self._prepared[key]

    def _found(self, item: Item, one: DifferenceMap, inputs: tuple[str, str]) -> MapFile | None:
        """The map that an earlier call left, if it would be made the same again."""
        job = self._job
        path = job.targets[item, one.name]
        if not job.resume or not (job.out / path).exists():
            return None
        facts = read_facts(job.out / path)
        if facts is None or not facts.same_making(job.facts(one, item, inputs)):
            return None
        return MapFile(item, one, path, facts, made=False)

    def _make(
        self,
        item: Item,
        one: DifferenceMap,
        inputs: tuple[str, str],
        pictures: tuple[Prepared, Prepared],
    ) -> MapFile:
        job = self._job
        crop = job.plan.protocol.crop_for(one.spec, item.scale)
        problem = too_small(one.spec, pictures, crop)
        if problem:
            return self._lacking(item, one, problem)
        try:
            inner = one.function(*(p.planes(one.spec, crop) for p in pictures))
        except NotApplicableError as error:
            return self._lacking(item, one, f"{NOT_APPLICABLE}{error}")
        except SrqaError:
            raise
        except MemoryError:
            return self._lacking(item, one, f"{item.name} is too large for this machine's memory.")
        except Exception as error:  # another package's; the other maps go on
            return self._lacking(item, one, f"{one.name} failed on {item.name}: {brief(error)}")
        values = np.full(pictures[0].size, np.nan, np.float32)
        height, width = values.shape
        values[crop : height - crop, crop : width - crop] = inner
        facts = _measured(values, job.facts(one, item, inputs))
        path = job.targets[item, one.name]
        write_map(job.out / path, values, facts)
        return MapFile(item, one, path, facts)


def _import_torch(wanted: Sequence[DifferenceMap], workers: int) -> None:
    if any(one.spec.features or one.spec.provider for one in wanted):
        import torch  # noqa: F401

        limit_torch_threads(workers)


def _measured(values: np.ndarray[Any, Any], facts: Facts) -> Facts:
    known = values[~np.isnan(values)]
    return replace(
        facts,
        mean=float(known.mean(dtype=np.float64)),
        high=float(np.percentile(known, 99.5)),
        beyond=float((known > facts.peak).mean()),
    )
