"""Figures of drawn contents against repeating their pictures; intervals and tests from them."""

import math

import numpy as np
import pytest
from scipy import stats

from srqa.statistics import bootstrap
from srqa.statistics.clustered import Clusters, spearman_weighted
from srqa.statistics.jackknife import ERRORS, RANKS, Scale, fisher_z
from srqa.statistics.mapping import fit
from srqa.statistics.refitting import drawn_squares

PLAIN = Scale(np.asarray, float)


def rows_of(clusters):
    """Of each sample, the pictures as often as they were drawn."""
    times = np.concatenate(list(clusters.weights()), axis=1).astype(int)
    return [np.repeat(np.arange(len(times)), column) for column in times.T]


@pytest.mark.parametrize("ties", [False, True])
def test_figures_of_samples_equal_those_of_repeated_pictures(ties):
    rng = np.random.default_rng(2)
    codes = np.unique(rng.integers(0, 9, 60), return_inverse=True)[1]
    scores = rng.normal(size=60)
    columns = np.stack([scores, -scores], axis=1) + rng.normal(size=(60, 2))
    if ties:
        columns, scores = np.round(columns), np.round(scores)
    clusters = Clusters(codes, resamples=130, seed=4)
    linear = bootstrap.pearson_drawn(columns, scores, clusters)
    for k, column in enumerate(columns.T):
        orders = bootstrap.kendall_drawn(column, scores, clusters)
        assert len(orders) == len(linear) == 130
        for sample, rows in enumerate(rows_of(clusters)):
            x, y = column[rows], scores[rows]
            assert orders[sample] == pytest.approx(stats.kendalltau(x, y)[0], abs=1e-12)
            assert linear[sample, k] == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)


@pytest.mark.parametrize(
    ("kind", "alike"), [("linear", 1 - 1e-9), ("cubic", 0.995), ("logistic4", 0.98)]
)
def test_errors_in_samples_are_those_of_curves_fitted_to_them(kind, alike):
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(25), 6)
    values = rng.normal(size=150)
    scores = np.tanh(values) + 0.3 * rng.normal(size=25)[codes] + 0.3 * rng.normal(size=150)
    scores += 10  # where the scores lie does not count
    clusters = Clusters(codes, resamples=60)
    found = drawn_squares(fit(values, scores, kind), values, scores, clusters)
    again = [fit(values[rows], scores[rows], kind).residual for rows in rows_of(clusters)]
    assert np.corrcoef(found.error, again)[0, 1] > alike
    assert found.error.std() == pytest.approx(np.std(again), rel=0.05)
    assert found.error.mean() == pytest.approx(np.mean(again), rel=0.01)
    low, high = bootstrap.bootstrap_interval(
        math.sqrt(again[0]), np.sqrt(found.error), clusters, ERRORS
    )
    assert 0 < low < high
    for sample, rows in enumerate(rows_of(clusters)):
        assert found.pictures[sample] == len(rows)
        assert found.score[sample] == pytest.approx(len(rows) * scores[rows].var())


def test_large_sets_take_fewer_samples_for_kendall(monkeypatch):
    rng = np.random.default_rng(5)
    scores = rng.normal(size=300)
    column, clusters = scores + rng.normal(size=300), Clusters(np.repeat(np.arange(60), 5))
    every = bootstrap.kendall_drawn(column, scores, clusters)
    monkeypatch.setattr(bootstrap, "_CELLS", 1000)
    some = bootstrap.kendall_drawn(column, scores, clusters)
    assert 100 <= len(some) < 200 < len(every) == 1000
    assert np.array_equal(every[: len(some)], some)


def test_intervals_and_tests_of_a_mean_are_student_s():
    """Of a mean, drawing contents again and Student's t agree."""
    rng = np.random.default_rng(6)
    values, clusters = rng.normal(0.5, 0.1, 20), Clusters(np.arange(20), resamples=20_000)
    drawn = np.concatenate([draw.T @ values / 20 for draw in clusters.draws()])
    low, high = bootstrap.bootstrap_interval(values.mean(), drawn, clusters, PLAIN)
    usual = stats.t.interval(0.95, 19, values.mean(), values.std(ddof=1) / math.sqrt(20))
    assert high - low == pytest.approx((usual[1] - usual[0]) * math.sqrt(20 / 19), rel=0.02)
    assert low + high == pytest.approx(sum(usual))
    both = np.stack([drawn, np.full_like(drawn, 0.45)], axis=1)
    p = bootstrap.bootstrap_tests(np.array([values.mean(), 0.45]), both, clusters, np.asarray)
    assert p[0, 1] == p[1, 0]
    assert p[0, 0] == 1
    usual_p = stats.ttest_1samp(values, 0.45).pvalue
    assert stats.norm.isf(p[0, 1] / 2) == pytest.approx(stats.norm.isf(usual_p / 2), rel=0.1)


def test_where_there_is_neither_interval_nor_test():
    few, enough = Clusters(np.arange(5)), Clusters(np.arange(8))
    some = np.linspace(0.2, 0.6, 200)
    interval = bootstrap.bootstrap_interval
    assert all(map(math.isnan, interval(0.4, some, few, RANKS)))
    assert all(map(math.isnan, interval(math.nan, some, enough, RANKS)))
    assert all(map(math.isnan, interval(0.4, np.full(200, math.nan), enough, RANKS)))
    assert all(map(math.isnan, interval(0.0, some, enough, ERRORS)))
    samples = np.full((200, 2), math.nan)
    p = bootstrap.bootstrap_tests(np.array([0.5, 0.6]), samples, enough, fisher_z)
    assert math.isnan(p[0, 1])
    column = np.ones((16, 1))
    drawn = spearman_weighted(column, np.arange(16.0), enough_of_two().weights())
    assert np.isnan(drawn).all()
    assert np.isnan(bootstrap.kendall_drawn(column[:, 0], np.arange(16.0), enough_of_two())).all()


def enough_of_two():
    return Clusters(np.repeat(np.arange(8), 2), resamples=120)
