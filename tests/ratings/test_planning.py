"""Planning: published numbers of observers, integrals of one's own, and simulation."""

import json

import numpy as np
import pytest
from scipy import integrate, stats

from srqa.errors import UsageError
from srqa.ratings.planning import _power, observers_needed, try_pairs, try_ratings, votes_needed
from srqa.ratings.simulation import Population


def test_published_numbers_of_observers(reference):
    table = json.loads((reference / "expected.json").read_text())["observers_needed"]
    settings = {
        "sd 0.8, delta 1.0, 100 comparisons, Bonferroni": (1.0, 100),
        "sd 0.8, delta 0.5, 100": (0.5, 100),
        "sd 0.8, delta 1, 1 comparison": (1.0, 1),
    }
    assert set(settings) == set(table)
    for name, (effect, comparisons) in settings.items():
        for design in ("paired", "independent"):
            found = observers_needed(
                effect, 0.8, comparisons=comparisons, paired=design == "paired"
            )
            assert found == table[name][design], (name, design)


@pytest.mark.parametrize("n", [2, 5, 12, 20, 40])
@pytest.mark.parametrize("ratio", [0.2, 0.8, 1.25])
@pytest.mark.parametrize("alpha", [0.05, 0.0005])
def test_power_is_the_integral_over_the_standard_deviation(n, ratio, alpha):
    df, shift = n - 1, ratio * np.sqrt(n)
    critical = stats.t.isf(alpha / 2, df)
    spread = stats.chi(df, scale=1 / np.sqrt(df))

    def seen(s):
        tails = stats.norm.sf(critical * s - shift) + stats.norm.cdf(-critical * s - shift)
        return tails * spread.pdf(s)

    expected = integrate.quad(seen, 0, np.inf, limit=200)[0]
    assert _power(ratio, n, alpha, paired=True) == pytest.approx(expected, abs=1e-6)


def test_fewer_is_not_enough():
    for effect in (0.1, 0.3, 2.0):
        n = observers_needed(effect, 0.8)
        assert _power(effect / 0.8, n, 0.05, True) >= 0.8
        assert n == 2 or _power(effect / 0.8, n - 1, 0.05, True) < 0.8


def test_votes_for_an_interval():
    """At the middle of a five-point scale the variance is 4 a."""
    n = votes_needed(0.25, sos=0.2)
    half = [stats.t.ppf(0.975, k - 1) * np.sqrt(0.8 / k) for k in (n - 1, n)]
    assert half[1] <= 0.25 < half[0]
    assert votes_needed(0.25, sos=0.2, score=4.5) < n
    assert votes_needed(0.25, sos=0.2, score=5.0) == 2


@pytest.mark.slow
def test_simulated_power_agrees_with_the_formula():
    """Without rounding's help: two methods, one content, biases that fall out of differences."""
    people = Population(bias=0.3, inconsistency=0.6, inconsistency_spread=0.0)
    trial = try_ratings(2, 6, 12, 0.3, population=people, studies=400, seed=3)
    sd = np.sqrt(2 * (0.6**2 + 1 / 12) / 6)  # 1/12 is what rounding to whole points adds
    expected = _power(0.3 / sd, 12, 0.05, True)
    assert trial.power == pytest.approx(expected, abs=0.1)
    assert trial.minutes == 2.0
    assert trial.votes == 144


def test_more_observers_find_more():
    few, many = (try_ratings(3, 5, n, 0.25, studies=40) for n in (6, 30))
    assert many.power > few.power + 0.2
    assert many.half_width < few.half_width
    assert many.rmse < few.rmse
    fewer = try_ratings(3, 5, 30, 0.25, votes_per_observer=5, studies=40)
    assert fewer.rmse > many.rmse


@pytest.mark.slow
def test_intervals_of_pairs_cover():
    trial = try_pairs(4, 5, 20, 0.5, lapses=0.0, studies=500)
    assert 0.93 <= trial.coverage <= 0.97
    preference = try_pairs(4, 5, 20, 0.5, lapses=0.0, side_preference=0.4, studies=500)
    assert 0.93 <= preference.coverage <= 0.97
    assert try_pairs(4, 5, 60, 0.5, studies=100).power > try_pairs(4, 5, 8, 0.5, studies=100).power


@pytest.mark.slow
def test_no_effect_is_found_as_rarely_as_promised():
    trial = try_ratings(3, 5, 12, 1e-9, studies=400)
    assert trial.power < 0.05  # of one direction of one pair of three


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: observers_needed(0, 0.8), "effect"),
        (lambda: observers_needed(1, -1), "sd"),
        (lambda: observers_needed(1, 1, power=1.0), "between 0 and 1"),
        (lambda: observers_needed(1e-4, 1), "more than 100,000"),
        (lambda: votes_needed(0.25, score=7), "outside the scale"),
        (lambda: votes_needed(float("nan")), "half width"),
        (lambda: try_ratings(1, 5, 10, 0.3), "methods"),
        (lambda: try_ratings(4, 10, 5, 0.3, votes_per_observer=2), "fewer than two votes"),
        (lambda: try_pairs(3, 2, 5, 0.3, votes_per_observer=99), "99 of 6 pairs"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(UsageError, match=said):
        call()


def test_progress():
    seen = []
    try_pairs(2, 2, 5, 1.0, studies=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
