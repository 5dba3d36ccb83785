"""Synthetic people through the real flow, routes, store and analysis."""

import numpy as np
import pandas as pd
import pytest

import srqa
from srqa.errors import InputError, UsageError
from srqa.ratings.analysis.tables import tables
from srqa.study.methods import METHODS
from srqa.study.observers import Observer, People, draw_truth
from srqa.study.qualities import OWN, read_truth, split
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


def test_the_seed_gives_every_figure(make_study):
    """In studies whose own seeds, keys and names of pictures differ."""
    studies = [make_study(name, checks={"gold": 1}) for name in ("one", "two")]
    assert studies[0].seed != studies[1].seed
    found = [simulate_study(study, 9, leaving=0.2, seed=5) for study in studies]
    assert found[0].document() == found[1].document()
    first, second = (tables(one.analysis) for one in found)
    assert len(first) > 3
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name])
    other = tables(simulate_study(studies[0], 9, seed=6).analysis)
    assert not first["mos"].equals(other["mos"])


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


LEVELS = {"one": 4.2, "two": 1.8, "three": 3.4, "four": 2.6}


def table_of(study, path, change=lambda frame: frame):
    rows = [row for row in study.stimuli.values() if row["role"] == "test"]
    frame = pd.DataFrame([
        {"content": row["content"], "method": row["method"], "quality": LEVELS[row["method"]]}
        for row in rows
    ])  # fmt: skip
    change(frame).to_csv(path, index=False)
    return str(path)


def test_people_see_the_quality_of_a_table(make_study, tmp_path):
    study = make_study(checks={"gold": 1, "traps": 1})
    source = table_of(study, tmp_path / "true.csv")
    truth = read_truth(study, source, np.random.default_rng(0)).quality
    assert {k: truth[k] for k, row in study.stimuli.items() if row["role"] == "test"} == {
        k: LEVELS[row["method"]] for k, row in study.stimuli.items() if row["role"] == "test"
    }
    assert set(truth) == set(study.stimuli)
    found = simulate_study(study, 12, seed=2, quality=source)
    assert found.method_order[0] == found.method_order[1] == ("one", "three", "four", "two")


def test_people_see_what_a_metric_of_a_run_sees(make_study, tmp_path):
    """Their opinion follows its ranks, lower ones of LPIPS and the like; so it comes first."""
    study = make_study()
    run = srqa.evaluate("out", "hr", metrics="mse,ssim", scale=4, out=tmp_path / "run: é")
    truth = read_truth(study, f"{run.path}:mse", np.random.default_rng(0)).quality
    mse = {(r.content, r.method): r.value for r in run.score_rows if r.metric == "mse"}
    rows = {k: row for k, row in study.stimuli.items() if row["role"] == "test"}
    seen = [truth[k] for k in rows]
    value = [-mse[row["content"], row["method"]] for row in rows.values()]
    assert np.corrcoef(np.argsort(np.argsort(seen)), np.argsort(np.argsort(value)))[0, 1] > 0.9
    assert 1 <= min(seen) < max(seen) < 4.7
    assert OWN > 0
    assert len(set(seen)) == len(seen)


def test_qualities_that_cannot_be(make_study, tmp_path):
    study = make_study()
    rng = np.random.default_rng(0)
    run = srqa.evaluate("out", "hr", metrics="mse", scale=4, out=tmp_path / "run")
    high = table_of(study, tmp_path / "high.csv", lambda f: f.assign(quality=20 + f["quality"]))
    few = table_of(study, tmp_path / "few.csv", lambda f: f[f["content"] != "a"])
    other = table_of(study, tmp_path / "other.csv", lambda f: f.assign(content="x" + f["content"]))
    gap = table_of(study, tmp_path / "gap.csv",
                   lambda f: f.assign(quality=[np.nan, *f["quality"][1:]]))  # fmt: skip
    for source, sentence in (
        ("none.csv", "There is no file or folder none.csv"),
        (str(run.path), "is a Run: say by which metric"),
        (f"{run.path}:lpips", "no metric 'lpips' among the scores"),
        (high, "qualities from 21.8 to 24.2: they lie between 1 and 5"),
        (few, "has no finite quality for 4 of the 24 stimuli"),
        (gap, "has no finite quality for 1 of the 24 stimuli"),
        (other, "No rated picture is among the scored ones"),
        (f"{high}:mos", "has no column 'mos'"),
    ):
        with pytest.raises((InputError, UsageError), match=sentence):
            read_truth(study, source, rng)


def test_where_a_path_ends(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b").mkdir()
    assert split("a:b:pyiqa:musiq")[1] == "pyiqa:musiq"
    assert str(split("a:b")[0]) == "a:b"
