"""Coefficients against scipy, samples against ranking anew, tests against published values."""

import math

import numpy as np
import pytest
from scipy import stats

from srqa.statistics import clustered, correlation, dependent
from srqa.statistics.clustered import Clusters


@pytest.mark.parametrize("n", [4, 7, 50, 300])
@pytest.mark.parametrize("ties", [3, 10_000])
def test_coefficients_equal_scipy(n, ties):
    rng = np.random.default_rng(n + ties)
    x = rng.integers(0, ties, n) + 0.0
    y = x + rng.integers(0, ties, n)
    assert correlation.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert correlation.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert correlation.kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


def test_concordance_counts_pairs():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 17, 130):
        x, y = rng.integers(0, 9, n) + 0.0, rng.integers(0, 9, n) + 0.0
        each = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
        assert correlation.concordance(x, y).tolist() == each.sum(axis=1).tolist()


def test_without_variance_there_is_no_correlation():
    flat, y = np.full(12, 3.0), np.arange(12.0)
    for measure in (correlation.pearson, correlation.spearman, correlation.kendall):
        assert math.isnan(measure(flat, y))
        assert math.isnan(measure(y, flat))


def test_samples_equal_ranking_anew():
    """Multiplicities and running sums give what repeating and ranking the rows gives."""
    rng = np.random.default_rng(2)
    codes = np.unique(rng.integers(0, 9, 40), return_inverse=True)[1]
    columns = np.stack([rng.integers(0, 5, 40) + 0.0, rng.normal(size=40)], axis=1)
    scores = rng.integers(0, 7, 40) + 0.0
    clusters = Clusters(codes, resamples=30, seed=5)
    ranks = clustered.spearman_weighted(columns, scores, clusters.weights())
    sample = 0
    for weights in clusters.weights():
        for column in weights.T:
            rows = np.repeat(np.arange(40), column.astype(int))
            for k in range(2):
                x, y = columns[rows, k], scores[rows]
                assert ranks[sample, k] == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
            sample += 1
    assert sample == 30


def test_whole_clusters_are_drawn():
    codes = np.repeat(np.arange(8), 3)
    for draw in Clusters(codes, resamples=50).draws():
        assert (draw.sum(axis=0) == 8).all()
    one, other = (np.concatenate([d.T for d in Clusters(codes, seed=s).draws()]) for s in (1, 1))
    assert np.array_equal(one, other)


def test_intervals_by_formula():
    assert correlation.fisher(0.9, 50) == pytest.approx((0.8291, 0.9425), abs=5e-4)
    # The variance of Bonett and Wright is larger by 1 + r^2 / 2.
    low, high = correlation.bonett_wright(0.9, 50)
    half = 1.959964 * math.sqrt((1 + 0.405) / 47)
    assert (low, high) == pytest.approx(
        (math.tanh(math.atanh(0.9) - half), math.tanh(math.atanh(0.9) + half)), abs=1e-6
    )
    assert correlation.fieller(0.5, 104)[0] == pytest.approx(
        math.tanh(math.atanh(0.5) - 1.959964 * math.sqrt(0.437 / 100)), abs=1e-6
    )
    assert correlation.share_interval(0.0, 30)[1] == pytest.approx(0.1135, abs=1e-3)
    low, high = correlation.rmse_interval(0.5, 96)
    assert low < 0.5 < high
    assert low == pytest.approx(0.5 * math.sqrt(96 / stats.chi2.ppf(0.975, 96)))
    assert all(math.isnan(end) for end in correlation.fisher(0.4, 3))


def test_published_values_of_the_tests(reference):
    import json

    expected = json.loads((reference / "expected.json").read_text())["meng_rosenthal_rubin"]
    found = dependent.meng_rosenthal_rubin(0.63, -0.03, -0.19, 15)
    assert round(found.statistic, 3) == 1.679
    assert str(expected)  # the paper prints 1.68


def test_tests_of_differences():
    assert dependent.meng_rosenthal_rubin(0.5, 0.5, 0.3, 40) == (0.0, 1.0)
    assert dependent.steiger(0.9, 0.5, 0.4, 100).p < 1e-6
    assert math.isnan(dependent.steiger(1.0, 0.5, 0.4, 100).p)
    assert math.isnan(dependent.meng_rosenthal_rubin(0.9, 0.5, 0.4, 3).p)
    assert dependent.independent(0.6, 0.6, 30, 40) == (0.0, 1.0)
    # As `scipy.stats.f` says of a ratio of variances.
    assert dependent.f_of_rmse(0.6, 0.4, 50, 40).p == pytest.approx(2 * stats.f.sf(2.25, 50, 40))
    assert dependent.f_of_rmse(0.4, 0.6, 40, 50) == dependent.f_of_rmse(0.6, 0.4, 50, 40)
    # The pooled z of two shares, by hand.
    pooled = 0.25
    z = 0.1 / math.sqrt(pooled * 0.75 * (1 / 100 + 1 / 100))
    assert dependent.two_shares(0.3, 0.2, 100, 100).statistic == pytest.approx(z)


def test_steiger_has_the_error_of_simulated_differences():
    correlations = np.array([[1, 0.6, 0.6], [0.6, 1, 0.5], [0.6, 0.5, 1]])
    rng, n = np.random.default_rng(6), 60
    drawn = rng.multivariate_normal(np.zeros(3), correlations, size=(20_000, n))
    drawn -= drawn.mean(axis=1, keepdims=True)
    drawn /= np.sqrt((drawn**2).sum(axis=1, keepdims=True))
    human, one, two = np.moveaxis(drawn, -1, 0)
    apart = np.arctanh((human * one).sum(axis=1)) - np.arctanh((human * two).sum(axis=1))
    test = dependent.steiger(0.601, 0.599, 0.5, n)
    error = (math.atanh(0.601) - math.atanh(0.599)) / test.statistic
    assert error == pytest.approx(apart.std(), rel=0.03)
