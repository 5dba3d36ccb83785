"""Simultaneous intervals, observers out of line, goodness of fit, contradictions."""

import math

import numpy as np
import pytest
from oracle import paired as oracle
from pairs_support import full_design, partial_design, simulated
from scipy.stats import binom, chi2

from srqa.errors import InputError
from srqa.ratings.comparisons import Comparisons, from_wins
from srqa.ratings.paired import scale_pairs
from srqa.ratings.paired_bootstrap import simultaneous_intervals, without_observers
from srqa.ratings.paired_checks import cyclic_triads, goodness_of_fit, observers_out_of_line


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(8)
    left, right = full_design(6, 40, rng)
    return simulated(np.linspace(0, 2, 6), left, right, rng, ties="threshold", tie=0.3, side=0.2)


@pytest.fixture(scope="module")
def scale(answers):
    return scale_pairs(answers)


def test_resampled_fits_equal_fits_of_the_resampled_answers(answers, scale):
    left_out = without_observers(answers, scale)
    for person in (0, 17):
        alone = scale_pairs(answers.select(answers.observer != person))
        assert left_out[person] == pytest.approx(alone.theta, abs=1e-7)


def test_simultaneous_intervals_are_wider_and_repeatable(answers, scale):
    found = simultaneous_intervals(answers, scale, resamples=400, seed=3)
    again = simultaneous_intervals(answers, scale, resamples=400, seed=3)
    assert found.ci.tolist() == again.ci.tolist()
    assert 2.3 < found.critical < 4
    assert ((found.ci[:, 1] - found.ci[:, 0]) > (found.marginal[:, 1] - found.marginal[:, 0])).all()
    model = [d.ci_high - d.jod for d in scale.differences()]
    assert np.mean(found.se * 1.96) == pytest.approx(np.mean(model), rel=0.2)
    assert (found.resamples, found.failed, found.observers) == (400, 0, 30)
    assert found.differs()[(found.first == 0) & (found.second == 5)].all()


def test_observers_who_differ_widen_resampled_intervals(rng):
    left, right = full_design(4, 60, rng)
    observer = np.arange(len(left)) % 12
    taste = rng.normal(0, 2, (12, 4))
    values = np.array([0, 0.5, 1, 1.5]) + taste
    felt = values[observer, left] - values[observer, right] + 1.4826 * rng.normal(size=len(left))
    answers = Comparisons(
        tuple("abcd"), left, right, np.where(felt > 0, 1, -1),
        tuple(f"o{k}" for k in range(12)), observer,
    )  # fmt: skip
    scale = scale_pairs(answers)
    found = simultaneous_intervals(answers, scale, resamples=300)
    model = np.array([d.ci_high - d.jod for d in scale.differences()]) / 1.96
    assert found.se.mean() > 1.5 * model.mean()


def test_resampling_needs_observers(scale):
    wins = from_wins(np.array([[0, 3], [2, 0]]))
    with pytest.raises(InputError, match="Observers are drawn again, but there are 1"):
        simultaneous_intervals(wins, scale_pairs(wins))


def test_progress_is_told(answers, scale):
    told = []
    simultaneous_intervals(
        answers, scale, resamples=60, progress=lambda done, all_: told.append((done, all_))
    )
    assert told[-1] == (60, 60)


@pytest.mark.slow
def test_simultaneous_intervals_hold_all_differences_at_once():
    rng = np.random.default_rng(2)
    values, hits = np.linspace(-1, 1, 5), 0
    for _ in range(500):
        left, right = full_design(5, 40, rng)
        answers = simulated(values, left, right, rng, observers=40)
        found = simultaneous_intervals(answers, scale_pairs(answers), resamples=300)
        truth = values[found.first] - values[found.second]
        hits += bool(((found.ci[:, 0] <= truth) & (truth <= found.ci[:, 1])).all())
    assert 0.93 <= hits / 500 <= 0.985


def test_a_person_who_answers_the_wrong_way_is_out_of_line(rng):
    left, right = full_design(8, 30, rng)
    answers = simulated(np.linspace(0, 4, 8), left, right, rng, observers=20)
    choice = answers.choice.copy()
    own = answers.observer == 7
    choice[own] = -choice[own]
    spoilt = Comparisons(
        answers.items, answers.left, answers.right, choice, answers.observers, answers.observer
    )
    found = observers_out_of_line(spoilt, scale_pairs(spoilt))
    assert max(found, key=lambda one: one.distance).observer == "o7"
    assert found[7].flagged
    assert "interquartile ranges below" in found[7].reason
    assert found[7].z < -4
    others = np.array([one.z for one in found if one.observer != "o7"])
    assert np.abs(others).max() < 4


def test_the_likelihood_of_an_observer_is_binomial(rng):
    left, right = full_design(4, 20, rng)
    answers = simulated(np.linspace(0, 1, 4), left, right, rng, observers=5)
    scale = scale_pairs(answers, side_bias=False)
    found = observers_out_of_line(answers, scale)[2]
    others = scale_pairs(answers.select(answers.observer != 2), side_bias=False)
    logs = []
    for a in range(4):
        for b in range(a + 1, 4):
            of = answers.observer == 2
            there = of & (answers.left == a) & (answers.right == b)
            back = of & (answers.left == b) & (answers.right == a)
            wins = (answers.choice[there] > 0).sum() + (answers.choice[back] < 0).sum()
            total = there.sum() + back.sum()
            p = oracle.cdf((others.jod[a] - others.jod[b]) / oracle.SIGMA)
            if total:
                logs.append(math.log10(binom.pmf(wins, total, p)))
    assert found.log10_likelihood == pytest.approx(np.mean(logs), abs=1e-6)


def test_deviance_and_chi_square_by_hand():
    wins = np.array([[0, 30, 45], [20, 0, 20], [5, 30, 0]])
    scale = scale_pairs(from_wins(wins), model="bradley-terry", prior="none")
    found = goodness_of_fit(scale)
    strength = np.exp(scale.theta)
    deviance = statistic = 0.0
    for a in range(3):
        for b in range(3):
            if a != b:
                total = wins[a, b] + wins[b, a]
                hoped = total * strength[a] / (strength[a] + strength[b])
                deviance += 2 * wins[a, b] * math.log(wins[a, b] / hoped)
                statistic += (wins[a, b] - hoped) ** 2 / hoped
    assert (found.deviance, found.chi2) == pytest.approx((deviance, statistic), abs=1e-9)
    assert found.degrees == 1
    assert found.p_deviance == pytest.approx(chi2.sf(deviance, 1))
    assert found.p_deviance < 0.001
    assert (found.residual**2).sum() == pytest.approx(statistic, abs=1e-9)


def test_a_scale_that_holds_is_not_rejected(answers, scale):
    found = goodness_of_fit(scale)
    assert found.degrees == 30 * 2 - 7
    assert found.p_deviance > 0.001
    assert found.expected == pytest.approx(found.observed, abs=0.5)
    chain = scale_pairs(from_wins(np.array([[0, 3, 0], [2, 0, 3], [0, 2, 0]])), prior="none")
    nothing = goodness_of_fit(chain)
    assert math.isnan(nothing.p_chi2)
    assert "nothing is tested" in nothing.notes[0]


def test_p_values_are_even_when_the_scale_holds():
    rng = np.random.default_rng(6)
    p = []
    for _ in range(150):
        left, right = full_design(5, 30, rng)
        answers = simulated(np.linspace(0, 1.5, 5), left, right, rng)
        p.append(goodness_of_fit(scale_pairs(answers, side_bias=False, prior="none")).p_chi2)
    assert 0.38 < np.mean(p) < 0.62
    assert np.mean(np.array(p) < 0.05) < 0.13


def test_contradictions_equal_a_look_at_every_triple(rng):
    left, right = partial_design(7, 25, rng)
    answers = simulated(np.linspace(0, 1, 7), left, right, rng, observers=2)
    scale = scale_pairs(answers)
    for found in cyclic_triads(answers, scale):
        rows = answers.observer == answers.observers.index(found.observer)
        net = np.zeros((7, 7))
        np.add.at(net, (answers.left[rows], answers.right[rows]), answers.choice[rows])
        assert (found.triads, found.cyclic) == oracle.cyclic_triads((net - net.T) > 0)
        assert found.by_chance == found.triads / 4


def test_zeta_of_perfect_and_of_worst_consistence():
    def one(edges):
        winner, loser = np.array(edges).T
        return Comparisons(
            tuple("abcde"), winner, loser, np.ones(10, int), ("o",), np.zeros(10, int)
        )

    ordered = one([(a, b) for a in range(5) for b in range(a + 1, 5)])
    circular = one([(a, (a + step) % 5) for a in range(5) for step in (1, 2)])
    (best,) = cyclic_triads(ordered, scale_pairs(ordered))
    (worst,) = cyclic_triads(circular, scale_pairs(circular))
    assert (best.cyclic, best.zeta, best.triads) == (0, 1.0, 10)
    assert (worst.cyclic, worst.zeta) == (5, 0.0)
    assert best.by_model < worst.by_model == pytest.approx(2.5, abs=0.01)
