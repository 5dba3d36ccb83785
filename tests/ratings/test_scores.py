"""Mean opinion scores, their intervals, how votes spread, SOS."""

import math

import numpy as np
import pytest
import scipy.stats

from srqa.errors import InputError
from srqa.ratings.answers import ACR5, CONTINUOUS, from_matrix
from srqa.ratings.scores import distribution, mos, sos_fit


def test_mos_and_student_interval_against_scipy(nflx):
    found = mos(from_matrix(nflx))
    kept = found.sd > 0
    error = nflx[kept].std(1, ddof=1) / math.sqrt(26)
    want = scipy.stats.t.interval(0.95, 25, nflx[kept].mean(1), error)
    np.testing.assert_allclose(found.mos, nflx.mean(1), atol=1e-12)
    np.testing.assert_allclose(found.ci_low[kept], want[0], atol=1e-12)
    np.testing.assert_allclose(found.ci_high[kept], want[1], atol=1e-12)


def test_nflx_as_published(nflx, expected):
    want = expected["nflx_public"]
    found = mos(from_matrix(nflx), "normal")
    assert found.mos.mean() == pytest.approx(want["mos_mean"], abs=1e-9)
    assert found.mos[0] == pytest.approx(want["mos[0]"])
    assert found.mos[10] == pytest.approx(want["mos[10]"], abs=1e-6)
    half = (found.ci_high - found.ci_low) / 2
    assert half.mean() == pytest.approx(want["mean_half_ci"]["mos_normal"], abs=1e-4)


def test_missing_votes(demo):
    found = mos(from_matrix(demo))
    np.testing.assert_allclose(found.mos, np.nanmean(demo, axis=1), atol=1e-12)
    np.testing.assert_allclose(found.n, (~np.isnan(demo)).sum(axis=1))


def test_unanimous_votes_have_wilsons_interval():
    found = mos(from_matrix(np.full((2, 12), 5.0)))
    z = scipy.stats.norm.ppf(0.975)
    wilson = scipy.stats.binomtest(0, 12).proportion_ci(0.95, method="wilson").high
    assert wilson == pytest.approx(z**2 / (12 + z**2))
    assert found.ci_low[0] == pytest.approx(5 - wilson)
    assert found.ci_high[0] == 5
    assert "All votes agree for 1, 2" in found.notes[0]
    plain = mos(from_matrix(np.full((2, 12), 5.0)), "normal")
    assert plain.ci_low[0] == plain.ci_high[0] == 5


def test_one_vote_has_no_interval():
    found = mos(from_matrix(np.array([[3.0, np.nan], [4.0, 2.0]])))
    assert math.isnan(found.ci_low[0])
    assert math.isnan(found.sd[0])
    assert "One vote gives no interval: 1" in found.notes[0]


def test_bootstrap_draws_observers():
    """With all of an observer's votes on a stimulus alike, repetitions add no certainty."""
    rng = np.random.default_rng(0)
    votes = np.clip(np.rint(rng.normal(3, 1, (3, 20))), 1, 5)
    once = mos(from_matrix(votes), "bootstrap")
    four = mos(from_matrix(np.repeat(votes[:, :, None], 4, axis=2)), "bootstrap")
    width = once.ci_high - once.ci_low
    np.testing.assert_allclose(four.ci_high - four.ci_low, width, rtol=0.2)
    student = mos(from_matrix(votes))
    np.testing.assert_allclose(width, student.ci_high - student.ci_low, rtol=0.2)
    naive = mos(from_matrix(np.repeat(votes[:, :, None], 4, axis=2)))
    assert (naive.ci_high - naive.ci_low < 0.6 * width).all()


def test_the_table_of_scores(nflx):
    frame = mos(from_matrix(nflx)).to_frame()
    assert list(frame) == ["dataset", "content", "scale", "method", "stimulus",
                           "mos", "sd", "n", "ci_low", "ci_high", "model"]  # fmt: skip
    assert (frame["n"] == 26).all()


def test_distribution():
    table = np.array([[5.0, 4, 3, 1], [2, 2, 1, 5], [1, 1, 5, 5], [3, 3, 3, 3]])
    found = distribution(from_matrix(table))
    np.testing.assert_allclose(found.good_or_better, [50, 25, 50, 0])
    np.testing.assert_allclose(found.poor_or_worse, [25, 75, 50, 0])
    np.testing.assert_allclose(found.entropy, [2, 1.5, 1, 0])
    rng = np.random.default_rng(1)
    camps = np.r_[rng.integers(1, 3, 40), rng.integers(4, 6, 40)]
    hill = np.clip(np.rint(rng.normal(3, 0.8, 80)), 1, 5)
    found = distribution(from_matrix(np.array([camps, hill], float)))
    assert found.bimodality[0] > 5 / 9 > found.bimodality[1]
    for votes, value in zip((camps, hill), found.bimodality, strict=True):
        skew = scipy.stats.skew(votes, bias=False)
        excess = scipy.stats.kurtosis(votes, bias=False)
        want = (skew**2 + 1) / (excess + 3 * 79**2 / (78 * 77))
        assert value == pytest.approx(want)


def test_percentages_follow_the_scale():
    found = distribution(from_matrix(np.array([[80.0, 20, 60, 100]]), rating_scale=CONTINUOUS))
    np.testing.assert_allclose([found.good_or_better[0], found.poor_or_worse[0]], [50, 25])


def test_sos_fit_finds_the_parameter():
    """Votes from two ends have variance g itself: a = 1; a mixture with the mean has less."""
    rng = np.random.default_rng(0)
    share = rng.uniform(0.2, 0.8, 200)
    ends = np.where(rng.random((200, 400)) < share[:, None], 5.0, 1.0)
    found = sos_fit(mos(from_matrix(ends)), ACR5)
    assert found.a == pytest.approx(1.0, abs=0.01)
    assert "usually give 0.1 to 0.3" in found.note
    mean = 1 + 4 * share[:, None]
    a = 0.2
    votes = np.where(rng.random((200, 400)) < a, ends, np.broadcast_to(mean, ends.shape))
    found = sos_fit(mos(from_matrix(votes, rating_scale=ACR5)), ACR5)
    assert found.a == pytest.approx(a, abs=0.01)
    assert found.note == ""
    assert found.r_squared > 0.5


def test_sos_of_published_pictures(ic_test):
    """Still pictures of the IC test lie where the literature has them."""
    assert 0.1 < sos_fit(mos(from_matrix(ic_test)), ACR5).a < 0.3


def test_sos_needs_spread():
    with pytest.raises(InputError, match="two stimuli with two votes"):
        sos_fit(mos(from_matrix(np.array([[3.0, 4.0]]))), ACR5)
