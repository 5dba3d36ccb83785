"""The rules of pairing: how each reads the names of outputs and of references."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from srqa.errors import UsageError
from srqa.images.names import Affix, Key, Picture, Reading, nfc, readings


@dataclass(frozen=True, slots=True)
class Rule:
    """Both sides as a rule reads them; as text, the rule in words.

    Attributes:
        outputs: their names.
        references: their names.
        words: what the rule is called, but for what it removes from names.
        way: the affixes that it removes from outputs and from references.
    """

    outputs: Reading
    references: Reading
    words: str = ""
    way: tuple[Affix, Affix] = (("", ""), ("", ""))

    def __str__(self) -> str:
        scales_differ = bool(self.outputs.scale_cut) != bool(self.references.scale_cut)
        parts = [self.words]
        for side, reading in (("outputs", self.outputs), ("references", self.references)):
            removed = [*reading.removed, reading.scale_cut if scales_differ else ""]
            *some, last = [*filter(None, removed)] or [""]
            listed = f"{', '.join(some)} and {last}" if some else last
            parts.append(f"{listed} removed from {side}" if listed else "")
        if self.outputs.is_folded:
            parts.append("upper and lower case ignored")
        return ", ".join(filter(None, parts))

    @property
    def option(self) -> str:
        """The rule as --pair takes it."""
        return "strip:" + "|".join("*".join(affix) for affix in self.way).removesuffix("|*")


def same_path(outputs: Reading, references: Reading) -> Rule:
    """Stem and suffix are the same."""
    return Rule(outputs.with_suffixes(), references.with_suffixes(), "same relative path")


def same_stem(outputs: Reading, references: Reading) -> Rule:
    """The stem is the same."""
    return Rule(outputs, references, "same stem")


def strip(outputs: Reading, references: Reading, way: tuple[Affix, Affix]) -> Rule:
    """The stem is the same once prefixes and suffixes are removed."""
    words = "" if any(map(any, way)) else "same stem"
    return Rule(outputs.stripped(way[0]), references.stripped(way[1]), words, way)


def given(rule: str, outputs: Sequence[Picture], references: Sequence[Picture]) -> list[Rule]:
    """A rule as the user says it, in the ways that it can be meant.

    Raises:
        UsageError: there is no such rule, or it cannot be read.
    """
    kind, _, detail = nfc(rule).partition(":")
    sides = readings(outputs), readings(references)
    if rule in {"path", "stem"}:
        raw = [next(one for one in side if not one.scale_cut) for side in sides]
        return [(same_path if rule == "path" else same_stem)(*raw)]
    if kind == "strip" and detail:
        mine, _, other = detail.partition("|")
        way = _affix(mine), _affix(other or "*")
        return [strip(*both, way) for both in product(*sides)]
    if kind == "regex" and detail:
        found, words = _found(detail, outputs), f"expression {detail}"
        both = Rule(found, _found(detail, references), f"{words} on both sides")
        return [*(Rule(found, names, words) for names in sides[1]), both]
    raise UsageError(
        f"There is no rule of pairing '{rule}'.",
        "Rules are auto, path, stem, strip:PREFIX*SUFFIX, regex:EXPRESSION and csv:FILE.",
    )


def _affix(text: str) -> Affix:
    if text.count("*") != 1:
        raise UsageError(
            f"'{text}' must hold one '*' for the part of the name to keep.",
            "For instance --pair 'strip:*_x4_SwinIR', or 'strip:*_SwinIR|*_HR' for both sides.",
        )
    prefix, _, suffix = text.partition("*")
    return prefix, suffix


def _found(expression: str, pictures: Sequence[Picture]) -> Reading:
    """Names as an expression finds them."""
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise UsageError(
            f"The expression '{expression}' cannot be read: {error}.",
            "It is a regular expression as in Python's module re.",
        ) from error
    if "content" not in pattern.groupindex:
        raise UsageError(
            f"The expression '{expression}' has no group named 'content'.",
            "For instance --pair 'regex:^(?P<content>.+?)_x4_SwinIR$'.",
        )

    def key(picture: Picture) -> Key | None:
        found = pattern.search(picture.stem)
        if not found or not found["content"]:
            return None
        scale = found.groupdict().get("scale")
        try:
            return found["content"], float(scale) if scale else picture.scale
        except ValueError as error:
            raise UsageError(
                f"The expression '{expression}' finds the scale '{scale}' in {picture.name}.",
                "Let the group 'scale' match nothing but a number.",
            ) from error

    keys = [key(picture) for picture in pictures]
    contents = [key[0] if key else one.stem for key, one in zip(keys, pictures, strict=True)]
    return Reading(pictures, keys, contents)
