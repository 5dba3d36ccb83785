"""Agreement: published values, pingouin, krippendorff, statsmodels, and the definitions."""

import math

import numpy as np
import pytest
from oracle import ratings as oracle

from srqa.errors import InputError
from srqa.ratings.answers import from_matrix
from srqa.ratings.reliability import icc, krippendorff_alpha, retest, split_half
from srqa.ratings.variance_components import one_way, two_way


def small_table(seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    table = rng.normal(3, 1, (12, 1)) + rng.normal(0, 0.4, 6) + rng.normal(0, 0.6, (12, 6))
    table = np.clip(np.rint(table), 1, 5)
    table[rng.random(table.shape) < missing] = np.nan
    return table


def test_icc_as_published(ic_test, expected):
    found = {one.name: one.value for one in icc(from_matrix(ic_test))}
    for name, value in expected["ic_test"]["icc"].items():
        assert found[name] == pytest.approx(value, abs=1e-6), name
    assert len(found) == 6


def test_icc_and_intervals_as_pingouin():
    pingouin = pytest.importorskip("pingouin", reason="pip install pingouin")
    import pandas as pd

    answers = from_matrix(small_table())
    frame = pd.DataFrame({"s": answers.stimulus, "o": answers.observer, "v": answers.value})
    want = pingouin.intraclass_corr(frame, "s", "o", "v").set_index("Type")
    for one in icc(answers):
        assert one.value == pytest.approx(want.loc[one.name, "ICC"], abs=1e-9), one.name
        low, high = want.loc[one.name, "CI95"]
        assert (one.ci_low, one.ci_high) == pytest.approx((low, high), abs=0.006), one.name


@pytest.mark.parametrize("seed", [0, 1])
def test_reml_equals_the_analysis_of_variance_on_balanced_tables(seed):
    answers = from_matrix(small_table(seed))
    want = {one.name: one.value for one in icc(answers)}
    stimuli, observers, rest = two_way(answers)
    total = stimuli + observers + rest
    assert stimuli / total == pytest.approx(want["ICC(A,1)"], abs=1e-5)
    assert stimuli / (stimuli + rest) == pytest.approx(want["ICC(C,1)"], abs=1e-5)
    between, within = one_way(answers)
    assert between / (between + within) == pytest.approx(want["ICC(1,1)"], abs=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_reml_on_unbalanced_tables_as_statsmodels(flip):
    models = pytest.importorskip("statsmodels.formula.api", reason="pip install statsmodels")
    import warnings

    import pandas as pd

    table = small_table(2, 0.3)
    answers = from_matrix(table.T if flip else table)
    frame = pd.DataFrame({"s": answers.stimulus, "o": answers.observer, "v": answers.value})
    frame["one"] = 1
    parts = {"s": "0 + C(s)", "o": "0 + C(o)"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = models.mixedlm("v ~ 1", frame, groups="one", vc_formula=parts).fit(reml=True)
    variances = dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True))
    want = (variances["s"], variances["o"], fit.scale)
    np.testing.assert_allclose(two_way(answers), want, rtol=2e-3)
    names = [one.name for one in icc(answers)]
    assert names == ["ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)"]


def test_icc_needs_two_of_each():
    with pytest.raises(InputError, match="two stimuli and two observers"):
        icc(from_matrix(np.array([[3.0, 4.0]])))
    with pytest.raises(InputError, match="All ratings are equal"):
        icc(from_matrix(np.full((3, 3), 2.0)))
    with pytest.raises(InputError, match="too few"):
        icc(from_matrix(np.array([[3.0, np.nan], [4.0, 2.0]])))


def test_alpha_as_published(ic_test, expected):
    want = expected["ic_test"]["krippendorff_alpha"]
    answers = from_matrix(ic_test)
    assert krippendorff_alpha(answers) == pytest.approx(want["interval"], abs=1e-6)
    assert krippendorff_alpha(answers, "ordinal") == pytest.approx(want["ordinal"], abs=1e-6)


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_alpha_pair_by_pair_and_as_krippendorff(missing):
    table = small_table(3, missing)
    answers = from_matrix(table)
    for level, distance in (
        ("interval", oracle.interval_distance),
        ("ordinal", oracle.ordinal_distance),
        ("nominal", lambda a, b, votes: float(a != b)),
    ):
        found = krippendorff_alpha(answers, level)
        assert found == pytest.approx(oracle.krippendorff(table, distance), abs=1e-12)
        package = pytest.importorskip("krippendorff", reason="pip install krippendorff")
        want = package.alpha(reliability_data=table.T, level_of_measurement=level)
        assert found == pytest.approx(want, abs=1e-12)


def test_alpha_needs_pairs_that_differ():
    with pytest.raises(InputError, match="two votes"):
        krippendorff_alpha(from_matrix(np.array([[3.0, np.nan], [np.nan, 4.0]])))
    with pytest.raises(InputError, match="equal"):
        krippendorff_alpha(from_matrix(np.full((2, 2), 3.0)))


def test_split_half_near_the_published_value(ic_test):
    """10 against 10 of 21 observers, as the published figure; which ones is left to chance."""
    found = split_half(from_matrix(ic_test[:, :20]))
    assert found.half == pytest.approx(0.981887, abs=2e-3)
    assert found.panel == pytest.approx(0.990861, abs=1e-3)
    assert found.ci_low < found.half < found.ci_high
    again = split_half(from_matrix(ic_test[:, :20]))
    assert again == found


def test_the_ceiling_is_what_the_truth_reaches():
    """A metric equal to the true quality correlates with the panel's scores as `ceiling` says;
    `panel`, the correlation with another panel, is lower."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 0.5, 400)
    reached, panels, ceilings = [], [], []
    for _ in range(20):
        first, second = (truth[:, None] + rng.normal(0, 1, (400, 8)) for _ in range(2))
        found = split_half(from_matrix(first), splits=20, kind="pearson")
        reached.append(np.corrcoef(truth, first.mean(1))[0, 1])
        panels.append(np.corrcoef(second.mean(1), first.mean(1))[0, 1] - found.panel)
        ceilings.append(found.ceiling)
    assert np.mean(ceilings) == pytest.approx(np.mean(reached), abs=0.01)
    assert np.mean(panels) == pytest.approx(0, abs=0.02)


def test_split_half_needs_people():
    with pytest.raises(InputError, match="four observers; there are 3"):
        split_half(from_matrix(np.ones((5, 3))))
    with pytest.raises(InputError, match="never rated three stimuli in common"):
        split_half(from_matrix(np.ones((5, 4))))


def test_retest():
    cube = np.full((4, 2, 2), np.nan)
    cube[:, :, 0] = [[1, 2], [2, 3], [4, 4], [5, 5]]
    cube[:, 0, 1] = [1, 3, 4, 3]
    found = retest(from_matrix(cube))
    assert (found.pairs, found.mean_difference, found.exact) == (4, 0.75, 0.5)
    x, y = np.array([1, 2, 4, 5]), np.array([1, 3, 4, 3])
    chance = np.mean([(a - b) ** 2 for a in x for b in y])
    assert found.kappa == pytest.approx(1 - ((x - y) ** 2).mean() / chance)
    same = np.repeat(np.array([[1.0], [3], [5]])[:, :, None], 2, axis=2)
    assert retest(from_matrix(same)).kappa == 1
    assert math.isnan(retest(from_matrix(np.full((2, 1, 2), 3.0))).kappa)
