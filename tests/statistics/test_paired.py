"""Paired differences: signed ranks against enumeration, Holm by hand, infinite values."""

import math
from itertools import product

import numpy as np
import pytest
import scipy.stats

from srqa.statistics.paired import compare_columns, holm, signed_rank


def enumerated(differences):
    """Two-sided p of the signed-rank test, over all signs."""
    ranks = scipy.stats.rankdata(np.abs(differences))
    total = ranks.sum()
    seen = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    sums = [sum(r for r, s in zip(ranks, signs, strict=True) if s)
            for signs in product((0, 1), repeat=len(ranks))]  # fmt: skip
    return min(1.0, sum(min(w, total - w) <= seen for w in sums) / len(sums))


@pytest.mark.parametrize("seed", range(8))
def test_signed_rank_of_six(seed):
    differences = np.random.default_rng(seed).normal(0.4, 1, 6)
    assert signed_rank(differences) == pytest.approx(enumerated(differences), rel=1e-12)


def test_signed_rank_known_values():
    """All of one sign: p = 2 / 2^n."""
    for n in (3, 5, 6, 10):
        assert signed_rank(np.arange(1.0, n + 1)) == pytest.approx(2 / 2**n)


def test_zeros_are_left_out():
    differences = np.array([0.0, 1.0, 2.0, 0.0, 3.0, 4.0, -5.0, 6.0])
    assert signed_rank(differences) == signed_rank(differences[differences != 0])


def test_nothing_left():
    assert signed_rank(np.zeros(5)) == 1.0
    assert math.isnan(signed_rank(np.array([])))


def test_direction_does_not_matter():
    differences = np.random.default_rng(3).normal(0.3, 1, 20)
    assert signed_rank(differences) == signed_rank(-differences)


def test_holm_by_hand():
    """0.01 x 4; 0.02 x 3; 0.03 x 2 = 0.06, not below the last; 0.5 x 1."""
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])


def test_holm_stays_in_range_and_in_order():
    assert holm([0.9, 0.8, 0.7]) == [1.0, 1.0, 1.0]
    assert holm([]) == []
    adjusted = holm([0.04, math.nan, 0.03])
    assert adjusted[0] == pytest.approx(0.06)
    assert adjusted[2] == pytest.approx(0.06)
    assert math.isnan(adjusted[1])


def test_holm_against_the_definition():
    p = np.random.default_rng(1).uniform(0, 0.3, 12)
    adjusted = holm(list(p))
    for alpha in (0.01, 0.05, 0.2):
        rejected, left = set(), 12
        for i in np.argsort(p):
            if p[i] * left > alpha:
                break
            rejected.add(int(i))
            left -= 1
        assert rejected == {i for i, a in enumerate(adjusted) if a <= alpha}


class TestColumns:
    def test_all_pairs_in_order(self):
        values = np.random.default_rng(0).normal(size=(8, 3))
        pairs = [(d.first, d.second) for d in compare_columns(["a", "b", "c"], values)]
        assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]

    def test_known_answer(self):
        base = np.array([30.0, 31, 29, 33, 28, 35])
        values = np.stack([base + np.linspace(0.1, 0.6, 6), base], axis=1)
        (d,) = compare_columns(["new", "old"], values)
        assert d.mean == pytest.approx(0.35)
        assert (d.n, d.n_first, d.n_second) == (6, 6, 0)
        assert d.p == d.p_adjusted == pytest.approx(2 / 64)
        assert 0 < d.ci_low < 0.35 < d.ci_high

    def test_pairing_counts_not_the_spread_of_images(self):
        """A tiny difference on very different images is found; unpaired it would not be."""
        rng = np.random.default_rng(0)
        base = rng.normal(30, 8, 40)
        (d,) = compare_columns("ab", np.stack([base + rng.normal(0.1, 0.02, 40), base], axis=1))
        assert d.p < 1e-6
        assert d.ci_high - d.ci_low < 0.02

    def test_holm_over_all_pairs(self):
        values = np.random.default_rng(1).normal([0, 0.2, 0.4, 3], 1, (12, 4))
        found = compare_columns("abcd", values)
        assert [d.p_adjusted for d in found] == holm([d.p for d in found])

    def test_infinite_values(self):
        inf = math.inf
        values = np.array([[inf, inf], [inf, 30.0], [31.0, 30.0], [32.0, 30.0], [31.0, 29.5]])
        (d,) = compare_columns("ab", values)
        assert d.n == 4  # the second row has no finite difference
        assert d.mean == pytest.approx((0 + 1 + 2 + 1.5) / 4)
        assert (d.n_first, d.n_second) == (3, 0)

    def test_missing_values(self):
        nan = math.nan
        values = np.array([[nan, 1.0], [2.0, nan], [3.0, 1.0], [4.0, 1.0]])
        (d,) = compare_columns("ab", values)
        assert (d.n, d.mean) == (2, 2.5)

    def test_no_common_image(self):
        values = np.array([[1.0, math.nan], [math.nan, 1.0]])
        (d,) = compare_columns("ab", values)
        assert d.n == 0
        assert math.isnan(d.mean)
        assert math.isnan(d.p_adjusted)
        assert math.isnan(d.ci_low)

    def test_equal_methods(self):
        values = np.tile(np.arange(5.0)[:, None], (1, 2))
        (d,) = compare_columns("ab", values)
        assert (d.mean, d.p, d.n_first, d.n_second) == (0.0, 1.0, 0, 0)

    def test_false_alarms_are_rare(self):
        """Four equal methods, 300 times: Holm keeps any false verdict at 5 % or below."""
        rng = np.random.default_rng(7)
        alarms = sum(
            any(d.p_adjusted < 0.05 for d in compare_columns("abcd", rng.normal(size=(10, 4))))
            for _ in range(300)
        )
        assert alarms / 300 < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300)
