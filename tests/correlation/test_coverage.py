"""Whether intervals hold the truth and tests keep their level, in simulated studies of contents."""

import math

import numpy as np
import pytest

from benchmarks.correlation_coverage import DESIGNS, FIGURES, FRESH, measure

BY_NAME = {design.name: design for design in (*DESIGNS, *FRESH)}
STUDIES = 300


def slack(share, count):
    """What 99 % of such counts lie within."""
    return 2.6 * math.sqrt(share * (1 - share) / count)


@pytest.mark.slow
def test_intervals_hold_the_truth():
    """93 to 97 % of 95 % intervals, for each figure in each population and over all of them."""
    names = ("20 x 7", "25 x 5, uneven contents", "24 x 2 to 6", "18 x 4")
    found = [measure(BY_NAME[name], STUDIES, tests=False, seed=5)[0] for name in names]
    for key in (*FIGURES, "auc_different", "agreement"):
        shares = np.array([held[key] for held in found])
        few, many = slack(0.07, STUDIES), slack(0.07, STUDIES * len(names))
        assert 0.93 - few < shares.min() <= shares.max() < 0.97 + few, (key, shares)
        assert 0.93 - many < shares.mean() < 0.97 + many, (key, shares)
    formula = np.array([held["srocc_formula"] for held in found])
    assert formula.mean() < 0.92, "what taking pictures as independent costs"


@pytest.mark.slow
def test_tests_keep_their_level():
    """Two metrics that are equally good are told apart in 5 % of studies, by formulas in more."""
    _, rejected = measure(BY_NAME["12 x 8, contents rule"], STUDIES, seed=7)
    for key in ("p_srocc", "p_plcc", "p_rmse", "p_srocc_bootstrap", "p_different", "p_better"):
        assert rejected[key] < 0.05 + slack(0.05, STUDIES), (key, rejected)
    assert min(rejected[key] for key in ("p_srocc_mrr", "p_srocc_steiger", "p_rmse_f")) > 0.2
    _, rejected = measure(BY_NAME["60 x 1"], STUDIES, seed=8)
    assert 0.01 < rejected["p_srocc"] < 0.05 + slack(0.05, STUDIES), rejected
    assert rejected["p_srocc_mrr"] < 0.13, "nearly right where every picture is independent"
