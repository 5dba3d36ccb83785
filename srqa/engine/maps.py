"""`make_maps`: from folders of pictures to files that show where they differ."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import srqa
from srqa.devices import available_cores
from srqa.engine.choice import Fetching, check_installed, with_weights
from srqa.engine.evaluate import Progress, printable_names
from srqa.engine.mapfiles import SUFFIXES, Facts, paths, read_facts
from srqa.engine.mapping import Job, MapFile, Style, run_job
from srqa.engine.plan import Plan, with_scales
from srqa.engine.protocol import Mismatch, Protocol, at_depth
from srqa.engine.results import NOT_APPLICABLE
from srqa.errors import OutputError, UsageError
from srqa.files import make_folder
from srqa.images.collection import some
from srqa.images.layout import Collection, Item, collect
from srqa.images.read import DecodePolicy
from srqa.memory import free, parse
from srqa.metrics import maps
from srqa.metrics.maps import DifferenceMap
from srqa.weights.sources import network_forbidden

DEFAULT_MAPS = ("error", "ssim-y", "lpips")
"""Those whose weights cannot be had are left out."""


@dataclass(frozen=True, slots=True)
class MapSet:
    """All maps of a folder, in the order of the pictures and of the maps asked for."""

    folder: Path
    files: tuple[MapFile, ...]
    maps: tuple[DifferenceMap, ...]
    plan: Plan
    style: Style
    collection: Collection
    notes: tuple[str, ...]

    @property
    def failed(self) -> list[MapFile]:
        """Maps that could not be made because something is wrong with a picture."""
        return [f for f in self.files if f.problem and not f.problem.startswith(NOT_APPLICABLE)]


def make_maps(
    outputs: Sequence[Path | str],
    ref: Path | str,
    out: Path | str,
    *,
    names: Sequence[str] | str | None = None,
    style: Style | None = None,
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
    workers: int | None = None,
    memory: str | int | None = None,
    offline: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    fetching: Fetching | None = None,
) -> MapSet:
    """Write maps of where outputs differ from their references.

    Pictures are found, paired, decoded and cut as by `evaluate`, so the mean of a map is the
    metric's value of a Run with the same options. Each file is written whole or not at all, and
    says in its metadata what it is.

    Args:
        outputs: folders or files, as for `evaluate`.
        ref: the references.
        out: folder; maps become ``METHOD/[DATASET/]CONTENT_MAP.png`` in it.
        names: of maps, as a list or with commas between; `DEFAULT_MAPS` when not said.
        style: how values become files.
        scale, lr, protocol, layout, reference_layout, pair, on_missing, on_mismatch, policy,
            depth, workers, memory, offline: as for `evaluate`.
        resume: leave maps that are there and would be made the same.
        overwrite: replace files that are there.
        progress: called with (pictures done, all).
        fetching: called with (what, bytes done, bytes in all or None) while weights are fetched.

    Returns:
        What was made, and what could not be.

    Raises:
        UsageError: an unknown map or protocol, or options that contradict each other.
        PairingError: outputs and references do not fit together.
        WeightsError: the weights of a map that was asked for cannot be had.
        OutputError: `out` cannot be used, or holds files already.
    """
    style, out = style or Style(), Path(out)
    wanted = _chosen(names, style)
    if resume and overwrite:
        raise UsageError("--resume and --overwrite contradict each other.")
    _check_place(out, [*outputs, ref])
    plan = Plan(
        metrics=tuple(one.spec for one in wanted),
        protocol=at_depth(protocol, depth),
        policy=policy or DecodePolicy(),
        mismatch=on_mismatch,
        device="cpu",
        batch_size=1,
        workers=workers or available_cores(),
        version=srqa.__version__,
        memory=free("cpu") // 2 if memory is None else parse(memory),
    )
    collection = collect(
        list(outputs),
        ref,
        lr=lr,
        layout=layout,
        reference_layout=reference_layout,
        pair=pair,
        scale=scale,
        on_missing=on_missing,
    )
    items = [printable_names(item) for item in with_scales(collection.items)]
    with network_forbidden(offline):
        kept, left_out = with_weights(plan.metrics, asked_for=bool(names), progress=fetching)
        plan = replace(plan, metrics=kept)
        wanted = tuple(one for one in wanted if one.spec in kept)
        places = paths(items, [one.name for one in wanted], SUFFIXES[style.form])
        targets = {key: Path(place) for key, place in places.items()}
        make_folder(out)
        _check_files(out, list(targets.values()), resume, overwrite)
        job = Job(out, wanted, plan, style, targets, resume)
        found = run_job(items, job, progress)
    files = tuple(found[item, one.name] for item in items for one in wanted)
    notes = (*collection.notes, *left_out, *_scale_unknown(items, plan), *_dull(files, style))
    return MapSet(out, files, wanted, plan, style, replace(collection, items=tuple(items)), notes)


def _chosen(names: Sequence[str] | str | None, style: Style) -> tuple[DifferenceMap, ...]:
    wanted = names.split(",") if isinstance(names, str) else list(names or DEFAULT_MAPS)
    if not all(name.strip() for name in wanted):
        raise UsageError("The list of maps has an empty name.", hint="Write it as -m error,ssim-y.")
    chosen = tuple({one.name: one for one in map(maps.get, wanted)}.values())
    for name, peak in style.peaks.items():
        if name not in {one.name for one in chosen}:
            raise UsageError(f"--peak names {name}, which is not among the maps.")
        if not (math.isfinite(peak) and peak > 0):
            raise UsageError(f"The peak of {name} must be a positive number, not {peak:g}.")
    check_installed([one.spec for one in chosen])
    return chosen


def _check_place(out: Path, sources: Sequence[Path | str]) -> None:
    """Refuse a folder that would be searched for outputs the next time."""
    place = out.absolute().resolve()
    for source in map(Path, sources):
        folder = source.absolute().resolve()
        if source.is_dir() and (folder == place or folder in place.parents):
            raise UsageError(
                f"--out {out} lies inside {source}, where maps would be taken for pictures.",
                hint="Choose a folder beside it.",
            )


def _check_files(out: Path, targets: Sequence[Path], resume: bool, overwrite: bool) -> None:
    """Refuse to write over files unless that was asked for.

    Raises:
        OutputError: there are some; with `resume`, only those that are no maps count.
    """
    there = [path for path in targets if (out / path).exists()] if not overwrite else []
    if resume:
        there = [path for path in there if read_facts(out / path) is None]
    if there:
        names = some([path.as_posix() for path in there])
        verb = "is" if len(there) == 1 else "are"
        what = "no map of srqa's" if resume else "there already"
        raise OutputError(
            f"{out} holds {names}, which {verb} {what}.",
            hint="Choose another --out, or --overwrite to replace files"
            + ("." if resume else "; --resume makes only what is missing."),
        )


def _scale_unknown(items: Sequence[Item], plan: Plan) -> list[str]:
    """As a Run would note it: the border is not cut where the scale is not known."""
    cut = [spec.name for spec in plan.metrics if spec.crop == "protocol"]
    if plan.protocol.crop != "scale" or not cut or all(item.scale for item in items):
        return []
    return [f"The scale is not known, so {' and '.join(cut)} cut no border; --scale N says it."]


def _dull(files: Sequence[MapFile], style: Style) -> list[str]:
    """Which scales suit these pictures badly, and which would suit them."""
    if style.form == "float":
        return []
    by_map: dict[str, list[Facts]] = defaultdict(list)
    for file in files:
        if file.facts:
            by_map[file.map.name].append(file.facts)
    notes = []
    for name, facts in by_map.items():
        peak, high = facts[0].peak, max(one.high for one in facts)
        beyond = sum(one.beyond for one in facts) / len(facts)
        if beyond > _MUCH_BEYOND:
            notes.append(
                f"{name}: {beyond:.0%} of the pixels lie beyond the end of the scale, {peak:g}; "
                f"--peak {name}={_round(high):g} tells them apart."
            )
        elif 0 < high < peak * _DARK:
            notes.append(
                f"{name}: nearly all values are below {high:.3g}, far from the end of the scale, "
                f"{peak:g}; --peak {name}={_round(high):g} shows more."
            )
    return notes


_MUCH_BEYOND, _DARK = 0.05, 0.2


def _round(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)
