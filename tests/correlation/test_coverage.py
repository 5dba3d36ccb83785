"""Whether intervals hold the truth and tests keep their level, in simulated studies of contents."""

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.correlation_coverage import (
    DESIGNS,
    FIGURES,
    FRESH,
    PEOPLE,
    Row,
    add_row,
    measure,
    measured,
    tables,
)

BY_NAME = {design.name: design for design in (*DESIGNS, *FRESH)}
STUDIES = 300


def by_chance(low, high, count):
    """What a share between `low` and `high` comes out as among so many studies, but 1 in 100."""
    return binom.ppf(0.005, count, low) / count, binom.ppf(0.995, count, high) / count


@pytest.mark.slow
def test_intervals_hold_the_truth():
    """93 to 97 % of 95 % intervals, for each figure in each population and over all of them."""
    names = ("20 x 7", "25 x 5, uneven contents", "24 x 2 to 6", "18 x 4")
    found = [measure(BY_NAME[name], STUDIES, tests=False, seed=5)[0] for name in names]
    for key in (*FIGURES, *PEOPLE):
        shares = np.array([held[key] for held in found])
        low, high = by_chance(0.93, 0.97, STUDIES)
        assert low <= shares.min() <= shares.max() <= high, (key, shares)
        low, high = by_chance(0.93, 0.97, STUDIES * len(names))
        assert low <= shares.mean() <= high, (key, shares)
    formula = np.array([held["srocc_formula"] for held in found])
    assert formula.mean() < 0.92, "what taking pictures as independent costs"


@pytest.mark.slow
def test_intervals_where_errors_hang_on_few_contents():
    """Hardly any wrong pair; heavy-tailed errors."""
    low, _ = by_chance(0.93, 0.97, STUDIES)
    close, _ = measure(BY_NAME["12 x 3, close agreement"], STUDIES, tests=False, seed=6)
    heavy, _ = measure(BY_NAME["20 x 6, heavy noise"], STUDIES, tests=False, seed=6)
    for held in (close, heavy):
        assert min(held[key] for key in (*FIGURES, *PEOPLE)) >= low, held


@pytest.mark.slow
def test_tests_keep_their_level():
    """Two metrics that are equally good are told apart in 5 % of studies, by formulas in more."""
    _, most = by_chance(0.05, 0.05, STUDIES)
    over_contents = [f"p_{name}{how}" for name in ("srocc", "krcc", "plcc", "rmse")
                     for how in ("", "_bootstrap")]  # fmt: skip
    formulas = ("p_srocc_mrr", "p_srocc_steiger", "p_rmse_f")
    for name, seed in (("12 x 8, contents rule", 7), ("20 x 6, heavy noise", 9)):
        _, rejected = measure(BY_NAME[name], STUDIES, seed=seed)
        for key in (*over_contents, "p_different", "p_better"):
            assert rejected[key] <= most, (name, key, rejected)
        assert min(rejected[key] for key in formulas) > 0.05, (name, rejected)
    least, _ = by_chance(0.03, 0.05, STUDIES)
    _, rejected = measure(BY_NAME["60 x 1"], STUDIES, seed=8)
    for key in over_contents:
        assert least <= rejected[key] <= most, (key, rejected)
    assert rejected["p_srocc_mrr"] < 0.13, "nearly right where every picture is independent"


def test_an_interrupted_measurement_goes_on(tmp_path):
    rows = tmp_path / "rows.csv"
    ready = Row("20 x 7", 2, 3.0, {"srocc": 0.5, "p_srocc": 0.25})
    add_row(rows, ready)
    add_row(rows, Row("18 x 4", 9, 3.0, {"srocc": 0.1}))  # of other studies
    found = measured([BY_NAME["20 x 7"], BY_NAME["18 x 4"]], 2, rows)
    assert found["20 x 7"] == ready
    assert found["18 x 4"].studies == 2
    assert found["18 x 4"].shares.keys() >= {"srocc", "rmse", "agreement"}
    made = tables([found["20 x 7"]])
    assert made["coverage"].splitlines()[-1].startswith("| 20 x 7 | 50.0 | – |")
    assert "| 20 x 7 | 25.0 |" in made["level"]
    assert "20 x 7" not in made["bootstrap"], "it was not measured"
