"""What lacks a partner: outputs without a reference, references without a method's output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from srqa.errors import PairingError
from srqa.images.collection import Missing, scale_order, some
from srqa.images.matching import Matching
from srqa.images.names import Picture

_SHOWN = 3
Scales = dict[float | None, set[str]]
"""Paths of the references that have an output of a scale."""


def missing_outputs(matching: Matching) -> list[Missing]:
    """Outputs that found no reference."""
    return [
        Missing("output", output.dataset or "", output.method, output.name, near)
        for output, near in matching.alone
    ]


def missing_references(
    references: Sequence[Picture], matching: Matching, files: Collection[str], notes: list[str]
) -> list[Missing]:
    """References that a method lacks, in the datasets of which any method has outputs.

    Args:
        references: all of them.
        matching: which of them have outputs.
        files: outputs that were given file by file; nobody expects them to be complete.
        notes: takes up which scales a method lacks, and which datasets nobody has.
    """
    used: dict[str, dict[str, Scales]] = defaultdict(lambda: defaultdict(dict))
    by_dataset: dict[str, list[Picture]] = defaultdict(list)
    for reference in references:
        by_dataset[reference.dataset or ""].append(reference)
    outputs = [output for output, _ in matching.alone]
    asked = {output.dataset for output in outputs}
    for match in matching.matches:
        if match.reference:
            dataset = match.reference.dataset or ""
            paths = used[dataset][match.output.method].setdefault(match.scale, set())
            paths.add(match.reference.path)
            outputs.append(match.output)
            asked.add(dataset)
    methods = sorted({output.method for output in outputs if output.path not in files})
    missing: list[Missing] = []
    for dataset in sorted(by_dataset.keys() & asked):
        everyones = {scale for scales in used[dataset].values() for scale in scales}
        for method in methods:
            mine = used[dataset].get(method, {})
            if mine and everyones - mine.keys():
                others = sorted(everyones - mine.keys(), key=scale_order)
                listed = ", ".join(f"x{scale:g}" for scale in others if scale)
                where = dataset or "the references"
                notes.append(f"{method} has no outputs of {listed} for {where}.")
            expected = mine or {scale: set[str]() for scale in everyones or {None}}
            for one in by_dataset[dataset]:
                if _lacks(one, expected) and (method, one.path) not in matching.excused:
                    near = matching.near.get((method, one.path), ())
                    missing.append(Missing("reference", dataset, method, one.name, near))
    unused = [
        dataset or "files beside the folders" for dataset in sorted(by_dataset.keys() - asked)
    ]
    if unused and methods:
        notes.append(f"There are no outputs for {some(unused)} among the references.")
    return missing


def _lacks(reference: Picture, expected: Scales) -> bool:
    """Whether there is a scale at which a reference should have an output, but has none."""
    return any(
        reference.path not in paths and (scale is None or reference.scale in {None, scale})
        for scale, paths in expected.items()
    )


def missing_error(
    missing: Sequence[Missing],
    total: int,
    inputs: Sequence[Path | str],
    reference: Path | str | None,
) -> PairingError:
    """Say what is missing, of `total` outputs in `inputs`, and what to do about it."""
    folders = " ".join(str(place) for place in inputs[:_SHOWN]) + " …" * (len(inputs) > _SHOWN)
    methods = {one.method for one in missing}
    outputs = [_described(one) for one in missing if one.side == "output"]
    references = [
        _described(one) if len(methods) == 1 else f"{one.method}: {_described(one)}"
        for one in missing
        if one.side == "reference"
    ]
    parts: list[str] = []
    if outputs:
        have = "has" if len(outputs) == 1 else "have"
        parts.append(
            f"{len(outputs)} of {total} outputs in {folders} {have} no reference in {reference}: "
            f"{some(outputs)}"
        )
    if references:
        have = "reference has" if len(references) == 1 else "references have"
        whose = f" of {missing[0].method}" if len(methods) == 1 else ""
        parts.append(f"{len(references)} {have} no output{whose}: {some(references)}")
    return PairingError(
        "; and ".join(parts) + ".",
        f"See all with `srqa pairs {folders} --ref {reference}`, say how names pair with --pair, "
        "or leave them out with --on-missing skip.",
    )


def _described(one: Missing) -> str:
    return one.name + (f" (nearest: {', '.join(one.candidates)})" if one.candidates else "")
