"""Who is flagged, why, and how flags are applied."""

import math

import numpy as np
import pandas as pd
import pytest
from oracle import ratings as oracle

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import CONTINUOUS, Stimulus, from_matrix
from srqa.ratings.control import (
    far_votes,
    gold,
    repeats,
    response_time,
    trap,
    variance,
    wrong_choices,
)
from srqa.ratings.scores import mos
from srqa.ratings.screening import Flag, Screening, apply, bt500, correlation, p913
from srqa.ratings.tables import from_frame


def observers(screening):
    return [int(flag.observer) - 1 for flag in screening.flags if flag.row is None]


def test_bt500_on_published_sets(nflx, ic_test, expected):
    want = expected["nflx_public"]
    answers = from_matrix(nflx)
    assert observers(bt500(answers)) == want["bt500_ddof1_skip_unanimous_rejects"]
    compatible = bt500(answers, "sureal")
    assert observers(compatible) == want["bt500_sureal_compat_ddof0_rejects"]
    left = mos(apply(answers, [compatible]).answers)
    assert left.mos.mean() == pytest.approx(want["bt500_sureal_compat_mos_mean"], abs=1e-5)
    want = expected["ic_test"]["bt500_ddof1_skip_unanimous_rejects"]
    assert observers(bt500(from_matrix(ic_test))) == want
    assert len(observers(bt500(from_matrix(ic_test), "sureal"))) == 18


def noisy_panel(seed=4, missing=0.3):
    rng = np.random.default_rng(seed)
    table = np.clip(np.rint(rng.uniform(1, 5, (80, 1)) + rng.normal(0, 0.6, (80, 15))), 1, 5)
    table[:, 0] = rng.integers(1, 6, 80)
    table[:, 1] = np.clip(6 - table[:, 1], 1, 5)
    table[rng.random(table.shape) < missing] = np.nan
    return table


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("convention", ["standard", "sureal"])
def test_bt500_vote_by_vote(convention, missing):
    table = noisy_panel(missing=missing)
    found = bt500(from_matrix(table), convention)
    want = oracle.bt500(table, convention == "sureal")
    assert observers(found) == want
    assert want
    assert "far from the others'" in found.flags[0].reason


def test_bt500_as_sureal():
    pytest.importorskip("sureal", reason="pip install sureal")
    from oracle.sureal_tool import run

    for missing in (0.0, 0.3):
        table = noisy_panel(5, missing)
        found, want = bt500(from_matrix(table), "sureal"), run("SubjrejMosModel", table)
        assert observers(found) == list(np.flatnonzero(want["observer_rejected"]))
        shares = want["observer_rejected_1st_stats"]
        np.testing.assert_allclose(found.figures["far_share"], shares)
        np.testing.assert_allclose(found.figures["balance"], want["observer_rejected_2nd_stats"])


def test_bt500_never_rejects_all():
    """With wholly random votes all would go."""
    rng = np.random.default_rng(0)
    table = np.where(rng.random((400, 8)) < 0.5, 1.0, 5.0)
    table[:, :] = np.where(rng.random((400, 1)) < 0.9, 3.0, table)
    found = bt500(from_matrix(table), "sureal")
    assert found.flags == ()
    assert "rejects none" in found.notes[0]


def test_bt500_is_for_small_panels(nflx):
    assert "fewer than 20 observers; there are 26" in bt500(from_matrix(nflx)).notes[0]


def test_correlation_leaves_the_observer_out():
    table = noisy_panel(missing=0.0)
    others = np.delete(table, 0, axis=1).mean(axis=1)
    found = correlation(from_matrix(table))
    assert found.figures["r"][0] == pytest.approx(np.corrcoef(table[:, 0], others)[0, 1])
    assert observers(found) == [0, 1]
    kept = correlation(from_matrix(table), leave_one_out=False)
    want = [np.corrcoef(column, table.mean(axis=1))[0, 1] for column in table.T]
    np.testing.assert_allclose(kept.figures["r"], want)
    assert kept.figures["r"][0] > found.figures["r"][0]
    limit = np.mean(want) - np.std(want)
    assert observers(kept) == [i for i, r in enumerate(want) if r <= min(0.7, limit)]


def test_correlation_of_equal_votes_is_told():
    table = noisy_panel(missing=0.0)
    table[:, 5] = 3
    found = correlation(from_matrix(table))
    assert math.isnan(found.figures["r"][5])
    assert "No correlation for 6" in found.notes[0]
    assert 5 not in observers(found)


def test_p913_looks_at_conditions():
    """Noise on single pictures that averages out over a method is forgiven."""
    rng = np.random.default_rng(1)
    methods = np.repeat(np.linspace(1.5, 4.5, 5), 16)
    table = np.clip(np.rint(methods[:, None] + rng.normal(0, 0.4, (80, 12))), 1, 5)
    table[:, 0] = np.clip(np.rint(methods + rng.normal(0, 1.6, 80)), 1, 5)
    table[:, 1] = rng.integers(1, 6, 80)
    names = [Stimulus(str(j), content=str(j % 16), method=f"m{j // 16}") for j in range(80)]
    found = p913(from_matrix(table, names))
    assert found.figures["r1"][0] < 0.75 < found.figures["r2"][0]
    assert observers(found) == [1]
    assert set(observers(p913(from_matrix(table)))) == {0, 1}


def test_gold_and_trap():
    table = np.array([[5.0, 4, 3], [2, 2, 1], [3, 4, 2]])
    answers = from_matrix(table, ["gold", "trap", "c"])
    found = gold(answers, {"gold": 5})
    assert observers(found) == [2]
    assert found.flags[0].reason == "0 of 1 control questions right"
    assert observers(trap(answers, {"trap": 2})) == [2]
    assert observers(gold(answers, {"gold": 5, "c": 3}, least=0.5)) == []
    with pytest.raises(InputError, match="'lost'"):
        gold(answers, {"lost": 5})


def test_unseen_gold_is_no_reason():
    found = gold(from_matrix(np.array([[5.0, np.nan], [3, 3]]), ["g", "a"]), {"g": 5})
    assert found.flags == ()
    assert found.notes == ("1 observers saw no gold question.",)


def choices():
    frame = pd.DataFrame(
        {
            "observer": ["ann", "bob", "cyd"],
            "left": ["hr", "bad", "hr"],
            "right": ["bad", "hr", "bad"],
            "choice": ["left", "left", "tie"],
            "flags": "trap",
        }
    )
    answers = from_frame(frame)
    from dataclasses import replace

    facts = (Stimulus("hr"), Stimulus("bad", reference="hr"))
    return replace(answers, stimuli=tuple(sorted(facts, key=lambda s: answers.names.index(s.name))))


def test_traps_among_choices():
    found = wrong_choices(choices())
    assert [flag.observer for flag in found.flags] == ["bob", "cyd"]
    with pytest.raises(InputError, match="carries the flag 'gold'"):
        wrong_choices(choices(), flag="gold")


def timed(times, people):
    frame = pd.DataFrame({"observer": people, "value": 3.0, "response_ms": times})
    frame["stimulus"] = [str(k) for k in range(len(frame))]
    frame.loc[0, "value"] = 4.0
    return from_frame(frame)


def test_response_times():
    answers = timed([100, 150, 2000, 100, 900, 900, 900, 900, 1000, np.nan],
                    ["a", "a", "a", "b", "b", "b", "b", "b", "c", "c"])  # fmt: skip
    found = response_time(answers)
    assert [(flag.observer, flag.row) for flag in found.flags] == [("a", None), ("b", 3)]
    assert found.flags[1].reason == "100 ms"
    np.testing.assert_allclose(found.figures["median_ms"], [150, 900, 1000])
    assert "1 answers have no response time" in found.notes[0]
    done = apply(answers, [found])
    assert done.removed.tolist() == [True] * 4 + [False] * 6
    assert done.removed_observers == ("a",)
    with pytest.raises(InputError, match="No answer has a response time"):
        response_time(timed([np.nan] * 2, ["a", "b"]))


def test_variance_of_a_session():
    table = np.array(
        [[3.0, 1, 3], [3, 5, 4], [3, 2, 3], [3, 4, 3], [4, 3, 3], [3, 3, 3], [3, 3, 3]]
    )
    found = variance(from_matrix(table))
    assert observers(found) == [0, 2]
    np.testing.assert_allclose(found.figures["lowest_variance"], table.var(axis=0, ddof=1))
    wide = variance(from_matrix((table - 1) * 25, rating_scale=CONTINUOUS))
    assert observers(wide) == [0, 2]


def test_repeats():
    cube = np.full((4, 3, 2), np.nan)
    cube[:, :, 0] = np.array([1.0, 2, 4, 5])[:, None]
    cube[:2, 0, 1] = [1, 3]
    cube[:2, 1, 1] = [4, 5]
    cube[:1, 2, 1] = [5]
    found = repeats(from_matrix(cube))
    assert observers(found) == [1]
    np.testing.assert_allclose(found.figures["mean_difference"], [0.5, 3, 4])
    np.testing.assert_allclose(found.figures["repeated"], [2, 2, 1])
    with pytest.raises(InputError, match="Nobody rated a stimulus twice"):
        repeats(from_matrix(cube[:, :, 0]))


def test_far_votes():
    table = np.full((2, 20), 4.0)
    table[0, ::2] = 5
    table[1, 3] = 1
    found = far_votes(from_matrix(table))
    assert [(flag.observer, flag.row) for flag in found.flags] == [("4", 23)]
    assert "4.25 standard deviations" in found.flags[0].reason
    with pytest.raises(UsageError):
        far_votes(from_matrix(table), z=0)


def test_apply_lists_steps_and_can_be_undone():
    table = noisy_panel(missing=0.0)
    answers = from_matrix(table)
    done = apply(answers, [bt500(answers), correlation(answers)])
    assert done.removed_observers == ("1", "2")
    assert done.before is answers
    assert done.steps[1].startswith("correlation (at most 0.")
    assert "took out 2 of 15 observers (1, 2)" in done.steps[1]
    assert len(done.answers) == len(answers) - 160
    again = answers.select(~done.removed)
    np.testing.assert_array_equal(again.value, done.answers.value)


def test_many_rejections_and_lost_stimuli_are_told():
    table = np.array([[3.0, 4, np.nan], [2, 2, np.nan], [np.nan, np.nan, 3]])
    answers = from_matrix(table)
    flags = (Flag("own", "3", None, "why"),)
    done = apply(answers, [Screening("own", "by hand", flags, {})])
    assert "No answer is left about 3." in done.notes
    assert "1 of 3 observers were taken out; more than a fifth" in done.notes[-1]


def test_apply_refuses_what_does_not_fit():
    answers = from_matrix(np.array([[3.0, 4.0]]))
    with pytest.raises(UsageError, match="run on other answers"):
        apply(answers, [Screening("own", "", (Flag("own", "zoe", None, ""),), {})])
    everyone = tuple(Flag("own", name, None, "") for name in answers.observers)
    with pytest.raises(InputError, match="would take out every answer"):
        apply(answers, [Screening("own", "", everyone, {})])
    nothing = apply(answers, [Screening("own", "", (), {})])
    assert nothing.steps == ("own (): took out nothing.",)
