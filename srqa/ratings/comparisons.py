"""The container of choices between two pictures, and of triplets with a pivot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srqa.errors import InputError

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.integer[Any]]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

LEFT, TIE, RIGHT = 1, 0, -1
_WORDS = {"left": LEFT, "tie": TIE, "right": RIGHT}


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Who chose which of two pictures. A row is one answer; memory grows with the answers only.

    Attributes:
        items: names of what was compared.
        left, right: (n,) codes of the items shown left (or first) and right (or second).
        choice: (n,) 1 where the left was chosen, -1 where the right was, 0 for a tie.
        observers: names of the people.
        observer: (n,) codes.
        weights: (n,) how many answers a row stands for, None for one each. Fractions are allowed.
        order: (n,) position in the observer's session, None if unknown.
        identical: whether some pairs show one picture twice on purpose, to measure the preference
            for a side. Without, such a row is refused as a mistake.

    Raises:
        InputError: a column has the wrong length, a code that names nothing, an unknown choice,
            NaN, an item against itself, or there is no answer.

    Example:
        >>> import numpy as np
        >>> few = Comparisons(
        ...     items=("a", "b"), left=np.array([0, 1]), right=np.array([1, 0]),
        ...     choice=np.array([1, 0]), observers=("anna",), observer=np.array([0, 0]),
        ... )
        >>> len(few), few.ties
        (2, 1)
    """

    items: tuple[str, ...]
    left: Integers
    right: Integers
    choice: Integers
    observers: tuple[str, ...]
    observer: Integers
    weights: Floats | None = None
    order: Integers | None = None
    identical: bool = False

    def __post_init__(self) -> None:
        _check_names(self.items, "item")
        _check_names(self.observers, "observer")
        n = len(self.choice)
        if n == 0:
            raise InputError("There is no comparison.", hint="Scaling needs choices between pairs.")
        for name, codes, names in (
            ("left", self.left, self.items),
            ("right", self.right, self.items),
            ("observer", self.observer, self.observers),
        ):
            _check_codes(name, codes, len(names), n)
        _check_choices(self.choice)
        _check_weights(self.weights, n)
        if self.order is not None and len(self.order) != n:
            raise InputError(f"`order` has {len(self.order)} rows, the choices have {n}.")
        same = np.flatnonzero(self.left == self.right)
        if len(same) and not self.identical:
            raise InputError(
                f"{len(same)} comparisons show an item against itself, the first "
                f"{self.items[self.left[same[0]]]!r}.",
                hint="Say `identical=True` if such pairs were asked on purpose.",
            )
        if len(same) == n:
            raise InputError("Every comparison shows an item against itself.")

    def __len__(self) -> int:
        return len(self.choice)

    @property
    def ties(self) -> int:
        """How many rows are ties between different items."""
        return int(((self.choice == TIE) & (self.left != self.right)).sum())

    @property
    def votes(self) -> Floats:
        """(items,) answers in which each took part; pairs of one picture twice not counted."""
        real = self.left != self.right
        weights = self.row_weights[real]
        codes = np.concatenate([self.left[real], self.right[real]])
        return added_up(codes, np.tile(weights, 2), len(self.items))

    @property
    def row_weights(self) -> Floats:
        """(n,) weights, ones where none are given."""
        return np.ones(len(self)) if self.weights is None else self.weights

    def select(self, rows: Mask) -> Comparisons:
        """Some of the rows, with all names of items and observers kept.

        Raises:
            InputError: no row is left.
        """
        return Comparisons(
            items=self.items,
            left=self.left[rows],
            right=self.right[rows],
            choice=self.choice[rows],
            observers=self.observers,
            observer=self.observer[rows],
            weights=None if self.weights is None else self.weights[rows],
            order=None if self.order is None else self.order[rows],
            identical=self.identical,
        )

    def code_of(self, item: str) -> int:
        """The code of an item.

        Raises:
            InputError: there is no such item.
        """
        try:
            return self.items.index(item)
        except ValueError:
            raise InputError(
                f"No comparison speaks of the item {item!r}.",
                hint=f"There are {_some(self.items)}.",
            ) from None


@dataclass(frozen=True, slots=True, eq=False)
class Triplets:
    """Which of two pictures differs more from a third, the pivot (JPEG AIC-3 and its like).

    Attributes:
        items, observers, observer, weights: as in `Comparisons`.
        left, pivot, right: (n,) codes of the items.
        choice: (n,) 1 where the left was said to differ more from the pivot, -1 the right, 0 for
            "not sure".
    """

    items: tuple[str, ...]
    left: Integers
    pivot: Integers
    right: Integers
    choice: Integers
    observers: tuple[str, ...]
    observer: Integers
    weights: Floats | None = None

    def __post_init__(self) -> None:
        _check_names(self.items, "item")
        _check_names(self.observers, "observer")
        n = len(self.choice)
        if n == 0:
            raise InputError("There is no triplet.")
        for name, codes in (("left", self.left), ("pivot", self.pivot), ("right", self.right)):
            _check_codes(name, codes, len(self.items), n)
        _check_codes("observer", self.observer, len(self.observers), n)
        _check_choices(self.choice)
        _check_weights(self.weights, n)
        same = np.flatnonzero(self.left == self.right)
        if len(same):
            name = self.items[self.left[same[0]]]
            raise InputError(f"{len(same)} triplets show {name!r} on both sides of the pivot.")

    def __len__(self) -> int:
        return len(self.choice)

    def baseline(self, sources: Sequence[str]) -> Comparisons:
        """Triplets whose pivots are undistorted sources, as comparisons of quality.

        All pictures lie below their source on the scale, so the one that differs more from it is
        the worse one. This is how JPEG AIC-3's data are scaled: observers are taken to compare
        impairments. If they feel unsigned distances, answers near the source are more random than
        that, and the reduction shortens the scale there; `scale_triplets` allows for it.

        Args:
            sources: names of the undistorted items.

        Raises:
            InputError: a pivot is no source.
        """
        unknown = sorted({self.items[p] for p in np.unique(self.pivot)} - set(sources))
        if unknown:
            raise InputError(
                f"The pivot {unknown[0]!r} is no source, so differing more does not mean worse.",
                hint="Scale triplets with other pivots with `scale_triplets`.",
            )
        return Comparisons(
            items=self.items,
            left=self.left,
            right=self.right,
            choice=-self.choice,
            observers=self.observers,
            observer=self.observer,
            weights=self.weights,
        )


def from_names(
    left: Sequence[str],
    right: Sequence[str],
    choice: Sequence[str] | Sequence[int],
    observer: Sequence[str] | None = None,
    identical: bool = False,
) -> Comparisons:
    """Comparisons from columns of names.

    Args:
        left, right: names of the items shown.
        choice: "left", "right" or "tie", or 1, -1 and 0.
        observer: who answered; one unnamed person without.
        identical: whether pairs of one picture with itself were asked on purpose.

    Example:
        >>> from_names(["a", "b"], ["b", "c"], ["left", "tie"]).items
        ('a', 'b', 'c')
    """
    if not len(left) == len(right) == len(choice):
        raise InputError(
            f"The columns left, right and choice have {len(left)}, {len(right)} and "
            f"{len(choice)} rows."
        )
    people = list(observer) if observer is not None else [""] * len(choice)
    items = tuple(dict.fromkeys([*left, *right]))
    names = tuple(dict.fromkeys(people))
    item_code = {name: code for code, name in enumerate(items)}
    person_code = {name: code for code, name in enumerate(names)}
    return Comparisons(
        items=items,
        left=np.array([item_code[name] for name in left], np.int32),
        right=np.array([item_code[name] for name in right], np.int32),
        choice=np.array([_choice(given) for given in choice], np.int8),
        observers=names,
        observer=np.array([person_code[name] for name in people], np.int32),
        identical=identical,
    )


def from_wins(wins: Floats, items: Sequence[str] | None = None) -> Comparisons:
    """Comparisons from a matrix of wins, as pwcmp and others keep them.

    Args:
        wins: (items, items); `wins[i, j]` counts how often i was chosen over j.
        items: names; "1", "2", ... without.

    Returns:
        One weighted row for each cell above 0; sides and observers are unknown, so neither side
        bias nor observers can be examined.

    Raises:
        InputError: the matrix is not square or holds NaN, negative or infinite counts, or a win of
            an item over itself.

    Example:
        >>> len(from_wins(np.array([[0, 25], [75, 0]])))
        2
    """
    counts = np.asarray(wins, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise InputError(f"A matrix of wins must be square, not {counts.shape}.")
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise InputError("A matrix of wins holds counts: finite numbers of at least 0.")
    names = tuple(items) if items is not None else tuple(str(i + 1) for i in range(len(counts)))
    if len(names) != len(counts):
        raise InputError(f"{len(names)} names are given for a matrix of {len(counts)} items.")
    winner, loser = np.nonzero(counts)
    return Comparisons(
        items=names,
        left=winner.astype(np.int32),
        right=loser.astype(np.int32),
        choice=np.ones(len(winner), np.int8),
        observers=("",),
        observer=np.zeros(len(winner), np.int32),
        weights=counts[winner, loser],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Answers counted by pair. With side bias (a, b) and (b, a) are two cells, without, one.

    Attributes:
        left, right: (cells,) codes.
        counts: (cells, 3) how often the left was chosen, it was a tie, the right was chosen.
        of_row: (n,) the cell of each comparison, and `turned`: whether its sides are exchanged.
    """

    left: Integers
    right: Integers
    counts: Floats
    of_row: Integers
    turned: Mask

    @property
    def totals(self) -> Floats:
        """(cells,) answers of each cell."""
        return np.asarray(self.counts.sum(axis=-1))


def count_cells(comparisons: Comparisons, sided: bool) -> Cells:
    """Count answers by pair.

    Args:
        comparisons: answers.
        sided: whether it matters which item stood left.
    """
    items = len(comparisons.items)
    left = comparisons.left.astype(np.int64)
    right = comparisons.right.astype(np.int64)
    turned = (left > right) if not sided else np.zeros(len(left), np.bool_)
    first, second = np.where(turned, right, left), np.where(turned, left, right)
    keys, of_row = np.unique(first * items + second, return_inverse=True)
    column = 1 - np.where(turned, -comparisons.choice, comparisons.choice).astype(np.int64)
    counts = added_up(of_row * 3 + column, comparisons.row_weights, 3 * len(keys))
    return Cells(keys // items, keys % items, counts.reshape(-1, 3), of_row, turned)


def added_up(codes: Integers, amounts: Floats, size: int) -> Floats:
    """(size,) amounts added up by code."""
    return np.asarray(np.bincount(codes, amounts, size), dtype=np.float64)


def groups_of(comparisons: Comparisons) -> Integers:
    """(items,) a number for each set of items that comparisons link, 0 for the first item's."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(comparisons.items)
    ones = np.ones(len(comparisons), np.int8)
    graph = coo_array((ones, (comparisons.left, comparisons.right)), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[labels])


def winning_groups_of(comparisons: Comparisons) -> Integers:
    """(items,) numbers of sets in which everyone can be reached from everyone by wins or ties.

    A finite maximum of the likelihood exists only if there is one such set (Ford 1957).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(comparisons.items)
    left_won, right_won = comparisons.choice >= 0, comparisons.choice <= 0
    winner = np.concatenate([comparisons.left[left_won], comparisons.right[right_won]])
    loser = np.concatenate([comparisons.right[left_won], comparisons.left[right_won]])
    graph = coo_array((np.ones(len(winner), np.int8), (winner, loser)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=True, connection="strong")[1])


def listed_groups(items: Sequence[str], groups: Integers, most: int = 4) -> str:
    """The sets of items for a sentence: "(a, b) and (c)"."""
    sets = [[items[i] for i in np.flatnonzero(groups == g).tolist()] for g in np.unique(groups)]
    shown = [f"({_some(names, 3)})" for names in sets[:most]]
    return " and ".join(shown) + (f" and {len(sets) - most} more" if len(sets) > most else "")


def _choice(given: str | int) -> int:
    if isinstance(given, str):
        code = _WORDS.get(given.strip().lower())
        if code is None:
            raise InputError(
                f"The choice {given!r} is unknown.", hint="Choices are left, right and tie."
            )
        return code
    if given not in (LEFT, TIE, RIGHT):
        raise InputError(f"The choice {given!r} is none of 1 (left), 0 (tie) and -1 (right).")
    return int(given)


def _check_names(names: Sequence[str], what: str) -> None:
    if not names:
        raise InputError(f"There are no {what}s.", hint="Comparisons need items and observers.")
    if what == "item" and len(names) < 2:
        raise InputError(f"There is one item only, {names[0]!r}.", hint="Two make a comparison.")
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise InputError(f"The {what} {twice!r} is listed twice.")


def _check_codes(column: str, codes: Integers, names: int, rows: int) -> None:
    if len(codes) != rows:
        raise InputError(f"`{column}` has {len(codes)} rows, the choices have {rows}.")
    if not np.issubdtype(codes.dtype, np.integer):
        raise InputError(f"`{column}` must hold integer codes, not {codes.dtype}.")
    bad = np.flatnonzero((codes < 0) | (codes >= names))
    if len(bad):
        raise InputError(
            f"Row {int(bad[0]) + 1} has the code {int(codes[bad[0]])} in `{column}`, which names "
            f"nothing; there are {names} names."
        )


def _check_choices(choice: Integers) -> None:
    if np.issubdtype(choice.dtype, np.floating) and np.isnan(choice).any():
        row = int(np.flatnonzero(np.isnan(choice))[0]) + 1
        raise InputError(f"Row {row} has no choice (NaN).", hint="Leave unanswered pairs out.")
    bad = np.flatnonzero(~np.isin(choice, (LEFT, TIE, RIGHT)))
    if len(bad):
        raise InputError(
            f"Row {int(bad[0]) + 1} has the choice {choice[bad[0]]}, which is none of 1 (left), "
            "0 (tie) and -1 (right)."
        )


def _check_weights(weights: Floats | None, rows: int) -> None:
    if weights is None:
        return
    if len(weights) != rows:
        raise InputError(f"`weights` has {len(weights)} rows, the choices have {rows}.")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if len(bad):
        raise InputError(
            f"Row {int(bad[0]) + 1} has the weight {weights[bad[0]]:g}, which is not above 0."
        )


def _some(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
