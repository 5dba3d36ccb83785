"""Synthetic people through the real flow, routes, store and analysis."""

import numpy as np
import pytest

from srqa.errors import UsageError
from srqa.study.methods import METHODS
from srqa.study.observers import Observer, People, draw_truth
from srqa.study.simulate import expected_scores, simulate_study


@pytest.mark.parametrize("method", ["acr", pytest.param("pair", marks=pytest.mark.slow)])
def test_a_simulated_study_finds_the_truth(make_study, method):
    study = make_study(method=method, session={"trials": 16, "min_gap_same_content": 1},
                       checks={"gold": 1, "traps": 1})  # fmt: skip
    found = simulate_study(study, 14, leaving=0.2, seed=3)
    assert found.observers + found.left == 14
    assert found.votes[1] - found.votes[0] <= 3
    assert found.rank_correlation > 0.7
    assert found.method_order[0] == found.method_order[1]
    assert found.wrong == 0
    assert study.store.participants() == [], "the study's own database is left alone"
    again = simulate_study(study, 14, leaving=0.2, seed=3)
    assert (again.observers, again.left, again.votes[0] > 0) == (found.observers, found.left, True)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["acr_hr", "dcr", "ccr", "slider", "pair_tie"])
def test_every_method_can_be_simulated(make_study, method):
    study = make_study(method=method, checks={"gold": 1, "traps": 1})
    found = simulate_study(study, 12, seed=1)
    assert found.rank_correlation > 0.8
    assert found.method_order[0] == tuple(m for m in found.method_order[1] if m != "reference")


def test_one_observer_is_no_study(make_study):
    with pytest.raises(UsageError, match="two observers"):
        simulate_study(make_study(), 1)


def test_observers_answer_as_their_population_is_said_to(make_study):
    study = make_study()
    rng = np.random.default_rng(0)
    truth = draw_truth(study, rng)
    people = People(lapses=0.1)
    scale = METHODS["acr"].rating_scale(5)
    expected = expected_scores(study, truth, people)
    number = next(k for k, row in study.stimuli.items() if row["role"] == "test")
    votes = [Observer(people, METHODS["acr"], scale, seed).rate(truth.quality[number])
             for seed in range(4000)]  # fmt: skip
    assert np.mean(votes) == pytest.approx(expected[study.stimuli[number]["name"]], abs=0.06)


def test_choices_follow_the_scale_of_just_objectionable_differences():
    people, how = People(side=0, spread=0, lapses=0), METHODS["pair"]
    wins = [
        Observer(people, how, how.rating_scale(), seed).choose(1, 0, ("left", "right")) == "left"
        for seed in range(4000)
    ]
    assert np.mean(wins) == pytest.approx(0.75, abs=0.02)


@pytest.mark.slow
def test_intervals_hold_what_they_promise(make_study):
    """93 to 97 % of the intervals hold the population's expected rating, from 12 votes on."""
    study = make_study(session={"trials": 18, "min_gap_same_content": 1})
    inside, total = 0.0, 0
    for seed in range(20):
        found = simulate_study(study, 17, seed=seed)
        assert found.votes[0] >= 12
        inside += found.coverage * 24
        total += 24
    assert 0.93 <= inside / total <= 0.97, inside / total
