"""Which pairs to ask next."""

import math

import numpy as np
import pytest
from pairs_support import partial_design, simulated
from scipy.integrate import quad
from scipy.stats import norm

from srqa.errors import InputError, UsageError
from srqa.ratings.comparisons import from_names, groups_of
from srqa.ratings.paired import scale_pairs
from srqa.ratings.sampling import (
    Belief,
    assign_pairs,
    believe,
    expected_gain,
    next_pairs,
    spanning_tree,
    variance_reduction,
)

NAMES = [f"i{k}" for k in range(10)]


@pytest.fixture
def answers(rng):
    left, right = partial_design(10, 60, rng)
    return simulated(np.linspace(0, 4, 10), left, right, rng)


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (0.8, 1.7), (-3.0, 0.4), (5.0, 2.0)])
def test_gain_equals_an_integral(mean, variance):
    def part(likelihood):
        def moment(power, centre=0.0):
            def inside(d):
                return (d - centre) ** power * likelihood(d) * norm.pdf(d, mean, variance**0.5)

            return quad(inside, mean - 12, mean + 12, epsabs=1e-14, limit=200)[0]

        mass = moment(0)
        centre = moment(1) / mass
        spread = moment(2, centre) / mass
        ratio = spread / variance
        return mass * 0.5 * (ratio + (centre - mean) ** 2 / variance - 1 - math.log(ratio))

    expected = part(norm.cdf) + part(norm.sf)
    half = np.diag([variance * 0.6, variance * 0.4])
    found = expected_gain(Belief(np.array([mean, 0.0]), half))
    assert found[0, 1] == pytest.approx(expected, rel=1e-6)
    assert found[1, 0] == pytest.approx(expected, rel=1e-6)


def test_gain_stays_finite_far_out():
    found = expected_gain(Belief(np.array([60.0, 0.0, 0.0]), np.eye(3)))
    assert np.isfinite(found).all()
    assert 0 <= found[0, 1] < 1e-100 < found[1, 2]


def test_divergence_of_the_difference_is_that_of_everything(rng):
    """The closed form against the divergence of the whole updated normal distribution."""
    root = rng.normal(size=(4, 4))
    belief = Belief(rng.normal(size=4), root @ root.T)
    pick = np.array([1.0, 0, -1, 0])
    v = pick @ belief.covariance @ pick
    z = pick @ belief.mean / math.sqrt(1 + v)
    total = 0.0
    for side in (1, -1):
        r = norm.pdf(z) / norm.cdf(side * z)
        carried = belief.covariance @ pick
        mean = belief.mean + side * carried * r / math.sqrt(1 + v)
        covariance = belief.covariance - np.outer(carried, carried) * r * (r + side * z) / (1 + v)
        inverse = np.linalg.inv(belief.covariance)
        shift = mean - belief.mean
        kl = np.trace(inverse @ covariance) + shift @ inverse @ shift - 4
        kl += np.log(np.linalg.det(belief.covariance) / np.linalg.det(covariance))
        total += norm.cdf(side * z) * kl / 2
    assert expected_gain(belief)[0, 2] == pytest.approx(total, rel=1e-9)


def test_variance_falls_by_as_much_as_was_promised(answers):
    from srqa.ratings.comparisons import count_cells

    cells = count_cells(answers, sided=False)
    columns = (10, cells.left, cells.right, cells.counts)
    before, after = believe(*columns), believe(*columns, waiting=[(2, 6)])
    fallen = np.trace(before.covariance) - np.trace(after.covariance)
    promised = variance_reduction(before)[2, 6] / 1.482602218505602**2 * 10
    assert promised == pytest.approx(fallen, rel=1e-9)
    assert after.mean == pytest.approx(before.mean)


def test_belief_is_the_scales(answers):
    from srqa.ratings.comparisons import count_cells

    cells = count_cells(answers, sided=False)
    found = believe(10, cells.left, cells.right, cells.counts)
    scale = scale_pairs(answers, side_bias=False)
    assert found.mean * 1.482602218505602 == pytest.approx(scale.jod, abs=1e-8)


@pytest.mark.parametrize("aim", ["scale", "order"])
def test_the_first_pairs_link_all_items(aim):
    found = next_pairs(NAMES, 9, aim=aim, random_share=0.0, seed=5)
    asked = from_names([a.left for a in found], [a.right for a in found], ["tie"] * 9)
    assert len(asked.items) == 10
    assert groups_of(asked).max() == 0
    assert found == next_pairs(NAMES, 9, aim=aim, random_share=0.0, seed=5)
    assert found != next_pairs(NAMES, 9, aim=aim, random_share=0.0, seed=6)


def test_pairs_that_are_decided_are_not_asked(rng):
    left, right = np.triu_indices(10, 1)
    left, right = np.repeat(left, 20), np.repeat(right, 20)
    answers = simulated(np.linspace(0, 9, 10), left, right, rng)
    found = next_pairs(NAMES, 9, answers, random_share=0.0)
    apart = [abs(int(a.left[1:]) - int(a.right[1:])) for a in found]
    assert np.mean(apart) < 2.5


def test_pending_pairs_lower_what_they_promise(answers):
    (best, *_) = next_pairs(NAMES, 1, answers, random_share=0.0)
    pending = [(best.left, best.right)] * 30
    (other, *_) = next_pairs(NAMES, 1, answers, pending=pending, random_share=0.0)
    assert {other.left, other.right} != {best.left, best.right}


def test_a_share_of_pairs_is_drawn_at_random(answers):
    found = next_pairs(NAMES, 200, answers, random_share=0.15)
    assert sum(a.random for a in found) == 30
    assert sum(a.random for a in next_pairs(NAMES, 20, answers, random_share=0.0)) == 0
    lefts = sum(int(a.left[1:]) < int(a.right[1:]) for a in found)
    assert 60 < lefts < 140


def test_observers_get_pairs_of_their_own(answers):
    found = assign_pairs(NAMES, ["x", "y", "o3"], each=12, comparisons=answers,
                         pending=[("i0", "i1", "x")])  # fmt: skip
    for name in ("x", "y", "o3"):
        own = [frozenset((a.left, a.right)) for a in found if a.observer == name]
        assert len(own) == len(set(own)) == 12
    rows = answers.observer == 3
    seen = {
        frozenset((answers.items[a], answers.items[b]))
        for a, b in zip(answers.left[rows], answers.right[rows], strict=True)
    }
    assert not seen & {frozenset((a.left, a.right)) for a in found if a.observer == "o3"}
    assert frozenset(("i0", "i1")) not in {
        frozenset((a.left, a.right)) for a in found if a.observer == "x"
    }


def test_an_observer_may_see_all_pairs_and_more():
    found = assign_pairs(["a", "b", "c"], ["x"], each=7)
    assert len(found) == 7
    assert len({frozenset((a.left, a.right)) for a in found[:3]}) == 3


def test_spanning_trees_leave_out_what_was_used(rng):
    gain = rng.random((6, 6))
    gain = gain + gain.T
    used = {(0, 1), (2, 4)}
    tree = spanning_tree(gain, used, rng)
    assert len(tree) == 5
    assert not used & {tuple(sorted(edge)) for edge in tree}
    worth = [gain[edge] for edge in tree]
    assert worth == sorted(worth, reverse=True)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: next_pairs(["a"], 1), InputError, "two items or more"),
        (lambda: next_pairs(["a", "a"], 1), InputError, "two items or more"),
        (lambda: next_pairs(NAMES, 0), UsageError, "At least one pair"),
        (lambda: next_pairs(NAMES, 1, random_share=1.5), UsageError, "between 0 and 1"),
        (lambda: next_pairs(NAMES, 1, aim="speed"), UsageError, "no aim 'speed'"),
        (lambda: next_pairs([str(k) for k in range(1001)], 1), UsageError, "too many"),
        (lambda: next_pairs(NAMES, 1, pending=[("i0", "z")]), InputError, "'z', which is no item"),
        (lambda: assign_pairs(NAMES, [], 1), InputError, "must be named"),
        (
            lambda: next_pairs(NAMES, 1, from_names(["z"], ["i0"], ["left"])),
            InputError, "Answers speak of 'z'",
        ),
    ],
)  # fmt: skip
def test_bad_requests_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.slow
def test_active_sampling_needs_fewer_votes_than_random_pairs():
    from benchmarks.sampling import curve

    def error(design):
        return math.sqrt(np.mean([curve(design, 10.0, seed)[-1][0] for seed in range(12)]))

    assert error("scale") < 0.9 * error("random")
