"""Triplets with a pivot."""

from dataclasses import replace

import numpy as np
import pytest

from srqa.errors import InputError, UsageError
from srqa.ratings.comparisons import Triplets
from srqa.ratings.paired import scale_pairs
from srqa.ratings.triplets import scale_triplets, triplet_probability

NOISE = 1.482602218505602 / np.sqrt(2)


def felt(values, left, pivot, right, rng):
    """Answers by the definition: percepts are drawn, distances from the pivot compared."""
    first, middle, last = (values[codes] + NOISE * rng.normal(size=len(codes))
                           for codes in (left, pivot, right))  # fmt: skip
    return np.where(np.abs(first - middle) > np.abs(last - middle), 1, -1)


def study(rng, count=2500, items=8, sources_only=False):
    values = -np.linspace(0, 4, items)
    left, right, pivot = (rng.integers(0, items, count) for _ in range(3))
    if sources_only:
        pivot = np.zeros(count, int)
    keep = (left != right) & (sources_only | ((left != pivot) & (right != pivot)))
    left, pivot, right = left[keep], pivot[keep], right[keep]
    answers = Triplets(
        tuple(f"i{k}" for k in range(items)), left, pivot, right,
        felt(values, left, pivot, right, rng), ("o",), np.zeros(len(left), int),
    )  # fmt: skip
    return values - values.mean(), answers


@pytest.mark.parametrize("values", [(0.0, 1.0, 3.0), (2.0, -1.0, -0.5), (0.3, 0.0, -0.3)])
def test_probability_equals_drawn_percepts(values, rng):
    n = 400_000
    codes = [np.full(n, k) for k in range(3)]
    share = (felt(np.array(values), *codes, rng) > 0).mean()
    expected = triplet_probability(*(np.array([v]) for v in values))[0]
    assert share == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(n))
    turned = triplet_probability(*(np.array([v]) for v in values[::-1]))[0]
    assert expected + turned == pytest.approx(1, abs=1e-12)


def test_scale_is_recovered_with_its_direction(rng):
    values, answers = study(rng)
    found = scale_triplets(answers, best=["i0"])
    assert np.sqrt(np.mean((found.jod - values) ** 2)) < 0.3
    assert found.jod.argmax() == 0
    assert (np.abs(found.jod - values) / found.se).max() < 4
    gap, low, high = found.difference("i0", "i7")
    assert low < gap < high
    upside_down = scale_triplets(answers, best=["i7"])
    assert upside_down.jod == pytest.approx(-found.jod, abs=1e-4)
    assert found.table()[0]["method"] == "i0"


def test_the_optimum_is_one(rng):
    _, answers = study(rng, count=600, items=5)
    found = scale_triplets(answers, best=["i0"], sigma=1.5)

    def log_posterior(q):
        p = triplet_probability(q[answers.left], q[answers.pivot], q[answers.right])
        total = np.log(np.where(answers.choice > 0, p, 1 - p)).sum()
        return total - (q**2).sum() / (2 * 1.5**2)

    here = log_posterior(found.jod)
    for _ in range(200):
        assert log_posterior(found.jod + rng.normal(0, 0.02, 5)) < here + 1e-8


def test_intervals_cover():
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(40):
        values, answers = study(rng, count=900, items=5)
        found = scale_triplets(answers, best=["i0"])
        hits += [bool(low <= v <= high)
                 for v, (low, high) in zip(values, found.intervals, strict=True)]  # fmt: skip
    assert 0.89 <= np.mean(hits) <= 0.99


def test_sources_as_pivots_are_scaled_as_comparisons(rng):
    values, answers = study(rng, sources_only=True)
    noise = rng.normal(0, NOISE, (2, len(answers)))
    more = values[answers.left] + noise[0] < values[answers.right] + noise[1]
    of_impairments = replace(answers, choice=np.where(more, 1, -1))
    found = scale_pairs(of_impairments.baseline(["i0"]), reference="i0")
    assert found.jod[0] == 0
    assert found.jod[-1] == pytest.approx(values[-1] - values[0], abs=0.5)


def test_unsigned_distances_from_a_source_need_the_model_of_triplets(rng):
    """Who sees only how far, not in which direction, errs more near the source."""
    values, answers = study(rng, sources_only=True)
    truth = values[-1] - values[0]
    assert scale_pairs(answers.baseline(["i0"]), reference="i0").jod[-1] > truth + 0.8
    gap, low, high = scale_triplets(answers, best=["i0"]).difference("i7", "i0")
    assert low < truth < high
    assert gap == pytest.approx(truth, abs=0.6)


def test_not_sure_is_counted_half_and_told(rng):
    _, answers = study(rng, count=300)
    choice = answers.choice.copy()
    choice[:50] = 0
    unsure = Triplets(answers.items, answers.left, answers.pivot, answers.right, choice,
                      answers.observers, answers.observer)  # fmt: skip
    assert "50 answers" in scale_triplets(unsure, best=["i0"]).notes[0]


def test_bad_requests_are_refused(rng):
    _, answers = study(rng, count=100)
    with pytest.raises(InputError, match="No triplet shows 'z'"):
        scale_triplets(answers, best=["z"])
    with pytest.raises(InputError, match="No item is named"):
        scale_triplets(answers, best=[])
    with pytest.raises(UsageError, match="above 0"):
        scale_triplets(answers, best=["i0"], sigma=0)
    apart = Triplets(tuple("abcdef"), np.array([0, 3]), np.array([1, 4]), np.array([2, 5]),
                     np.array([1, 1]), ("o",), np.zeros(2, int))  # fmt: skip
    with pytest.raises(InputError, match="2 groups that no triplet links"):
        scale_triplets(apart, best=["a"])
