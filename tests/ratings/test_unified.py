"""Ratings and choices on one scale."""

import math

import numpy as np
import pytest
from oracle.paired import SIGMA, cdf
from pairs_support import partial_design, simulated
from scipy.stats import norm

from srqa.errors import InputError, UsageError
from srqa.ratings.paired import scale_pairs
from srqa.ratings.unified import scale_ratings_and_pairs

NOISE = SIGMA / math.sqrt(2)


def study(rng, items=8, pairs=300, ratings=240, a=0.6, b=3.0, c=1.4):
    values = np.linspace(-2, 2, items)
    left, right = partial_design(items, pairs, rng)
    answers = simulated(values, left, right, rng)
    item = np.arange(ratings) % items
    value = a * values[item] + b + a * c * NOISE * rng.normal(size=ratings)
    return values, answers, item, value


def log_posterior(answers, item, value, q, a, b, c, spread):
    """The paper's, from its formulas."""
    total = sum(
        math.log(cdf(choice * (q[left] - q[right]) / SIGMA))
        for left, right, choice in zip(answers.left, answers.right, answers.choice, strict=True)
    )
    total += norm.logpdf(value, a * q[item] + b, a * c * NOISE).sum()
    return total + norm.logpdf(q, 0, spread).sum()


@pytest.mark.parametrize("prior", ["gaussian", "published"])
def test_the_optimum_is_the_papers(rng, prior):
    _, answers, item, value = study(rng)
    found = scale_ratings_and_pairs(answers, item, value, prior=prior)
    spread = 2.0 if prior == "gaussian" else math.sqrt(8) * NOISE
    (line,) = found.lines
    # The prior's mean over items is not determined by the data but through b; search over it.
    shifts = np.linspace(-0.5, 0.5, 101)
    best = max(
        log_posterior(answers, item, value, found.jod + s, line.a, line.b - line.a * s, line.c,
                      spread) for s in shifts
    )  # fmt: skip
    for _ in range(100):
        q = found.jod + rng.normal(0, 0.03, 8)
        a, b, c = np.array([line.a, line.b, line.c]) * (1 + rng.normal(0, 0.02, 3))
        assert log_posterior(answers, item, value, q, a, b, c, spread) < best + 1e-6


def test_values_and_line_are_recovered(rng):
    values, answers, item, value = study(rng, pairs=1500, ratings=1600)
    found = scale_ratings_and_pairs(answers, item, value)
    (line,) = found.lines
    assert found.jod == pytest.approx(values, abs=0.3)
    assert line.a == pytest.approx(0.6, abs=4 * line.a_se)
    assert line.b == pytest.approx(3.0, abs=0.1)
    assert line.c == pytest.approx(1.4, abs=0.15)


def test_ratings_sharpen_what_pairs_tell(rng):
    _, answers, item, value = study(rng)
    together = scale_ratings_and_pairs(answers, item, value)
    alone = scale_pairs(answers, side_bias=False)
    assert (together.se < alone.se).all()
    assert together.table()[3]["n"] == round(together.n_pairs[3] + 30)


def test_intervals_cover():
    rng = np.random.default_rng(12)
    hits = []
    for _ in range(120):
        values, answers, item, value = study(rng, pairs=200, ratings=160)
        found = scale_ratings_and_pairs(answers, item, value)
        hits += [bool(low <= v <= high)
                 for v, (low, high) in zip(values, found.intervals, strict=True)]  # fmt: skip
    assert 0.92 <= np.mean(hits) <= 0.98


def test_sets_of_ratings_have_their_own_lines(rng):
    values, answers, item, value = study(rng, pairs=1500, ratings=800)
    other = 20 * values[item] + 50 + 20 * 0.8 * NOISE * rng.normal(size=len(item))
    found = scale_ratings_and_pairs(
        answers, np.r_[item, item], np.r_[value, other],
        rating_set=np.repeat([0, 1], len(item)), names=["acr", "sliders"],
    )  # fmt: skip
    assert [line.name for line in found.lines] == ["acr", "sliders"]
    assert found.lines[1].a == pytest.approx(20, abs=4 * found.lines[1].a_se)
    assert found.lines[1].c == pytest.approx(0.8, abs=0.15)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda item, value: (item[:0], value[:0]), "no rating"),
        (lambda item, value: (item, np.where(item == 2, np.nan, value)), "not finite"),
        (lambda item, value: (item + 5, value), "names the item 12; there are 8"),
        (lambda item, value: (item, value * 0 + 3), "all equal"),
        (lambda item, value: (item % 2, value), "fewer than three items"),
        (lambda item, value: (item[:-1], value), "There are 239 items, 240 values"),
        (lambda item, value: (item, -value), "fall where the comparisons rise"),
    ],
)
def test_bad_ratings_are_refused(rng, change, words):
    _, answers, item, value = study(rng)
    with pytest.raises(InputError, match=words):
        scale_ratings_and_pairs(answers, *change(item, value))


def test_bad_priors_are_refused(rng):
    _, answers, item, value = study(rng)
    with pytest.raises(UsageError, match="no prior 'flat'"):
        scale_ratings_and_pairs(answers, item, value, prior="flat")
