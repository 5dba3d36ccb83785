"""Metrics of whole sets: a second pass over the pictures, after the scores of single images.

One value belongs to all outputs of a dataset, scale and method. Samples of each picture (features
of its patches) are gathered on worker threads; only samples are held, never the pictures, and
references' samples serve all methods of their dataset.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np

from srqa.engine.cache import Cache, CachedScore, digest
from srqa.engine.compute import ItemResult, brief
from srqa.engine.plan import Plan
from srqa.engine.protocol import Prepared, fit, same_type
from srqa.engine.results import NOT_APPLICABLE, Score, SetScore, Summary
from srqa.engine.runner import PictureFile, limit_torch_threads
from srqa.errors import (
    InputError,
    MissingPackageError,
    NotApplicableError,
    SrqaError,
    WeightsError,
)
from srqa.images.layout import Item
from srqa.metrics import features
from srqa.metrics.spec import MetricSpec
from srqa.threads import tuned_process

Group: TypeAlias = tuple[str, float | None, str]
"""Dataset, scale, method."""
_Samples: TypeAlias = "np.ndarray[Any, Any]"
_Gathered: TypeAlias = "dict[Any, tuple[_Samples, _Samples]]"
"""Samples of an output and of its reference, by the function that took them."""
_FIELDS = ("value", "low", "high", "n")


@dataclass(frozen=True, slots=True)
class SetResult:
    """The value of one metric for one method's outputs of a dataset at a scale."""

    group: Group
    metric: str
    score: SetScore
    key: bytes

    def row(self, spec: MetricSpec) -> Score:
        """The row of the table of scores."""
        dataset, scale, method = self.group
        score = self.score
        return Score(
            dataset, "", scale, method, "", "", self.metric, "set",
            score.value, spec.unit, score.seconds, score.problem,
        )  # fmt: skip

    def summary(self, signature: str) -> Summary:
        """The row of the summary: the value stands in the place of the mean."""
        dataset, scale, method = self.group
        score, nan = self.score, math.nan
        return Summary(
            dataset, scale, method, self.metric, score.value, score.low, score.high,
            nan, nan, nan, nan, score.n, 0, int(not score.lasting), signature,
        )  # fmt: skip


class Known:
    """Values that were computed before: of the interrupted Run first, then of the user's cache."""

    def __init__(self, resumed: Mapping[str, SetScore], cache: Cache | None) -> None:
        self._resumed, self._cache = resumed, cache

    def find(self, key: bytes) -> SetScore | None:
        """The value of a set, if it is known."""
        if found := self._resumed.get(key.hex()):
            return found
        if self._cache is None:
            return None
        keys = _keys(key)
        rows = self._cache.scores(keys.values())
        if len(rows) < len(keys):
            return None
        numbers = {name: rows[part].value for name, part in keys.items()}
        first = rows[keys["value"]]
        return SetScore(
            numbers["value"], numbers["low"], numbers["high"], int(numbers["n"]),
            first.problem, first.seconds,
        )  # fmt: skip

    def keep(self, key: bytes, score: SetScore) -> None:
        """Remember a value unless it may be otherwise next time."""
        if self._cache is None or not score.lasting:
            return
        for name, part in _keys(key).items():
            number = float(getattr(score, name))
            self._cache.put_score(part, CachedScore(number, score.problem, score.seconds))


def _keys(key: bytes) -> dict[str, bytes]:
    return {name: digest(key.hex(), name) for name in _FIELDS}


def work(items: Sequence[Item], plan: Plan) -> int:
    """How many pictures the second pass has to look at."""
    return len(items) if plan.per_set else 0


def run_sets(
    items: Sequence[Item],
    results: Mapping[Item, ItemResult],
    plan: Plan,
    known: Known,
    advance: Callable[[int], None],
) -> Generator[SetResult, None, None]:
    """The values of all metrics of level "set".

    Args:
        items: all outputs.
        results: what the first pass found, for the files' hashes.
        plan: everything that decides a number.
        known: values that need not be computed again.
        advance: called with the number of pictures that are done with.

    Raises:
        WeightsError, MissingPackageError: no picture can get samples.
    """
    if not plan.per_set:
        return
    ordered = sorted(items, key=lambda i: (i.dataset, i.scale or 0.0))
    executor = ThreadPoolExecutor(
        plan.workers, "srqa-set", initializer=limit_torch_threads, initargs=(plan.workers,)
    )
    with tuned_process():
        try:
            for _, together in groupby(ordered, key=lambda i: (i.dataset, i.scale)):
                pass_ = _Pass(plan, results, executor, advance)
                members = list(together)
                for method in dict.fromkeys(item.method for item in members):
                    own = [item for item in members if item.method == method]
                    yield from pass_.method(sorted(own, key=lambda i: (i.content, i.name)), known)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


class _Pass:
    """The sets of one dataset at one scale, method by method."""

    def __init__(
        self,
        plan: Plan,
        results: Mapping[Item, ItemResult],
        executor: ThreadPoolExecutor,
        advance: Callable[[int], None],
    ) -> None:
        self._plan, self._results = plan, results
        self._executor, self._advance = executor, advance
        self._references: dict[Any, _Samples] = {}
        self._lock = threading.Lock()

    def method(self, items: list[Item], known: Known) -> Iterator[SetResult]:
        """The values of one method."""
        plan = self._plan
        group = (items[0].dataset, items[0].scale, items[0].method)
        hashes = [self._hashes(item) for item in items]
        keys = {spec.name: plan.key(spec, items[0], ["set", str(hashes)]) for spec in plan.per_set}
        found = {spec.name: known.find(keys[spec.name]) for spec in plan.per_set}
        todo = [spec for spec in plan.per_set if found[spec.name] is None]
        if todo:
            found |= self._compute(items, todo)
        else:
            self._advance(len(items))
        for spec in plan.per_set:
            score = found[spec.name]
            if score is not None:
                known.keep(keys[spec.name], score)
                yield SetResult(group, spec.name, score, keys[spec.name])

    def _hashes(self, item: Item) -> tuple[str, str]:
        """The sha256 of output and reference as the first pass saw them; empty if unreadable."""
        rows = {row.role: row.sha256 for row in self._results[item].files}
        return rows.get("output", ""), rows.get("reference", "")

    def _compute(self, items: list[Item], specs: list[MetricSpec]) -> dict[str, SetScore]:
        start = time.perf_counter()
        if any(spec.features or spec.provider for spec in specs):
            with suppress(ImportError):  # the metric will say so; threads must not race for it
                import_module("torch")
        gathered, problem = self._gather_all(items, specs)
        share = (time.perf_counter() - start) / len(specs)
        return {spec.name: _value(spec, gathered, problem, share) for spec in specs}

    def _gather_all(
        self, items: list[Item], specs: list[MetricSpec]
    ) -> tuple[list[_Gathered], str]:
        """Samples of all pictures in order, or why there are none."""
        made: dict[int, _Gathered] = {}
        waiting = iter(enumerate(items))
        running: dict[Future[_Gathered], int] = {}
        done = 0
        try:
            while True:
                while len(running) < 2 * self._plan.workers and (one := next(waiting, None)):
                    running[self._executor.submit(self._gather, one[1], specs)] = one[0]
                if not running:
                    return [made[i] for i in range(len(items))], ""
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    place = running.pop(future)
                    try:
                        made[place] = future.result()
                    except (WeightsError, MissingPackageError):  # then no picture has samples
                        raise
                    except Exception as error:  # a metric, maybe a user's own, stops no other
                        self._advance(len(items) - done)
                        return [], _without(items[place], error)
                    done += 1
                    self._advance(1)
        finally:
            for future in running:
                future.cancel()

    def _gather(self, item: Item, specs: list[MetricSpec]) -> _Gathered:
        """Samples of one output and its reference, cut and rounded as the protocol says."""
        plan = self._plan
        output, reference = self._open(item)
        a, b = fit(output.picture, reference.picture, plan.protocol, item.scale, plan.mismatch)
        if plan.protocol.depth == "stored":
            a, b = same_type(a, b)
        own, other = Prepared(a, plan.protocol), Prepared(b, plan.protocol)
        found: _Gathered = {}
        for spec in specs:
            take = spec.gather
            if take is None or take in found:
                continue
            crop = plan.protocol.crop_for(spec, item.scale)
            key = (take, reference.sha256, b.shape, b.dtype, crop)
            with features.settings(memory=plan.memory, threads=plan.workers, dtype=plan.dtype):
                with self._lock:
                    samples = self._references.get(key)
                if samples is None:
                    samples = take(self._placed(other.planes(spec, crop)))
                    with self._lock:
                        self._references[key] = samples
                found[take] = (take(self._placed(own.planes(spec, crop))), samples)
        return found

    def _open(self, item: Item) -> tuple[PictureFile, PictureFile]:
        if item.reference is None:
            raise InputError("there is no reference for it")
        policy = self._plan.policy
        output = PictureFile("output", item.image, item.name, policy, None)
        reference = PictureFile("reference", item.reference, item.reference_name, policy, None)
        for file, before in zip((output, reference), self._hashes(item), strict=True):
            if before and file.sha256 != before:
                raise InputError(f"{file.name} was changed while it was being evaluated")
        return output, reference

    def _placed(self, planes: np.ndarray[Any, Any]) -> Any:
        if self._plan.device == "cpu":
            return planes
        import torch

        return torch.from_numpy(np.ascontiguousarray(planes))[None].to(self._plan.device)


def _without(item: Item, error: Exception) -> str:
    """Why a set has no value, where one of its pictures is missing."""
    if isinstance(error, MemoryError):
        said = f"{item.name} is too large for this machine's memory"
    elif isinstance(error, SrqaError):
        said = str(error).strip().rstrip(".")
        said = said if item.name in said else f"{item.name}: {said}"
    else:
        said = f"{item.name}: {brief(error)}"
    return f"{said}; the set without it would be another set."


def _value(spec: MetricSpec, gathered: list[_Gathered], problem: str, seconds: float) -> SetScore:
    """The value of one metric from the samples of all pictures."""
    nan, start = math.nan, time.perf_counter()
    value, low, high, n = nan, nan, nan, 0
    if not problem:
        try:
            pairs = [found[spec.gather] for found in gathered]
            value, low, high, n = spec.function([p[0] for p in pairs], [p[1] for p in pairs])
        except NotApplicableError as error:
            problem = f"{NOT_APPLICABLE}{error}"
        except MemoryError:
            problem = f"The set is too large for {spec.name} and this machine's memory."
        except Exception as error:  # a metric, maybe a user's own, must not stop the others
            problem = f"{spec.name} failed: {brief(error)}"
        if not problem and math.isnan(value):
            problem = f"{spec.name} gave no number (NaN)."
    taken = seconds + time.perf_counter() - start
    return SetScore(float(value), float(low), float(high), int(n), problem, taken)


def rows(
    found: Iterable[SetResult], plan: Plan
) -> tuple[list[Score], list[Summary], list[dict[str, Any]]]:
    """Rows of scores and of the summary, and the manifest's entries of signatures."""
    specs = {spec.name: spec for spec in plan.per_set}
    scores, summary = [], []
    signatures: dict[tuple[str, float | None, str], None] = {}
    for result in found:
        spec, scale = specs[result.metric], result.group[1]
        signature = plan.signature(spec, scale, result.score.n)
        scores.append(result.row(spec))
        summary.append(result.summary(signature))
        signatures[result.metric, scale, signature] = None
    entries = [{"metric": m, "scale": s, "signature": text} for m, s, text in signatures]
    return scores, summary, entries


def warnings(items: Iterable[Item], results: Mapping[Item, ItemResult], plan: Plan) -> list[str]:
    """A sentence for each metric to which some pictures add nothing, being too small."""
    sides = [
        min(row.width, row.height)
        for item in items
        for row in results[item].files
        if row.role == "output"
    ]
    names: dict[int, list[str]] = {}
    for spec in plan.per_set:
        names.setdefault(spec.min_side, []).append(spec.name)
    found = []
    for side, metrics in names.items():
        small = sum(s < side for s in sides)
        if small:
            found.append(
                f"{small} of {len(sides)} outputs are smaller than {side} pixels a side and add "
                f"nothing to {' and '.join(metrics)}."
            )
    return found
