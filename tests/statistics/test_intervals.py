"""Bootstrap intervals hold the mean as often as they say; Student's quantiles equal scipy's."""

import math

import numpy as np
import pytest
import scipy.stats

from srqa.statistics.intervals import (
    bootstrap_intervals,
    bootstrap_means,
    bounded_interval,
    expanded_tail,
    student_quantile,
)


def coverage(draw, mean, n, replicates=10_000):
    """Share of intervals of samples of size n that hold the true mean."""
    samples = draw(np.random.default_rng(n), (n, replicates))
    low, high = bootstrap_intervals(samples).T
    return float(((low <= mean) & (mean <= high)).mean())


@pytest.mark.parametrize("n", [5, 10, 30])
def test_coverage_normal(n):
    found = coverage(lambda rng, shape: rng.normal(30, 3, shape), 30.0, n)
    assert 0.92 <= found <= 0.97, f"{found:.1%}"


@pytest.mark.parametrize(
    ("n", "least"),
    [
        # Student's t holds 93.4 % of five such values; resampling five values cannot do better.
        (5, 0.90),
        (10, 0.92),
        (30, 0.92),
    ],
)
def test_coverage_skewed(n, least):
    """Gamma of shape 4, skewness 1: as skewed as PSNR over a set of photographs gets."""
    found = coverage(lambda rng, shape: rng.gamma(4.0, 1.0, shape), 4.0, n)
    assert least <= found <= 0.97, f"{found:.1%}"


def test_plain_percentiles_would_be_too_narrow():
    """Why the percentiles are expanded: for n = 5 the plain ones hold the mean 83 % of the time."""
    samples = np.random.default_rng(5).normal(0, 1, (5, 1000))
    means = bootstrap_means(samples)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    assert ((low <= 0) & (high >= 0)).mean() < 0.88


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 100, 199, 200, 201, 1000, 100_000])
@pytest.mark.parametrize("p", [0.6, 0.9, 0.975, 0.995])
def test_student_quantile(degrees, p):
    assert student_quantile(p, degrees) == pytest.approx(scipy.stats.t.ppf(p, degrees), rel=1e-8)


@pytest.mark.parametrize("n", [2, 5, 30, 500])
def test_expanded_tail(n):
    z = -math.sqrt(n / (n - 1)) * scipy.stats.t.ppf(0.975, n - 1)
    assert expanded_tail(n) == pytest.approx(scipy.stats.norm.cdf(z), rel=1e-6)


def test_tail_of_many_values_is_the_plain_one():
    assert expanded_tail(1_000_000) == pytest.approx(0.025, rel=1e-4)


def test_bootstrap_means_against_drawing_one_by_one():
    values = np.random.default_rng(1).normal(size=(7, 3))
    rows = np.random.default_rng(4).integers(0, 7, size=(50, 7))
    expected = values[rows].mean(axis=1)
    np.testing.assert_allclose(bootstrap_means(values, 4, 50), expected, rtol=1e-12)


def test_a_column_does_not_depend_on_the_others():
    values = np.random.default_rng(2).normal(size=(9, 4))
    together = bootstrap_intervals(values)
    for i in range(4):
        alone = bootstrap_intervals(values[:, [i]])[0]
        np.testing.assert_allclose(alone, together[i], rtol=1e-12)


def test_the_same_twice_and_another_seed():
    values = np.random.default_rng(3).normal(size=(12, 1))
    assert (bootstrap_intervals(values) == bootstrap_intervals(values)).all()
    assert (bootstrap_intervals(values, seed=1) != bootstrap_intervals(values)).any()


def test_scale_and_shift():
    values = np.random.default_rng(4).normal(size=(20, 1))
    np.testing.assert_allclose(
        bootstrap_intervals(values * 3 + 10), bootstrap_intervals(values) * 3 + 10, rtol=1e-9
    )


def test_wider_at_a_higher_level():
    values = np.random.default_rng(5).normal(size=(20, 1))
    (low, high), (lower, higher) = (bootstrap_intervals(values, p)[0] for p in (0.9, 0.99))
    assert lower < low < high < higher


def test_too_few_rows():
    assert np.isnan(bootstrap_intervals(np.ones((1, 3)))).all()
    assert bootstrap_intervals(np.ones((1, 3))).shape == (3, 2)
    assert np.isnan(bootstrap_intervals(np.ones((0, 2)))).all()


def test_equal_values_have_no_width():
    np.testing.assert_allclose(bootstrap_intervals(np.full((6, 1), 2.5)), [[2.5, 2.5]])


def test_large_sets_are_drawn_in_parts():
    values = np.random.default_rng(6).normal(size=(3000, 2))
    low, high = bootstrap_intervals(values).T
    half = 1.96 * values.std(axis=0) / math.sqrt(3000)
    np.testing.assert_allclose(high - low, 2 * half, rtol=0.05)


def test_means_of_bounded_values():
    """Rank correlations of three outputs: most are 1, and often all that one sees."""
    rng, values = np.random.default_rng(8), np.array([1.0, 0.5, -0.5])
    chance, studies, held = np.array([0.85, 0.12, 0.03]), 3000, 0
    plain = 0
    for _ in range(studies):
        drawn = rng.choice(values, 20, p=chance)
        low, high = bounded_interval(drawn, -1, 1)
        assert -1 <= low <= drawn.mean() <= high <= 1
        held += low <= values @ chance <= high
        low, high = bootstrap_intervals(drawn[:, None])[0]
        plain += low <= values @ chance <= high
    assert 0.93 < held / studies < 0.985  # errs on the safe side close to a bound
    assert plain / studies < 0.93
    assert bounded_interval(np.full(9, -1.0), -1, 1)[0] == pytest.approx(-1, abs=1e-12)
    assert all(math.isnan(end) for end in bounded_interval(np.ones(4), -1, 1))
    # Shares of ones and zeros are Wilson's, but for Student's t and n - 1.
    low, high = bounded_interval(np.repeat([0.0, 1.0], [900, 100]), 0, 1)
    wilson = scipy.stats.binomtest(100, 1000).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx(wilson, abs=2e-4)
