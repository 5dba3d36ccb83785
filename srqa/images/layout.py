"""What pictures there are: outputs, what each is compared with, and what is missing.

`collect` finds the pictures (`discovery`), pairs them (`matching`, with the rules of `pairing`),
settles the scale, and tells what lacks a partner (`coverage`). Nothing here opens a picture.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from srqa.errors import PairingError, UsageError
from srqa.images.collection import Collection, Item, Missing, RuleUsed, scale_order, some
from srqa.images.coverage import missing_error, missing_outputs, missing_references
from srqa.images.discovery import find_inputs, find_outputs, find_references
from srqa.images.finder import Finder
from srqa.images.matching import (
    Matching,
    match_alone,
    match_by_list,
    match_by_name,
    match_with_one,
)
from srqa.images.names import Key, Picture, nfc
from srqa.images.pairing import Match
from srqa.images.pairing import pair as pair_names
from srqa.images.pattern import parse_layout

__all__ = ["Collection", "Item", "Missing", "RuleUsed", "collect", "parse_layout"]


def collect(
    inputs: Sequence[Path | str],
    reference: Path | str | None,
    *,
    lr: Path | str | None = None,
    layout: str | None = None,
    reference_layout: str | None = None,
    pair: str = "auto",
    scale: float | None = None,
    on_missing: Literal["error", "skip"] = "error",
) -> Collection:
    """Find outputs, their references and their low-resolution inputs.

    Args:
        inputs: folders or files of outputs. One folder may hold several methods and datasets.
        reference: folder of references, one reference for all outputs, or None.
        lr: folder or file of low-resolution inputs, paired like outputs.
        layout: where method, dataset, content and scale stand in an output's path, as in
            `parse_layout`; inferred without it. Files that do not fit are left out, with a note.
        reference_layout: the same for references.
        pair: how to pair names, as in `srqa.images.pairing.pair`, or `csv:FILE`.
        scale: the scale of all outputs. If names tell several, outputs of others are left out.
        on_missing: raise if outputs or references have no partner, or list them in `missing`.

    Returns:
        The collection; with `skip` it may have no items.

    Raises:
        PairingError: a path does not exist, there are no pictures, names cannot be paired in one
            way, or partners are missing.
        UsageError: layout or rule cannot be read, or no inputs are given.

    Example:
        collect(["swinir/", "hat/"], "hr/", scale=4).methods
    """
    if not inputs:
        raise UsageError("No outputs are given.", "Name a folder of pictures.")
    scale = None if scale is None else float(scale)
    places = list(dict.fromkeys(_existing(place) for place in inputs))
    hr, low = (None if place is None else _existing(place) for place in (reference, lr))
    given = [place for place in (*places, hr, low) if place]
    finder = Finder(frozenset(os.path.realpath(place) for place in given if place.is_dir()))
    references = find_references(hr, reference_layout, finder) if hr else []
    datasets = sorted({one.dataset or "" for one in references})
    is_one_dataset = datasets == [""] and hr and hr.is_dir() and hr not in places
    names = [*datasets, nfc(hr.name)] if hr and is_one_dataset else datasets
    outputs = find_outputs(places, names, layout, finder)
    if scale:
        outputs = [one if one.scale else replace(one, scale=scale) for one in outputs]
    matching = _match(outputs, references, hr, pair, given)
    if scale is None:
        _spread_scale(matching, finder.notes)
    else:
        _keep_scale(matching, scale, finder.notes)
    _refuse_duplicates(matching.matches)
    missing = missing_outputs(matching)
    if not pair.startswith("csv:") and not (hr and hr.is_file()):
        files = {str(place) for place in places if place.is_file()}
        missing += missing_references(references, matching, files, finder.notes)
    if missing and on_missing == "error":
        raise missing_error(missing, len(outputs), inputs, reference)
    if low and matching.matches:
        matching.matches = _with_inputs(matching.matches, low, datasets, finder)
    return _collection(matching, missing, finder)


def _existing(place: Path | str) -> Path:
    """Without `.` and `..`, but links keep their names, after which methods may be called."""
    try:
        there = Path(place).exists()
    except OSError as error:
        raise PairingError(f"{place} cannot be read: {error.strerror}.") from error
    if not there:
        raise PairingError(f"{place} does not exist.", "Look at how it is spelt.")
    return Path(os.path.abspath(place))  # noqa: PTH100


def _match(
    outputs: Sequence[Picture],
    references: Sequence[Picture],
    reference: Path | None,
    rule: str,
    places: Sequence[Path],
) -> Matching:
    if rule.startswith("csv:"):
        return match_by_list(Path(rule[4:]), outputs, references, places)
    if reference is None:
        return match_alone(outputs)
    if reference.is_file():
        return match_with_one(outputs, references[0])
    return match_by_name(outputs, references, rule)


def _keep_scale(matching: Matching, scale: float, notes: list[str]) -> None:
    """Leave out what is of other scales than the given one, if anything is of that one."""
    told = {match.scale for match in matching.matches}
    told |= {output.scale for output, _ in matching.alone}
    others = sorted(one for one in told if one is not None and one != scale)
    listed = ", ".join(f"x{other:g}" for other in others)
    if others and scale not in told:
        notes.append(f"Names say {listed}, but the scale is given as {scale:g}.")
    elif others:
        before = len(matching.matches) + len(matching.alone)
        kept = {None, scale}
        matching.matches = [match for match in matching.matches if match.scale in kept]
        matching.alone = [one for one in matching.alone if one[0].scale in kept]
        left = before - len(matching.matches) - len(matching.alone)
        notes.append(f"Outputs of {listed} are left out ({left}), for the scale is {scale:g}.")
    matching.matches = _of_scale(matching.matches, scale)


def _spread_scale(matching: Matching, notes: list[str]) -> None:
    """If names tell no more than one scale, it is also that of those that tell none."""
    told = {match.scale for match in matching.matches} - {None}
    unknown = [match.output.name for match in matching.matches if match.scale is None]
    scale = next(iter(told), None)
    if scale is not None and len(told) == 1 and unknown:
        notes.append(
            f"Scale {scale:g}, which the other names tell, is taken for {some(unknown)} too."
        )
        matching.matches = _of_scale(matching.matches, scale)


def _of_scale(matches: Sequence[Match], scale: float) -> list[Match]:
    return [one if one.scale == scale else replace(one, scale=scale) for one in matches]


def _refuse_duplicates(matches: Sequence[Match]) -> None:
    seen: dict[tuple[str, str, float | None, str], str] = {}
    for match in matches:
        key = match.output.method, match.dataset, match.scale, match.content
        if key in seen:
            raise PairingError(
                f"{seen[key]} and {match.output.name} are both outputs of {match.output.method} "
                f"for {match.content}.",
                "Remove one of them, or say with --layout which method, dataset and scale "
                "they are.",
            )
        seen[key] = match.output.name


def _with_inputs(
    matches: Sequence[Match], place: Path, datasets: Sequence[str], finder: Finder
) -> list[Match]:
    """Find each content's low-resolution input as if the contents were names of outputs."""

    def group(match: Match) -> tuple[str, str]:
        return match.dataset, "" if match.reference else match.output.method

    wanted: dict[tuple[str, str], dict[Key, Picture]] = defaultdict(dict)
    for match in matches:
        picture = replace(match.output, stem=match.content, scale=match.scale)
        wanted[group(match)][match.content, match.scale] = picture
    known = {*datasets, *(dataset for dataset, _ in wanted)} - {""}
    pictures = find_inputs(place, sorted(known), finder)
    if place.is_file():
        if len({(match.dataset, match.content) for match in matches}) > 1:
            raise PairingError(
                f"{place} is one picture, but there are several contents.",
                "Give a folder with a low-resolution input for each.",
            )
        found = {(one, key): str(place) for one, contents in wanted.items() for key in contents}
    else:
        found = {
            (one, (match.output.stem, match.output.scale)): match.reference.path
            for one, contents in wanted.items()
            for match in pair_names(
                [*contents.values()], [p for p in pictures if p.dataset in {None, one[0]}]
            ).matches
            if match.reference
        }
    given = [
        match
        if match.lr
        else replace(match, lr=found.get((group(match), (match.content, match.scale))))
        for match in matches
    ]
    without = [match.output.name for match in given if match.lr is None]
    if len(without) == len(given):
        raise PairingError(
            f"No picture in {place} belongs to any output: {some(without)}.",
            "Low-resolution inputs are named like the references.",
        )
    if without:
        finder.notes.append(
            f"There is no low-resolution input in {place.name}/ for {some(without)}."
        )
    return given


def _collection(matching: Matching, missing: Sequence[Missing], finder: Finder) -> Collection:
    """Everything in the order that tables have."""
    paths = {
        match.reference.path: Path(match.reference.path)
        for match in matching.matches
        if match.reference
    }
    items = [
        Item(
            dataset=match.dataset,
            content=match.content,
            scale=match.scale,
            method=match.output.method,
            image=Path(match.output.path),
            reference=paths[match.reference.path] if match.reference else None,
            lr=Path(match.lr) if match.lr else None,
            name=match.output.name,
            reference_name=match.reference.name if match.reference else "",
        )
        for match in matching.matches
    ]
    methods = tuple(dict.fromkeys(item.method for item in items))
    rank = {method: place for place, method in enumerate(methods)}
    items.sort(key=lambda i: (i.dataset, scale_order(i.scale), i.content, rank[i.method]))
    rules = sorted(matching.rules, key=lambda rule: (rule.dataset, rank.get(rule.method, -1)))
    return Collection(
        items=tuple(items),
        missing=tuple(sorted(missing, key=lambda m: (m.side, m.dataset, m.method, m.name))),
        rules=tuple(rules),
        ignored=tuple(sorted(set(finder.ignored))),
        notes=tuple(dict.fromkeys(finder.notes)),
        methods=methods,
    )
