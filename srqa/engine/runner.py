"""Many metrics over many pictures: read, decode, protocol, metrics, on worker threads."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar

from srqa.engine.batches import Batches
from srqa.engine.cache import Cache, digest
from srqa.engine.compute import ItemResult, Work, compute_on_arrays, put
from srqa.engine.hashes import Content
from srqa.engine.plan import Plan
from srqa.engine.protocol import Prepared, fit, same_type
from srqa.engine.results import NOT_APPLICABLE, FileRow
from srqa.errors import ReadError, SrqaError
from srqa.files import printable
from srqa.images.layout import Item
from srqa.images.read import DecodePolicy, Picture, decode
from srqa.metrics.spec import MetricSpec
from srqa.threads import in_threads, tuned_process

T = TypeVar("T")


class PictureFile:
    """One file, hashed, and decoded only when somebody needs its pixels."""

    def __init__(
        self,
        role: Literal["output", "reference", "lr"],
        path: Path,
        name: str,
        policy: DecodePolicy,
        cache: Cache | None,
    ) -> None:
        self.role, self.path, self.name = role, path, name
        self._policy, self._cache = policy, cache
        self._content = Content(path, cache)
        self.sha256 = self._content.sha256
        self._key = digest("picture", self.sha256, policy.describe())
        self._picture: Picture | None = None

    @property
    def picture(self) -> Picture:
        """The decoded picture.

        Raises:
            ReadError: it cannot be decoded, or was changed since it was hashed.
        """
        if self._picture is None:
            self._picture = decode(self._content.take(), self.name, self._policy)
        return self._picture

    def row(self) -> FileRow:
        """The row of the table of files."""
        facts = self._cache.picture(self._key) if self._cache else None
        if facts is None:
            p = self.picture
            facts = {
                "width": p.width,
                "height": p.height,
                "channels": p.channels,
                "depth": p.depth,
                "format": p.format,
                "lossy": p.lossy,
                "notes": "; ".join(p.notes),
            }
            if self._cache:
                self._cache.put_picture(self._key, facts)
        return FileRow(
            self.role,
            self.name,
            printable(self.path.absolute().as_posix()),
            self.sha256,
            self._content.size,
            **facts,
        )


class _Unreadable:
    """Stands for a file that could not be read; says so whenever it is asked."""

    def __init__(self, error: SrqaError) -> None:
        self.problem = str(error)


def _open(
    role: Literal["output", "reference", "lr"],
    path: Path | None,
    name: str,
    plan: Plan,
    cache: Cache | None,
) -> PictureFile | _Unreadable | None:
    if path is None:
        return None
    try:
        file = PictureFile(role, path, name, plan.policy, cache)
        file.row()
    except SrqaError as error:
        return _Unreadable(error)
    except MemoryError:
        return _Unreadable(ReadError(_too_large(name)))
    return file


class Task:
    """All outputs of one reference, so that the reference is read, decoded and converted once."""

    def __init__(self, items: list[Item], plan: Plan, cache: Cache | None) -> None:
        self._items, self._plan, self._cache = items, plan, cache
        self._prepared: dict[object, Prepared] = {}

    def __call__(self) -> list[ItemResult | Work]:
        """Results that are finished, and work whose metrics are still to be computed."""
        first = self._items[0]
        reference = _open(
            "reference", first.reference, first.reference_name, self._plan, self._cache
        )
        outcomes = []
        for item in self._items:
            outcome = self._item(item, reference)
            outcomes.append(self._computed(outcome) if isinstance(outcome, Work) else outcome)
        return outcomes

    def _computed(self, work: Work) -> ItemResult | Work:
        """What this thread computes itself: all, or what is not for batches; of those the planes.

        On a CPU metrics are computed here, one picture a thread.
        """
        plan = self._plan
        together = [spec for spec in work.specs if plan.on_tensors and spec.batchable]
        alone = [spec for spec in work.specs if spec not in together]
        if alone:
            _import_packages(alone, plan.workers)
            own = work.only(alone)
            own.spent = () if together else self._spent(work)
            compute_on_arrays(own, plan, self._cache)
        if not together:
            return work.result
        try:
            for spec in together:
                crop = plan.protocol.crop_for(spec, work.result.item.scale)
                for picture in work.planes[spec.kind]:
                    picture.planes(spec, crop)
        except MemoryError:
            for spec in together:
                put(work.result, spec, _too_large(work.result.item.name))
            return work.result
        return work.only(together)

    def _spent(self, work: Work) -> tuple[Prepared, ...]:
        """Pictures whose planes go with this output: all, if no other has the same reference."""
        last = work.result.item is self._items[-1]
        kept = () if last else tuple(self._prepared.values())
        used = {picture for pictures in work.planes.values() for picture in pictures}
        return tuple(used.difference(kept))

    def _item(self, item: Item, reference: PictureFile | _Unreadable | None) -> ItemResult | Work:
        plan, cache = self._plan, self._cache
        result = ItemResult(item)
        output = _open("output", item.image, item.name, plan, cache)
        lr = _open("lr", item.lr, item.lr.name if item.lr else "", plan, cache)
        files = {"fr": reference, "lr": lr, "nr": output}
        result.files = [f.row() for f in (output, reference, lr) if isinstance(f, PictureFile)]
        keys: dict[str, bytes] = {}
        for spec in plan.computed:
            other = files[spec.kind]
            if isinstance(output, PictureFile) and isinstance(other, PictureFile):
                keys[spec.name] = plan.key(spec, item, (output.sha256, other.sha256))
            else:
                bad = output if isinstance(output, _Unreadable) else other
                put(result, spec, _lacking(bad, spec))
        known = cache.scores(keys.values()) if cache else {}
        result.scores |= {name: known[key] for name, key in keys.items() if key in known}
        todo = [s for s in plan.computed if s.name in keys and s.name not in result.scores]
        if not todo or not isinstance(output, PictureFile):
            return result
        return self._prepare(Work(result, todo, keys, {}), output, reference, lr)

    def _prepare(
        self,
        work: Work,
        output: PictureFile,
        reference: PictureFile | _Unreadable | None,
        lr: PictureFile | _Unreadable | None,
    ) -> ItemResult | Work:
        plan, item = self._plan, work.result.item
        try:
            own = Prepared(output.picture.pixels, plan.protocol)
            work.planes["nr"] = (own,)
            if isinstance(lr, PictureFile) and any(s.kind == "lr" for s in work.specs):
                work.planes["lr"] = (own, Prepared(lr.picture.pixels, plan.protocol))
            if isinstance(reference, PictureFile) and any(s.kind == "fr" for s in work.specs):
                a, b = fit(
                    output.picture, reference.picture, plan.protocol, item.scale, plan.mismatch
                )
                if plan.protocol.depth == "stored":
                    a, b = same_type(a, b)
                stored = output.picture.pixels
                whole = a.shape == stored.shape and a.dtype == stored.dtype
                cut = own if whole else Prepared(a, plan.protocol)
                work.planes["fr"] = (cut, self._reference(b))
        except SrqaError as error:
            problem = f"{error} {error.hint}".strip()
            for spec in [s for s in work.specs if s.kind not in work.planes]:
                put(work.result, spec, problem)
                work.specs.remove(spec)
        except MemoryError:
            for spec in work.specs:
                put(work.result, spec, _too_large(item.name))
            return work.result
        return work if work.specs else work.result

    def _reference(self, pixels: Any) -> Prepared:
        key = (*pixels.shape[:2], pixels.dtype)
        if key not in self._prepared:
            self._prepared[key] = Prepared(pixels, self._plan.protocol)
        return self._prepared[key]


def _too_large(name: str) -> str:
    return f"{name} is too large for this machine's memory."


def _lacking(file: object, spec: MetricSpec) -> str:
    if isinstance(file, _Unreadable):
        return file.problem
    needed = {"fr": "reference", "lr": "low-resolution input", "nr": "output"}[spec.kind]
    return f"{NOT_APPLICABLE}there is no {needed} for it"


def limit_torch_threads(workers: int) -> None:
    """For a worker thread: torch's kernels share the cores with the other workers."""
    if "torch" in sys.modules and workers > 1:
        import torch  # waits while another worker is still importing it

        torch.set_num_threads(1)


def _import_packages(specs: Iterable[MetricSpec], workers: int) -> None:
    """In a worker thread, before metrics are computed there: what they need, if it can be had."""
    names = {spec.provider.replace("-", "_") for spec in specs if spec.provider}
    if any(spec.features or spec.weights for spec in specs):
        names.add("torch")
    for name in names:
        with suppress(ImportError):  # the metric will say so
            import_module(name)
    limit_torch_threads(workers)


def run(
    items: Iterable[Item], plan: Plan, cache: Cache | None
) -> Generator[ItemResult, None, None]:
    """Evaluate items; results come as they are ready, in no particular order.

    At most twice as many references as there are workers are held at a time, however many items
    there are. Closing the generator, or an interruption, stops after the pictures in hand.
    """
    groups = by_reference(items)
    # Fewer workers share the memory, and each may use the other cores.
    cores = plan.workers
    plan = replace(plan, workers=max(min(cores, len(groups)), 1))
    tasks = (Task(group, plan, cache) for group in groups)
    batches = Batches(plan, cache) if plan.on_tensors else None
    maps = any(spec.features for spec in plan.computed)
    tuned = tuned_process(cores // plan.workers, maps=maps)
    with tuned, closing(in_threads(tasks, plan.workers)) as finished:
        for outcomes in finished:
            for outcome in outcomes:
                if isinstance(outcome, ItemResult):
                    yield outcome
                elif batches:
                    yield from batches.add(outcome)
        if batches:
            yield from batches.flush()


def by_reference(items: Iterable[Item]) -> list[list[Item]]:
    """Items in groups that share a reference; one without a reference is a group."""
    groups: dict[object, list[Item]] = defaultdict(list)
    for position, item in enumerate(items):
        groups[item.reference if item.reference else position].append(item)
    return list(groups.values())
