"""Rules that pair outputs with references by their names, never by their order.

A rule reads every name as a key; an output belongs to the one reference with its key. `auto` tries
the rules from the simplest on and takes the first that explains every output: the same relative
path, the same stem, the same stem but for upper and lower case, then a prefix or suffix removed
from outputs, references or both. A token of scale in a name (`_x4`, `0801x4`) is not part of the
key, but must agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from srqa.errors import PairingError
from srqa.images.affixes import includes, pairs_needed, removals
from srqa.images.names import Picture, Reading, readings
from srqa.images.nearest import Named, nearest
from srqa.images.pairlist import PairRow, read_pairs
from srqa.images.rules import Rule, given, same_path, same_stem

__all__ = ["Match", "PairRow", "Pairing", "Picture", "pair", "read_pairs"]


@dataclass(frozen=True, slots=True)
class Match:
    """An output and its reference, if there are references.

    Attributes:
        output: the picture to judge.
        reference: what it is compared with.
        content: what the rule leaves of the reference's name.
        scale: as either name tells it.
        lr: file of the low-resolution input.
    """

    output: Picture
    reference: Picture | None
    content: str
    scale: float | None
    lr: str | None = None

    @property
    def dataset(self) -> str:
        """As the output's folder tells it, or else the reference's."""
        if self.output.dataset is not None:
            return self.output.dataset
        return (self.reference and self.reference.dataset) or ""


@dataclass(frozen=True, slots=True)
class Pairing:
    """What a rule makes of one folder of outputs.

    Attributes:
        rule: the rule in words.
        matches: outputs with their references, in the order of the outputs.
        outputs: outputs without a reference, each with the names of the nearest references.
        references: references without an output, each with the names of the nearest outputs.
        unspoken: references of which a rule that the user gave does not speak.
    """

    rule: str
    matches: tuple[Match, ...]
    outputs: tuple[tuple[Picture, tuple[str, ...]], ...] = ()
    references: tuple[tuple[Picture, tuple[str, ...]], ...] = ()
    unspoken: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """For each output's place the reference's place and the scale; `problem` forbids its use."""

    rule: Rule
    pairs: dict[int, tuple[int, float | None]]
    problem: str = ""

    @property
    def explains_all(self) -> bool:
        return not self.problem and len(self.pairs) == len(self.rule.outputs.pictures)


def pair(outputs: Sequence[Picture], references: Sequence[Picture], rule: str = "auto") -> Pairing:
    """Pair one folder of outputs with its references.

    Args:
        outputs: the pictures of one method and dataset.
        references: the references that they may belong to.
        rule: `auto`, `path`, `stem`, `strip:PREFIX*SUFFIX` (what to remove from outputs; after a
            `|` from references, as in `strip:*_SwinIR|*_HR`) or `regex:EXPRESSION`, which is
            searched in the stems and has a group `content`, and perhaps one `scale`.

    Returns:
        The pairing. Names that remain alone are listed, not raised.

    Raises:
        UsageError: there is no such rule, or it cannot be read.
        PairingError: two outputs belong to one reference, an output to two references, or two
            rules explain all outputs in different ways.
    """
    is_given = rule != "auto"
    if is_given:
        outcome = _best(map(_attempt, given(rule, outputs, references)))
    else:
        outcome = _best(_automatic([*product(readings(outputs), readings(references))]))
    if outcome.problem:
        raise PairingError(
            f"{outcome.problem} (rule: {outcome.rule}).",
            "Remove one of them, give --scale, or say which with --pair.",
        )
    return _finish(outcome, is_given)


def _automatic(sides: Sequence[tuple[Reading, Reading]]) -> Iterator[_Outcome]:
    folded = [(outputs.folded(), references.folded()) for outputs, references in sides]
    for make, ways in ((same_path, sides), (same_stem, sides), (same_stem, folded)):
        yield from (_attempt(make(outputs, references)) for outputs, references in ways)
    for outputs, references in [*sides, *folded]:
        yield from _inferred(outputs, references)


def _best(outcomes: Iterable[_Outcome]) -> _Outcome:
    """The first that explains all, else the first of those that explain most."""
    tried: list[_Outcome] = []
    for outcome in outcomes:
        if outcome.explains_all:
            return outcome
        tried.append(outcome)
    return max(tried, key=lambda outcome: len(outcome.pairs))


def _attempt(rule: Rule) -> _Outcome:
    outputs, references = rule.outputs, rule.references
    pairs: dict[int, tuple[int, float | None]] = {}
    taken: dict[tuple[int, float | None], int] = {}
    problem = ""
    for i, key in enumerate(outputs.keys):
        fitting = _fitting(references.places.get(key[0]), key[1]) if key else None
        if not key or not fitting:
            continue
        place, other = fitting[0]
        found = place, other if key[1] is None else key[1]
        if len(fitting) > 1 and not problem:
            names = " and ".join(references.pictures[j].name for j, _ in fitting[:2])
            problem = f"{outputs.pictures[i].name} fits two references, {names}"
        elif found in taken and not problem:
            names = " and ".join(outputs.pictures[j].name for j in (taken[found], i))
            reference = references.pictures[place].name
            problem = f"{names} both belong to the reference {reference}"
        taken[found] = i
        pairs[i] = found
    return _Outcome(rule, pairs, problem)


def _fitting(
    found: list[tuple[int, float | None]] | None, scale: float | None
) -> list[tuple[int, float | None]]:
    """References of the same scale, else those of no scale; all of them if it is unknown."""
    if not found or scale is None:
        return found or []
    same = [item for item in found if item[1] == scale]
    return same or [item for item in found if item[1] is None]


def _inferred(outputs: Reading, references: Reading) -> Iterator[_Outcome]:
    """The simplest removal that explains the most outputs, if all such removals agree."""
    ways = removals(outputs, references)
    left = {affix: outputs.stripped(affix) for affix, _ in ways}
    right = {affix: references.stripped(affix) for _, affix in ways}
    tried = [_attempt(Rule(left[way[0]], right[way[1]], way=way)) for way in ways]
    tried = [one for one in tried if len(one.pairs) >= pairs_needed(one.rule.way)]
    most = max((len(outcome.pairs) for outcome in tried), default=0)
    good: list[_Outcome] = []
    for outcome in tried:
        if len(outcome.pairs) == most and not outcome.problem:
            way = outcome.rule.way
            if not any(includes(way, simpler.rule.way) for simpler in good):
                good.append(outcome)
    different = [outcome for outcome in good if outcome.pairs != good[0].pairs]
    if good and not different:
        yield good[0]
    elif good and good[0].explains_all:
        raise _two_ways(good[0], different[0])


def _two_ways(one: _Outcome, two: _Outcome) -> PairingError:
    i = next(i for i in one.pairs if one.pairs[i] != two.pairs[i])
    pictures = one.rule.references.pictures
    ways = " or to ".join(f"{pictures[way.pairs[i][0]].name} ({way.rule})" for way in (one, two))
    return PairingError(
        f"Two rules explain the outputs: {one.rule.outputs.pictures[i].name} belongs to {ways}.",
        f"Choose with --pair '{one.rule.option}' or --pair '{two.rule.option}'.",
    )


def _finish(outcome: _Outcome, is_given: bool) -> Pairing:
    outputs, references = outcome.rule.outputs, outcome.rule.references
    used = {j for j, _ in outcome.pairs.values()}
    alone = [i for i in range(len(outputs.pictures)) if i not in outcome.pairs]
    free = [j for j in range(len(references.pictures)) if j not in used]
    unspoken = [j for j in free if is_given and references.keys[j] is None]
    waiting = [j for j in free if not is_given or references.keys[j] is not None]
    everyone = range(len(references.pictures))
    return Pairing(
        str(outcome.rule) if is_given or outcome.pairs else "no rule fits",
        tuple(
            Match(outputs.pictures[i], references.pictures[j], references.contents[j], scale)
            for i, (j, scale) in sorted(outcome.pairs.items())
        ),
        _with_nearest(outputs, alone, _named(references, everyone)),
        _with_nearest(references, waiting, _named(outputs, alone)),
        tuple(references.pictures[j] for j in unspoken),
    )


def _with_nearest(
    reading: Reading, places: Sequence[int], others: Sequence[Named]
) -> tuple[tuple[Picture, tuple[str, ...]], ...]:
    pictures = [reading.pictures[place] for place in places]
    names = [reading.contents[place] for place in places]
    return tuple(zip(pictures, nearest(names, others), strict=True))


def _named(reading: Reading, places: Iterable[int]) -> list[Named]:
    return [(reading.contents[place], reading.pictures[place].name) for place in places]
