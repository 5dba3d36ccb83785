"""`evaluate`: from folders of pictures to a Run."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import srqa
from srqa.devices import available_cores, choose_device
from srqa.engine import fusing, sets
from srqa.engine.cache import Cache
from srqa.engine.choice import Fetching, check_installed, choose_metrics, with_weights
from srqa.engine.compute import ItemResult
from srqa.engine.given import match, read_numbers
from srqa.engine.journal import Journal
from srqa.engine.manifest import assemble
from srqa.engine.plan import Dtype, Plan, with_scales
from srqa.engine.protocol import Mismatch, Protocol, at_depth
from srqa.engine.results import Run
from srqa.engine.runner import run
from srqa.engine.storage import JOURNAL, MANIFEST, read_manifest
from srqa.errors import RunError, UsageError
from srqa.files import make_folder, printable
from srqa.images.layout import Collection, Item, collect
from srqa.images.read import DecodePolicy
from srqa.memory import free, parse
from srqa.metrics import licences
from srqa.weights.sources import network_forbidden

Progress = Callable[[int, int], None]
"""Called with the number of pictures that are done and the number of all."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a Run is written.

    Attributes:
        folder: the Run's folder.
        resume: take up what an interrupted evaluation left there.
        overwrite: replace a Run that is there.
    """

    folder: Path
    resume: bool = False
    overwrite: bool = False

    def check(self) -> None:
        """Refuse to write over a Run unless that was asked for.

        Raises:
            RunError: a Run is there already.
        """
        if self.resume or self.overwrite:
            return
        if (self.folder / JOURNAL).exists():
            raise RunError(
                f"{self.folder} holds an interrupted Run.",
                hint="--resume goes on with it, --overwrite begins anew.",
            )
        if (self.folder / MANIFEST).exists():
            raise RunError(
                f"{self.folder} holds a Run already.",
                hint="Choose another --out, or --overwrite to replace it.",
            )


def evaluate(
    outputs: Path | str | Sequence[Path | str],
    ref: Path | str | None = None,
    *,
    metrics: Sequence[str] | str | None = None,
    scale: float | None = None,
    lr: Path | str | None = None,
    protocol: str | Protocol = "sr",
    layout: str | None = None,
    reference_layout: str | None = None,
    pair: str = "auto",
    on_missing: Literal["error", "skip"] = "error",
    on_mismatch: Mismatch = "error",
    policy: DecodePolicy | None = None,
    depth: Literal[8, 16] | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    memory: str | int | None = None,
    dtype: Dtype = "float32",
    ma: Path | str | None = None,
    offline: bool = False,
    accept_licence: bool = False,
    cache: bool = True,
    rehash: bool = False,
    out: Path | str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    fetching: Fetching | None = None,
    command: str = "",
) -> Run:
    """Compute metrics of super-resolved pictures.

    Args:
        outputs: a folder (of pictures, of methods, of datasets), several folders, or files.
        ref: the references, laid out alike; without it only no-reference metrics run.
        metrics: names, as a list or with commas between; `DEFAULT_METRICS` when not said.
        scale: the factor of super-resolution, which decides the border that is cut.
        lr: the low-resolution inputs, for metrics of kind "lr".
        protocol: a name, a TOML file, or a `Protocol`.
        layout: where method, dataset, content and scale stand in an output's path, for example
            ``"{method}/{dataset}/{content}_x{scale}.png"``; inferred when not said.
        reference_layout: the same for references.
        pair: the rule that pairs outputs with references, see ``srqa pairs --help``.
        on_missing: "skip" goes on without pictures that lack a partner.
        on_mismatch: "modcrop" or "crop" cuts pictures whose sizes differ; nothing is ever resized.
        policy: how alpha channels and colour profiles are treated.
        depth: 8 rounds every picture to 8 bits, 16 compares what is stored; as the protocol says
            when not given.
        device: "auto" (a GPU if there is one), "cpu", "cuda" or "cuda:N".
        batch_size: pictures computed together; on a CPU one by one is faster.
        workers: threads; as many as there are cores when not said.
        memory: what the maps of networks may take ("8GB", or bytes); half of what is free when
            not said. Larger pictures are computed tile by tile.
        dtype: in which networks compute; "bfloat16" is quicker and marked in the signature.
        ma: a CSV file with the columns image and ma: the Ma scores, for `pi`.
        offline: fetch no weights.
        accept_licence: use metrics whose code or weights forbid commercial use.
        cache: use and fill the user's cache of scores.
        rehash: read and hash every file; else those whose size, inode and times are as they were
            are taken for unchanged.
        out: folder for the Run.
        resume: go on with an interrupted Run in `out`.
        overwrite: replace a Run in `out`.
        progress: called after each picture with (done, all).
        fetching: called with (what, bytes done, bytes in all or None) while weights are fetched.
        command: recorded in the manifest.

    Returns:
        The Run. Pictures that failed are rows with a `problem`; the others are scored.

    Raises:
        UsageError: an unknown metric or protocol, or options that contradict each other.
        PairingError: outputs and references do not fit together.
        WeightsError: the weights of a metric that was asked for cannot be had.
        RunError, OutputError: `out` cannot be used.

    Example:
        >>> import srqa  # doctest: +SKIP
        >>> srqa.evaluate("outputs", "hr", scale=4).summary  # doctest: +SKIP
    """
    if (resume or overwrite) and out is None:
        raise UsageError("--resume and --overwrite need --out FOLDER.")
    if resume and overwrite:
        raise UsageError("--resume and --overwrite contradict each other.")
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise UsageError(f"The scale must be a positive number, not {scale}.")
    if isinstance(outputs, str | Path):
        outputs = [outputs]
    specs = fusing.with_parts(
        choose_metrics(
            metrics, reference=ref is not None, lr=lr is not None, given=("ma",) if ma else ()
        )
    )
    licences.check_accepted(specs, accept_licence)
    check_installed(specs)
    numbers = {"ma": read_numbers(Path(ma), "ma")} if ma else {}
    target = choose_device(device)
    plan = Plan(
        metrics=specs,
        protocol=at_depth(protocol, depth),
        policy=policy or DecodePolicy(),
        mismatch=on_mismatch,
        device=target,
        batch_size=_positive("--batch-size", batch_size) or (1 if target == "cpu" else 16),
        workers=_positive("--workers", workers) or available_cores(),
        version=srqa.__version__,
        dtype=dtype,
        memory=_allowance(memory, target),
    )
    collection = collect(
        list(outputs),
        ref,
        lr=lr,
        layout=layout,
        reference_layout=reference_layout,
        pair=pair,
        scale=float(scale) if scale is not None else None,
        on_missing=on_missing,
    )
    items = [printable_names(item) for item in with_scales(collection.items)]
    plan = replace(plan, given={name: match(table, items) for name, table in numbers.items()})
    output = Output(Path(out), resume, overwrite) if out is not None else None
    kept = partial(Cache, rehash=rehash) if cache else None
    with network_forbidden(offline):
        specs, left_out = with_weights(specs, asked_for=bool(metrics), progress=fetching)
        plan = replace(plan, metrics=specs)
        return _computed(items, plan, collection, left_out, output, kept, progress, command)


def _computed(
    items: Sequence[Item],
    plan: Plan,
    collection: Collection,
    notes: list[str],
    output: Output | None,
    kept: Callable[[], Cache] | None,
    progress: Progress | None,
    command: str,
) -> Run:
    """The Run, written if there is an output; what was done so far is kept there meanwhile."""
    started = datetime.datetime.now(datetime.UTC)
    with _journal(output, plan) as journal:
        if output:
            output.check()
        resume = output is not None and output.resume
        results, whole, problems = _results(items, plan, journal, resume, kept, progress)
        fusing.complete(results, plan)
        made = assemble(items, results, whole, plan, collection, [*notes, *problems])
        made.manifest |= {
            "command": command,
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        if output and journal:
            made.save(output.folder)
            journal.remove()
    return made


def _journal(output: Output | None, plan: Plan) -> AbstractContextManager[Journal | None]:
    if output is None:
        return nullcontext()
    make_folder(output.folder)
    return Journal(output.folder, plan.settings())


def printable_names(item: Item) -> Item:
    """The item with names that can be written and printed."""
    return replace(
        item,
        dataset=printable(item.dataset),
        content=printable(item.content),
        method=printable(item.method),
        name=printable(item.name),
        reference_name=printable(item.reference_name),
    )


def _positive(option: str, number: int | None) -> int | None:
    if number is not None and number < 1:
        raise UsageError(f"{option} must be at least 1, not {number}.")
    return number


def _allowance(memory: str | int | None, device: str) -> int:
    """Bytes for the maps of networks: what was said, else half of what is free."""
    return free(device) // 2 if memory is None else parse(memory)


def _results(
    items: Sequence[Item],
    plan: Plan,
    journal: Journal | None,
    resume: bool,
    kept: Callable[[], Cache] | None,
    progress: Progress | None,
) -> tuple[dict[Item, ItemResult], list[sets.SetResult], list[str]]:
    """Results by item and of whole sets, and what went wrong with the cache.

    Finished ones come from the journal.
    """
    results: dict[Item, ItemResult] = {}
    if journal:
        results = _resumed(journal, items, plan) if resume else {}
        journal.start(results.values())
    cache = kept() if kept else None
    todo = [item for item in items if item not in results]
    total, done = len(items) + sets.work(items, plan), len(results)

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, total)

    whole = []
    with ExitStack() as stack:
        if cache:
            stack.callback(cache.close)
        advance(0)
        running = run(todo, plan, cache)
        stack.callback(running.close)
        for result in running:
            results[result.item] = result
            if journal:
                journal.add(result)
            advance(1)
        known = sets.Known(journal.sets if journal else {}, cache)
        second = sets.run_sets(items, results, plan, known, advance)
        stack.callback(second.close)
        for of_set in second:
            whole.append(of_set)
            if journal and of_set.score.lasting:
                journal.add_set(of_set.key.hex(), of_set.score)
    return results, whole, [cache.problem] if cache and cache.problem else []


def _resumed(journal: Journal, items: Sequence[Item], plan: Plan) -> dict[Item, ItemResult]:
    before = read_manifest(journal.path.parent)
    if before is not None and before.get("settings") != plan.settings():
        raise RunError(
            f"The Run in {journal.path.parent} is complete and was made with other settings.",
            hint="Choose another --out, or --overwrite to replace it.",
        )
    names = {spec.name for spec in plan.computed}
    return {k: v for k, v in journal.read(items).items() if set(v.scores) == names}
