"""Several methods and datasets of outputs, each paired with its references."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from srqa.errors import PairingError
from srqa.images.collection import RuleUsed, some
from srqa.images.names import Key, Picture, nfc, readings
from srqa.images.pairing import Match, pair
from srqa.images.pairlist import PairRow, read_pairs

Group = tuple[str, str | None]
"""A method and a dataset, None if the references tell it."""
Near = tuple[str, ...]


@dataclass(slots=True)
class Matching:
    """What all groups of outputs found.

    Attributes:
        matches: outputs with what they are compared with.
        alone: outputs without a reference, each with the names of the nearest references.
        rules: the rule of each group.
        near: names of the outputs nearest to a method's unused reference, by its path.
        excused: methods and references' paths of which a rule that was given does not speak.
    """

    matches: list[Match] = field(default_factory=list)
    alone: list[tuple[Picture, Near]] = field(default_factory=list)
    rules: list[RuleUsed] = field(default_factory=list)
    near: dict[tuple[str, str], Near] = field(default_factory=dict)
    excused: set[tuple[str, str]] = field(default_factory=set)

    def add(self, group: Group, rule: str, matches: Sequence[Match]) -> None:
        """Take up what a rule found for a group."""
        self.matches += matches
        example = next(((m.output.name, m.reference.name) for m in matches if m.reference), None)
        self.rules.append(RuleUsed(group[0], group[1] or "", rule, len(matches), example))


def match_by_name(outputs: Sequence[Picture], references: Sequence[Picture], rule: str) -> Matching:
    """Pair each method's outputs of each dataset by names."""
    matching = Matching()
    flat = {reference.dataset for reference in references} == {""}
    for group, pictures in _groups(outputs).items():
        method, dataset = group
        pool = [r for r in references if flat or dataset in {None, r.dataset}]
        result = pair(pictures, pool, rule)
        matching.add(group, result.rule, result.matches)
        matching.alone += result.outputs
        matching.near |= {(method, one.path): near for one, near in result.references}
        matching.excused |= {(method, one.path) for one in result.unspoken}
    matching.matches = _with_one_content(matching.matches)
    return matching


def match_alone(outputs: Sequence[Picture]) -> Matching:
    """Without references, the content is the stem but for a scale that all stems tell."""
    matching = Matching()
    for pictures in _groups(outputs).values():
        ways = readings(pictures)
        names = ways[0] if len(pictures) == 1 else next((w for w in ways if w.scale_cut), ways[0])
        times = Counter(names.keys)
        for picture, key in zip(pictures, names.keys, strict=True):
            if key:
                content = key[0] if times[key] == 1 else key[0] + picture.suffix
                matching.matches.append(Match(picture, None, content, key[1]))
    return matching


def match_with_one(outputs: Sequence[Picture], reference: Picture) -> Matching:
    """One reference for all: each output is a method of its own, named after its file."""
    matching = Matching()
    paths = [nfc(output.path) for output in outputs]
    ways = [
        [Path(path).stem for path in paths],
        [Path(path).parent.name for path in paths],
        [output.name for output in outputs],
        paths,
    ]
    names = next(way for way in ways if len(set(way)) == len(way) or way is paths)
    for output, method in zip(outputs, names, strict=True):
        made = replace(output, method=method, dataset="")
        match = Match(made, reference, reference.stem, output.scale)
        matching.add((method, ""), "one reference for all outputs", [match])
    return matching


def match_by_list(
    file: Path, outputs: Sequence[Picture], references: Sequence[Picture], places: Sequence[Path]
) -> Matching:
    """Pair as a CSV says, whose paths are relative to it, to a given folder or to where we are."""
    bases = [file.absolute().parent, *places, Path.cwd()]
    by_path = {nfc(one.path): one for one in outputs}
    known = {nfc(one.path): one for one in references}
    matches: dict[Group, list[Match]] = defaultdict(list)
    for row in read_pairs(file):
        where = f"line {row.line} of {file}"
        paths = _paths(row.output, bases)
        output = next((by_path[path] for path in paths if path in by_path), None)
        if output is None:
            raise PairingError(
                f"{row.output} in {where} is not among the outputs.", _list_hint(bases)
            )
        paths = _paths(row.reference, bases)
        reference = next((known[path] for path in paths if path in known), None)
        match = _listed(row, output, reference, bases, where)
        matches[match.output.method, match.output.dataset].append(match)
    matching = Matching()
    for group, found in matches.items():
        matching.add(group, f"csv:{file.name}", found)
    named = {match.output.path for match in matching.matches}
    matching.alone = [(output, ()) for output in outputs if output.path not in named]
    return matching


def _listed(
    row: PairRow, output: Picture, reference: Picture | None, bases: Sequence[Path], where: str
) -> Match:
    """A line of a list; its other columns say more than folders and names do."""
    if reference is None:
        path = _file(row.reference, bases, where)
        reference = Picture(str(path), nfc(path.name), nfc(path.stem), path.suffix, dataset="")
    extra = row.extra
    try:
        scale = float(extra["scale"]) if "scale" in extra else output.scale
    except ValueError as error:
        raise PairingError(
            f"The scale '{extra['scale']}' in {where} is no number.", "Write 4, not x4."
        ) from error
    method, dataset = extra.get("method", output.method), extra.get("dataset", output.dataset)
    lr = str(_file(extra["lr"], bases, where)) if "lr" in extra else None
    content = extra.get("content", reference.stem)
    return Match(replace(output, method=method, dataset=dataset), reference, content, scale, lr)


def _paths(text: str, bases: Sequence[Path]) -> list[str]:
    return [nfc(os.path.abspath(base / text)) for base in bases]  # noqa: PTH100


def _file(text: str, bases: Sequence[Path], where: str) -> Path:
    path = next((base / text for base in bases if (base / text).is_file()), None)
    if path is None:
        raise PairingError(f"{text} in {where} does not exist.", _list_hint(bases))
    return path


def _list_hint(bases: Sequence[Path]) -> str:
    return f"Paths are relative to {some([str(base) for base in dict.fromkeys(bases)])}."


def _groups(outputs: Iterable[Picture]) -> Mapping[Group, list[Picture]]:
    groups: dict[Group, list[Picture]] = defaultdict(list)
    for output in outputs:
        groups[output.method, output.dataset].append(output)
    return groups


def _with_one_content(matches: Sequence[Match]) -> list[Match]:
    """One name of content for a reference, though methods' rules may leave different ones.

    It is the shortest, or the reference's own stem if another reference has the same.
    """
    shortest: dict[str, str] = {}
    sharing: dict[tuple[str | None, Key], set[str]] = defaultdict(set)
    paired = [(match, match.reference) for match in matches if match.reference]
    for match, reference in paired:
        known = shortest.get(reference.path, match.content)
        shortest[reference.path] = min(known, match.content, key=lambda name: (len(name), name))
    for match, reference in paired:
        content = shortest[reference.path]
        sharing[reference.dataset, (content, match.scale)].add(reference.path)
    named: list[Match] = []
    for match, reference in paired:
        content = shortest[reference.path]
        if len(sharing[reference.dataset, (content, match.scale)]) > 1:
            content = reference.stem
        named.append(match if content == match.content else replace(match, content=content))
    return named
