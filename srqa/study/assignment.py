"""Who is asked what: pure functions of the stimuli, what was asked so far, and a seed.

Units are what one question is about: a stimulus, or a pair. The least asked come first, ties by
chance; between two trials of one content stand others; sides are balanced for each pair, and for
each participant. The same arguments give the same plan.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Kind = Literal["training", "test", "repeat", "gold", "trap", "identical"]
Random = np.random.Generator
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Unit:
    """What a question is about.

    Attributes:
        key: its name in the database: "17", or "17-23" for a pair.
        first, second: numbers of stimuli; of pairs in a fixed order, `second` is None else.
        content: trials of one content are kept apart.
        companion: key of the unit that must be asked with it (a hidden reference).
    """

    key: str
    first: int
    second: int | None
    content: str
    companion: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A planned question.

    Attributes:
        kind: what it is for.
        unit: what it is about.
        swapped: the second stimulus of a pair stands left (or comes first).
        expect: of controls and training, the right answers: (lowest, highest), or a side.
        block: 0 for training, then from 1 on.
    """

    kind: Kind
    unit: Unit
    swapped: bool = False
    expect: tuple[float, float] | str | None = None
    block: int = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a participant's session shall be like; see `definition.Session` and `Checks`."""

    trials: int | None = None
    gap: int = 2
    repeats: int = 0
    traps: int = 0
    identical: int = 0
    gold: int = 0
    break_every: int = 25
    by_content: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What has been asked so far.

    Attributes:
        counts: asked and not taken back, by a unit's key.
        swaps: of pairs, how much more often the first stood left than the second.
        mine: keys of units that this participant has been asked.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    swaps: Mapping[str, int] = field(default_factory=dict)
    mine: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """A participant's trials in their order.

    Attributes:
        trials: without training.
        gap: other trials between two of one content that could be had.
        wanted_gap: what was asked for.
    """

    trials: tuple[Trial, ...]
    gap: int
    wanted_gap: int


def generator(seed: str, participant: str, *more: object) -> Random:
    """The random numbers of a participant: HMAC of the study's seed and the participant's id."""
    message = "\0".join([participant, *(str(item) for item in more)])
    digest = hmac.new(seed.encode(), message.encode(), hashlib.sha256).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def plan(
    units: Sequence[Unit],
    companions: Sequence[Unit],
    golds: Sequence[Trial],
    wish: Wish,
    past: Past,
    rng: Random,
    chosen: Sequence[Unit] | None = None,
) -> Plan:
    """Plan a session.

    Args:
        units: what is to be judged.
        companions: hidden references, asked when a unit names them.
        golds: control questions to draw from.
        wish: what the session shall be like.
        past: what has been asked so far.
        rng: of chance.
        chosen: units settled elsewhere (active sampling), instead of the least asked.

    Example:
        >>> units = [Unit(str(k), k, None, f"c{k % 4}") for k in range(12)]
        >>> made = plan(units, (), (), Wish(trials=6), Past(), generator("seed", "ann"))
        >>> len(made.trials), made.gap
        (6, 2)
    """
    picked = (
        list(chosen) if chosen is not None else _least_asked(units, companions, wish, past, rng)
    )
    trials = [Trial("test", unit) for unit in picked]
    trials += _controls(picked, golds, wish, rng)
    order, gap = spread(trials, wish.gap, rng)
    order = _with_repeats(order, wish.repeats, gap, rng)
    order = _with_sides(order, past.swaps, rng)
    size = max(wish.break_every, 1)
    blocks = max(1, round(len(order) / size))
    cuts = [round(k * len(order) / blocks) for k in range(1, blocks + 1)]
    numbered = [
        replace(trial, block=1 + sum(place >= cut for cut in cuts))
        for place, trial in enumerate(order)
    ]
    return Plan(tuple(numbered), gap, wish.gap)


def _least_asked(
    units: Sequence[Unit], companions: Sequence[Unit], wish: Wish, past: Past, rng: Random
) -> list[Unit]:
    """Units in the order of how often they were asked, ties by chance, up to the wanted number."""
    free = [unit for unit in units if unit.key not in past.mine]
    by_key = {unit.key: unit for unit in companions}
    chance = rng.permutation(len(free))
    rank = dict(zip((unit.key for unit in free), chance, strict=True))
    contents = sorted({unit.content for unit in free})
    order = dict(zip(contents, rng.permutation(len(contents)), strict=True))

    def place(unit: Unit) -> tuple[int, int, int]:
        content = int(order[unit.content]) if wish.by_content else 0
        return past.counts.get(unit.key, 0), content, int(rank[unit.key])

    most = len(free) + len(companions) if wish.trials is None else wish.trials
    owed = {
        unit.companion: None
        for unit in units
        if unit.key in past.mine and unit.companion and unit.companion not in past.mine
    }
    picked = [by_key[key] for key in owed][:most]
    taken = {unit.key for unit in picked}
    for unit in sorted(free, key=place):
        needed = [unit]
        if unit.companion is not None and unit.companion not in taken | past.mine:
            needed.append(by_key[unit.companion])
        if len(picked) + len(needed) > most:
            continue
        picked += needed
        taken |= {one.key for one in needed}
        if len(picked) == most:
            break
    return picked


def _controls(
    picked: Sequence[Unit], golds: Sequence[Trial], wish: Wish, rng: Random
) -> list[Trial]:
    found: list[Trial] = []
    if golds and wish.gold:
        places = [int(k) for k in rng.permutation(len(golds))]
        found += [golds[places[k % len(places)]] for k in range(min(wish.gold, len(golds)))]
    for kind, number in (("trap", wish.traps), ("identical", wish.identical)):
        for k in rng.choice(len(picked), size=min(number, len(picked)), replace=False):
            unit = picked[int(k)]
            if kind == "identical":
                one = unit.first if rng.random() < 0.5 or unit.second is None else unit.second
                found.append(Trial("identical", Unit(f"{one}-{one}", one, one, unit.content)))
            else:
                found.append(Trial("trap", unit))
    return found


def spread(trials: Sequence[Trial], gap: int, rng: Random) -> tuple[list[Trial], int]:
    """Shuffle so that at least `gap` others stand between two trials of one content.

    Drawn at random among what keeps the rest possible; where no order is possible, the gap shrinks.

    Returns:
        The order and the gap that it keeps.
    """
    groups: dict[str, list[Trial]] = defaultdict(list)
    for k in rng.permutation(len(trials)):
        groups[trials[int(k)].unit.content].append(trials[int(k)])
    for keep in range(gap, -1, -1):
        for _ in range(_TRIES):
            left = {content: list(group) for content, group in groups.items()}
            order = _arrange(left, len(trials), keep, rng)
            if order is not None:
                return order, keep
    return [trials[int(k)] for k in rng.permutation(len(trials))], 0


def _arrange(left: dict[str, list[Trial]], n: int, gap: int, rng: Random) -> list[Trial] | None:
    counts = {content: len(group) for content, group in left.items()}
    order: list[Trial] = []
    last: dict[str, int] = {}
    for place in range(n):
        rest = n - place
        free = [c for c, k in counts.items() if k and place - last.get(c, -gap - 1) > gap]
        if not free:
            return None
        most = max(counts.values())
        slack = rest - (most - 1) * (gap + 1) - sum(k == most for k in counts.values())
        if slack < 0:
            return None
        urgent = [c for c in free if counts[c] == most] if slack == 0 and most > 1 else []
        pool = urgent or free
        weights = np.array([counts[c] for c in pool], dtype=float)
        content = pool[int(rng.choice(len(pool), p=weights / weights.sum()))]
        order.append(left[content].pop())
        counts[content] -= 1
        last[content] = place
    return order


def _with_repeats(order: list[Trial], repeats: int, gap: int, rng: Random) -> list[Trial]:
    """Trials of the first half asked again in the last third."""
    tests = [trial for trial in order[: (len(order) + 1) // 2] if trial.kind == "test"]
    found = list(order)
    for k in rng.permutation(len(tests))[:repeats]:
        again = replace(tests[int(k)], kind="repeat")
        start = max(2 * len(order) // 3, found.index(tests[int(k)]) + 1)
        places = [int(p) for p in start + rng.permutation(len(found) + 1 - start)]
        fits = [p for p in places if _is_apart(found, p, again, gap)]
        found.insert((fits or places)[0], again)
    return found


def _is_apart(order: Sequence[Trial], place: int, trial: Trial, gap: int) -> bool:
    near = order[max(place - gap, 0) : place + gap]
    return all(other.unit.content != trial.unit.content for other in near)


def _with_sides(order: Sequence[Trial], swaps: Mapping[str, int], rng: Random) -> list[Trial]:
    """Decide which picture stands left, so that pairs and participants are balanced."""
    balance: Counter[str] = Counter(swaps)
    own = 0
    sides: dict[int, bool] = {}
    paired = [k for k, t in enumerate(order) if t.unit.second is not None and t.kind != "repeat"]
    chance = [paired[int(k)] for k in rng.permutation(len(paired))]
    decided = sorted(chance, key=lambda k: -abs(balance[order[k].unit.key]))
    for k in decided:
        key = order[k].unit.key
        now = balance[key]
        if now:
            swapped = now > 0
        elif own:
            swapped = own > 0
        else:
            swapped = bool(rng.random() < 0.5)
        away = abs(own + (-1 if swapped else 1)) > max(2, abs(own))
        if away and abs(now + (1 if swapped else -1)) <= 2:
            swapped = not swapped
        step = -1 if swapped else 1
        balance[key] += step
        own += step
        sides[k] = swapped
    firsts: dict[str, bool] = {}
    found = []
    for k, trial in enumerate(order):
        swapped = sides.get(k, False)
        if trial.kind == "repeat" and trial.unit.key in firsts:
            swapped = not firsts[trial.unit.key]
        firsts.setdefault(trial.unit.key, swapped)
        found.append(replace(trial, swapped=swapped))
    return found
