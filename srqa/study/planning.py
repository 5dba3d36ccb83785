"""From a study to plans: what there is to ask, and the plan of a participant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlalchemy.engine import Connection, RowMapping

from srqa.errors import InputError
from srqa.study.assignment import Past, Plan, Random, Trial, Unit, Wish, generator, plan
from srqa.study.store import utcnow
from srqa.study.study import Study


def units(study: Study) -> tuple[list[Unit], list[Unit]]:
    """What is judged, and the hidden references that must be judged with it."""
    if "units" in study.caches and study.caches["units"][0] is study.stimuli:
        made: tuple[list[Unit], list[Unit]] = study.caches["units"][1]
        return made
    rows = list(study.stimuli.values())
    tests = [row for row in rows if row["role"] == "test"]
    references = {row["name"]: row for row in rows if row["role"] == "reference"}
    name = study.definition.method
    companions: list[Unit] = []
    if study.definition.is_paired:
        found = _pairs(study, tests, references)
    elif name == "ccr":
        found = [_against(row, references[row["reference"]]) for row in tests]
    else:
        hidden = name == "acr_hr"
        found = [
            Unit(
                str(row["id"]),
                row["id"],
                None,
                content_of(row),
                str(references[row["reference"]]["id"]) if hidden else None,
            )
            for row in tests
        ]
        if hidden:
            used = {row["reference"] for row in tests}
            companions = [_single(references[one]) for one in sorted(used)]
    if not found:
        raise InputError(f"There is nothing to ask in the study {study.name}.")
    study.caches["units"] = (study.stimuli, (found, companions))
    return found, companions


def content_of(row: RowMapping) -> str:
    """What a picture shows, as trials are kept apart by it."""
    return f"{row['dataset']}/{row['content']}"


def _single(row: RowMapping) -> Unit:
    return Unit(str(row["id"]), row["id"], None, content_of(row))


def _against(row: RowMapping, other: RowMapping) -> Unit:
    return Unit(f"{row['id']}-{other['id']}", row["id"], other["id"], content_of(row))


def _pairs(
    study: Study, tests: Sequence[RowMapping], references: dict[str, RowMapping]
) -> list[Unit]:
    groups: dict[tuple[Any, ...], list[RowMapping]] = defaultdict(list)
    for row in tests:
        groups[row["dataset"], row["content"], row["scale"]].append(row)
    found = []
    for group in groups.values():
        items = {row["id"]: row for row in group}
        if study.definition.pairs.reference:
            items |= {r["id"]: r for row in group if (r := references.get(row["reference"]))}
        found += [_against(items[a], items[b]) for a, b in combinations(sorted(items), 2)]
    return found


def golds(study: Study) -> list[Trial]:
    """Control questions that may be asked."""
    checks, rows = study.definition.checks, list(study.stimuli.values())
    by_source = {row["source"]: row for row in reversed(rows)}
    if checks.gold_stimuli:
        named = [(by_source[one.stimulus], one.expect) for one in checks.gold_stimuli]
        return [Trial("gold", _unit_of(study, row), expect=expect) for row, expect in named]
    by_name = {row["name"]: row for row in rows}
    found = []
    scale = study.method.rating_scale(study.definition.scale.points)
    low, high = float(scale.low), float(scale.high)
    for row in rows:
        if row["role"] != "gold":
            continue
        reference = by_name[row["reference"]]
        if study.definition.is_paired:
            found.append(Trial("gold", _against(reference, row), expect="first"))
        elif study.definition.method == "ccr":
            found.append(Trial("gold", _against(row, reference), expect=(low, low)))
        else:
            found.append(Trial("gold", _single(row), expect=(low, low)))
            found.append(Trial("gold", _single(reference), expect=(high, high)))
    return found


def _unit_of(study: Study, row: RowMapping) -> Unit:
    if study.definition.method != "ccr":
        return _single(row)
    return _against(row, study.by_name[row["reference"]])


def training(study: Study) -> list[Trial]:
    """Trials before the first that counts, in the definition's order."""
    by_source = {row["source"]: row for row in reversed(list(study.stimuli.values()))}
    found = []
    for item in study.definition.training:
        if item.pair is not None:
            better, worse = (by_source[name] for name in item.pair)
            found.append(Trial("training", _against(better, worse), expect="first", block=0))
        elif item.stimulus is not None:
            unit = _unit_of(study, by_source[item.stimulus])
            found.append(Trial("training", unit, expect=item.expect, block=0))
    return found


def wish_of(study: Study) -> Wish:
    """What the definition wants of a session."""
    session, checks = study.definition.session, study.definition.checks
    return Wish(
        trials=session.trials,
        gap=session.min_gap_same_content,
        repeats=session.repeats,
        traps=checks.traps,
        identical=checks.identical_pairs,
        gold=checks.gold,
        break_every=session.break_every,
        by_content=study.definition.method == "acr_hr" and session.trials is not None,
    )


def per_participant(study: Study) -> dict[str, int]:
    """How many trials of each kind a participant gets."""
    judged, hidden = units(study)
    wish = wish_of(study)
    tests = len(judged) + len(hidden)
    tests = tests if wish.trials is None else min(wish.trials, tests)
    return {
        "training": len(study.definition.training),
        "test": tests,
        "repeat": min(wish.repeats, (tests + 1) // 2),
        "gold": min(wish.gold, len(golds(study))),
        "trap": min(wish.traps, tests),
        "identical": min(wish.identical, tests),
    }


def plan_session(study: Study, participant: str, now: datetime | None = None) -> int:
    """Plan a participant's session and lease its trials; again after the leases ran out.

    Returns:
        The trials that are new; 0 where there are open ones whose leases hold.
    """
    now = now or utcnow()
    with study.store.database.writing("plan") as c:
        rows = study.store.rows_to_plan(c, participant)
        open_ = [row for row in rows if row["state"] in ("pending", "served")]
        answered = [row for row in rows if row["state"] == "done"]
        if open_ and all(row["lease"] > now for row in open_):
            return 0
        if answered and not open_:
            return 0
        study.store.give_back(c, participant)
        past = study.store.past(c, participant, now)
        made = make_plan(study, participant, past, [r["kind"] for r in answered], c)
        done_training = sum(row["kind"] == "training" for row in answered)
        start = max((row["position"] for row in answered), default=-1) + 1
        blocks = max((row["block"] for row in answered), default=0)
        blocks = max(blocks, 1) - 1
        trials = [*training(study)[done_training:], *made.trials]
        values = [
            _row(study, participant, trial, start + place, blocks)
            for place, trial in enumerate(trials)
        ]
        detail = {"trials": len(values), "gap": made.gap, "number": len(answered)}
        if made.gap < made.wanted_gap:
            detail["relaxed_from"] = made.wanted_gap
        study.store.add_plan(c, participant, values, now, detail)
    return len(values)


def make_plan(
    study: Study,
    participant: str,
    past: Past,
    answered: Sequence[str],
    c: Connection | None = None,
) -> Plan:
    """The plan of what a participant is still to be asked; the same for the same arguments."""
    judged, hidden = units(study)
    rng = generator(study.seed, participant, len(answered))
    wish = _rest(wish_of(study), answered)
    if wish.trials == 0:
        return Plan((), wish.gap, wish.gap)
    chosen = None
    if study.definition.is_paired and study.definition.pairs.design == "active" and c is not None:
        from srqa.study.active import choose_pairs

        chosen = choose_pairs(study, judged, wish.trials or len(judged), past, rng, c)
    elif study.definition.is_paired and study.definition.pairs.design == "random":
        chosen = _random(judged, wish.trials or len(judged), past, rng)
    return plan(judged, hidden, golds(study), wish, past, rng, chosen)


def _random(judged: Sequence[Unit], number: int, past: Past, rng: Random) -> list[Unit]:
    free = [unit for unit in judged if unit.key not in past.mine]
    return [free[int(k)] for k in rng.permutation(len(free))[:number]]


def _rest(wish: Wish, answered: Sequence[str]) -> Wish:
    """The part of a wish that is left after answers of some kinds."""
    if not answered:
        return wish
    tests = answered.count("test")
    return Wish(
        trials=None if wish.trials is None else max(wish.trials - tests, 0),
        gap=wish.gap,
        repeats=max(wish.repeats - answered.count("repeat"), 0),
        traps=max(wish.traps - answered.count("trap"), 0),
        identical=max(wish.identical - answered.count("identical"), 0),
        gold=max(wish.gold - answered.count("gold"), 0),
        break_every=wish.break_every,
        by_content=wish.by_content,
    )


def _row(
    study: Study, participant: str, trial: Trial, position: int, blocks: int
) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    if trial.expect is not None:
        expect = trial.expect
        payload["expect"] = expect if isinstance(expect, str) else list(expect)
    swapped = trial.swapped
    if trial.kind in ("trap", "training"):
        rng = generator(study.seed, participant, trial.kind, position)
        if trial.kind == "trap":
            payload["answer"] = _trap_answer(study, rng)
        elif trial.unit.second is not None:
            swapped = bool(rng.random() < 0.5)
    return {
        "position": position,
        "block": trial.block + blocks if trial.block else 0,
        "kind": trial.kind,
        "unit": trial.unit.key,
        "first": trial.unit.first,
        "second": trial.unit.second,
        "swapped": int(swapped),
        "payload": payload,
    }


def _trap_answer(study: Study, rng: Random) -> float | str:
    """What a trap asks for: an answer that has a word in every language."""
    values = study.method.values(study.definition.scale.points)
    worded = [all(study.labels(one)[k] for one in study.languages) for k in range(len(values))]
    free = [k for k, has in enumerate(worded) if has] or list(range(len(values)))
    return values[free[int(rng.integers(len(free)))]]
