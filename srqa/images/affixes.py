"""Which prefixes and suffixes may be removed from names so that outputs and references meet.

A cut never parts two digits or two letters of a word, and an affix has a letter: neither `1` nor
`_2` makes `11` or `1_2` the same picture as `1`. Scales are not affixes: readings cut them out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product, takewhile

from srqa.images.names import DELIMITERS, Affix, Reading, find_scale

_WORDS = ("hr", "hq", "gt", "ref", "reference", "orig", "original", "target", "lr", "lq")
_CUTS = 8
_IN, _OUT = f"[{re.escape(DELIMITERS)}]", f"[^{re.escape(DELIMITERS)}]"
_TURN = r"(?<=\d)(?=\D)|(?<=\D)(?=\d)|(?<=[a-z])(?=[A-Z])"
_PREFIX_END = re.compile(rf"(?={_OUT})(?:(?<={_IN})|{_TURN})")
_SUFFIX_START = re.compile(rf"(?<={_OUT})(?:(?={_IN})|{_TURN})")
_NOTHING: Affix = ("", "")


def removals(outputs: Reading, references: Reading) -> list[tuple[Affix, Affix]]:
    """What could be removed from outputs and from references, the shortest first.

    Outputs lose what all of them carry. References may then only lose a usual word (`_HR`), since
    `bsd_1` is not `urban_1`; or outputs lose nothing, and references what all of them carry.
    """
    stems = references.stems
    ways = {*product(_shared(outputs.stems), _usual(stems))}
    ways |= {(_NOTHING, affix) for affix in _shared(stems)}
    return sorted(ways - {(_NOTHING, _NOTHING)}, key=lambda way: (_length(way), way))


def pairs_needed(way: tuple[Affix, Affix]) -> int:
    """How many pairs show that a way is meant: one that takes no usual word needs two."""
    return 1 if all(_is_usual(text) for text in way[1] if text) else 2


def includes(way: tuple[Affix, Affix], simpler: tuple[Affix, Affix]) -> bool:
    """Whether a way removes on both sides what a simpler one does, and perhaps more."""
    return all(
        big[0].startswith(small[0]) and big[1].endswith(small[1])
        for big, small in zip(way, simpler, strict=True)
    )


def _length(way: tuple[Affix, Affix]) -> int:
    return sum(len(text) for affix in way for text in affix)


def _shared(stems: Sequence[str]) -> list[Affix]:
    """Affixes that all names carry."""
    if not stems:
        return [_NOTHING]
    prefixes = [
        text
        for text in _prefixes(stems[0])
        if all(s.startswith(text) and _PREFIX_END.match(s, len(text)) for s in stems)
    ]
    suffixes = [
        text
        for text in _suffixes(stems[0])
        if all(s.endswith(text) and _SUFFIX_START.match(s, len(s) - len(text)) for s in stems)
    ]
    return [*product(["", *prefixes], ["", *suffixes])]


def _usual(stems: Sequence[str]) -> list[Affix]:
    """Affixes made of usual words that some names carry."""
    prefixes, suffixes = {""}, {""}
    for stem in stems:
        folded = stem.casefold()
        if folded.startswith(_WORDS):
            prefixes.update(takewhile(_is_usual, _prefixes(stem)))
        if folded.endswith(_WORDS):
            suffixes.update(takewhile(_is_usual, reversed(_suffixes(stem))))
    return [*product(prefixes, suffixes)]


def _is_usual(text: str) -> bool:
    words = re.split(f"{_IN}+", text.strip(DELIMITERS).casefold())
    return all(word in _WORDS for word in words)


def _prefixes(stem: str) -> list[str]:
    cuts = [found.start() for found in _PREFIX_END.finditer(stem)]
    return [text for at in cuts[:_CUTS] if _may_go(text := stem[:at])]


def _suffixes(stem: str) -> list[str]:
    cuts = [found.start() for found in _SUFFIX_START.finditer(stem)]
    return [text for at in cuts[-_CUTS:] if _may_go(text := stem[at:])]


def _may_go(affix: str) -> bool:
    return any(character.isalpha() for character in affix) and find_scale(affix)[1] is None
