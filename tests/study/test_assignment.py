"""Who is asked what: balance, gaps, sides, repeats, controls, and the same again from the seed."""

from collections import Counter

import numpy as np
import pytest

from srqa.study.assignment import Past, Trial, Unit, Wish, generator, plan, spread

CONTENTS, METHODS = 20, 6


def single_units():
    return [
        Unit(str(100 * c + m), 100 * c + m, None, f"c{c}")
        for c in range(CONTENTS)
        for m in range(METHODS)
    ]


def pair_units():
    return [
        Unit(f"{100 * c + a}-{100 * c + b}", 100 * c + a, 100 * c + b, f"c{c}")
        for c in range(CONTENTS)
        for a in range(METHODS)
        for b in range(a + 1, METHODS)
    ]


def campaign(units, wish, people, companions=(), golds=()):
    """Plans of people one after the other, with what was asked before."""
    counts, swaps, plans = Counter(), Counter(), []
    for person in range(people):
        past = Past(dict(counts), dict(swaps))
        made = plan(units, companions, golds, wish, past, generator("seed", f"p{person}"))
        for trial in made.trials:
            if trial.kind == "test":
                counts[trial.unit.key] += 1
                swaps[trial.unit.key] += -1 if trial.swapped else 1
        plans.append((past, made))
    return plans, counts, swaps


def gap_of(trials):
    last, least = {}, 10**9
    for place, trial in enumerate(trials):
        content = trial.unit.content
        if content in last:
            least = min(least, place - last[content] - 1)
        last[content] = place
    return least


def test_a_thousand_people_are_balanced_and_replayed():
    units = single_units()
    wish = Wish(trials=25, gap=2, repeats=2, traps=1)
    plans, counts, _ = campaign(units, wish, 1000)
    votes = [counts[unit.key] for unit in units]
    assert max(votes) - min(votes) <= 1
    assert sum(votes) == 25_000
    for _, made in plans:
        tests = [t.unit.key for t in made.trials if t.kind == "test"]
        assert len(set(tests)) == len(tests) == 25
        assert made.gap == 2
        assert gap_of([t for t in made.trials if t.kind != "repeat"]) >= 2
    for number in (0, 1, 500, 999):
        past, made = plans[number]
        assert plan(units, (), (), wish, past, generator("seed", f"p{number}")) == made
    other = plan(units, (), (), wish, plans[0][0], generator("other seed", "p0"))
    assert other != plans[0][1]


def test_pairs_are_balanced_by_side_for_each_pair_and_each_person():
    units = pair_units()
    plans, counts, swaps = campaign(units, Wish(trials=30, gap=3), 400)
    assert max(counts.values()) - min(counts[u.key] for u in units) <= 1
    assert max(map(abs, swaps.values())) <= 2
    assert np.mean([abs(v) <= 1 for v in swaps.values()]) > 0.8
    for _, made in plans:
        own = sum(-1 if t.swapped else 1 for t in made.trials)
        assert abs(own) <= 4
        assert gap_of(made.trials) >= 3
    assert (
        np.mean([abs(sum(-1 if t.swapped else 1 for t in m.trials)) <= 2 for _, m in plans]) > 0.9
    )


def test_order_is_by_chance_where_counts_tie():
    units = single_units()
    first = [
        plan(units, (), (), Wish(trials=10), Past(), generator("s", f"p{k}")) for k in range(9)
    ]
    assert len({tuple(t.unit.key for t in made.trials) for made in first}) == 9


def test_the_gap_shrinks_where_it_must_and_says_so():
    units = [Unit(str(k), k, None, "same" if k < 8 else f"c{k}") for k in range(10)]
    made = plan(units, (), (), Wish(gap=2), Past(), generator("s", "p"))
    assert made.wanted_gap == 2
    assert made.gap == 0
    assert len(made.trials) == 10


@pytest.mark.parametrize(("each", "contents", "gap"), [(6, 3, 2), (4, 4, 3), (10, 2, 1), (5, 6, 5)])
def test_a_tight_gap_is_found_where_there_is_one(each, contents, gap):
    units = [Unit(f"{c}.{k}", k, None, f"c{c}") for c in range(contents) for k in range(each)]
    order, kept = spread([Trial("test", u) for u in units], gap, generator("s", "p"))
    assert kept == gap
    assert gap_of(order) >= gap


def test_hidden_references_come_with_their_stimuli():
    references = [Unit(f"r{c}", 1000 + c, None, f"c{c}") for c in range(CONTENTS)]
    units = [
        Unit(str(100 * c + m), 100 * c + m, None, f"c{c}", f"r{c}")
        for c in range(CONTENTS)
        for m in range(METHODS)
    ]
    wish = Wish(trials=28, gap=2, by_content=True)
    plans, counts, _ = campaign(units, wish, 60, references)
    for _, made in plans:
        asked = {t.unit.key for t in made.trials}
        assert len(made.trials) == len(asked) == 28
        for unit in units:
            assert unit.key not in asked or unit.companion in asked
    votes = [counts[unit.key] for unit in units]
    assert max(votes) - min(votes) <= 1


def test_a_reference_that_is_owed_is_asked_first_after_a_return():
    units = [Unit("1", 1, None, "a", "r"), Unit("2", 2, None, "a", "r")]
    made = plan(
        units, [Unit("r", 9, None, "a")], (), Wish(trials=1), Past({}, {}, frozenset({"1"})),
        generator("s", "p"),
    )  # fmt: skip
    assert [t.unit.key for t in made.trials] == ["r"]


def test_repeats_come_late_and_turn_the_sides():
    units = pair_units()
    made = plan(units, (), (), Wish(trials=40, repeats=4, gap=2), Past(), generator("s", "p"))
    places = {t.unit.key: k for k, t in enumerate(made.trials) if t.kind == "test"}
    repeats = [(k, t) for k, t in enumerate(made.trials) if t.kind == "repeat"]
    assert len(repeats) == 4
    for place, trial in repeats:
        first = made.trials[places[trial.unit.key]]
        assert place - places[trial.unit.key] > 5
        assert trial.swapped != first.swapped


def test_controls_are_among_the_trials():
    units = pair_units()
    golds = [Trial("gold", Unit(f"g{k}", k, k + 1, f"g{k}"), expect="first") for k in range(5)]
    wish = Wish(trials=20, gold=2, traps=1, identical=3)
    kinds = Counter(
        t.kind for t in plan(units, (), golds, wish, Past(), generator("s", "p")).trials
    )
    assert kinds == {"test": 20, "gold": 2, "trap": 1, "identical": 3}


def test_blocks_are_nearly_equal():
    made = plan(single_units(), (), (), Wish(break_every=25), Past(), generator("s", "p"))
    sizes = Counter(t.block for t in made.trials)
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert max(sizes.values()) <= 30
    assert [t.block for t in made.trials] == sorted(t.block for t in made.trials)


def test_the_seed_is_an_hmac_of_study_and_participant():
    draws = {generator(s, p).integers(2**62) for s in ("a", "b") for p in ("x", "y")}
    assert len(draws) == 4
    assert generator("a", "x").integers(2**62) in draws
