"""Tests between methods: against scipy's own tests, ANOVA's mean squares, and simulation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import Stimulus, from_matrix
from srqa.ratings.between import compare_methods
from srqa.statistics.multiple import benjamini_hochberg, letters
from srqa.statistics.paired import holm

METHODS = ("a", "b", "c", "d")


def answers(matrix, methods=METHODS):
    """Ratings (methods, contents, observers) as answers."""
    count = matrix.shape[1]
    stimuli = tuple(
        Stimulus(f"{m}/{c}", content=f"c{c}", method=m) for m in methods for c in range(count)
    )
    made = from_matrix(matrix.reshape(len(methods) * count, -1))
    return replace(made, stimuli=stimuli)


@pytest.fixture
def ratings(rng):
    means = np.array([3.0, 3.05, 3.6, 2.2])[:, None, None]
    contents, people = rng.normal(0, 0.4, (1, 10, 1)), rng.normal(0, 0.3, (1, 1, 18))
    return np.clip(np.rint(means + contents + people + rng.normal(0, 0.6, (4, 10, 18))), 1, 5)


def own(ratings, first, second):
    """Each observer's mean difference."""
    return (ratings[METHODS.index(first)] - ratings[METHODS.index(second)]).mean(axis=0)


class TestAgainstScipy:
    def test_t(self, ratings):
        ranking = compare_methods(answers(ratings), correction="none")
        assert ranking.methods[0] == "c"
        assert ranking.methods[-1] == "d"
        for found in ranking.differences:
            told = stats.ttest_1samp(own(ratings, found.first, found.second), 0)
            assert found.p == pytest.approx(told.pvalue, rel=1e-9)
            low, high = told.confidence_interval()
            assert (found.ci_low, found.ci_high) == pytest.approx((low, high), rel=1e-9)
            assert found.p_adjusted == found.p
            assert found.n == 18

    def test_wilcoxon(self, ratings):
        for found in compare_methods(answers(ratings), "wilcoxon").differences:
            told = stats.wilcoxon(own(ratings, found.first, found.second))
            assert found.p == pytest.approx(told.pvalue, rel=1e-9)

    def test_equivalence_is_the_larger_of_two_one_sided_tests(self, ratings):
        for found in compare_methods(answers(ratings), margin=0.3).differences:
            differences = own(ratings, found.first, found.second)
            sides = [
                stats.ttest_1samp(differences, -0.3, alternative="greater").pvalue,
                stats.ttest_1samp(differences, 0.3, alternative="less").pvalue,
            ]
            assert found.p_equivalent == pytest.approx(max(sides), rel=1e-9)

    def test_corrections(self, ratings):
        multitest = pytest.importorskip("statsmodels.stats.multitest")
        p = [d.p for d in compare_methods(answers(ratings), correction="none").differences]
        for ours, theirs, function in (
            ("holm", "holm", holm),
            ("bh", "fdr_bh", benjamini_hochberg),
        ):
            expected = multitest.multipletests(p, method=theirs)[1]
            assert function(p) == pytest.approx(expected)
            told = compare_methods(answers(ratings), correction=ours).differences
            assert [d.p_adjusted for d in told] == pytest.approx(expected)


def test_mixed_model_equals_the_mean_squares_of_a_balanced_design(rng):
    """Of the interaction of methods and contents, by which the difference is judged."""
    pytest.importorskip("statsmodels", reason="pip install 'srqa[stats]'")
    on_content = rng.normal(0, 0.5, (3, 8, 1))
    ratings = 3 + on_content + rng.normal(0, 0.3, (1, 1, 9)) + rng.normal(0, 0.5, (3, 8, 9))
    ratings = np.clip(ratings, 1, 5)
    told = compare_methods(answers(ratings, METHODS[:3]), "mixed", "none")
    cells = ratings.mean(axis=2)
    residual = cells - cells.mean(0) - cells.mean(1)[:, None] + cells.mean()
    error = np.sqrt(2 * (residual**2).sum() / (2 * 7) / 8)
    for found in told.differences:
        half = stats.t.ppf(0.975, 7) * error
        assert found.ci_high - found.mean == pytest.approx(half, rel=2e-3)
        difference = cells[METHODS.index(found.first)] - cells[METHODS.index(found.second)]
        assert found.mean == pytest.approx(difference.mean(), abs=1e-8)


class TestPartialDesigns:
    def test_only_contents_seen_with_both_count(self, ratings, rng):
        holes = np.where(rng.random(ratings.shape) < 0.4, np.nan, ratings)
        for found in compare_methods(answers(holes), correction="none").differences:
            i, j = METHODS.index(found.first), METHODS.index(found.second)
            both = ~np.isnan(holes[i] - holes[j])
            sums = np.where(both, holes[i] - holes[j], 0).sum(axis=0)
            seen = both.any(axis=0)
            told = stats.ttest_1samp(sums[seen] / both.sum(axis=0)[seen], 0)
            assert found.p == pytest.approx(told.pvalue, rel=1e-9)

    def test_methods_that_nobody_saw_together(self, ratings):
        ratings[0, :, :9], ratings[1, :, 9:] = np.nan, np.nan
        ranking = compare_methods(answers(ratings))
        pair = next(d for d in ranking.differences if {d.first, d.second} == {"a", "b"})
        assert np.isnan(pair.p)
        assert pair.verdict == "not told apart"
        assert "no two observers in common" in ranking.notes[0]


def test_false_alarms_are_as_rare_as_promised(rng):
    """Four equal methods: some pair is called different in at most 5 % of studies (Holm)."""
    alarms = 0
    for _ in range(400):
        ratings = 3 + rng.normal(0, 0.4, (1, 1, 12)) + rng.normal(0, 0.7, (4, 6, 12))
        ranking = compare_methods(answers(np.clip(np.rint(ratings), 1, 5)))
        alarms += any(d.verdict in ("better", "worse") for d in ranking.differences)
    assert alarms / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_equal_methods_with_many_observers_are_equivalent(rng):
    ratings = np.clip(np.rint(3 + rng.normal(0, 0.7, (2, 20, 40))), 1, 5)
    (pair,) = compare_methods(answers(ratings, METHODS[:2])).differences
    assert pair.verdict == "equivalent"


def test_bad_input(ratings):
    with pytest.raises(InputError, match="need two of them"):
        compare_methods(answers(ratings[:1], METHODS[:1]))
    with pytest.raises(UsageError, match="margin"):
        compare_methods(answers(ratings), margin=0)


class TestLetters:
    def test_chain(self):
        apart = np.abs(np.subtract.outer(range(5), range(5))) > 1
        assert letters(apart) == ["a", "ab", "bc", "cd", "d"]

    def test_all_and_none(self):
        assert letters(np.zeros((3, 3), bool)) == ["a", "a", "a"]
        assert letters(~np.eye(30, dtype=bool))[25:27] == ["z", "a'"]

    def test_sharing_a_letter_means_not_told_apart(self, rng):
        for _ in range(50):
            upper = np.triu(rng.random((7, 7)) < 0.4, 1)
            apart = upper | upper.T
            found = letters(apart)
            for i in range(7):
                for j in range(i):
                    assert bool(set(found[i]) & set(found[j])) != apart[i, j]
