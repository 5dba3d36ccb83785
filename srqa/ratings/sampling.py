"""Active sampling: which pairs to ask next, so that answers tell the most about the scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.choice_fit import Floats, Problem, dense_information, expected_weights, fit
from srqa.ratings.choice_models import JOD_PER_UNIT, ChoiceModel
from srqa.ratings.comparisons import Cells, Comparisons, Integers, count_cells
from srqa.ratings.paired import SIGMA

Aim = Literal["scale", "order"]
RANDOM_SHARE = 0.15
"""Of the pairs, drawn at random, so that the model can be checked on them."""
MOST_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Assignment:
    """A pair to show.

    Attributes:
        left, right: names of the items, sides drawn at random.
        observer: whom to ask; "" if that is open.
        random: drawn at random, for checking the model, rather than for its information.
        gain: what was expected of it when it was chosen: the reduction of the values' mean variance
            in JOD squared ("scale") or the information gain in nats ("order").
    """

    left: str
    right: str
    observer: str
    random: bool
    gain: float


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is known of the values: a normal distribution, in standard deviations of an answer.

    Attributes:
        mean: (items,) values.
        covariance: (items, items).
    """

    mean: Floats
    covariance: Floats

    def gaps(self) -> tuple[Floats, Floats]:
        """(items, items) means and variances of the differences, row minus column."""
        spread = np.diag(self.covariance)
        variance = spread[:, None] + spread[None, :] - 2 * self.covariance
        return self.mean[:, None] - self.mean[None, :], np.maximum(variance, 0)


def next_pairs(
    items: Sequence[str],
    count: int,
    comparisons: Comparisons | None = None,
    pending: Iterable[tuple[str, str]] = (),
    aim: Aim = "scale",
    random_share: float = RANDOM_SHARE,
    sigma: float = SIGMA,
    seed: int = 0,
) -> list[Assignment]:
    """The next pairs to ask, whoever answers.

    The values are believed to be normal around the maximum a posteriori of Thurstone's case V with
    the inverse information as covariance. The gain of a pair is, with the aim "order", the mean
    over its two answers of the Kullback-Leibler divergence of the belief after the answer from the
    belief before (as in ASAP, but with the whole covariance); with the aim "scale" it is how much
    the answer will lower the mean variance of the values. Pairs are taken as edges of the minimum
    spanning tree of 1 / gain, so that they link all items, best first; when a tree is used up, its
    pairs count as pending and the next is grown.

    Args:
        items: names of all items.
        count: how many pairs.
        comparisons: answers so far; their items must be among `items`. Ties count half.
        pending: pairs that were assigned but not yet answered; they lower what asking the same
            again can tell, without moving values.
        aim: "scale" for small errors of the values, "order" for the right order sooner.
        random_share: share of pairs drawn evenly from all, from 0 to 1.
        sigma: standard deviation of the prior, in JOD.
        seed: of random pairs, sides, and the choice among equals.

    Returns:
        `count` assignments, in the order to ask them.

    Raises:
        InputError: fewer than two items, or answers or pending pairs about others.
        UsageError: more than 1,000 items, or a share outside 0 to 1.

    Reference:
        Mikhailiuk, Wilmot, Perez-Ortiz, Yue and Mantiuk, Active sampling for pairwise comparisons
        via approximate message passing and information gain maximization, ICPR 2020; Li, Mantiuk,
        Wang, Ling and Le Callet, Hybrid-MST, NeurIPS 2018 (the spanning tree).

    Example:
        >>> pairs = next_pairs(["a", "b", "c"], count=2, random_share=0.0)
        >>> sorted({name for pair in pairs for name in (pair.left, pair.right)})
        ['a', 'b', 'c']
    """
    _check(items, count, random_share, aim)
    code = {name: k for k, name in enumerate(items)}
    counted = _counted(items, code, comparisons)
    waiting = [_codes(code, pair) for pair in pending]
    rng = np.random.default_rng(seed)
    wish = _Wish(aim, random_share, sigma)
    chosen = _grow(len(items), counted, waiting, count, wish, rng, None)
    return [_assignment(items, pair, "", rng) for pair in chosen]


def assign_pairs(
    items: Sequence[str],
    observers: Sequence[str],
    each: int,
    comparisons: Comparisons | None = None,
    pending: Iterable[tuple[str, str, str]] = (),
    aim: Aim = "scale",
    random_share: float = RANDOM_SHARE,
    sigma: float = SIGMA,
    seed: int = 0,
) -> list[Assignment]:
    """Pairs for several observers who work at the same time.

    Observers take turns in choosing; what others were given counts as pending. No observer gets a
    pair twice that he has answered or waits for, as long as there are others.

    Args:
        items, comparisons, aim, random_share, sigma, seed: as in `next_pairs`.
        observers: whom to ask.
        each: pairs an observer.
        pending: (left, right, observer) that are being answered.

    Example:
        >>> found = assign_pairs(["a", "b", "c"], ["anna", "bert"], each=3)
        >>> len({frozenset((a.left, a.right)) for a in found if a.observer == "anna"})
        3
    """
    _check(items, each, random_share, aim)
    if not observers or len(set(observers)) < len(observers):
        raise InputError("Each observer to ask must be named, and once.")
    code = {name: k for k, name in enumerate(items)}
    counted = _counted(items, code, comparisons)
    history: dict[str, set[tuple[int, int]]] = {name: set() for name in observers}
    waiting = []
    for left, right, observer in pending:
        pair = _codes(code, (left, right))
        waiting.append(pair)
        history.setdefault(observer, set()).add(pair)
    if comparisons is not None:
        for left_code, right_code, person in zip(
            comparisons.left, comparisons.right, comparisons.observer, strict=True
        ):
            seen = _codes(code, (comparisons.items[left_code], comparisons.items[right_code]))
            history.setdefault(comparisons.observers[person], set()).add(seen)
    rng, wish = np.random.default_rng(seed), _Wish(aim, random_share, sigma)
    found: list[Assignment] = []
    for name in observers:
        taken = frozenset(history[name])
        chosen = _grow(len(items), counted, waiting, each, wish, rng, taken)
        waiting.extend(pair for pair, _, _ in chosen)
        found.extend(_assignment(items, pair, name, rng) for pair in chosen)
    return found


def expected_gain(belief: Belief) -> Floats:
    """(items, items) expected information gain of asking each pair, in nats; 0 on the diagonal.

    With d the difference, normal with mean m and variance v, the answer "d > noise" has
    probability Phi(z), z = m / sqrt(1 + v). After it d has, by matching moments,
    ``m' = m + v r / sqrt(1 + v)`` and ``v' = v (1 - v / (1 + v) r (r + z))``, r = phi(z) / Phi(z).
    All else moves with d, so the divergence of the whole belief is that of d alone. Everything is
    computed from log Phi, so that it holds far out in the tails.
    """
    from scipy.special import log_ndtr

    mean, variance = belief.gaps()
    scale = np.sqrt(1 + variance)
    z = mean / scale
    gain = np.zeros_like(mean)
    for side in (1.0, -1.0):
        log_p = log_ndtr(side * z)
        ratio = np.exp(-0.5 * z * z - 0.5 * math.log(2 * math.pi) - log_p)
        shift = variance * ratio / scale
        kept = 1 - variance / (1 + variance) * ratio * (ratio + side * z)
        kept = np.clip(kept, 1e-12, 1.0)
        moved = np.divide(shift**2, variance, out=np.zeros_like(shift), where=variance > 0)
        gain += np.exp(log_p) * 0.5 * (kept + moved - 1 - np.log(kept))
    np.fill_diagonal(gain, 0)
    return gain


def variance_reduction(belief: Belief) -> Floats:
    """(items, items) by how much one answer lowers the mean variance of the values, JOD squared.

    An answer adds the information w of a choice at the believed difference, so that the covariance
    C falls by ``w C d d' C / (1 + w d' C d)``, d picking the pair's difference.
    """
    mean, variance = belief.gaps()
    found = ChoiceModel("thurstone", "none").outcomes(mean, np.zeros(1))
    p = np.exp(found.log_p[..., [0, 2]])
    weight = (p * found.by_eta[..., [0, 2]] ** 2).sum(axis=-1)
    square = belief.covariance @ belief.covariance
    own = np.diag(square)
    carried = np.maximum(own[:, None] + own[None, :] - 2 * square, 0)
    gain = weight * carried / (1 + weight * variance) / len(mean)
    np.fill_diagonal(gain, 0)
    return np.asarray(gain * JOD_PER_UNIT["thurstone"] ** 2)


def believe(
    items: int,
    left: Integers,
    right: Integers,
    counts: Floats,
    waiting: Sequence[tuple[int, int]] = (),
    sigma: float = SIGMA,
) -> Belief:
    """The belief after answers.

    Args:
        items: how many.
        left, right: (cells,) codes of answered pairs.
        counts: (cells, 3) wins of the left, ties (half a win each), wins of the right.
        waiting: pending pairs; each adds its expected information.
        sigma: of the prior, in JOD.
    """
    model = ChoiceModel("thurstone", "none")
    precision = (JOD_PER_UNIT["thurstone"] / sigma) ** 2
    halved = counts + counts[:, [1]] * np.array([0.5, -1.0, 0.5])
    rows = np.zeros(len(left), np.int64)
    cells = Cells(left, right, halved, rows, rows > 0)
    problem = Problem(items, cells, model, sided=False, precision=precision)
    mean = fit(problem, halved[None]).theta[0] if len(left) else np.zeros(items)
    weights = expected_weights(problem, mean, cells.totals)
    information = dense_information(problem, tuple(w[None] for w in weights))[0]
    for first, second in waiting:
        add_answer(information, mean, first, second)
    return Belief(mean, np.linalg.inv(information))


def add_answer(information: Floats, mean: Floats, first: int, second: int) -> float:
    """Add the expected information of one answer in place; returns its weight."""
    gap = np.array([mean[first] - mean[second]])
    found = ChoiceModel("thurstone", "none").outcomes(gap, np.zeros(1))
    p = np.exp(found.log_p[0, [0, 2]])
    weight = float((p * found.by_eta[0, [0, 2]] ** 2).sum())
    information[first, first] += weight
    information[second, second] += weight
    information[first, second] -= weight
    information[second, first] -= weight
    return weight


_Pair = tuple[tuple[int, int], bool, float]


@dataclass(frozen=True, slots=True)
class _Wish:
    """How pairs are to be chosen."""

    aim: Aim
    random_share: float
    sigma: float

    def gain(self, belief: Belief) -> Floats:
        """(items, items) what each pair promises."""
        return expected_gain(belief) if self.aim == "order" else variance_reduction(belief)


def _grow(
    n: int,
    counted: tuple[Integers, Integers, Floats],
    waiting: Sequence[tuple[int, int]],
    count: int,
    wish: _Wish,
    rng: np.random.Generator,
    taken: frozenset[tuple[int, int]] | None,
) -> list[_Pair]:
    """Pairs by trees and at random, mixed; none of `taken` and none twice, unless it is None."""
    pending, used = list(waiting), set(taken or ())
    random_places = _random_places(count, wish.random_share, rng)
    gain = wish.gain(believe(n, *counted, pending, wish.sigma))
    tree: list[tuple[int, int]] = []
    found: list[_Pair] = []
    for place in range(count):
        if len(used) >= n * (n - 1) // 2:
            used = set()
        by_chance = place in random_places
        if by_chance:
            pair = _draw(n, used, rng)
        else:
            tree = [edge for edge in tree if edge not in used]
            if not tree:
                if found:
                    gain = wish.gain(believe(n, *counted, pending, wish.sigma))
                tree = spanning_tree(gain, used, rng)
            pair = tree.pop(0)
        if taken is not None:
            used.add(pair)
        pending.append(pair)
        found.append((pair, by_chance, float(gain[pair])))
    return found


def spanning_tree(
    gain: Floats, used: set[tuple[int, int]], rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Edges of the minimum spanning tree of 1 / gain without the used pairs, best first.

    Equal gains are parted by chance. Where the rest does not link all items it is a forest.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    first, second = np.triu_indices(len(gain), 1)
    if used:
        barred = np.array([a * len(gain) + b for a, b in used])
        free = ~np.isin(first * len(gain) + second, barred)
        first, second = first[free], second[free]
    worth = np.maximum(gain[first, second], 1e-300)
    cost = worth.max() / worth * (1 + 1e-6 * rng.random(len(worth)))
    graph = coo_array((cost, (first, second)), shape=gain.shape).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    order = np.argsort(tree.data, kind="stable")
    return [(int(tree.row[k]), int(tree.col[k])) for k in order]


def _random_places(count: int, share: float, rng: np.random.Generator) -> set[int]:
    whole, rest = divmod(share * count, 1)
    number = int(whole) + int(rng.random() < rest)
    return {int(place) for place in rng.choice(count, size=number, replace=False)}


def _draw(n: int, used: set[tuple[int, int]], rng: np.random.Generator) -> tuple[int, int]:
    for _ in range(1000):
        a, b = sorted(int(k) for k in rng.choice(n, size=2, replace=False))
        if (a, b) not in used:
            return a, b
    free = [(a, b) for a in range(n) for b in range(a + 1, n) if (a, b) not in used]
    return free[int(rng.integers(len(free)))]


def _assignment(
    items: Sequence[str], pair: _Pair, observer: str, rng: np.random.Generator
) -> Assignment:
    (first, second), by_chance, gain = pair
    left, right = (first, second) if rng.random() < 0.5 else (second, first)
    return Assignment(items[left], items[right], observer, by_chance, gain)


def _counted(
    items: Sequence[str], code: dict[str, int], comparisons: Comparisons | None
) -> tuple[Any, Any, Floats]:
    if comparisons is None:
        none = np.zeros(0, np.int64)
        return none, none, np.zeros((0, 3))
    unknown = [name for name in comparisons.items if name not in code]
    if unknown:
        raise InputError(
            f"Answers speak of {unknown[0]!r}, which is not among the {len(items)} items to scale."
        )
    place = np.array([code[name] for name in comparisons.items])
    cells = count_cells(comparisons, sided=False)
    different = cells.left != cells.right
    return place[cells.left[different]], place[cells.right[different]], cells.counts[different]


def _codes(code: dict[str, int], pair: tuple[str, str]) -> tuple[int, int]:
    unknown = [name for name in pair if name not in code]
    if unknown:
        raise InputError(f"The pending pair {pair} names {unknown[0]!r}, which is no item.")
    first, second = sorted(code[name] for name in pair)
    return first, second


def _check(items: Sequence[str], count: int, share: float, aim: Aim) -> None:
    if len(items) < 2 or len(set(items)) < len(items):
        raise InputError("Pairs need two items or more, each named once.")
    if len(items) > MOST_ITEMS:
        raise UsageError(
            f"{len(items)} items are too many to weigh all pairs; {MOST_ITEMS} are the most.",
            hint="Sample each content by itself.",
        )
    if count < 1:
        raise UsageError(f"At least one pair must be wanted, not {count}.")
    if aim not in ("scale", "order"):
        raise UsageError(f"There is no aim {aim!r}.", hint="scale or order.")
    if not 0 <= share <= 1:
        raise UsageError(f"The share of random pairs lies between 0 and 1, not at {share}.")
