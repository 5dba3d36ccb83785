"""Leaving contents out against doing it by hand; intervals and tests against simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from srqa.statistics import jackknife
from srqa.statistics.clustered import PARTS, Clusters, spearman_weighted
from srqa.statistics.correlation import kendall, pearson, spearman
from srqa.statistics.mapping import fit
from srqa.statistics.refitting import error_sums


@pytest.fixture
def pictures():
    """Tied columns, tied scores, contents of several sizes."""
    rng = np.random.default_rng(2)
    codes = np.unique(rng.integers(0, 9, 60), return_inverse=True)[1]
    columns = np.stack([rng.integers(0, 5, 60) + 0.0, rng.normal(size=60)], axis=1)
    return columns, rng.integers(0, 7, 60) + 0.0, Clusters(codes)


def test_figures_without_a_content_equal_those_of_the_rest(pictures):
    columns, scores, clusters = pictures
    ranks = jackknife.spearman_without(columns, scores, clusters)
    linear = jackknife.pearson_without(columns, scores, clusters)
    assert ranks.shape == linear.shape == (clusters.size, 2)
    for k, column in enumerate(columns.T):
        orders = jackknife.kendall_without(column, scores, clusters)
        for part in range(clusters.size):
            x, y = column[clusters.codes != part], scores[clusters.codes != part]
            assert ranks[part, k] == pytest.approx(spearman(x, y), abs=1e-12)
            assert linear[part, k] == pytest.approx(pearson(x, y), abs=1e-12)
            assert orders[part] == pytest.approx(kendall(x, y), abs=1e-12)


def test_many_contents_are_left_out_in_parts():
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(1000), 3)
    clusters = Clusters(codes)
    assert clusters.count == PARTS
    assert np.bincount(clusters.parts).tolist() == [15] * PARTS
    assert (np.ptp(clusters.parts.reshape(-1, 3), axis=1) == 0).all()
    assert sum(block.shape[1] for block in clusters.without()) == PARTS
    scores = rng.normal(size=3000)
    column = scores + rng.normal(size=3000)
    without = jackknife.spearman_without(column[:, None], scores, clusters)[:, 0]
    drawn = spearman_weighted(column[:, None], scores, clusters.weights())
    error = jackknife.spread(spearman(column, scores), without)
    assert error == pytest.approx(float(drawn.std()), rel=0.15)


def by_hand(mapping, values, scores, half, clusters):
    """The curve fitted anew to the rest: sums of squares, and of errors outside."""
    square, outside = [], []
    for part in range(clusters.size):
        rest = clusters.codes != part
        again = fit(values[rest], scores[rest], mapping.kind)
        error = np.abs(scores[rest] - again(values[rest]))
        square.append(error @ error)
        outside.append((error > half[rest]).sum())
    return np.array(square), np.array(outside)


@pytest.mark.parametrize(
    ("kind", "curve", "within"),
    [
        ("linear", lambda x: x, 1e-9),
        ("cubic", lambda x: x + x**3 / 20, 1e-9),
        ("cubic", lambda x: np.tanh(2 * x), 3e-3),  # would turn: it lies at a border
        ("logistic4", lambda x: np.tanh(x), 3e-3),
        ("logistic5", lambda x: np.tanh(x) + x / 5, 5e-3),
        ("logistic4", lambda x: x, 8e-3),  # as wide as it may be
    ],
)
def test_errors_without_a_content_are_those_of_curves_fitted_to_the_rest(kind, curve, within):
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(20), 6)
    values = rng.normal(size=120)
    scores = curve(values) + 0.3 * rng.normal(size=20)[codes] + 0.3 * rng.normal(size=120)
    clusters, half = Clusters(codes), np.full(120, 0.4)
    mapping = fit(values, scores, kind)
    found = error_sums(mapping, values, scores, half, clusters)
    square, outside = by_hand(mapping, values, scores, half, clusters)
    assert found.square == pytest.approx(square, rel=within)
    assert np.abs(found.outside - outside).mean() < 2.5  # it is counted smoothly
    # What the refitting changes is what is told, not only what leaving out does.
    error = scores - mapping(values)
    fixed = error @ error - clusters.sums(error**2)
    assert np.corrcoef(fixed - found.square, fixed - square)[0, 1] > 0.9
    if kind == "linear":
        r = np.sqrt(1 - found.square / np.array([
            ((scores[codes != g] - scores[codes != g].mean()) ** 2).sum() for g in range(20)
        ]))  # fmt: skip
        raw = jackknife.pearson_without(values[:, None], scores, clusters)[:, 0]
        assert r == pytest.approx(np.abs(raw), abs=1e-9)


def test_intervals_of_equal_contents_are_student_s():
    """Of a mean, the jackknife's error is the textbook's."""
    rng = np.random.default_rng(5)
    values, clusters = rng.uniform(0.2, 0.9, 15), Clusters(np.arange(15))
    without = (values.sum() - values) / 14
    error = values.std(ddof=1) / math.sqrt(15)
    assert jackknife.spread(values.mean(), without) == pytest.approx(error)
    assert jackknife.unbiased(values.mean(), without) == pytest.approx(values.mean())
    low, high = jackknife.correlation_interval(0.6, np.full(15, 0.6) + 0.01, clusters)
    assert -1 < low < 0.6 < high < 1
    t, p = stats.ttest_1samp(values - 0.4, 0)
    assert jackknife.difference_test(values.mean(), 0.4, without - 0.4, clusters) == pytest.approx(
        p
    )
    assert t


def test_where_there_is_no_interval():
    few, enough = Clusters(np.arange(5)), Clusters(np.arange(8))
    for interval in (
        jackknife.correlation_interval, jackknife.error_interval, jackknife.share_interval,
        jackknife.area_interval,
    ):  # fmt: skip
        assert all(math.isnan(end) for end in interval(0.5, np.full(5, 0.5), few))
        assert all(math.isnan(end) for end in interval(math.nan, np.full(8, 0.5), enough))
    moved = 0.5 + np.array([0.3, -0.3, 0, 0, 0, 0, 0, 0])
    low, high = jackknife.error_interval(0.5, moved, enough)
    assert 0 < low < 0.5 < high == math.inf
    assert jackknife.correlation_interval(1.0, np.ones(8), enough) == (1.0, 1.0)
    assert math.isnan(jackknife.difference_test(0.5, 0.4, np.full(5, 0.1), few))
    assert jackknife.difference_test(0.5, 0.5, np.zeros(8), enough) == 1
    low, high = jackknife.area_interval(1.0, np.zeros(8), enough)
    assert 0.5 < low < high == 1
    low, high = jackknife.share_interval(0.0, np.zeros(8), enough)
    assert low == 0 < high < 0.5


def test_degrees_of_freedom_are_those_of_the_error():
    """Of a variance: two divided by its squared coefficient of variation, in simulation."""
    rng = np.random.default_rng(8)
    clusters = Clusters(np.arange(400))
    assert clusters.degrees == PARTS - 1
    clusters = Clusters(np.arange(150))
    assert jackknife.degrees_of(rng.uniform(size=150), clusters) == clusters.degrees == 149
    draws = rng.laplace(size=(4000, 150))
    variances = draws.var(axis=1, ddof=1)
    true = 2 / (variances.std() / variances.mean()) ** 2
    told = np.mean([1 / jackknife.degrees_of(one, clusters) for one in draws])
    assert 1 / told == pytest.approx(true, rel=0.1)
    one_of_many = np.r_[1.0, np.zeros(149)]
    assert 2 <= jackknife.degrees_of(one_of_many, clusters) < 2.1
    assert jackknife.degrees_of(np.zeros(150), clusters) == 149
