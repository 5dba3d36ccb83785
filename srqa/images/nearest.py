"""The names that look most like another, for messages about pictures without a partner."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Sequence

_SHOWN, _PROMISING, _COMPARISONS = 3, 12, 20_000

Named = tuple[str, str]
"""What is compared, and the name to show."""


def nearest(names: Sequence[str], others: Sequence[Named]) -> list[tuple[str, ...]]:
    """For each name those nearest to it, as they are shown; of very many only for the first.

    Names that share the most pairs of letters are compared by difflib's ratio, at least 0.6.
    """
    shown: dict[str, str] = {}
    for other, name in others:
        shown.setdefault(other.casefold(), name)
    letters = {other: _pairs(other) for other in shown} if names else {}
    few = max(_SHOWN, _COMPARISONS // (len(shown) + 1))

    def near(text: str) -> tuple[str, ...]:
        mine = _pairs(text)
        promising = heapq.nlargest(
            _PROMISING, shown, key=lambda other: len(mine & letters[other]) / len(letters[other])
        )
        return tuple(shown[other] for other in difflib.get_close_matches(text, promising, _SHOWN))

    return [near(text.casefold()) if rank < few else () for rank, text in enumerate(names)]


def _pairs(text: str) -> frozenset[str]:
    """Neighbouring letters, the ends counting as letters."""
    padded = f"\n{text}\n"
    return frozenset(padded[at : at + 2] for at in range(len(padded) - 1))
