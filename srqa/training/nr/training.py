"""`train`: from a folder of photographs to a head for srqa-nr, to be taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import srqa
import srqa.weights
from srqa.devices import available_cores
from srqa.errors import InputError, UsageError
from srqa.files import make_folder, write_text
from srqa.metrics import registry
from srqa.models.cards import card
from srqa.threads import in_threads, tuned_process
from srqa.training.nr.fitting import DECAYS, Judged, Problem, Progress, cross_validate
from srqa.training.nr.outputs import NETWORKS, SLOW
from srqa.training.nr.places import Place, find_places
from srqa.training.nr.report import PURPOSE, figures
from srqa.training.nr.samples import MEASURES, Samples, make
from srqa.training.nr.store import RECIPE, Store

PLACES = 420
"""Crops that the samples are made from."""
QUICK_PLACES = 6
"""The same where all is only tried out."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it.

    Attributes:
        head: the file.
        card: beside it, what it was made of and how well it does, as JSON.
        figures: see `srqa.training.nr.report.figures`.
        notes: what users should know.
    """

    head: Path
    card: Path
    figures: dict[str, Any]
    notes: tuple[str, ...]


def train(
    folder: Path,
    out: Path,
    *,
    data: Path | None = None,
    places: int | None = None,
    seed: int = 0,
    quick: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    fetching: Any = None,
) -> Trained:
    """Train a head.

    Samples are made place by place into the folder `data`; what is there already is not made again.
    Which weights, labels and folds come of photographs is settled by the seed: the same head, as
    far as this machine's arithmetic is the other's.

    Args:
        folder: of photographs.
        out: the head's file, ``*.safetensors``; a card lies beside it as ``*.json``.
        data: folder for samples; ``NAME.data`` beside `out` when not said.
        places: how many crops; 420, or 6 where it is only tried out.
        seed: settles all chance.
        quick: only to try the whole out: few places, quick methods.
        workers: threads that make samples; as many as there are cores when not said.
        progress: called with (what, how much is done, of how much).
        fetching: called while weights are fetched, see `srqa.weights.pull`.

    Returns:
        Where it is, and how well it does by cross-validation.

    Raises:
        UsageError: an `out` of another suffix.
        PairingError, ReadError, InputError: the photographs are none, broken, too small, or one.
        RunError: `data` holds samples made otherwise.
        WeightsError: those of a network cannot be had.
        OutputError: something cannot be written.
    """
    if out.suffix != ".safetensors":
        raise UsageError(f"A head is a .safetensors file, not {out.name}.")
    make_folder(out.parent)
    srqa.weights.pull(_weights(quick), fetching)
    count = places or (QUICK_PLACES if quick else PLACES)
    found, notes = find_places(folder, count, seed, progress)
    if len({place.photograph for place in found}) < 2:
        raise InputError("Only one photograph has crops, so none can be left out to check by.")
    store = Store(data or out.with_suffix(".data"))
    store.open(found, seed=seed, quick=quick)
    judged = _judged(store, found, seed, quick, workers, progress)
    checked = cross_validate(judged, seed, DECAYS[-2:] if quick else DECAYS, progress)
    found_out = figures(judged, checked, seed)
    if progress:
        progress("Fitting to all photographs", 0, 1)
    problem = Problem.of(judged)
    head = problem.head(problem.solve(checked.decay))
    facts = {
        **PURPOSE, "srqa": srqa.__version__, "recipe": RECIPE, "seed": seed, "quick": quick,
        "labels": list(MEASURES), **found_out,
        "trained on": sorted({place.photograph for place in found}),
    }  # fmt: skip
    head = replace(head, card={"card": json.dumps(facts, sort_keys=True)})
    head.save(out)
    beside = out.with_suffix(".json")
    write_text(beside, json.dumps(facts, indent=1) + "\n")
    return Trained(out, beside, found_out, tuple(notes))


def _weights(quick: bool) -> list[str]:
    """The files of all networks, those of the labels and of the description among them."""
    wanted = [name for measure in MEASURES for name in registry.get(measure).weights]
    for method, scale in NETWORKS:
        if not (quick and method in SLOW) and (name := card(method).file(scale)):
            wanted.append(name)
    return list(dict.fromkeys(wanted))


def _judged(
    store: Store,
    places: Sequence[Place],
    seed: int,
    quick: bool,
    workers: int | None,
    progress: Progress | None,
) -> list[Judged]:
    """The samples of all places: from the store, and made where they are missing."""
    import torch

    there = {place.name: samples for place in places if (samples := store.load(place))}
    missing = [place for place in places if place.name not in there]
    before = torch.get_num_threads()
    with (
        tuned_process(),
        closing(
            in_threads(_tasks(store, missing, seed, quick), workers or available_cores())
        ) as made,
    ):
        torch.set_num_threads(1)
        try:
            for done in range(len(there), len(places)):
                if progress:
                    progress("Making samples", done, len(places))
                place, samples = next(made)
                there[place.name] = samples
        finally:
            torch.set_num_threads(before)
    return [Judged.of(place.photograph, there[place.name]) for place in places]


def _tasks(
    store: Store, places: Sequence[Place], seed: int, quick: bool
) -> Iterator[Callable[[], tuple[Place, Samples]]]:
    for place in places:

        def task(place: Place = place) -> tuple[Place, Samples]:
            samples = make(place, seed, quick)
            store.save(place, samples)
            return place, samples

        yield task
