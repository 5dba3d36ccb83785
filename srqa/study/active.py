"""Pairs that tell most about the scales so far, one for each content (see ratings.sampling)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from srqa.ratings.comparisons import Comparisons
from srqa.ratings.sampling import assign_pairs
from srqa.study import tables as t
from srqa.study.assignment import Past, Random, Unit
from srqa.study.store import COUNTED
from srqa.study.study import Study

_CHOICE = {"left": 1, "tie": 0, "right": -1}
_ME = "\0me"


def choose_pairs(
    study: Study, judged: Sequence[Unit], number: int, past: Past, rng: Random, c: Connection
) -> list[Unit]:
    """The pairs of a participant.

    Contents take turns, those with the fewest answers first. Within a content the pairs are those
    of `srqa.ratings.sampling.assign_pairs`: answers of all count, and so do pairs that are being
    answered.

    Args:
        study: the study.
        judged: all pairs.
        number: how many are wanted.
        past: what was asked so far.
        rng: of chance.
        c: the transaction that plans.
    """
    groups: dict[str, list[Unit]] = defaultdict(list)
    for unit in judged:
        if unit.key not in past.mine:
            groups[unit.content].append(unit)
    answers, pending = _known(study, c)
    names = sorted(groups)
    asked = {name: sum(past.counts.get(u.key, 0) for u in groups[name]) for name in names}
    chance = dict(zip(names, rng.permutation(len(names)), strict=True))
    names.sort(key=lambda name: (asked[name], int(chance[name])))
    shares = dict.fromkeys(names, 0)
    for _ in range(number):
        free = [n for n in names if shares[n] < len(groups[n])]
        if not free:
            break
        shares[min(free, key=lambda n: (shares[n], names.index(n)))] += 1
    found: list[Unit] = []
    for name in names:
        if shares[name]:
            seed = int(rng.integers(2**31))
            found += _of_content(groups[name], judged, shares[name], answers, pending, past, seed)
    return found


def _of_content(
    group: Sequence[Unit],
    judged: Sequence[Unit],
    number: int,
    answers: dict[str, list[tuple[str, int]]],
    pending: dict[str, int],
    past: Past,
    seed: int,
) -> list[Unit]:
    units = {unit.key: unit for unit in judged if unit.content == group[0].content}
    items = sorted({str(side) for u in units.values() for side in (u.first, u.second)})
    code = {item: k for k, item in enumerate(items)}
    rows = [
        (code[str(units[key].first)], code[str(units[key].second)], choice, who)
        for key in units
        for who, choice in answers.get(key, ())
    ]
    waiting = [
        (str(units[key].first), str(units[key].second), "")
        for key in units
        for _ in range(pending.get(key, 0))
    ]
    waiting += [(str(u.first), str(u.second), _ME) for k, u in units.items() if k in past.mine]
    made = assign_pairs(
        items, [_ME], number, comparisons=_comparisons(items, rows), pending=waiting, seed=seed
    )
    by_sides = {frozenset((str(u.first), str(u.second))): u for u in group}
    wanted = [by_sides.get(frozenset((a.left, a.right))) for a in made]
    return list(dict.fromkeys(unit for unit in wanted if unit is not None))


def _comparisons(items: Sequence[str], rows: Sequence[tuple[int, int, int, str]]) -> Any:
    if not rows:
        return None
    people = sorted({who for *_, who in rows})
    number = {who: k for k, who in enumerate(people)}
    left, right, choice, _ = (np.array(column) for column in zip(*rows, strict=True))
    return Comparisons(
        items=tuple(items),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        choice=choice.astype(np.int8),
        observers=tuple(people),
        observer=np.array([number[who] for *_, who in rows], dtype=np.int32),
    )


def _known(study: Study, c: Connection) -> tuple[dict[str, list[tuple[str, int]]], dict[str, int]]:
    """Answers by pair, as (who, 1 where the first was chosen), and how often each is waited for."""
    a, p, r = t.assignment, t.participant, t.response
    mine = sa.and_(p.c.study == study.store.study, p.c.state.in_(COUNTED))
    given = (
        sa.select(a.c.unit, a.c.swapped, r.c.choice, r.c.participant)
        .select_from(r.join(a, r.c.assignment == a.c.id).join(p, r.c.participant == p.c.id))
        .where(mine, a.c.kind.in_(("test", "repeat")))
        .order_by(r.c.id)
    )
    answers: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for unit, swapped, choice, who in c.execute(given):
        answers[unit].append((who, _CHOICE[choice] * (-1 if swapped else 1)))
    open_ = (
        sa.select(a.c.unit, sa.func.count())
        .select_from(a.join(p, a.c.participant == p.c.id))
        .where(mine, a.c.kind == "test", a.c.state.in_(("pending", "served")))
        .group_by(a.c.unit)
    )
    return answers, {unit: int(n) for unit, n in c.execute(open_)}
