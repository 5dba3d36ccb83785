"""Many tests at once: corrections of p values, and the groups that tests cannot tell apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

_Mask = np.ndarray[Any, np.dtype[np.bool_]]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The step-up correction that bounds the share of false discoveries; NaN stays NaN.

    References:
        Benjamini, Hochberg, Controlling the false discovery rate, JRSS B 57(1), 1995.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03])
        [0.03, 0.04, 0.04]
    """
    adjusted = [math.nan] * len(p_values)
    order = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    smallest = 1.0
    for rank in range(len(order), 0, -1):
        p, i = order[rank - 1]
        smallest = min(smallest, p * len(order) / rank)
        adjusted[i] = smallest
    return adjusted


def letters(different: _Mask) -> list[str]:
    """The compact letter display: things that share a letter are not told apart.

    Args:
        different: (n, n) symmetric, which of them differ; in the order in which letters are given.

    Returns:
        For each the letters of its groups; beyond z come a', b', ...

    References:
        Piepho, An algorithm for a letter-based representation of all-pairwise comparisons, JCGS
        13(2), 2004: insert and absorb.

    Example:
        >>> import numpy as np
        >>> letters(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], bool))
        ['a', 'ab', 'b']
    """
    n = len(different)
    groups = [frozenset(range(n))]
    for i, j in np.argwhere(np.triu(different, 1)).tolist():
        split: set[frozenset[int]] = set()
        for group in groups:
            split |= {group - {i}, group - {j}} if {i, j} <= group else {group}
        groups = [g for g in split if g and not any(g < other for other in split)]
    groups.sort(key=sorted)
    return ["".join(_letter(k) for k, g in enumerate(groups) if i in g) for i in range(n)]


def _letter(number: int) -> str:
    return chr(ord("a") + number % 26) + "'" * (number // 26)
